//! The billed AWS calls of an order.

use crate::{
    Load,
    figures::Figures,
    listener::Listener,
    rig::{DELIVERY_WAIT, Rig},
};
use std::collections::BTreeMap;
use testkit::{
    order_bodies::{new_id, order_of},
    stack::OWNER,
};

/// The number of calls since the mark, by operation, without opened connections.
fn calls(rig: &Rig, mark: usize) -> BTreeMap<String, usize> {
    let mut calls = BTreeMap::new();
    for passed in rig.endpoint.since(mark).iter().filter(|passed| passed.call.operation != "Connect") {
        *calls.entry(passed.call.operation.clone()).or_default() += 1;
    }
    calls
}

fn expected(calls: &[(&str, usize)]) -> BTreeMap<String, usize> {
    calls.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

pub(crate) async fn an_order_costs_one_write_and_its_notification_one_query_and_one_post_per_socket(
    rig: &Rig,
    _: Load,
) -> Figures {
    let (mut first, mut second) = (Listener::open(rig, OWNER).await, Listener::open(rig, OWNER).await);

    let mark = rig.endpoint.mark();
    let stored = rig.api.put("sync", &new_id(), &order_of("SKU-1")).await;
    assert_eq!(stored.status, 201, "{stored:?}");
    assert_eq!(calls(rig, mark), expected(&[("PutItem", 1)]));

    let (id, mark) = (new_id(), rig.endpoint.mark());
    let queued = rig.api.put("async", &id, &order_of("SKU-1")).await;
    assert_eq!(queued.status, 202, "{queued:?}");
    for listener in [&mut first, &mut second] {
        listener.receives("order.confirmed", &id, DELIVERY_WAIT).await;
    }
    rig.queue_is_empty(DELIVERY_WAIT).await;
    assert_eq!(calls(rig, mark), expected(&[("PostToConnection", 2), ("PutItem", 1), ("Query", 1)]));

    Figures::default().with("sync", "1 write").with("async, two sockets", "1 write, 1 query, 2 posts")
}
