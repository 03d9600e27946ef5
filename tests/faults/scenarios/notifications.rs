//! Sockets that fail while their owners are told.

use crate::{
    Load,
    endpoint::{Call, Fault, Gate, Rule, When},
    figures::{Figures, tell},
    listener::Listener,
    queue,
    rig::{GONE_FOR_LONG, PATIENCE, Rig},
};
use hyper::StatusCode;
use std::time::Duration;
use twolane_tests::{eventually::eventually, order_bodies::new_id, stack::OWNER};

fn posts_to(listener: &Listener) -> impl Fn(&Call) -> bool + Send + 'static {
    let id = listener.connection_id.clone();
    move |call| call.is_post() && call.key == id
}

async fn place(rig: &Rig, owner: &str) -> String {
    let id = new_id();
    queue::send(rig, vec![queue::order(0, owner, &id, queue::now_ms())]).await;
    id
}

pub(crate) async fn a_socket_is_told_although_posts_to_it_fail_at_first(rig: &Rig, _: Load) -> Figures {
    let mut listener = Listener::open(rig, OWNER).await;
    let faults = [
        (Fault::Throttle, 4),
        (Fault::ServerError(StatusCode::INTERNAL_SERVER_ERROR), 4),
        (Fault::DropBefore, 4),
        (Fault::DropAfter, 2),
        (Fault::HangBefore, 2),
        (Fault::Slow(Duration::from_millis(500)), 1),
    ];
    let mut posts = 0;
    for (fault, times) in faults {
        let mark = rig.endpoint.mark();
        rig.endpoint.inject(Rule::new(posts_to(&listener), When::First(times), fault));

        let id = place(rig, OWNER).await;

        listener.hears("order.confirmed", &id, PATIENCE).await;
        assert_eq!(rig.endpoint.writes(mark, &id, "CONFIRMED"), 1, "telling must never write again");
        posts += rig.endpoint.since(mark).iter().filter(|passed| passed.call.is_post()).count();
        rig.endpoint.heal();
    }
    rig.queue_is_empty(PATIENCE).await;
    Figures::default().with("orders", 6).with("posts", posts).with("untold", 0)
}

pub(crate) async fn a_slow_socket_delays_nobody(rig: &Rig, _: Load) -> Figures {
    let (slow, mut quick) = (Listener::open(rig, "slow-and-quick").await, Listener::open(rig, "slow-and-quick").await);
    let mut other = Listener::open(rig, "somebody-else").await;
    let gate = Gate::closed();
    rig.endpoint.inject(Rule::new(posts_to(&slow), When::Always, Fault::HoldBefore(gate.clone())));

    let id = place(rig, "slow-and-quick").await;
    gate.reached_by(1, PATIENCE).await;
    let elses = place(rig, "somebody-else").await;

    // The slow one's post is still held while the others hear.
    quick.hears("order.confirmed", &id, PATIENCE).await;
    other.hears("order.confirmed", &elses, PATIENCE).await;
    assert_eq!(slow.count("order.confirmed", &id), 0, "its post is held");
    gate.open();
    rig.queue_is_empty(PATIENCE).await;
    Figures::default().with("held", 1).with("told meanwhile", 2)
}

pub(crate) async fn a_gone_socket_loses_its_row_and_no_other_does(rig: &Rig, _: Load) -> Figures {
    let mut listener = Listener::open(rig, OWNER).await;
    let gone = format!("gone-{}", new_id());
    rig.stack.add_gone_connection(OWNER, &gone, 4_000_000_000).await;
    let mut before = rig.stack.connections().await;

    let id = place(rig, OWNER).await;
    listener.hears("order.confirmed", &id, PATIENCE).await;

    let after = eventually(PATIENCE, "the gone connection is forgotten", async || {
        let rows = rig.stack.connections().await;
        (!rows.contains(&gone)).then_some(rows)
    })
    .await;
    before.remove(&gone);
    assert!(after.contains(&listener.connection_id), "the open socket must keep its row");
    Figures::default().with("rows before", before.len() + 1).with("removed", 1)
}

pub(crate) async fn a_row_whose_time_is_over_goes_without_a_sweep(rig: &Rig, _: Load) -> Figures {
    // The rig put it there when the run began, of an owner who has no orders: nobody posts to it.
    tell("waiting for DynamoDB's time to live");
    eventually(2 * PATIENCE, "the row is removed by its time to live", async || {
        (!rig.stack.connections().await.contains(GONE_FOR_LONG)).then_some(())
    })
    .await;
    let posts = rig.endpoint.since(0);
    assert!(!posts.iter().any(|passed| passed.call.is_post() && passed.call.key == GONE_FOR_LONG));
    Figures::default().with("rows", 1).with("posts", 0)
}
