//! What a step does with each event, and what it publishes.

use event_bus::{
    Delivery, EventKind, HandleError, HoldOutcome, OrderedItems, StepService,
    fakes::{self, RecordingPublisher},
    take_part,
};
use shared_kernel::{OrderId, Owner, RepositoryError, Step, Timestamp, Vote};
use std::{sync::Mutex, time::Duration};

/// `None`: it cannot reach its table.
struct Stock {
    outcome: Option<HoldOutcome>,
    calls: Mutex<Vec<&'static str>>,
}

impl Stock {
    fn with(outcome: Option<HoldOutcome>) -> Self {
        Self { outcome, calls: Mutex::default() }
    }

    fn called(&self, method: &'static str) -> Result<HoldOutcome, RepositoryError> {
        self.calls.lock().expect("no test panicked").push(method);
        self.outcome.clone().ok_or_else(|| RepositoryError::Unavailable("no answer".into()))
    }
}

impl StepService for Stock {
    const STEP: Step = Step::Stock;

    async fn hold(
        &self,
        _: &Owner,
        _: OrderId,
        _: &OrderedItems,
        _: Timestamp,
    ) -> Result<HoldOutcome, RepositoryError> {
        self.called("hold")
    }

    async fn confirm(&self, _: &Owner, _: OrderId) -> Result<(), RepositoryError> {
        self.called("confirm").map(|_| ())
    }

    async fn undo(&self, _: &Owner, _: OrderId) -> Result<(), RepositoryError> {
        self.called("undo").map(|_| ())
    }
}

fn now() -> Timestamp {
    Timestamp::parse("2026-01-01T00:00:07Z").expect("RFC 3339")
}

fn placed() -> EventKind {
    EventKind::Placed(fakes::ordered_items())
}

const DEADLINE: Duration = Duration::from_secs(5);

/// The queue received it one second ago.
fn delivery(kind: EventKind, last_attempt: bool) -> Delivery {
    let sent_at = Timestamp::parse("2026-01-01T00:00:06Z").ok();
    Delivery { event: fakes::event(kind), sent_at, receive_count: 1, last_attempt }
}

async fn deliver(service: &Stock, kind: EventKind, last_attempt: bool) -> (Result<(), HandleError>, Vec<EventKind>) {
    let topic = RecordingPublisher::default();

    let handled = take_part(service, &topic, delivery(kind, last_attempt), DEADLINE, now()).await;

    let published = topic.published();
    assert!(published.iter().all(|event| event.occurred_at == now()), "a vote has the time of the vote");
    (handled, published.into_iter().map(|event| event.kind).collect())
}

#[tokio::test]
async fn votes_according_to_the_hold() {
    for (outcome, vote) in
        [(HoldOutcome::Held, Vote::Held), (HoldOutcome::Refused("2 left".into()), Vote::Refused("2 left".into()))]
    {
        let (handled, published) = deliver(&Stock::with(Some(outcome)), placed(), false).await;

        assert!(handled.is_ok(), "{handled:?}");
        assert_eq!(published, [EventKind::Voted(Step::Stock, vote)]);
    }
}

#[tokio::test]
async fn does_not_vote_on_an_order_that_was_cancelled_before() {
    let (handled, published) = deliver(&Stock::with(Some(HoldOutcome::Undone)), placed(), false).await;

    assert!(handled.is_ok() && published.is_empty(), "{handled:?} {published:?}");
}

#[tokio::test]
async fn a_failed_hold_votes_at_its_last_delivery_and_not_before() {
    let (early, before) = deliver(&Stock::with(None), placed(), false).await;
    let (last, published) = deliver(&Stock::with(None), placed(), true).await;

    assert!(early.is_err() && before.is_empty());
    let error = last.expect_err("the event goes to the dead-letter queue");
    assert!(matches!(error, HandleError::Repository(_)), "{error:?}");
    let vote = Vote::Failed("the stock service did not answer in time".into());
    assert_eq!(published, [EventKind::Voted(Step::Stock, vote)]);
}

#[tokio::test]
async fn an_event_is_redelivered_if_its_vote_is_not_published() {
    let topic = RecordingPublisher::failing_first(1);
    let service = Stock::with(Some(HoldOutcome::Held));

    let handled = take_part(&service, &topic, delivery(placed(), false), DEADLINE, now()).await;

    let error = handled.expect_err("the vote is lost");
    assert!(matches!(&error, HandleError::Publish(_)) && error.is_retryable(), "{error:?}");
}

#[tokio::test]
async fn makes_holds_final_or_undoes_them_and_publishes_nothing() {
    let service = Stock::with(Some(HoldOutcome::Held));
    for kind in [EventKind::Confirmed, EventKind::Cancelled { reason: "no".into() }] {
        let (handled, published) = deliver(&service, kind, false).await;

        assert!(handled.is_ok() && published.is_empty(), "{handled:?} {published:?}");
    }

    assert_eq!(*service.calls.lock().expect("no test panicked"), ["confirm", "undo"]);
}

#[tokio::test]
async fn a_decision_that_fails_is_redelivered_without_a_vote() {
    for kind in [EventKind::Confirmed, EventKind::Cancelled { reason: "no".into() }] {
        let (handled, published) = deliver(&Stock::with(None), kind, true).await;

        assert!(handled.is_err() && published.is_empty(), "{published:?}");
    }
}

#[tokio::test]
async fn ignores_events_that_are_not_for_steps() {
    let service = Stock::with(None);
    let submitted = EventKind::Submitted { order: fakes::ordered_items(), note: None };
    for kind in [submitted, EventKind::Voted(Step::Payment, Vote::Held)] {
        let (handled, published) = deliver(&service, kind, true).await;

        assert!(handled.is_ok() && published.is_empty(), "{handled:?} {published:?}");
    }

    assert!(service.calls.lock().expect("no test panicked").is_empty());
}

#[tokio::test]
async fn holds_until_the_deadline_and_votes_failed_after_it() {
    let late = Vote::Failed("the stock service received the order after its deadline".into());
    for (sent_at, calls, vote) in [
        (Timestamp::parse("2026-01-01T00:00:02Z").ok(), vec!["hold"], Vote::Held),
        (Timestamp::parse("2026-01-01T00:00:01.999Z").ok(), vec![], late),
        // SQS did not say.
        (None, vec!["hold"], Vote::Held),
    ] {
        let (service, topic) = (Stock::with(Some(HoldOutcome::Held)), RecordingPublisher::default());
        let delivery = Delivery { sent_at, ..delivery(placed(), false) };

        let handled = take_part(&service, &topic, delivery, DEADLINE, now()).await;

        assert!(handled.is_ok(), "{handled:?}");
        let published: Vec<_> = topic.published().into_iter().map(|event| event.kind).collect();
        assert_eq!(published, [EventKind::Voted(Step::Stock, vote)], "{sent_at:?}");
        assert_eq!(*service.calls.lock().expect("no test panicked"), calls, "{sent_at:?}");
    }
}

#[tokio::test]
async fn undoes_and_confirms_after_the_deadline() {
    let (service, topic) = (Stock::with(Some(HoldOutcome::Held)), RecordingPublisher::default());
    for kind in [EventKind::Confirmed, EventKind::Cancelled { reason: "no".into() }] {
        let delivery = Delivery { sent_at: Timestamp::parse("2026-01-01T00:00:00Z").ok(), ..delivery(kind, false) };

        take_part(&service, &topic, delivery, DEADLINE, now()).await.expect("it is handled");
    }

    assert_eq!(*service.calls.lock().expect("no test panicked"), ["confirm", "undo"]);
}
