//! Sample values.

use crate::{
    Ballot, Cancellation, Deadline, Decider, Fingerprint, InvalidBody, ItemDraft, Lane, Order, OrderContent,
    OrderDraft, OrderId, Outcome, Owner, PlaceOrder, QueuedOrder, Step, Timestamp, Violation, Vote, Votes,
};
use std::time::Duration;

/// The owner with that name.
///
/// # Panics
/// If `name` is not a valid owner.
#[must_use]
pub fn owner(name: &str) -> Owner {
    Owner::parse(name).expect("the name is visible ASCII")
}

/// The moment `seconds` after 2026-01-01T00:00:00Z.
///
/// # Panics
/// Never: the moment is in range.
#[must_use]
pub fn moment(seconds: u16) -> Timestamp {
    Timestamp::from_unix_ms(1_767_225_600_000 + i64::from(seconds) * 1000).expect("the moment is in range")
}

/// An order id.
///
/// # Panics
/// Never: it is a UUID.
#[must_use]
pub fn order_id() -> OrderId {
    OrderId::parse("5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b").expect("it is a UUID")
}

/// Two units of one SKU.
///
/// # Panics
/// If `sku` is not a valid SKU.
#[must_use]
pub fn content(sku: &str) -> OrderContent {
    let item = ItemDraft { sku: Some(sku.to_owned()), quantity: Some(2), unit_price_minor: Some(1999) };
    OrderContent::parse(OrderDraft { currency: Some("EUR".to_owned()), items: Some(vec![item]), note: None })
        .expect("the draft follows the rules")
}

/// Alice's request to place an order in the sync lane.
#[must_use]
pub fn place_order_request() -> PlaceOrder {
    PlaceOrder {
        id: order_id(),
        owner: owner("alice"),
        lane: Lane::Sync,
        content: content("SKU-1"),
        placed_at: moment(0),
        now: moment(1),
        attempts: 1,
    }
}

/// The order of [`place_order_request`], stored.
#[must_use]
pub fn order() -> Order {
    place_order_request().into()
}

/// The first delivery of [`order`] by the queue.
#[must_use]
pub fn queued() -> QueuedOrder {
    QueuedOrder {
        lane: Lane::Async,
        owner: owner("alice"),
        given_id: order_id().to_string(),
        id: Ok(order_id()),
        content: Ok(content("SKU-1")),
        placed_at: moment(0),
        max_age: None,
        now: moment(1),
        attempts: 1,
        last_attempt: false,
    }
}

/// The first delivery of a body that is not an order.
#[must_use]
pub fn refused() -> QueuedOrder {
    let violations = Violation::new("/items", "must hold 1 to 100 items").into();
    QueuedOrder { content: Err(InvalidBody { violations, fingerprint: Fingerprint::of_bytes(b"{}") }), ..queued() }
}

/// [`order`] after its last delivery failed.
#[must_use]
pub fn failed() -> Order {
    Order {
        id: order_id(),
        owner: owner("alice"),
        lane: Lane::Async,
        placed_at: moment(0),
        attempts: 5,
        fingerprint: content("SKU-1").fingerprint(),
        outcome: Outcome::Failed { reason: "the database was not available".to_owned() },
    }
}

/// [`order`] in the bus lane, before any vote.
#[must_use]
pub fn placed() -> Order {
    Order {
        attempts: 1,
        outcome: Outcome::Placed { content: content("SKU-1"), votes: Votes::default() },
        lane: Lane::Bus,
        ..failed()
    }
}

/// The order of [`placed`], confirmed; shipment voted last.
#[must_use]
pub fn confirmed_by_steps() -> Order {
    let outcome =
        Outcome::Confirmed { content: content("SKU-1"), confirmed_at: moment(2), last_vote: Some(Step::Shipment) };
    Order { outcome, ..placed() }
}

/// The order of [`placed`], cancelled because stock refused it first, for `reason`.
#[must_use]
pub fn cancelled(reason: &str) -> Order {
    let cancellation = Cancellation {
        votes: [(Step::Stock, Vote::Refused(reason.to_owned()))].into_iter().collect(),
        decided_by: Decider::Step(Step::Stock),
        reason: reason.to_owned(),
        cancelled_at: moment(2),
    };
    let outcome = Outcome::Cancelled { content: content("SKU-1"), cancellation: Box::new(cancellation) };
    Order { outcome, ..placed() }
}

/// A vote on the order of [`placed`], two seconds after it was placed.
#[must_use]
pub fn ballot(step: Step, vote: Vote) -> Ballot {
    let Order { owner, id, fingerprint, .. } = placed();
    Ballot { owner, id, fingerprint, step, vote, now: moment(2), last_attempt: false }
}

/// The deadline of the order of [`placed`], 15 minutes after it was placed.
#[must_use]
pub fn deadline() -> Deadline {
    let Order { owner, id, fingerprint, .. } = placed();
    Deadline { owner, id, fingerprint, allowed: Duration::from_mins(15), now: moment(900), last_attempt: false }
}

/// The first delivery of the order of [`place_order_request`] in the bus lane.
#[must_use]
pub fn submitted() -> QueuedOrder {
    QueuedOrder { lane: Lane::Bus, ..queued() }
}
