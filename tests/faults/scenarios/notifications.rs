//! Sockets that fail while their owners are notified.

use crate::{
    Load,
    figures::{Figures, say},
    listener::Listener,
    queue,
    test_bed::{DELIVERY_WAIT, EXPIRED_CONNECTION, TestBed},
};
use fault_endpoint::{Call, Fault, Gate, Rule, When};
use hyper::StatusCode;
use std::time::Duration;
use testkit::{eventually::eventually, order_bodies::new_id, stack::OWNER};

fn posts_to(listener: &Listener) -> impl Fn(&Call) -> bool + Send + 'static {
    let id = listener.connection_id.clone();
    move |call| call.is_post() && call.key == id
}

async fn place(bed: &TestBed, owner: &str) -> String {
    let id = new_id();
    queue::send(bed, vec![queue::order(0, owner, &id, queue::now_ms())]).await;
    id
}

pub(crate) async fn a_socket_is_notified_after_posts_that_fail_at_first(bed: &TestBed, _: Load) -> Figures {
    let mut listener = Listener::open(bed, OWNER).await;
    let faults = [
        (Fault::Throttle, 4),
        (Fault::ServerError(StatusCode::INTERNAL_SERVER_ERROR), 4),
        (Fault::DropBefore, 4),
        (Fault::DropAfter, 2),
        (Fault::HangBefore, 2),
        (Fault::Slow(Duration::from_millis(500)), 1),
    ];
    let (mut orders, mut failed) = (0, 0);
    for (fault, times) in faults {
        let (mark, name) = (bed.endpoint.mark(), fault.name());
        bed.endpoint.inject(Rule::new(posts_to(&listener), When::First(times), fault));

        let id = place(bed, OWNER).await;

        listener.receives("order.confirmed", &id, DELIVERY_WAIT).await;
        bed.queue_is_empty(DELIVERY_WAIT).await;
        assert_eq!(
            bed.endpoint.writes(mark, &id, "CONFIRMED"),
            1,
            "{name}: a notification must never write the order again"
        );
        let faults = bed.endpoint.since(mark).iter().filter(|passed| passed.fault.is_some()).count();
        assert_eq!(faults, times, "{name}: number of injected faults");
        orders += 1;
        failed += faults;
        bed.endpoint.heal();
    }
    Figures::default().with("orders", orders).with("posts that failed", failed).with("not notified", 0)
}

pub(crate) async fn a_slow_socket_delays_no_other(bed: &TestBed, _: Load) -> Figures {
    let (slow, mut quick) = (Listener::open(bed, "slow-and-quick").await, Listener::open(bed, "slow-and-quick").await);
    let mut other = Listener::open(bed, "another-owner").await;
    let gate = Gate::closed();
    bed.endpoint.inject(Rule::new(posts_to(&slow), When::Always, Fault::HoldBefore(gate.clone())));

    let id = place(bed, "slow-and-quick").await;
    gate.reached_by(1, DELIVERY_WAIT).await;
    let other_id = place(bed, "another-owner").await;
    quick.receives("order.confirmed", &id, DELIVERY_WAIT).await;
    other.receives("order.confirmed", &other_id, DELIVERY_WAIT).await;

    assert!(bed.stack.messages_in("OrdersQueueUrl").await > 0, "the slow socket's message must still be in flight");
    assert_eq!(slow.count("order.confirmed", &id), 0, "its post is held");
    gate.open();
    bed.queue_is_empty(DELIVERY_WAIT).await;
    Figures::default().with("held", 1).with("notified meanwhile", 2)
}

pub(crate) async fn a_dead_socket_takes_no_retries_from_others(bed: &TestBed, load: Load) -> Figures {
    let (dead, mut other) = (Listener::open(bed, "dead").await, Listener::open(bed, "alive").await);
    let fault = || Fault::ServerError(StatusCode::INTERNAL_SERVER_ERROR);
    bed.endpoint.inject(Rule::new(posts_to(&dead), When::Always, fault()));
    let (orders, mark) = (load.pick(40, 200), bed.endpoint.mark());
    let order = |entry| queue::order(entry, "dead", &new_id(), queue::now_ms());
    queue::send(bed, (0..orders).map(order).collect()).await;
    bed.queue_is_empty(2 * DELIVERY_WAIT).await;
    let retried = bed.endpoint.since(mark).iter().filter(|passed| passed.call.is_post()).count() - orders;

    let ids: Vec<_> = (0..20).map(|_| new_id()).collect();
    bed.endpoint.inject(Rule::new(posts_to(&other), When::First(ids.len()), fault()));
    let messages = ids.iter().enumerate().map(|(entry, id)| queue::order(entry, "alive", id, queue::now_ms()));
    queue::send(bed, messages.collect()).await;

    for id in &ids {
        other.receives("order.confirmed", id, DELIVERY_WAIT).await;
    }
    Figures::default().with("retries for the dead socket", retried).with("notified at the second post", ids.len())
}

pub(crate) async fn only_a_gone_socket_loses_its_row(bed: &TestBed, _: Load) -> Figures {
    let mut listener = Listener::open(bed, OWNER).await;
    let gone = format!("gone-{}", new_id());
    bed.stack.add_gone_connection(OWNER, &gone, 4_000_000_000).await;
    // Earlier rows may belong to closing sockets, so the test adds its own two.
    bed.stack.add_gone_connection("bystander", &format!("{gone}-too"), 4_000_000_000).await;

    let id = place(bed, OWNER).await;
    listener.receives("order.confirmed", &id, DELIVERY_WAIT).await;

    let after = eventually(DELIVERY_WAIT, "the gone connection has no row", async || {
        let rows = bed.stack.connections().await;
        (!rows.contains(&gone)).then_some(rows)
    })
    .await;
    for kept in [&listener.connection_id, &format!("{gone}-too")] {
        assert!(after.contains(kept), "{kept} must keep its row");
    }
    Figures::default().with("removed", 1).with("kept", 2)
}

pub(crate) async fn an_expired_row_is_removed_by_its_time_to_live(bed: &TestBed, _: Load) -> Figures {
    // The bed added the row at the start. Its owner has no orders, so nothing is posted to it.
    say("waiting for DynamoDB's time to live");
    eventually(2 * DELIVERY_WAIT, "the row is removed by its time to live", async || {
        (!bed.stack.connections().await.contains(EXPIRED_CONNECTION)).then_some(())
    })
    .await;
    let posts = bed.endpoint.since(0);
    assert!(!posts.iter().any(|passed| passed.call.is_post() && passed.call.key == EXPIRED_CONNECTION));
    Figures::default().with("rows", 1).with("posts", 0)
}
