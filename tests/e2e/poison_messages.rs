//! Messages that are not from the API, among some that are.

use crate::{
    api_client::ApiClient,
    order_bodies::{new_id, order_of},
    stack::{OWNER, Stack, output},
};
use aws_sdk_sqs::{
    primitives::Blob,
    types::{MessageAttributeValue, SendMessageBatchRequestEntry},
};
use orders_api::queue_message::{ORDER_ID_ATTRIBUTE, OWNER_ATTRIBUTE};

fn text(value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type("String").string_value(value).build().unwrap()
}

fn binary(value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type("Binary").binary_value(Blob::new(value)).build().unwrap()
}

fn number(value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type("Number").string_value(value).build().unwrap()
}

/// A message with those attributes.
fn message(entry_id: usize, body: &str, attributes: &[(&str, MessageAttributeValue)]) -> SendMessageBatchRequestEntry {
    let message = SendMessageBatchRequestEntry::builder().id(entry_id.to_string()).message_body(body);
    let add =
        |message: aws_sdk_sqs::types::builders::SendMessageBatchRequestEntryBuilder,
         (name, value): &(&str, MessageAttributeValue)| { message.message_attributes(*name, value.clone()) };
    attributes.iter().fold(message, add).build().unwrap()
}

#[tokio::test]
async fn fail_alone() {
    let (api, stack) = (ApiClient::new(), Stack::of_environment().await);
    let order = order_of("SKU-1").to_string();
    let healthy: [String; 5] = std::array::from_fn(|_| new_id());
    let poisoned: [String; 3] = std::array::from_fn(|_| new_id());
    let poison = [
        message(0, &order, &[(ORDER_ID_ATTRIBUTE, text(&poisoned[0]))]),
        message(1, &order, &[(ORDER_ID_ATTRIBUTE, binary(&poisoned[1])), (OWNER_ATTRIBUTE, binary(OWNER))]),
        message(2, " ", &[]),
        message(3, &order, &[(ORDER_ID_ATTRIBUTE, text(&poisoned[2])), (OWNER_ATTRIBUTE, text("no owner"))]),
        message(4, &order, &[(OWNER_ATTRIBUTE, text(OWNER)), ("poison", number("1"))]),
    ];
    let good = healthy.iter().enumerate().map(|(index, id)| {
        let attributes = [(ORDER_ID_ATTRIBUTE, text(id)), (OWNER_ATTRIBUTE, text(OWNER)), ("extra", binary("x"))];
        message(poison.len() + index, &order, &attributes)
    });

    let entries = poison.iter().cloned().chain(good).collect();
    let batch = stack.sqs.send_message_batch().queue_url(output("OrdersQueueUrl")).set_entries(Some(entries));
    let sent = batch.send().await.expect("the queue takes messages");

    assert!(sent.failed().is_empty(), "{sent:?}");
    for id in &healthy {
        assert_eq!(api.settled(id).await["status"], "CONFIRMED");
    }
    for id in &poisoned {
        assert!(stack.items_with_order_id(id).await.is_empty(), "{id} must not be stored");
    }
}
