//! Tests for every implementation of [`SettlementRepository`].

use super::{ballot, content, deadline, failed, moment, order_id, owner, placed};
use crate::{
    Ballot, Cancellation, Deadline, Decider, Fingerprint, Order, OrderRepository, Outcome, SettleOutcome,
    SettlementRepository, Status, Step, StoreOutcome, Vote, Votes,
};

/// A repository under test.
pub trait Settlements: OrderRepository + SettlementRepository {}

impl<R: OrderRepository + SettlementRepository> Settlements for R {}

const ORDERS: [[Step; 3]; 6] = [
    [Step::Stock, Step::Payment, Step::Shipment],
    [Step::Stock, Step::Shipment, Step::Payment],
    [Step::Payment, Step::Stock, Step::Shipment],
    [Step::Payment, Step::Shipment, Step::Stock],
    [Step::Shipment, Step::Stock, Step::Payment],
    [Step::Shipment, Step::Payment, Step::Stock],
];

/// Runs every test, each on a new and empty repository from `make`.
///
/// # Panics
/// If the repository breaks a rule of [`SettlementRepository`].
pub async fn check_settlements<R: Settlements>(make: impl Fn() -> R) {
    for steps in ORDERS {
        the_last_of_three_held_votes_confirms(&make(), steps).await;
        the_first_vote_that_is_not_held_cancels(&make(), steps).await;
        the_deadline_cancels_what_is_not_decided(&make(), steps).await;
        a_decided_order_never_changes(&make(), steps).await;
        a_step_votes_once(&make(), steps).await;
    }
    an_order_without_a_record_is_missing(&make()).await;
    a_vote_on_another_order_under_the_id_does_not_count(&make()).await;
    an_order_that_no_step_votes_on_never_changes(&make()).await;
    a_marked_order_is_reported_as_unpublished(&make()).await;
    for vote in [Vote::Held, refused()] {
        a_decision_of_the_last_attempt_is_marked(&make(), vote).await;
    }
    a_deadline_of_the_last_attempt_is_marked(&make()).await;
    an_unpublished_order_is_cancelled_and_marked(&make()).await;
    an_order_with_a_vote_is_not_cancelled_as_unpublished(&make()).await;
}

async fn place<R: Settlements>(orders: &R) {
    assert_eq!(orders.store(&placed()).await.expect("it is stored"), StoreOutcome::Stored);
}

async fn vote<R: Settlements>(orders: &R, step: Step, vote: Vote) -> SettleOutcome {
    orders.vote(&ballot(step, vote)).await.expect("the vote is counted")
}

async fn stored<R: Settlements>(orders: &R) -> Order {
    orders.find(&owner("alice"), &order_id()).await.expect("it is read").expect("it is recorded")
}

fn refused() -> Vote {
    Vote::Refused("SKU-1: 2 ordered, 1 left".to_owned())
}

async fn the_last_of_three_held_votes_confirms<R: Settlements>(orders: &R, steps: [Step; 3]) {
    place(orders).await;

    for (before, step) in steps[..2].iter().enumerate() {
        assert_eq!(vote(orders, *step, Vote::Held).await, SettleOutcome::Recorded, "{step} after {before}");
        let held: Vec<_> = steps.iter().take(before + 1).map(|step| (*step, Vote::Held)).collect();
        let outcome = Outcome::Placed { content: content("SKU-1"), votes: held.into_iter().collect() };
        assert_eq!(stored(orders).await, Order { outcome, ..placed() });
    }
    let last = vote(orders, steps[2], Vote::Held).await;

    let outcome = Outcome::Confirmed { content: content("SKU-1"), confirmed_at: moment(2), last_vote: Some(steps[2]) };
    let confirmed = Order { outcome, ..placed() };
    assert_eq!(last, SettleOutcome::Decided(confirmed.clone()));
    assert_eq!(stored(orders).await, confirmed);
}

async fn the_first_vote_that_is_not_held_cancels<R: Settlements>(orders: &R, steps: [Step; 3]) {
    place(orders).await;
    let no = if steps[0] == Step::Stock { refused() } else { Vote::Failed("no answer".to_owned()) };
    vote(orders, steps[0], Vote::Held).await;

    let decided = vote(orders, steps[1], no.clone()).await;

    let cancelled = Order {
        outcome: Outcome::Cancelled {
            content: content("SKU-1"),
            cancellation: Box::new(Cancellation {
                votes: [(steps[0], Vote::Held), (steps[1], no.clone())].into_iter().collect(),
                decided_by: Decider::Step(steps[1]),
                reason: no.reason().unwrap_or_default().to_owned(),
                cancelled_at: moment(2),
            }),
        },
        ..placed()
    };
    assert_eq!(decided, SettleOutcome::Decided(cancelled.clone()));
    assert_eq!(stored(orders).await, cancelled);
}

async fn the_deadline_cancels_what_is_not_decided<R: Settlements>(orders: &R, steps: [Step; 3]) {
    place(orders).await;
    vote(orders, steps[0], Vote::Held).await;
    vote(orders, steps[1], Vote::Held).await;

    let decided = orders.cancel_overdue(&deadline()).await.expect("it is cancelled");

    let cancelled = Order {
        outcome: Outcome::Cancelled {
            content: content("SKU-1"),
            cancellation: Box::new(Cancellation {
                votes: [(steps[0], Vote::Held), (steps[1], Vote::Held)].into_iter().collect(),
                decided_by: Decider::Deadline,
                reason: "not every step answered within 900 s".to_owned(),
                cancelled_at: moment(900),
            }),
        },
        ..placed()
    };
    assert_eq!(decided, SettleOutcome::Decided(cancelled.clone()));
    assert_eq!(vote(orders, steps[2], Vote::Held).await, SettleOutcome::Unchanged(cancelled.clone()));
    assert_eq!(stored(orders).await, cancelled);
}

async fn a_decided_order_never_changes<R: Settlements>(orders: &R, steps: [Step; 3]) {
    place(orders).await;
    for step in steps {
        vote(orders, step, Vote::Held).await;
    }
    let confirmed = stored(orders).await;
    assert_eq!(confirmed.status(), Status::Confirmed);

    for step in steps {
        for late in [Vote::Held, refused(), Vote::Failed("no answer".to_owned())] {
            assert_eq!(vote(orders, step, late).await, SettleOutcome::Unchanged(confirmed.clone()));
        }
    }
    let late = orders.cancel_overdue(&deadline()).await.expect("it is read");

    assert_eq!(late, SettleOutcome::Unchanged(confirmed.clone()));
    assert_eq!(orders.store(&placed()).await.expect("it is read"), StoreOutcome::Exists(confirmed.clone()));
    assert_eq!(stored(orders).await, confirmed);
}

async fn a_step_votes_once<R: Settlements>(orders: &R, steps: [Step; 3]) {
    place(orders).await;
    vote(orders, steps[0], Vote::Held).await;
    vote(orders, steps[1], Vote::Held).await;
    let before = stored(orders).await;

    for again in [Vote::Held, refused()] {
        assert_eq!(vote(orders, steps[1], again).await, SettleOutcome::Unchanged(before.clone()));
    }

    assert_eq!(stored(orders).await, before);
}

async fn an_order_without_a_record_is_missing<R: Settlements>(orders: &R) {
    for any in [Vote::Held, refused()] {
        assert_eq!(vote(orders, Step::Stock, any).await, SettleOutcome::Missing);
    }

    assert_eq!(orders.cancel_overdue(&deadline()).await.expect("it is read"), SettleOutcome::Missing);
    assert_eq!(orders.find(&owner("alice"), &order_id()).await.expect("it is read"), None);
}

async fn a_vote_on_another_order_under_the_id_does_not_count<R: Settlements>(orders: &R) {
    place(orders).await;
    let fingerprint = Fingerprint::of_bytes(b"another order");

    for any in [Vote::Held, refused()] {
        let other = Ballot { fingerprint, ..ballot(Step::Stock, any) };
        assert_eq!(orders.vote(&other).await.expect("it is read"), SettleOutcome::Unchanged(placed()));
    }
    let other = Deadline { fingerprint, ..deadline() };

    assert_eq!(orders.cancel_overdue(&other).await.expect("it is read"), SettleOutcome::Unchanged(placed()));
    assert_eq!(stored(orders).await, placed());
}

async fn an_order_that_no_step_votes_on_never_changes<R: Settlements>(orders: &R) {
    orders.store(&failed()).await.expect("it is stored");

    for any in [Vote::Held, refused()] {
        assert_eq!(vote(orders, Step::Stock, any).await, SettleOutcome::Unchanged(failed()));
    }

    assert_eq!(stored(orders).await, failed());
}

async fn a_marked_order_is_reported_as_unpublished<R: Settlements>(orders: &R) {
    place(orders).await;
    vote(orders, Step::Stock, refused()).await;
    let cancelled = stored(orders).await;

    for _ in 0..2 {
        orders.mark_unpublished(&cancelled).await.expect("it is marked");
    }

    assert_eq!(vote(orders, Step::Payment, Vote::Held).await, SettleOutcome::Unpublished(cancelled.clone()));
    let late = orders.cancel_overdue(&deadline()).await.expect("it is read");
    assert_eq!(late, SettleOutcome::Unpublished(cancelled.clone()));
    assert_eq!(stored(orders).await, cancelled);
}

async fn a_decision_of_the_last_attempt_is_marked<R: Settlements>(orders: &R, last: Vote) {
    place(orders).await;
    let last_attempt = |step, vote| Ballot { last_attempt: true, ..ballot(step, vote) };
    for step in [Step::Stock, Step::Payment] {
        let ballot = last_attempt(step, Vote::Held);
        assert_eq!(orders.vote(&ballot).await.expect("the vote is counted"), SettleOutcome::Recorded);
    }

    let ballot = last_attempt(Step::Shipment, last);
    let decided = orders.vote(&ballot).await.expect("the vote is counted");

    assert_eq!(decided, SettleOutcome::Decided(stored(orders).await));
    assert_eq!(orders.vote(&ballot).await.expect("it is read"), SettleOutcome::Unpublished(stored(orders).await));
}

async fn a_deadline_of_the_last_attempt_is_marked<R: Settlements>(orders: &R) {
    place(orders).await;

    let last = Deadline { last_attempt: true, ..deadline() };
    let decided = orders.cancel_overdue(&last).await.expect("it is cancelled");

    assert_eq!(decided, SettleOutcome::Decided(stored(orders).await));
    let late = vote(orders, Step::Stock, Vote::Held).await;
    assert_eq!(late, SettleOutcome::Unpublished(stored(orders).await));
}

async fn an_unpublished_order_is_cancelled_and_marked<R: Settlements>(orders: &R) {
    let other = Order { fingerprint: Fingerprint::of_bytes(b"another order"), ..placed() };
    let cancel = async |order: &Order| orders.cancel_unpublished(order, moment(2)).await.expect("it is read");
    assert_eq!(cancel(&placed()).await, SettleOutcome::Missing);
    place(orders).await;
    assert_eq!(cancel(&other).await, SettleOutcome::Unchanged(placed()));

    let decided = cancel(&placed()).await;

    let cancelled = Order {
        outcome: Outcome::Cancelled {
            content: content("SKU-1"),
            cancellation: Box::new(Cancellation {
                votes: Votes::default(),
                decided_by: Decider::Submission,
                reason: "the order could not be passed on to the services".to_owned(),
                cancelled_at: moment(2),
            }),
        },
        ..placed()
    };
    assert_eq!(decided, SettleOutcome::Decided(cancelled.clone()));
    assert_eq!(stored(orders).await, cancelled);
    let late = orders.cancel_overdue(&deadline()).await.expect("it is read");
    assert_eq!(late, SettleOutcome::Unpublished(cancelled));
}

async fn an_order_with_a_vote_is_not_cancelled_as_unpublished<R: Settlements>(orders: &R) {
    place(orders).await;
    vote(orders, Step::Payment, Vote::Held).await;
    let voted = stored(orders).await;

    let outcome = orders.cancel_unpublished(&voted, moment(2)).await.expect("it is read");

    assert_eq!(outcome, SettleOutcome::Unchanged(voted.clone()));
    assert_eq!(stored(orders).await, voted);
}
