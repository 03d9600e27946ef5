//! One service of the bus lane stopped for a while.

use crate::{
    Load, bus,
    figures::{Figures, say},
    listener::Listener,
    moments::deadline,
    test_bed::{DELIVERY_WAIT, TestBed},
};
use aws_sdk_sqs::types::QueueAttributeName::DelaySeconds;
use fault_endpoint::Call;
use std::{collections::BTreeMap, time::Duration};
use testkit::{
    eventually::eventually,
    order_bodies::{new_id, new_sku, order_in, order_of},
    stack::OWNER,
};

/// Short deadline, in seconds.
const SOON: &str = "3";

/// Until the backlog is empty.
const DEADLINE: Duration = Duration::from_mins(4);

/// For orders placed from now on. The other steps keep theirs.
async fn set_order_deadline(bed: &TestBed, seconds: &str) {
    bed.set_queue_attribute("DeadlineQueueUrl", DelaySeconds, seconds).await;
    for function in ["SettleOrderFunctionName", "ReserveStockFunctionName"] {
        bed.set_variable(function, "ORDER_DEADLINE_SECONDS", seconds).await;
    }
}

fn new_ids(orders: usize) -> Vec<String> {
    (0..orders).map(|_| new_id()).collect()
}

/// By lane: the accepted and the confirmed orders, and their deliveries.
type Done = BTreeMap<&'static str, [u64; 3]>;

async fn place(bed: &TestBed, orders: usize) -> Done {
    let mut done = Done::new();
    for lane in ["sync", "async"] {
        let [accepted, confirmed, deliveries] = done.entry(lane).or_default();
        for id in &new_ids(orders) {
            let answer = bed.api.put(lane, id, &order_of("SKU-1")).await;
            let order = bed.api.settled(id).await;
            *accepted += u64::from([201, 202].contains(&answer.status));
            *confirmed += u64::from(order["status"] == "CONFIRMED");
            *deliveries += order["attempts"].as_u64().expect("an order has attempts");
        }
    }
    done
}

pub(crate) async fn other_lanes_are_not_affected_and_the_bus_lane_catches_up_or_cancels(
    bed: &TestBed,
    load: Load,
) -> Figures {
    let (orders, sku) = (load.pick(10, 100), new_sku());
    let order = order_in("EUR", &[(&sku, 2, 100)]);
    for _ in 0..2 * orders {
        bed.stack.supply(OWNER, &order).await;
    }
    let [stock, money] = bus::left(bed, OWNER, &order).await.map(Option::unwrap);
    let mut listener = Listener::open(bed, OWNER).await;
    let deployed = bed.queue_attribute("DeadlineQueueUrl", DelaySeconds).await;

    let before = place(bed, orders).await;
    let (late, waiting, mark) = (new_ids(orders), new_ids(orders), bed.endpoint.mark());
    let kill = deadline().aim(bed, &late[0]);
    set_order_deadline(bed, SOON).await;
    bed.set_consumer("ReserveStockFunctionName", false).await;
    for id in &late {
        bus::submit(&bed.api, id, &order).await;
    }
    say("the deadline of the first orders passes while their step is stopped");
    for id in &late {
        let frame = listener.receives("order.cancelled", id, DELIVERY_WAIT).await;
        assert_eq!(frame["reason"], format!("not every step answered within {SOON} s"), "{frame}");
    }
    assert!(kill.is_done(), "every order has passed its deadline, but no process was killed at {kill:?}");
    bed.set_consumer("ReserveStockFunctionName", true).await;
    for id in &late {
        bus::every_step_is(bed, OWNER, id, "UNDONE").await;
    }
    bed.bus_is_idle(DEADLINE).await;
    let is_late_hold = |call: &Call| {
        *call.caller == *"ReserveStockFunctionName" && call.transacts("HELD") && late.iter().any(|id| call.is_about(id))
    };
    let held = bed.endpoint.since(mark).iter().filter(|passed| is_late_hold(&passed.call)).count();
    assert_eq!(held, 0, "orders after their deadline must take nothing from others");

    set_order_deadline(bed, &deployed).await;
    bed.set_consumer("ReserveStockFunctionName", false).await;
    for id in &waiting {
        bus::submit(&bed.api, id, &order).await;
    }
    let meanwhile = place(bed, orders).await;
    assert_eq!(before["sync"], [u64::try_from(orders).unwrap(); 3], "{before:?}");
    assert_eq!(meanwhile, before, "the other lanes must not be affected");
    for id in &waiting {
        eventually(DELIVERY_WAIT, "the other steps vote", async || {
            (bus::shown(&bed.api.get(id).await.body) == ["PENDING", "HELD", "HELD"]).then_some(())
        })
        .await;
    }
    let backlog = bed.stack.messages_in("StockQueueUrl").await;
    assert!(backlog >= orders, "the service must have been stopped: {backlog} messages");
    bed.set_consumer("ReserveStockFunctionName", true).await;

    for id in &waiting {
        listener.receives("order.confirmed", id, DEADLINE).await;
        bus::every_step_is(bed, OWNER, id, "DONE").await;
    }
    for id in &late {
        bus::every_step_is(bed, OWNER, id, "UNDONE").await;
        assert_eq!(bed.api.get(id).await.body["status"], "CANCELLED", "{id}");
        assert_eq!(listener.count("order.confirmed", id), 0, "{id}");
    }
    bed.bus_is_idle(DEADLINE).await;
    let done = i64::try_from(orders).unwrap();
    assert_eq!(bus::left(bed, OWNER, &order).await, [Some(stock - 2 * done), Some(money - 200 * done)]);
    Figures::default()
        .with("confirmed meanwhile in each other lane", meanwhile["async"][1])
        .with("killed at the deadline", 1)
        .with("in the queue", backlog)
        .with("confirmed afterwards", waiting.len())
        .with("cancelled at the deadline", late.len())
        .with("holds left", 0)
}
