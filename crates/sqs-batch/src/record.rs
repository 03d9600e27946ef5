//! One record of a batch, as far as it can be read.

use aws_lambda_events::event::sqs::SqsMessage;
use serde_json::Value;

/// A record, and what is needed of it even when it is no message.
#[derive(Debug)]
pub(crate) struct Record(Value);

impl Record {
    pub(crate) fn new(record: Value) -> Self {
        Self(record)
    }

    /// The id by which SQS can be told about it.
    pub(crate) fn message_id(&self) -> Option<&str> {
        self.text("messageId")
    }

    /// What its visibility timeout can be changed with.
    pub(crate) fn receipt_handle(&self) -> Option<&str> {
        self.text("receiptHandle")
    }

    /// The message group in a FIFO queue, whose name ends in `.fifo`; `None` in a standard queue.
    /// Source: Amazon SQS Developer Guide, "FIFO queue and message identifiers".
    pub(crate) fn fifo_group(&self) -> Option<&str> {
        let is_fifo = self.text("eventSourceARN").and_then(|arn| arn.strip_suffix(".fifo")).is_some();
        is_fifo.then(|| self.attribute("MessageGroupId").unwrap_or_default())
    }

    /// Deliveries so far, this one included; 1 where the record does not say.
    pub(crate) fn receive_count(&self) -> u32 {
        self.attribute("ApproximateReceiveCount").and_then(|count| count.parse().ok()).unwrap_or(1)
    }

    /// The message that it should be.
    pub(crate) fn read(self) -> serde_json::Result<SqsMessage> {
        serde_json::from_value(self.0)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        self.0.get("attributes")?.get(name)?.as_str()
    }
}
