//! What the worker logs, line by line.
//!
//! In a separate test binary: concurrent tests with and without a subscriber may lose events
//! (<https://github.com/tokio-rs/tracing/issues/3611>).

use orders::{
    Lane, Notification, NotificationReport, Notifier, NotifyError, OrderRepository, Owner, RepositoryError,
    fakes::{Flaky, InMemoryOrders, RecordingNotifier, Unavailable},
    process_queued_order,
};
use orders_sqs::{QueueSettings, Worker};
use serde_json::{Value, json};
use sqs_batch::{Backoff, BatchHandler};
use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

const ORDER_ID: &str = "5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b";

/// One JSON object a line.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no test panicked").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn batch(receive_count: u32) -> Value {
    let mut batch: Value = serde_json::from_str(include_str!("fixtures/sqs-batch.json")).expect("the fixture is JSON");
    batch["Records"][0]["attributes"]["ApproximateReceiveCount"] = json!(receive_count.to_string());
    batch
}

/// Returns each log line as level, message and error.
async fn logged<R: OrderRepository, N: Notifier>(orders: R, notifier: N, batch: Value) -> Vec<String> {
    let log = Log::default();
    let writer = log.clone();
    let lines = tracing_subscriber::fmt().json().flatten_event(true).with_writer(move || writer.clone());
    let worker = Worker {
        function: "test",
        batches: BatchHandler::new(),
        notifier,
        notifying: Duration::from_secs(5),
        queue: QueueSettings { lane: Lane::Async, max_receive_count: 5, max_age: None, backoff: Backoff::NONE },
    };
    let batch = serde_json::from_value(batch).expect("a batch");
    let deadline = SystemTime::now() + Duration::from_secs(15);

    let guard = tracing::subscriber::set_default(lines.finish());
    let handled = worker.handle(batch, deadline, |order| process_queued_order(&orders, order)).await;
    drop(guard);

    handled.expect("every record has an id");
    let text = String::from_utf8(log.0.lock().expect("no test panicked").clone()).expect("a log is text");
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"));
    let line = |line: Value| {
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        assert!(
            text("order.id") == ORDER_ID || !text("message.id").is_empty(),
            "a line names its order or message: {line}"
        );
        format!("{} {} {}", text("level"), text("message"), text("error")).trim_end().to_owned()
    };
    lines.map(line).collect()
}

#[tokio::test]
async fn a_settled_order_is_one_line() {
    let lines = logged(InMemoryOrders::default(), RecordingNotifier::default(), batch(1)).await;

    assert_eq!(lines, [format!("INFO Settled order {ORDER_ID}: Confirmed")]);
}

#[tokio::test]
async fn a_failed_last_delivery_is_not_logged_as_a_redelivery() {
    let (again, last) = (
        logged(Unavailable, RecordingNotifier::default(), batch(4)).await,
        logged(Flaky::failing_first(1), RecordingNotifier::default(), batch(5)).await,
    );

    let cause = "the database is not available: no answer";
    assert_eq!(again, [format!("WARN Message 059f36b4-87a3-44ab-83d2-661975830a7d is redelivered {cause}")]);
    assert_eq!(last, [format!("ERROR Order {ORDER_ID} failed its last delivery {cause}")]);
}

#[tokio::test]
async fn a_message_that_is_not_from_our_api_is_logged_the_same_way_at_each_delivery() {
    for receive_count in [1, 5] {
        let mut batch = batch(receive_count);
        batch["Records"][0]["messageAttributes"].as_object_mut().expect("attributes are an object").remove("owner");

        let lines = logged(InMemoryOrders::default(), RecordingNotifier::default(), batch).await;

        let cause = "not from our API: message attribute owner is missing or not a String";
        assert_eq!(lines[0], format!("WARN Message 059f36b4-87a3-44ab-83d2-661975830a7d is not an order {cause}"));
    }
}

#[tokio::test]
async fn a_failure_that_cannot_be_recorded_is_logged() {
    let lines = logged(Unavailable, RecordingNotifier::default(), batch(5)).await;

    let cause = "the database is not available: no answer";
    assert_eq!(lines[1], format!("ERROR Failed to record that order {ORDER_ID} failed {cause}"));
    assert_eq!(lines.len(), 2);
}

#[tokio::test]
async fn a_failed_notification_is_logged_with_its_order() {
    struct Failing;
    impl Notifier for Failing {
        async fn notify(&self, _: &Owner, _: &[Notification]) -> Result<NotificationReport, NotifyError> {
            Err(RepositoryError::Unavailable("no answer".into()).into())
        }
    }

    let lines = logged(InMemoryOrders::default(), Failing, batch(1)).await;

    let cause = "failed to list the owner's connections: the database is not available: no answer";
    assert_eq!(lines[1], format!("WARN Failed to notify the owner of order {ORDER_ID} {cause}"));
}
