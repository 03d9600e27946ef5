//! Messages that the API did not send, in one batch with valid ones.

use aws_sdk_sqs::types::MessageAttributeValue;
use orders_api::queue_message::{ORDER_ID_ATTRIBUTE, OWNER_ATTRIBUTE};
use testkit::{
    api_client::ApiClient,
    order_bodies::{new_id, order_of},
    outputs::output,
    queue_messages::{binary, message, number, text},
    socket::Socket,
    stack::{OWNER, Stack},
    tokens::subject_of,
};

#[tokio::test]
async fn fail_alone() {
    let (api, stack) = (ApiClient::new(), Stack::from_env().await);
    let order = order_of("SKU-1").to_string();
    let healthy: [String; 4] = std::array::from_fn(|_| new_id());
    let poisoned: [String; 4] = std::array::from_fn(|_| new_id());
    let custom = MessageAttributeValue::builder().data_type("String.uuid").string_value(&poisoned[3]).build().unwrap();
    let poison = [
        message(0, &order, &[(ORDER_ID_ATTRIBUTE, text(&poisoned[0]))]),
        message(1, &order, &[(ORDER_ID_ATTRIBUTE, binary(&poisoned[1])), (OWNER_ATTRIBUTE, binary(OWNER))]),
        message(2, " ", &[]),
        message(3, &order, &[(ORDER_ID_ATTRIBUTE, text(&poisoned[2])), (OWNER_ATTRIBUTE, text("no owner"))]),
        message(4, &order, &[(OWNER_ATTRIBUTE, text(OWNER)), ("poison", number("1"))]),
        // The API's attributes have the type String: docs/decisions/0028.
        message(5, &order, &[(ORDER_ID_ATTRIBUTE, custom), (OWNER_ATTRIBUTE, text(OWNER))]),
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

/// The message names its owner, who is notified. A retry would not help: docs/decisions/0028.
#[tokio::test]
async fn a_body_that_is_not_json_is_rejected_if_the_message_names_an_owner_and_an_order() {
    let (api, id, mut socket, stack) = (ApiClient::new(), new_id(), Socket::open().await, Stack::from_env().await);
    let owner = subject_of(OWNER);
    let attributes = [(ORDER_ID_ATTRIBUTE, text(&id.to_uppercase())), (OWNER_ATTRIBUTE, text(&owner))];
    let entries = vec![message(0, "not JSON", &attributes)];

    let batch = stack.sqs.send_message_batch().queue_url(output("OrdersQueueUrl")).set_entries(Some(entries));
    batch.send().await.expect("the queue takes messages");

    let callback = socket.outcome(&id).await;
    assert_eq!(
        (&callback["type"], &callback["errors"][0]["pointer"]),
        (&"order.rejected".into(), &"".into()),
        "{callback}"
    );
    assert_eq!(api.settled(&id).await["status"], "REJECTED");
}
