//! One service of the bus lane stopped for a while.

use crate::{
    Load, bus,
    figures::{Figures, say},
    listener::Listener,
    moments::deadlines,
    test_bed::{DELIVERY_WAIT, TestBed},
};
use aws_sdk_sqs::types::QueueAttributeName::{DelaySeconds, VisibilityTimeout};
use fault_endpoint::Call;
use std::time::Duration;
use testkit::{
    eventually::eventually,
    order_bodies::{new_id, new_sku, order_in, order_of},
    stack::OWNER,
};

/// Short deadline, and delay of a redelivery, in seconds.
const SOON: &str = "3";

/// Until the backlog is empty.
const DEADLINE: Duration = Duration::from_mins(4);

/// For orders placed from now on.
async fn set_order_deadline(bed: &TestBed, seconds: &str) {
    bed.set_queue_attribute("DeadlineQueueUrl", DelaySeconds, seconds).await;
    bed.set_variable("SettleOrderFunctionName", "ORDER_DEADLINE_SECONDS", seconds).await;
}

fn new_ids(orders: usize) -> Vec<String> {
    (0..orders).map(|_| new_id()).collect()
}

/// What the lane did with some orders.
#[derive(Debug, Default, PartialEq, Eq)]
struct Done {
    accepted: usize,
    confirmed: usize,
    deliveries: u64,
    writes: usize,
}

async fn place(bed: &TestBed, lane: &str, orders: usize) -> Done {
    let (ids, mark, mut done) = (new_ids(orders), bed.endpoint.mark(), Done::default());
    for id in &ids {
        let answer = bed.api.put(lane, id, &order_of("SKU-1")).await;
        let order = bed.api.settled(id).await;
        done.accepted += usize::from([201, 202].contains(&answer.status));
        done.confirmed += usize::from(order["status"] == "CONFIRMED");
        done.deliveries += order["attempts"].as_u64().expect("an order has attempts");
    }
    let is_write = |call: &Call| call.operation == "PutItem" && ids.iter().any(|id| call.is_about(id));
    done.writes = bed.endpoint.since(mark).iter().filter(|passed| is_write(&passed.call)).count();
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

    let others = ["sync", "async"];
    let before = [place(bed, others[0], orders).await, place(bed, others[1], orders).await];
    bed.set_consumer("ReserveStockFunctionName", false).await;
    set_order_deadline(bed, SOON).await;
    bed.set_queue_attribute("DeadlineQueueUrl", VisibilityTimeout, SOON).await;
    let (late, waiting) = (new_ids(orders), new_ids(orders));
    let kills: Vec<_> = deadlines().into_iter().zip(&late).map(|(moment, id)| moment.aim(bed, id)).collect();
    for id in &late {
        bus::submit(&bed.api, id, &order).await;
    }
    say("the deadline of the first orders passes while their step is stopped");
    for id in &late {
        let frame = listener.receives("order.cancelled", id, DELIVERY_WAIT).await;
        assert_eq!(frame["reason"], format!("not every step answered within {SOON} s"), "{frame}");
    }
    set_order_deadline(bed, &deployed).await;
    for kill in &kills {
        assert!(kill.is_done(), "every order has passed its deadline, but no process was killed at {kill:?}");
    }
    for id in &waiting {
        bus::submit(&bed.api, id, &order).await;
    }
    for id in &waiting {
        eventually(DELIVERY_WAIT, "the other steps vote", async || {
            (bus::shown(&bed.api.get(id).await.body) == ["PENDING", "HELD", "HELD"]).then_some(())
        })
        .await;
    }
    let meanwhile = [place(bed, others[0], orders).await, place(bed, others[1], orders).await];
    assert_eq!(before.each_ref().map(|done| done.confirmed), [orders; 2], "{before:?}");
    assert_eq!(meanwhile, before, "the lanes {others:?} must not be affected");
    let backlog = bed.stack.messages_in("StockQueueUrl").await;
    assert!(backlog >= 2 * orders, "the service must have been stopped: {backlog} messages");
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
        .with("orders of each other lane", format!("{} of {orders} as before", meanwhile[1].confirmed))
        .with("killed at the deadline", kills.len())
        .with("in the queue", backlog)
        .with("confirmed afterwards", waiting.len())
        .with("cancelled at the deadline", late.len())
        .with("holds left", 0)
}
