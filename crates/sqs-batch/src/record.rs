use aws_lambda_events::event::sqs::SqsMessage;
use serde::Deserialize;
use serde_json::{Map, Value};

/// One record of a batch. Its ids can be read even if it is not a message.
#[derive(Debug)]
pub(crate) struct Record(Value);

/// Records with the same key are handled in order.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) enum Sequence {
    /// A message group of a FIFO queue.
    MessageGroup(String),
    /// All deliveries of one message of a standard queue.
    Message(String),
}

impl Record {
    pub(crate) fn new(record: Value) -> Self {
        Self(record)
    }

    /// The id that reports it to SQS.
    pub(crate) fn message_id(&self) -> Option<&str> {
        self.text("messageId")
    }

    /// The handle that changes its visibility timeout.
    pub(crate) fn receipt_handle(&self) -> Option<&str> {
        self.text("receiptHandle")
    }

    /// `None` if it has neither a message group nor a message id. The name of a FIFO queue ends in `.fifo`. Source:
    /// Amazon SQS Developer Guide, "FIFO queue and message identifiers".
    pub(crate) fn sequence(&self) -> Option<Sequence> {
        let is_fifo = self.text("eventSourceARN").and_then(|arn| arn.strip_suffix(".fifo")).is_some();
        if is_fifo {
            Some(Sequence::MessageGroup(self.attribute("MessageGroupId").unwrap_or_default().to_owned()))
        } else {
            self.message_id().map(|id| Sequence::Message(id.to_owned()))
        }
    }

    /// 1 if the record does not say.
    pub(crate) fn receive_count(&self) -> u32 {
        self.attribute("ApproximateReceiveCount").and_then(|count| count.parse().ok()).unwrap_or(1).max(1)
    }

    /// # Errors
    /// The names of the malformed fields, because serde's message quotes their values.
    pub(crate) fn read(&self) -> Result<SqsMessage, Vec<&str>> {
        // Else serde reads an array as a message, by the order of its fields.
        let message = self.0.as_object().and_then(|_| SqsMessage::deserialize(&self.0).ok());
        message.ok_or_else(|| self.unreadable_fields())
    }

    /// Empty if the record is not an object.
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

        let mut fields = record.read().expect_err("it is not a message");

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
    fn a_message_was_delivered_at_least_once() {
        for (count, expected) in [(json!("3"), 3), (json!("0"), 1), (json!("-1"), 1), (json!("many"), 1), (json!(3), 1)]
        {
            let record = Record::new(json!({"attributes": {"ApproximateReceiveCount": count}}));

            assert_eq!(record.receive_count(), expected, "{record:?}");
        }
        assert_eq!(Record::new(json!({})).receive_count(), 1);
    }
}
