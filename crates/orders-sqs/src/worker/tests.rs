//! With the use case of process-orders, and in-memory repositories.

use super::*;
use orders::{
    Lane, NotificationReport, NotifyError, OrderRepository, Owner, Status,
    fakes::{self, InMemoryOrders, RecordingNotifier, Refusing, Unavailable},
    process_queued_order,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use sqs_batch::Unchanged;

const BACKOFF: Backoff = Backoff::full_jitter(Duration::from_mins(1), Duration::from_mins(15));

/// As Lambda's event source mapping delivers it.
fn record() -> Value {
    let event: Value =
        serde_json::from_str(include_str!("../../tests/fixtures/sqs-batch.json")).expect("the fixture is JSON");
    event["Records"][0].clone()
}

fn message(record: &Value) -> SqsMessage {
    serde_json::from_value(record.clone()).expect("the record is a message")
}

fn worker<N: Notifier>(notifier: N) -> Worker<N, Unchanged> {
    Worker {
        function: "test",
        batches: BatchHandler::new(),
        notifier,
        notifying: Duration::from_secs(5),
        queue: QueueSettings { lane: Lane::Async, max_receive_count: 5, max_age: None, backoff: BACKOFF },
    }
}

async fn settle<R: OrderRepository>(orders: &R, record: &Value) -> (Disposition, Vec<Notification>) {
    settle_by(&worker(None::<RecordingNotifier>), orders, record, 2).await
}

async fn settle_by<R: OrderRepository, N: Notifier>(
    worker: &Worker<N, Unchanged>,
    orders: &R,
    record: &Value,
    receive_count: u32,
) -> (Disposition, Vec<Notification>) {
    let outbox = Outbox::default();
    let process = |order| process_queued_order(orders, order);
    let disposition = worker.settle(&message(record), receive_count, &process, &outbox).await;
    (disposition, outbox.into_inner().into_values().flatten().collect())
}

/// One record for each owner, each with a different message id and order id.
fn batch(owners: &[&str]) -> SqsBatch {
    let records = owners.iter().enumerate().map(|(at, owner)| {
        let mut record = record();
        record["messageId"] = json!(at.to_string());
        record["messageAttributes"]["owner"]["stringValue"] = json!(owner);
        record["messageAttributes"]["orderId"]["stringValue"] = json!(format!("5f0c1b0e-6a54-4a2e-9d0b-{at:012}"));
        record
    });
    serde_json::from_value(json!({"Records": records.collect::<Vec<_>>()})).expect("a batch")
}

async fn handle<N: Notifier>(worker: &Worker<N, Unchanged>, orders: &InMemoryOrders, batch: SqsBatch) -> Vec<String> {
    let deadline = SystemTime::now() + Duration::from_secs(15);
    let response = worker.handle(batch, deadline, |order| process_queued_order(orders, order)).await;
    let failures = response.expect("every record has an id").batch_item_failures;
    failures.into_iter().map(|failure| failure.item_identifier).collect()
}

#[tokio::test]
async fn confirms_the_order_of_a_message_from_our_api() {
    let orders = InMemoryOrders::default();

    let (disposition, notifications) = settle(&orders, &record()).await;

    assert_eq!(disposition, Disposition::Done);
    let order = &orders.all()[0];
    assert_eq!(notifications, [Notification::Confirmed(order.clone())]);
    assert_eq!(order.status(), Status::Confirmed);
    assert_eq!(order.owner, fakes::owner("demo"));
    assert_eq!(order.placed_at.to_string(), "2026-11-22T09:30:00.120Z");
    assert_eq!(order.attempts, 2);
}

#[tokio::test]
async fn uses_the_queues_time_if_the_api_gave_none() {
    for attribute in [Value::Null, json!({"dataType": "String", "stringValue": "noon"})] {
        let orders = InMemoryOrders::default();
        let mut record = record();
        record["messageAttributes"]["requestTimeEpoch"] = attribute.clone();
        if attribute.is_null() {
            record["messageAttributes"].as_object_mut().expect("an object").remove("requestTimeEpoch");
        }

        assert_eq!(settle(&orders, &record).await.0, Disposition::Done);

        assert_eq!(orders.all()[0].placed_at.to_string(), "2026-11-22T09:30:00.123Z");
    }
}

#[tokio::test]
async fn rejects_a_body_that_is_missing_or_not_json() {
    for body in [Value::Null, json!(""), json!("not json"), json!("{\"currency\":1}")] {
        let orders = InMemoryOrders::default();
        let mut record = record();
        record["body"] = body;

        assert_eq!(settle(&orders, &record).await.0, Disposition::Done);

        assert_eq!(orders.all()[0].status(), Status::Rejected);
    }
}

#[tokio::test]
async fn treats_a_message_that_is_not_from_our_api_as_poison() {
    for (attribute, value) in [
        ("orderId", Value::Null),
        ("owner", Value::Null),
        ("owner", json!({"dataType": "String", "stringValue": "two words"})),
        ("owner", json!({"dataType": "Binary", "binaryValue": "ZGVtbw=="})),
        ("orderId", json!({"dataType": "Binary", "binaryValue": "ZGVtbw=="})),
        ("orderId", json!({"dataType": "Number", "stringValue": "7"})),
        ("orderId", json!({"dataType": "String.uuid", "stringValue": "5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b"})),
        ("owner", json!({"dataType": "String.sub", "stringValue": "demo"})),
        ("owner", json!({"dataType": "Number", "stringValue": "7"})),
        ("owner", json!({"stringValue": "demo"})),
    ] {
        let orders = InMemoryOrders::default();
        let mut record = record();
        let attributes = record["messageAttributes"].as_object_mut().expect("attributes are an object");
        attributes.remove(attribute);
        if !value.is_null() {
            attributes.insert(attribute.to_owned(), value);
        }

        assert_eq!(settle(&orders, &record).await, (Disposition::Poison, vec![]));

        assert!(orders.all().is_empty());
    }
}

#[tokio::test]
async fn ignores_attributes_that_it_does_not_know() {
    let mut record = record();
    record["messageAttributes"]["retries"] = json!({"dataType": "Number", "stringValue": "3"});
    record["messageAttributes"]["blob"] = json!({"dataType": "Binary", "binaryValue": "AAEC"});

    assert_eq!(settle(&InMemoryOrders::default(), &record).await.0, Disposition::Done);
}

#[tokio::test]
async fn fails_an_order_on_its_last_delivery_and_not_before() {
    for (receive_count, notifications, backoff) in [(4, 0, BACKOFF), (5, 1, Backoff::NONE), (6, 1, Backoff::NONE)] {
        let worker = worker(None::<RecordingNotifier>);

        let (disposition, sent) = settle_by(&worker, &Unavailable, &record(), receive_count).await;

        assert_eq!(disposition, Disposition::RetryAfter(backoff));
        assert_eq!(sent.len(), notifications, "delivery {receive_count}");
    }
}

#[tokio::test]
async fn leaves_a_refusing_database_to_the_visibility_timeout() {
    assert_eq!(settle(&Refusing, &record()).await, (Disposition::Retry, vec![]));
}

#[tokio::test]
async fn rejects_an_order_that_is_too_old() {
    let orders = InMemoryOrders::default();
    let mut worker = worker(None::<RecordingNotifier>);
    worker.queue.max_age = Some(Duration::from_mins(1));
    let mut record = record();
    record["messageAttributes"]["requestTimeEpoch"]["stringValue"] = json!("1000");

    assert_eq!(settle_by(&worker, &orders, &record, 1).await.0, Disposition::Done);

    assert_eq!(orders.all()[0].status(), Status::Rejected);
}

#[tokio::test]
async fn rejects_a_malformed_order_id_as_the_caller_gave_it() {
    let mut record = record();
    record["messageAttributes"]["orderId"]["stringValue"] = json!("ümläut & <more>");

    let (disposition, notifications) = settle(&InMemoryOrders::default(), &record).await;

    assert_eq!(disposition, Disposition::Done);
    assert!(matches!(&notifications[..], [Notification::Rejected { order_id, .. }] if order_id == "ümläut & <more>"));
}

#[tokio::test]
async fn notifies_each_owner_once_of_all_their_orders() {
    let (orders, worker) = (InMemoryOrders::default(), worker(RecordingNotifier::default()));

    let failed = handle(&worker, &orders, batch(&["alice", "bob", "alice", "two words", "alice"])).await;

    assert_eq!(failed, ["3"]);
    let mut calls = worker.notifier.calls();
    calls.sort_by_key(|(owner, _)| owner.to_string());
    let counts: Vec<_> = calls.iter().map(|(owner, sent)| (owner.as_str(), sent.len())).collect();
    assert_eq!(counts, [("alice", 3), ("bob", 1)]);
}

#[tokio::test]
async fn settles_orders_without_a_notifier() {
    let orders = InMemoryOrders::default();

    assert!(handle(&worker(None::<RecordingNotifier>), &orders, batch(&["alice"])).await.is_empty());
    let notified = worker(Some(RecordingNotifier::default()));
    assert!(handle(&notified, &orders, batch(&["alice"])).await.is_empty());

    assert_eq!(orders.all().len(), 1);
    assert_eq!(notified.notifier.expect("it is there").sent().len(), 1);
}

#[tokio::test]
async fn a_notifier_that_fails_or_panics_fails_no_message() {
    struct Failing;
    impl Notifier for Failing {
        async fn notify(&self, owner: &Owner, _: &[Notification]) -> Result<NotificationReport, NotifyError> {
            assert_ne!(owner.as_str(), "bob", "bob's notification panics");
            Err(RepositoryError::Unavailable("no answer".into()).into())
        }
    }
    let orders = InMemoryOrders::default();

    let failed = handle(&worker(Failing), &orders, batch(&["alice", "bob"])).await;

    assert!(failed.is_empty());
    assert_eq!(orders.all().len(), 2);
}

#[tokio::test]
async fn notifies_owners_even_if_the_whole_batch_must_be_redelivered() {
    let (orders, worker) = (InMemoryOrders::default(), worker(RecordingNotifier::default()));
    let batch = serde_json::from_value(json!({"Records": [{"body": "a record without an id"}, record()]}));
    let deadline = SystemTime::now() + Duration::from_secs(15);

    let process = |order| process_queued_order(&orders, order);
    let response = worker.handle(batch.expect("a batch"), deadline, process).await;

    response.expect_err("a record without an id cannot be reported");
    assert_eq!(worker.notifier.sent().len(), 1);
}

proptest! {
    #[test]
    fn no_message_makes_the_worker_panic(
        body in any::<Option<String>>(), id in any::<String>(), owner in any::<String>(),
        receive_count in 1_u32.., sent in any::<String>(), accepted in any::<String>(),
    ) {
        let mut record = record();
        record["body"] = json!(body);
        record["messageAttributes"]["orderId"]["stringValue"] = json!(id);
        record["messageAttributes"]["owner"]["stringValue"] = json!(owner);
        record["messageAttributes"]["requestTimeEpoch"]["stringValue"] = json!(accepted);
        record["attributes"] = json!({"SentTimestamp": sent});
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let worker = worker(None::<RecordingNotifier>);
        runtime.block_on(settle_by(&worker, &InMemoryOrders::default(), &record, receive_count));
    }
}
