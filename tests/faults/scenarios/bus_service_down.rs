//! One service of the bus lane stopped for a while.

use crate::{
    Load, bus,
    figures::{Figures, tell},
    listener::Listener,
    rig::{DELIVERY_WAIT, Rig},
};
use aws_sdk_sqs::types::QueueAttributeName::DelaySeconds;
use std::time::Duration;
use testkit::{
    eventually::eventually,
    order_bodies::{new_id, new_sku, order_in, order_of},
    stack::OWNER,
};

/// The short deadline of orders that are to be cancelled, in seconds.
const SOON: &str = "3";

/// Longest time until the backlog is empty.
const DEADLINE: Duration = Duration::from_mins(4);

/// Sets the deadline of orders that are placed from now on.
async fn set_order_deadline(rig: &Rig, seconds: &str) {
    rig.set_queue_attribute("DeadlineQueueUrl", DelaySeconds, seconds).await;
    rig.set_variable("SettleOrderFunctionName", "ORDER_DEADLINE_SECONDS", seconds).await;
}

async fn submit(rig: &Rig, sku: &str, orders: usize) -> Vec<String> {
    let ids: Vec<_> = (0..orders).map(|_| new_id()).collect();
    for id in &ids {
        bus::submit(&rig.api, id, &order_in("EUR", &[(sku, 2, 100)])).await;
    }
    ids
}

pub(crate) async fn other_lanes_are_not_affected_and_the_bus_lane_catches_up_or_cancels(
    rig: &Rig,
    load: Load,
) -> Figures {
    let (orders, sku) = (load.pick(10, 100), new_sku());
    let order = order_in("EUR", &[(&sku, 2, 100)]);
    for _ in 0..2 * orders {
        rig.stack.supply(OWNER, &order).await;
    }
    let [stock, money] = bus::left(rig, OWNER, &order).await.map(Option::unwrap);
    let mut listener = Listener::open(rig, OWNER).await;
    let deployed = rig.queue_attribute("DeadlineQueueUrl", DelaySeconds).await;

    rig.set_consumer("ReserveStockFunctionName", false).await;
    set_order_deadline(rig, SOON).await;
    let late = submit(rig, &sku, orders).await;
    tell("the deadline of the first orders passes while their step is stopped");
    for id in &late {
        let frame = listener.receives("order.cancelled", id, DELIVERY_WAIT).await;
        assert_eq!(frame["reason"], format!("not every step answered within {SOON} s"), "{frame}");
    }
    set_order_deadline(rig, &deployed).await;
    let waiting = submit(rig, &sku, orders).await;
    for id in &waiting {
        eventually(DELIVERY_WAIT, "the other steps vote", async || {
            (bus::shown(&rig.api.get(id).await.body) == ["PENDING", "HELD", "HELD"]).then_some(())
        })
        .await;
    }
    for lane in ["sync", "async"] {
        for _ in 0..orders {
            let id = new_id();
            assert!([201, 202].contains(&rig.api.put(lane, &id, &order_of("SKU-1")).await.status));
            assert_eq!(rig.api.settled(&id).await["status"], "CONFIRMED", "the {lane} lane must not be affected");
        }
    }
    let backlog = rig.stack.messages_in("StockQueueUrl").await;
    assert!(backlog >= 2 * orders, "the service must have been stopped: {backlog} messages");
    rig.set_consumer("ReserveStockFunctionName", true).await;

    for id in &waiting {
        listener.receives("order.confirmed", id, DEADLINE).await;
        bus::every_step_is(rig, OWNER, id, "DONE").await;
    }
    for id in &late {
        bus::every_step_is(rig, OWNER, id, "UNDONE").await;
        assert_eq!(rig.api.get(id).await.body["status"], "CANCELLED", "{id}");
        assert_eq!(listener.count("order.confirmed", id), 0, "{id}");
    }
    rig.bus_is_idle(DEADLINE).await;
    let done = i64::try_from(orders).unwrap();
    assert_eq!(bus::left(rig, OWNER, &order).await, [Some(stock - 2 * done), Some(money - 200 * done)]);
    Figures::default()
        .with("in the queue", backlog)
        .with("confirmed afterwards", waiting.len())
        .with("cancelled at the deadline", late.len())
        .with("holds left", 0)
}
