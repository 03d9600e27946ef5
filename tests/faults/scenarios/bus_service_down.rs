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

/// Sends orders down the other lanes. Returns how many were accepted and how many were confirmed, by lane.
async fn place(bed: &TestBed, orders: usize) -> BTreeMap<&'static str, [usize; 2]> {
    let mut placed = BTreeMap::<_, [usize; 2]>::new();
    for lane in ["sync", "async"] {
        let [accepted, confirmed] = placed.entry(lane).or_default();
        for id in &new_ids(orders) {
            let response = bed.api.put(lane, id, &order_of("SKU-1")).await;
            *accepted += usize::from([201, 202].contains(&response.status));
            *confirmed += usize::from(bed.api.settled(id).await["status"] == "CONFIRMED");
        }
    }
    placed
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
    let holds = |ids: &[String]| {
        let is_hold = |call: &Call| *call.caller == *"ReserveStockFunctionName" && call.transacts("HELD");
        let calls = bed.endpoint.since(mark).into_iter().map(|passed| passed.call).filter(is_hold);
        calls.filter(|call| ids.iter().any(|id| call.is_about(id))).count()
    };
    assert_eq!(holds(&late), 0, "orders after their deadline must take nothing from others");

    set_order_deadline(bed, &deployed).await;
    bed.set_consumer("ReserveStockFunctionName", false).await;
    for id in &waiting {
        bus::submit(&bed.api, id, &order).await;
    }
    let meanwhile = place(bed, orders).await;
    assert_eq!(before["sync"], [orders; 2], "{before:?}");
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
    assert!(holds(&waiting) >= orders, "orders before their deadline are held");
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
        .with("killed at the deadline", usize::from(kill.is_done()))
        .with("in the queue", backlog)
        .with("confirmed afterwards", waiting.len())
        .with("cancelled at the deadline", late.len())
        .with("holds left", 0)
}
