use crate::record::Record;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{HashMap, hash_map::Entry};

/// The event that Lambda sends. Each record is read separately: an unreadable one does not affect the others.
#[derive(Clone, Debug, Deserialize)]
pub struct SqsBatch {
    #[serde(rename = "Records")]
    records: Vec<Value>,
}

impl SqsBatch {
    /// The ARN of the batch's queue: all messages are from one queue. `None` if no record has an ARN.
    #[must_use]
    pub fn event_source_arn(&self) -> Option<&str> {
        self.records.iter().find_map(|record| record.get("eventSourceARN")?.as_str())
    }

    /// Groups the records into sequences, which are handled in order.
    ///
    /// A sequence is a message group of a FIFO queue, or all deliveries of one message. Any other record of a standard
    /// queue is a sequence by itself: message groups are for fairness there. Source: Amazon SQS Developer Guide, "Using
    /// the message group ID".
    pub(crate) fn into_sequences(self) -> Vec<Vec<Record>> {
        let mut sequences: Vec<Vec<Record>> = Vec::with_capacity(self.records.len());
        let mut places = HashMap::new();
        for record in self.records.into_iter().map(Record::new) {
            let next = sequences.len();
            let place = match record.sequence().map(|key| places.entry(key)) {
                Some(Entry::Occupied(place)) => *place.get(),
                Some(Entry::Vacant(place)) => *place.insert(next),
                None => next,
            };
            if place == next {
                sequences.push(Vec::new());
            }
            sequences[place].push(record);
        }
        sequences
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record(id: &str, queue: &str, group: &str) -> Value {
        let arn = format!("arn:aws:sqs:eu-central-1:123456789012:{queue}");
        json!({"messageId": id, "eventSourceARN": arn, "attributes": {"MessageGroupId": group}})
    }

    fn sequences(records: Vec<Value>) -> Vec<Vec<String>> {
        let ids = |sequence: Vec<Record>| {
            sequence.iter().map(|record| record.message_id().unwrap_or("(none)").to_owned()).collect()
        };
        SqsBatch { records }.into_sequences().into_iter().map(ids).collect()
    }

    #[test]
    fn a_batch_has_the_arn_of_the_first_record_that_has_one() {
        let arn = |records: Vec<Value>| SqsBatch { records }.event_source_arn().map(str::to_owned);

        let expected = "arn:aws:sqs:eu-central-1:123456789012:orders";
        assert_eq!(arn(vec![json!(7), json!({}), record("0", "orders", "a")]).as_deref(), Some(expected));
        assert_eq!(arn(vec![json!({"eventSourceARN": null})]), None);
    }

    #[test]
    fn a_message_group_of_a_fifo_queue_is_a_sequence() {
        let records = ["a", "b", "a", "c", "b", "a"].iter().enumerate();

        let sequences = sequences(records.map(|(id, group)| record(&id.to_string(), "orders.fifo", group)).collect());

        assert_eq!(sequences, [vec!["0", "2", "5"], vec!["1", "4"], vec!["3"]]);
    }

    #[test]
    fn a_message_group_of_a_standard_queue_is_not_a_sequence() {
        let sequences = sequences(vec![record("0", "orders", "a"), record("1", "orders", "a")]);

        assert_eq!(sequences, [["0"], ["1"]]);
    }

    #[test]
    fn a_message_that_a_batch_holds_twice_is_a_sequence() {
        let sequences =
            sequences(vec![record("0", "orders", "a"), record("1", "orders", "a"), record("0", "orders", "b")]);

        assert_eq!(sequences, [vec!["0", "0"], vec!["1"]]);
    }

    #[test]
    fn records_without_message_id_are_separate_sequences() {
        let sequences = sequences(vec![json!({}), json!(7), json!({"messageId": ""})]);

        assert_eq!(sequences, [["(none)"], ["(none)"], ["(none)"]]);
    }
}
