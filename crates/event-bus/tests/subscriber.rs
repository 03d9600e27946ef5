//! Batches of events as Lambda delivers them: which are handled, which are redelivered, and when.

use event_bus::{Delivery, Event, EventKind, HandleError, PublishError, Subscriber, fakes};
use serde_json::{Value, json};
use shared_kernel::{RepositoryError, Step, Timestamp, Vote};
use sqs_batch::{Backoff, BatchHandler, SqsBatch, VisibilityChange, VisibilityTimeout};
use std::{
    sync::Mutex,
    time::{Duration, SystemTime},
};

const MAX_RECEIVE_COUNT: u32 = 5;

/// Each change: the message id and the new timeout.
#[derive(Debug, Default)]
struct Changes(Mutex<Vec<(String, Duration)>>);

impl VisibilityTimeout for &Changes {
    async fn change(&self, changes: &[VisibilityChange]) {
        let changes = changes.iter().map(|change| (change.message_id.clone(), change.visibility_timeout));
        self.0.lock().expect("no test panicked").extend(changes);
    }
}

fn record(id: &str, body: &str, receive_count: u32) -> Value {
    json!({
        "messageId": id,
        "receiptHandle": format!("handle of {id}"),
        "body": body,
        "attributes": {"ApproximateReceiveCount": receive_count.to_string(), "SentTimestamp": "1767225600000"},
    })
}

fn event(kind: EventKind) -> String {
    fakes::event(kind).to_json()
}

/// Returns the sorted ids of the redelivered messages, and the changed visibility timeouts.
async fn handle<F: Future<Output = Result<(), HandleError>>>(
    records: Vec<Value>,
    handle: impl Fn(Delivery) -> F,
) -> (Vec<String>, Vec<(String, Duration)>) {
    let changes = Changes::default();
    let subscriber = Subscriber {
        batches: BatchHandler::new().visibility(&changes),
        max_receive_count: MAX_RECEIVE_COUNT,
        backoff: Backoff::full_jitter(Duration::from_secs(1), Duration::from_secs(1)),
    };
    let batch: SqsBatch = serde_json::from_value(json!({ "Records": records })).expect("a batch");
    let deadline = SystemTime::now() + Duration::from_secs(20);

    let response = subscriber.handle(batch, deadline, handle).await.expect("every record has an id");

    let mut failed: Vec<_> = response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
    failed.sort();
    let timeouts = std::mem::take(&mut *changes.0.lock().expect("no test panicked"));
    (failed, timeouts)
}

#[tokio::test]
async fn passes_every_event_with_its_delivery() {
    let seen = Mutex::new(Vec::new());
    let records = vec![
        record("1", &event(EventKind::Confirmed), 1),
        record("2", &event(EventKind::Voted(Step::Stock, Vote::Held)), MAX_RECEIVE_COUNT),
        record("3", &event(EventKind::Confirmed), MAX_RECEIVE_COUNT + 1),
    ];

    let (failed, changed) = handle(records, async |delivery| {
        seen.lock().expect("no test panicked").push(delivery);
        Ok(())
    })
    .await;

    assert!(failed.is_empty() && changed.is_empty());
    let seen = seen.into_inner().expect("no test panicked");
    let sent_at = Timestamp::parse("2026-01-01T00:00:00Z").ok();
    assert!(seen.iter().all(|delivery| delivery.sent_at == sent_at), "{seen:?}");
    let mut seen: Vec<_> = seen
        .iter()
        .map(|delivery| (delivery.receive_count, delivery.last_attempt, delivery.event.kind.name()))
        .collect();
    seen.sort_unstable();
    let expected = [(1, false, "order.confirmed"), (5, true, "stock.held"), (6, true, "order.confirmed")];
    assert_eq!(seen, expected.map(|(count, last_attempt, name)| (count, last_attempt, name.to_owned())));
}

#[tokio::test]
async fn redelivers_only_the_event_that_failed() {
    let records = vec![
        record("1", &event(EventKind::Confirmed), 1),
        record("2", &event(EventKind::Placed(fakes::ordered_items())), 1),
    ];

    let (failed, _) = handle(records, async |delivery| match delivery.event.kind {
        EventKind::Confirmed => Ok(()),
        _ => Err(HandleError::TooEarly("its order")),
    })
    .await;

    assert_eq!(failed, ["2"]);
}

#[tokio::test]
async fn a_temporary_failure_backs_off_and_a_lasting_one_waits_for_the_visibility_timeout() {
    type MakeError = fn() -> HandleError;
    let cases: [(MakeError, bool); 5] = [
        (|| RepositoryError::Throttled("slow down".into()).into(), true),
        (|| PublishError::Unavailable("no answer".into()).into(), true),
        (|| HandleError::TooEarly("its order"), true),
        (|| RepositoryError::Refused("not allowed".into()).into(), false),
        (|| PublishError::Refused("not allowed".into()).into(), false),
    ];
    for (error, backs_off) in cases {
        let records = vec![record("1", &event(EventKind::Confirmed), 1)];

        let (failed, changed) = handle(records, async |_| Err(error())).await;

        assert_eq!(failed, ["1"], "{:?}", error());
        assert_eq!(changed.len(), usize::from(backs_off), "{:?}", error());
    }
}

#[tokio::test]
async fn an_event_that_failed_its_last_delivery_is_redelivered_without_delay() {
    let records = vec![record("1", &event(EventKind::Confirmed), MAX_RECEIVE_COUNT)];

    let (failed, changed) = handle(records, async |_| Err(RepositoryError::Refused("not allowed".into()).into())).await;

    assert_eq!((failed, changed), (vec!["1".to_owned()], vec![("1".to_owned(), Duration::ZERO)]));
}

#[tokio::test]
async fn only_a_message_that_is_not_an_event_moves_to_the_dead_letter_queue_at_once() {
    let mut newer: Value = serde_json::from_str(&event(EventKind::Confirmed)).expect("an event is JSON");
    newer["version"] = json!(2);
    let wrapped = json!({"Type": "Notification", "Message": event(EventKind::Confirmed)}).to_string();
    let bodies = ["", "not json", "{}", &newer.to_string(), &wrapped];
    let mut records: Vec<_> = bodies.iter().enumerate().map(|(at, body)| record(&at.to_string(), body, 1)).collect();
    records.push(record("good", &event(EventKind::Confirmed), 1));

    let (failed, changed) = handle(records, async |delivery: Delivery| {
        let Event { kind, .. } = delivery.event;
        assert_eq!(kind, EventKind::Confirmed, "only the good one is handled");
        Ok(())
    })
    .await;

    assert_eq!(failed, ["0", "1", "2", "3", "4"]);
    assert!(changed.len() == 5 && changed.iter().all(|(_, timeout)| timeout.is_zero()), "{changed:?}");
}

#[tokio::test]
async fn only_the_event_is_redelivered_if_its_handler_panics() {
    let records = vec![record("1", &event(EventKind::Confirmed), 1), record("2", &event(EventKind::Confirmed), 2)];

    let (failed, _) = handle(records, async |delivery: Delivery| {
        assert_eq!(delivery.receive_count, 2, "the first one panics");
        Ok(())
    })
    .await;

    assert_eq!(failed, ["1"]);
}
