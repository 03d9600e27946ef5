//! Sends orders to the queue without the API, in the format of its mapping template.

use crate::test_bed::TestBed;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use futures_util::{StreamExt, stream};
use orders_api::queue_message::{ORDER_ID_ATTRIBUTE, OWNER_ATTRIBUTE, REQUEST_TIME_ATTRIBUTE};
use std::time::{SystemTime, UNIX_EPOCH};
use testkit::{
    order_bodies::order_of,
    outputs::output,
    queue_messages::{message, text},
};

/// Messages per request. Source: Amazon SQS API Reference, `SendMessageBatch`.
const BATCH: usize = 10;

const CONCURRENCY: usize = 8;

pub(crate) fn now_ms() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()
}

/// Accepted by the API at that time.
pub(crate) fn order(entry_id: usize, owner: &str, order_id: &str, accepted_ms: u128) -> SendMessageBatchRequestEntry {
    let attributes = [
        (ORDER_ID_ATTRIBUTE, text(order_id)),
        (OWNER_ATTRIBUTE, text(owner)),
        (REQUEST_TIME_ATTRIBUTE, text(&accepted_ms.to_string())),
    ];
    message(entry_id, &order_of("SKU-1").to_string(), &attributes)
}

pub(crate) async fn send(bed: &TestBed, messages: Vec<SendMessageBatchRequestEntry>) {
    stream::iter(messages.chunks(BATCH))
        .for_each_concurrent(CONCURRENCY, |some| async {
            let request = bed.stack.sqs.send_message_batch().queue_url(output("OrdersQueueUrl"));
            let sent = request.set_entries(Some(some.to_vec())).send().await.expect("the queue takes messages");
            assert!(sent.failed().is_empty(), "{sent:?}");
        })
        .await;
}
