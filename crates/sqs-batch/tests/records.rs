//! Records as Lambda sends them, a handler, and a recorder of visibility changes.

use serde_json::{Value, json};
use sqs_batch::{Backoff, Disposition, Message, SqsBatch, VisibilityChange, VisibilityTimeout};
use std::{
    cell::RefCell,
    future,
    time::{Duration, SystemTime},
};

pub(crate) const BACKOFF: Backoff = Backoff::full_jitter(Duration::from_secs(8), Duration::from_secs(20));

pub(crate) fn batch(records: &Value) -> SqsBatch {
    serde_json::from_value(json!({ "Records": records })).expect("records are an array")
}

pub(crate) fn later() -> SystemTime {
    SystemTime::now() + Duration::from_mins(1)
}

pub(crate) fn message(id: &str, body: &str) -> Value {
    json!({"messageId": id, "receiptHandle": format!("handle of {id}"), "body": body, "attributes": {"ApproximateReceiveCount": "2"}})
}

pub(crate) fn fifo(id: &str, group: &str, body: &str) -> Value {
    let mut message = message(id, body);
    message["eventSourceARN"] = json!("arn:aws:sqs:eu-central-1:123456789012:orders.fifo");
    message["attributes"]["MessageGroupId"] = json!(group);
    message
}

/// Does what the message's body says.
pub(crate) async fn obey(message: Message) -> Disposition {
    match message.body.as_deref() {
        Some("retry") => Disposition::Retry,
        Some("retry after") => Disposition::RetryAfter(BACKOFF),
        Some("poison") => Disposition::Poison,
        Some("panic") => panic!("intended"),
        Some("hang") => future::pending().await,
        _ => Disposition::Done,
    }
}

#[derive(Default)]
pub(crate) struct Recorded(pub(crate) RefCell<Vec<VisibilityChange>>);

impl VisibilityTimeout for &Recorded {
    async fn change(&self, changes: &[VisibilityChange]) {
        self.0.borrow_mut().extend_from_slice(changes);
    }
}

impl Recorded {
    pub(crate) fn seconds(&self, id: &str) -> Option<u64> {
        let changes = self.0.borrow();
        changes.iter().find(|change| change.message_id == id).map(|change| change.visibility_timeout.as_secs())
    }
}

/// Keeps the test output readable.
pub(crate) fn without_panic_messages() {
    std::panic::set_hook(Box::new(|panic| {
        if panic.payload_as_str() != Some("intended") {
            eprintln!("{panic}");
        }
    }));
}
