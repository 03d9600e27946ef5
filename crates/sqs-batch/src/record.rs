//! One record of a batch, as far as it can be read.

use aws_lambda_events::event::sqs::SqsMessage;
use serde::Deserialize;
use serde_json::{Map, Value};

/// A record, and what is needed of it even when it is no message.
#[derive(Debug)]
pub(crate) struct Record(Value);

/// What records are worked on in order with.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) enum Sequence {
    /// Those of the same message group of a FIFO queue.
    MessageGroup(String),
    /// Those of the same message of a standard queue.
    Message(String),
}

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

    /// The sequence that it belongs to; `None` where it stands alone. A FIFO queue is known by its name, which ends in
    /// `.fifo`. Source: Amazon SQS Developer Guide, "FIFO queue and message identifiers".
    pub(crate) fn sequence(&self) -> Option<Sequence> {
        let is_fifo = self.text("eventSourceARN").and_then(|arn| arn.strip_suffix(".fifo")).is_some();
        if is_fifo {
            Some(Sequence::MessageGroup(self.attribute("MessageGroupId").unwrap_or_default().to_owned()))
        } else {
            self.message_id().map(|id| Sequence::Message(id.to_owned()))
        }
    }

    /// Deliveries so far, this one included; 1 where the record does not say.
    pub(crate) fn receive_count(&self) -> u32 {
        self.attribute("ApproximateReceiveCount").and_then(|count| count.parse().ok()).unwrap_or(1).max(1)
    }

    /// The message that it should be.
    ///
    /// # Errors
    /// It is none: then the names of the fields that are not as they should be, and not the reader's own words, which
    /// quote their values.
    pub(crate) fn read(&self) -> Result<SqsMessage, Vec<&str>> {
        // Serde would take an array for a message too, by the order of its fields.
        let message = self.0.as_object().and_then(|_| SqsMessage::deserialize(&self.0).ok());
        message.ok_or_else(|| self.unreadable_fields())
    }

    /// Empty where the record is not even an object.
    fn unreadable_fields(&self) -> Vec<&str> {
        let alone = |name: &str, value: &Value| Value::Object(Map::from_iter([(name.to_owned(), value.clone())]));
        let fields = self.0.as_object().into_iter().flatten();
        fields
            .filter(|(name, value)| SqsMessage::deserialize(alone(name, value)).is_err())
            .map(|(name, _)| name.as_str())
            .collect()
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        self.0.get("attributes")?.get(name)?.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_the_fields_that_cannot_be_read_and_not_their_values() {
        let record = Record::new(json!({"messageId": "1", "body": 4711, "attributes": "secret", "unknown": 5}));

        let mut fields = record.read().expect_err("it is no message");

        fields.sort_unstable();
        assert_eq!(fields, ["attributes", "body"]);
    }

    #[test]
    fn a_record_that_is_not_an_object_has_no_fields() {
        for record in [json!(null), json!(7), json!("text"), json!([{"messageId": "1"}])] {
            let record = Record::new(record);

            assert_eq!(record.read(), Err(vec![]), "{record:?}");
            assert_eq!(record.message_id(), None);
            assert_eq!(record.sequence(), None);
        }
    }

    #[test]
    fn a_message_was_delivered_once_at_least() {
        for (count, expected) in [(json!("3"), 3), (json!("0"), 1), (json!("-1"), 1), (json!("many"), 1), (json!(3), 1)]
        {
            let record = Record::new(json!({"attributes": {"ApproximateReceiveCount": count}}));

            assert_eq!(record.receive_count(), expected, "{record:?}");
        }
        assert_eq!(Record::new(json!({})).receive_count(), 1);
    }
}
