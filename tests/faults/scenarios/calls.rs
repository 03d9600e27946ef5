//! The billed AWS calls of an order.

use crate::{
    Load,
    figures::Figures,
    listener::Listener,
    test_bed::{DELIVERY_WAIT, TestBed},
};
use std::collections::BTreeMap;
use testkit::{
    order_bodies::{new_id, order_of},
    stack::OWNER,
};

/// Since the mark, by operation, without opened connections.
fn calls(bed: &TestBed, mark: usize) -> BTreeMap<String, usize> {
    let mut calls = BTreeMap::new();
    for passed in bed.endpoint.since(mark).iter().filter(|passed| passed.call.operation != "Connect") {
        *calls.entry(passed.call.operation.clone()).or_default() += 1;
    }
    calls
}

fn expected(calls: &[(&str, usize)]) -> BTreeMap<String, usize> {
    calls.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

pub(crate) async fn an_order_costs_one_write_and_its_notification_one_query_and_one_post_per_socket(
    bed: &TestBed,
    _: Load,
) -> Figures {
    let (mut first, mut second) = (Listener::open(bed, OWNER).await, Listener::open(bed, OWNER).await);

    let mark = bed.endpoint.mark();
    let stored = bed.api.put("sync", &new_id(), &order_of("SKU-1")).await;
    assert_eq!(stored.status, 201, "{stored:?}");
    assert_eq!(calls(bed, mark), expected(&[("PutItem", 1)]));

    let (id, mark) = (new_id(), bed.endpoint.mark());
    let queued = bed.api.put("async", &id, &order_of("SKU-1")).await;
    assert_eq!(queued.status, 202, "{queued:?}");
    for listener in [&mut first, &mut second] {
        listener.receives("order.confirmed", &id, DELIVERY_WAIT).await;
    }
    bed.queue_is_empty(DELIVERY_WAIT).await;
    assert_eq!(calls(bed, mark), expected(&[("PostToConnection", 2), ("PutItem", 1), ("Query", 1)]));

    Figures::default().with("sync", "1 write").with("async, two sockets", "1 write, 1 query, 2 posts")
}
