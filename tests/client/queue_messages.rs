//! Messages sent to the queue directly, as the API would send them or as nobody should.

use aws_sdk_sqs::{
    primitives::Blob,
    types::{MessageAttributeValue, SendMessageBatchRequestEntry, builders::SendMessageBatchRequestEntryBuilder},
};

/// A text attribute.
pub fn text(value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type("String").string_value(value).build().unwrap()
}

/// A binary attribute.
pub fn binary(value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type("Binary").binary_value(Blob::new(value)).build().unwrap()
}

/// A number attribute.
pub fn number(value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type("Number").string_value(value).build().unwrap()
}

/// A message with that body and those attributes; `entry_id` tells it from others of its batch.
pub fn message(
    entry_id: usize,
    body: &str,
    attributes: &[(&str, MessageAttributeValue)],
) -> SendMessageBatchRequestEntry {
    let message = SendMessageBatchRequestEntry::builder().id(entry_id.to_string()).message_body(body);
    let add = |message: SendMessageBatchRequestEntryBuilder, (name, value): &(&str, MessageAttributeValue)| {
        message.message_attributes(*name, value.clone())
    };
    attributes.iter().fold(message, add).build().unwrap()
}
