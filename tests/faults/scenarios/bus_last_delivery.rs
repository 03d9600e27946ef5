//! Dead letters of the bus lane, and what a redrive does to them.

use crate::{
    Load, bus,
    figures::Figures,
    listener::Listener,
    moments::last_vote,
    test_bed::{DELIVERY_WAIT, TestBed},
};
use fault_endpoint::{Call, Fault, Rule, When};
use hyper::StatusCode;
use serde_json::Value;
use testkit::{
    command_line::twolane,
    eventually::eventually,
    order_bodies::{new_id, new_sku, order_in},
    outputs::output,
    services::steps,
    stack::OWNER,
};

/// Waits for one message in that dead-letter queue.
async fn is_dead(bed: &TestBed, queue: &str) {
    eventually(DELIVERY_WAIT, &format!("the message is in {queue}"), async || {
        (bed.stack.messages_in(queue).await == 1).then_some(())
    })
    .await;
}

/// Id and body of an order, the units and the money before it, and a socket of its owner.
async fn supplied_order(bed: &TestBed) -> (String, Value, [Option<i64>; 2], Listener) {
    let (id, sku) = (new_id(), new_sku());
    let order = order_in("EUR", &[(&sku, 2, 100)]);
    bed.stack.supply(OWNER, &order).await;
    let before = bus::left(bed, OWNER, &order).await;
    (id, order, before, Listener::open(bed, OWNER).await)
}

fn failing(is_about: impl Fn(&Call) -> bool + Send + 'static) -> Rule {
    Rule::new(is_about, When::Always, Fault::ServerError(StatusCode::INTERNAL_SERVER_ERROR))
}

fn paying(id: &str) -> Rule {
    let (about, table) = (id.to_owned(), output("PaymentsTableName"));
    failing(move |call| call.target == table && call.is_about(&about))
}

pub(crate) async fn a_step_that_fails_for_good_cancels_its_order_and_a_redrive_does_no_harm(
    bed: &TestBed,
    _: Load,
) -> Figures {
    let (id, order, before, mut listener) = supplied_order(bed).await;
    bed.endpoint.inject(paying(&id));

    bus::submit(&bed.api, &id, &order).await;
    let frame = listener.receives("order.cancelled", &id, DELIVERY_WAIT).await;
    bed.endpoint.heal();
    is_dead(bed, "PaymentsDeadLetterQueueUrl").await;
    bus::every_step_is(bed, OWNER, &id, "UNDONE").await;
    bed.bus_is_idle(DELIVERY_WAIT).await;
    let cancelled = bed.api.get(&id).await.body;
    let frames = listener.count("order.cancelled", &id);

    twolane(&["redrive", "--queue", "payment"]).await;
    bed.bus_is_idle(DELIVERY_WAIT).await;

    assert_eq!(frame["reason"], "the payment service did not answer in time", "{frame}");
    assert_eq!(bus::shown(&cancelled), ["UNDONE", "FAILED", "UNDONE"], "{cancelled}");
    assert_eq!(bed.api.get(&id).await.body, cancelled);
    assert_eq!(listener.count("order.cancelled", &id), frames);
    assert_eq!(bed.stack.messages_in("PaymentsDeadLetterQueueUrl").await, 0, "the message must be gone");
    bus::every_step_is(bed, OWNER, &id, "UNDONE").await;
    assert_eq!(bus::left(bed, OWNER, &order).await, before, "everything must be given back");
    Figures::default().with("cancelled", 1).with("frame", frames).with("taken", 0)
}

pub(crate) async fn a_step_that_dies_before_its_last_vote_loses_no_order(bed: &TestBed, _: Load) -> Figures {
    let (id, order, before, mut listener) = supplied_order(bed).await;
    bed.endpoint.inject(paying(&id));
    let kill = last_vote("authorize-payment").aim(bed, &id);

    bus::submit(&bed.api, &id, &order).await;
    is_dead(bed, "PaymentsDeadLetterQueueUrl").await;
    assert!(kill.is_done(), "the message has failed for good, but no process was killed at {kill:?}");
    bed.endpoint.heal();
    let placed = bed.api.get(&id).await.body;
    twolane(&["redrive", "--queue", "payment"]).await;

    listener.receives("order.confirmed", &id, DELIVERY_WAIT).await;
    bus::every_step_is(bed, OWNER, &id, "DONE").await;
    bed.bus_is_idle(DELIVERY_WAIT).await;
    assert_eq!(placed["status"], "PLACED", "{placed}");
    assert_eq!(listener.count("order.cancelled", &id), 0);
    assert_eq!(bed.stack.messages_in("PaymentsDeadLetterQueueUrl").await, 0, "the message must be gone");
    assert_eq!(bus::left(bed, OWNER, &order).await, bus::less(before, &order), "it must be taken once");
    Figures::default().with("killed", 1).with("confirmed", 1).with("taken twice", 0)
}

pub(crate) async fn a_submission_that_fails_for_good_notifies_its_owner_and_a_redrive_confirms_it(
    bed: &TestBed,
    _: Load,
) -> Figures {
    let (id, order, before, mut listener) = supplied_order(bed).await;
    let about = id.clone();
    bed.endpoint.inject(failing(move |call| call.writes("PLACED") && call.is_about(&about)));

    bus::submit(&bed.api, &id, &order).await;
    listener.receives("order.failed", &id, DELIVERY_WAIT).await;
    bed.endpoint.heal();
    is_dead(bed, "SubmissionsDeadLetterQueueUrl").await;
    assert_eq!(bed.api.get(&id).await.body["status"], "FAILED");
    assert_eq!(bus::left(bed, OWNER, &order).await, before, "nothing may be taken");

    twolane(&["redrive", "--queue", "submissions"]).await;

    listener.receives("order.confirmed", &id, DELIVERY_WAIT).await;
    bus::every_step_is(bed, OWNER, &id, "DONE").await;
    bed.bus_is_idle(DELIVERY_WAIT).await;
    assert_eq!(bed.api.get(&id).await.body["status"], "CONFIRMED");
    assert_eq!(bed.stack.messages_in("SubmissionsDeadLetterQueueUrl").await, 0, "the message must be gone");
    assert_eq!(bus::left(bed, OWNER, &order).await, bus::less(before, &order), "it must be taken once");
    Figures::default().with("failed frame", 1).with("confirmed", 1).with("taken twice", 0)
}

fn placing(id: &str) -> Rule {
    let about = id.to_owned();
    failing(move |call| call.event.as_deref() == Some("order.placed") && call.is_about(&about))
}

pub(crate) async fn an_order_that_cannot_be_published_is_cancelled(bed: &TestBed, _: Load) -> Figures {
    let (id, order, before, mut listener) = supplied_order(bed).await;
    bed.endpoint.inject(placing(&id));

    bus::submit(&bed.api, &id, &order).await;
    let frame = listener.receives("order.cancelled", &id, DELIVERY_WAIT).await;
    is_dead(bed, "SubmissionsDeadLetterQueueUrl").await;
    bed.endpoint.heal();
    let cancelled = bed.api.get(&id).await.body;
    twolane(&["redrive", "--queue", "submissions"]).await;
    bed.bus_is_idle(DELIVERY_WAIT).await;

    assert_eq!(frame["reason"], "the order could not be passed on to the services", "{frame}");
    assert_eq!(cancelled["status"], "CANCELLED", "{cancelled}");
    assert_eq!(bed.api.get(&id).await.body, cancelled);
    assert_eq!(listener.count("order.failed", &id), 0);
    for step in steps() {
        let hold = bed.stack.hold(step.name, OWNER, &id).await;
        assert!(hold.is_none(), "no step got the order, but {} has {hold:?}", step.name);
    }
    assert_eq!(bed.stack.messages_in("SubmissionsDeadLetterQueueUrl").await, 0, "the message must be gone");
    assert_eq!(bus::left(bed, OWNER, &order).await, before, "nothing may be taken");
    Figures::default().with("cancelled", 1).with("failed frames", 0).with("holds", 0)
}

pub(crate) async fn a_repeat_that_cannot_be_published_changes_nothing(bed: &TestBed, _: Load) -> Figures {
    let (id, order, before, mut listener) = supplied_order(bed).await;
    // The order stays placed, without a vote.
    for step in steps() {
        bed.set_consumer(bus::output_of(step.function), false).await;
    }
    bus::submit(&bed.api, &id, &order).await;
    eventually(DELIVERY_WAIT, "the order is placed", async || {
        (bed.api.get(&id).await.body["status"] == "PLACED").then_some(())
    })
    .await;
    // Its first submission is published and deleted.
    eventually(DELIVERY_WAIT, "the submission is handled", async || {
        (bed.stack.messages_in("SubmissionsQueueUrl").await == 0).then_some(())
    })
    .await;
    bed.endpoint.inject(placing(&id));

    bus::submit(&bed.api, &id, &order).await;
    is_dead(bed, "SubmissionsDeadLetterQueueUrl").await;
    let placed = bed.api.get(&id).await.body;
    bed.endpoint.heal();
    for step in steps() {
        bed.set_consumer(bus::output_of(step.function), true).await;
    }
    listener.receives("order.confirmed", &id, DELIVERY_WAIT).await;
    twolane(&["redrive", "--queue", "submissions"]).await;
    bus::every_step_is(bed, OWNER, &id, "DONE").await;
    bed.bus_is_idle(DELIVERY_WAIT).await;

    assert_eq!(placed["status"], "PLACED", "{placed}");
    assert_eq!(bed.api.get(&id).await.body["status"], "CONFIRMED");
    for outcome in ["order.failed", "order.cancelled"] {
        assert_eq!(listener.count(outcome, &id), 0, "{outcome}");
    }
    assert_eq!(bed.stack.messages_in("SubmissionsDeadLetterQueueUrl").await, 0, "the message must be gone");
    assert_eq!(bus::left(bed, OWNER, &order).await, bus::less(before, &order), "it must be taken once");
    Figures::default().with("confirmed", 1).with("failed frames", 0).with("taken twice", 0)
}
