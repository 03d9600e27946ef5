//! What is logged, and what is never logged.
//!
//! In a separate test binary: concurrent tests with and without a subscriber may lose events
//! (<https://github.com/tokio-rs/tracing/issues/3611>).

#[expect(dead_code, reason = "other tests use the rest")]
mod records;

use records::{batch, fifo, later, message, obey};
use serde_json::{Value, json};
use sqs_batch::{BatchHandler, VisibilityChange, VisibilityTimeout};
use std::{
    future,
    io::{self, Write},
    sync::{Arc, Mutex},
};
use tracing_subscriber::filter::LevelFilter;

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

impl Log {
    fn start(&self) -> tracing::subscriber::DefaultGuard {
        let log = self.clone();
        let writer = move || log.clone();
        let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_max_level(LevelFilter::TRACE);
        tracing::subscriber::set_default(subscriber.with_writer(writer).finish())
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no test panicked").clone()).expect("a log is text")
    }

    /// Level and text of the log lines about one message.
    fn of(&self, id: &str) -> Vec<String> {
        let lines = self.text();
        let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"));
        let said = |line: Value| format!("{} {}", line["level"], line["message"]).replace('"', "");
        lines.filter(|line| line["message.id"] == id).map(said).collect()
    }
}

struct Hanging;

impl VisibilityTimeout for Hanging {
    async fn change(&self, _: &[VisibilityChange]) {
        future::pending::<()>().await;
    }
}

#[tokio::test(start_paused = true)]
async fn logs_the_result_of_each_failed_message() {
    let log = Log::default();
    let guard = log.start();
    let records = json!([
        message("done", "ok"),
        message("retry", "retry"),
        message("poison", "poison"),
        message("panic", "panic"),
        message("hang", "hang"),
        {"messageId": "unreadable", "body": 7},
        fifo("first", "group", "retry"),
        fifo("second", "group", "ok"),
    ]);

    BatchHandler::new().visibility(Hanging).handle(batch(&records), later(), obey).await.expect("identified");

    drop(guard);
    assert_eq!(log.of("done"), [""; 0]);
    assert_eq!(log.of("retry"), [""; 0], "its handler logs the reason");
    assert_eq!(
        log.of("poison"),
        [
            "ERROR Message poison can never be handled",
            "WARN Message poison may wait for its queue's visibility timeout: no time was left to change it",
        ]
    );
    assert_eq!(log.of("panic"), ["ERROR The handler of message panic panicked"]);
    assert_eq!(log.of("hang"), ["WARN Ran out of time for message hang"]);
    assert_eq!(log.of("unreadable"), ["ERROR Record unreadable is not an SQS message"]);
    assert_eq!(log.of("second"), ["INFO Message second is redelivered with the message before it"]);
}

#[tokio::test(start_paused = true)]
async fn never_quotes_a_body_or_a_receipt_handle() {
    let log = Log::default();
    let guard = log.start();
    let secret = 4_111_111_111_111_111_u64;
    let records = json!([
        {"messageId": "1", "receiptHandle": "secret", "body": secret},
        {"messageId": "2", "receiptHandle": secret, "body": "secret"},
        {"messageId": "3", "receiptHandle": "secret", "body": ["secret"], "attributes": "secret"},
        {"messageId": "4", "receiptHandle": "secret", "body": "secret", "messageAttributes": {"secret": "secret"}},
        {"messageId": "5", "receiptHandle": "secret", "body": "poison"},
        message("6", "panic"),
    ]);

    BatchHandler::new().visibility(Hanging).handle(batch(&records), later(), obey).await.expect("identified");

    drop(guard);
    let text = log.text();
    assert!(["1", "2", "3", "4", "5", "6"].iter().all(|id| !log.of(id).is_empty()), "{text}");
    assert!(!text.contains("secret") && !text.contains(&secret.to_string()) && !text.contains("handle of"), "{text}");
}
