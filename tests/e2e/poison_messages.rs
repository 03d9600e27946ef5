//! Messages that are not from the API, among some that are.

use orders_api::queue_message::{ORDER_ID_ATTRIBUTE, OWNER_ATTRIBUTE};
use testkit::{
    api_client::ApiClient,
    order_bodies::{new_id, order_of},
    outputs::output,
    queue_messages::{binary, message, number, text},
    stack::{OWNER, Stack},
};

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
