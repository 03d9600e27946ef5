//! Valid and invalid messages to a queue without the API, and their number.

use aws_sdk_sqs::{
    Client,
    primitives::Blob,
    types::{
        MessageAttributeValue,
        QueueAttributeName::{
            ApproximateNumberOfMessages, ApproximateNumberOfMessagesDelayed, ApproximateNumberOfMessagesNotVisible,
        },
        SendMessageBatchRequestEntry,
        builders::SendMessageBatchRequestEntryBuilder,
    },
};

/// Visible, in flight and delayed.
pub async fn count(sqs: &Client, queue_url: &str) -> usize {
    let counts =
        [ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible, ApproximateNumberOfMessagesDelayed];
    let request = sqs.get_queue_attributes().queue_url(queue_url).set_attribute_names(Some(counts.to_vec()));
    let attributes =
        request.send().await.expect("the queue's attributes can be read").attributes.expect("a queue has attributes");
    counts.iter().map(|count| attributes[count].parse::<usize>().unwrap()).sum()
}

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

/// With that body and those attributes. `entry_id` is unique in its batch.
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
