//! A batch of ten messages: eight succeed, one fails twice, one always fails.

use crate::{
    Load,
    figures::Figures,
    listener::Listener,
    queue,
    test_bed::{DELIVERY_WAIT, TestBed},
};
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use fault_endpoint::{Fault, Rule, When};
use testkit::{eventually::eventually, order_bodies::new_id, outputs::output, queue_messages::message, stack::OWNER};

/// As in the template.
const MAX_RECEIVE_COUNT: usize = 5;

pub(crate) async fn the_worker_reports_only_the_messages_that_fail(bed: &TestBed, _: Load) -> Figures {
    let mut listener = Listener::open(bed, OWNER).await;
    let (healthy, transient, mark): ([String; 8], _, _) =
        (std::array::from_fn(|_| new_id()), new_id(), bed.endpoint.mark());
    let poison = format!("poison {}", new_id());
    let about = transient.clone();
    // Two deliveries of three attempts each.
    let fails =
        Rule::new(move |call| call.writes("CONFIRMED") && call.is_about(&about), When::First(6), Fault::Throttle);
    bed.endpoint.inject(fails);
    bed.set_worker(false).await;

    let mut messages = vec![message(0, &poison, &[]), queue::order(1, OWNER, &transient, queue::now_ms())];
    messages.extend(healthy.iter().enumerate().map(|(at, id)| queue::order(at + 2, OWNER, id, queue::now_ms())));
    queue::send(bed, messages).await;
    bed.set_worker(true).await;

    for id in healthy.iter().chain([&transient]) {
        listener.receives("order.confirmed", id, DELIVERY_WAIT).await;
    }
    let dead = dead_letter(bed, &poison).await;
    bed.queue_is_empty(DELIVERY_WAIT).await;
    for id in &healthy {
        let attempts = bed.endpoint.since(mark).iter().filter(|passed| passed.call.is_about(id)).count();
        assert_eq!((attempts, listener.count("order.confirmed", id)), (1, 1), "{id} must be done once");
    }
    assert_eq!(bed.endpoint.writes(mark, &transient, "CONFIRMED"), 1);
    let order = bed.api.get(&transient).await;
    assert_eq!(order.body["attempts"], 3, "{order:?}");
    // One more than the worker's deliveries.
    let deliveries = receive_count(&dead) - 1;
    assert_eq!(deliveries, MAX_RECEIVE_COUNT);
    Figures::default()
        .with("done once", healthy.len())
        .with("transient done at delivery", &order.body["attempts"])
        .with("poison deliveries", deliveries)
}

/// Waits for the dead letter with that body, and removes it.
async fn dead_letter(bed: &TestBed, body: &str) -> Message {
    let url = output("DeadLetterQueueUrl");
    eventually(DELIVERY_WAIT, "the message is in the dead-letter queue", async || {
        let request = bed.stack.sqs.receive_message().queue_url(url).max_number_of_messages(10).visibility_timeout(1);
        let request = request.message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount);
        let received = request.send().await.expect("the dead-letter queue can be read");
        let message = received.messages().iter().find(|message| message.body() == Some(body)).cloned()?;
        let done = bed.stack.sqs.delete_message().queue_url(url).receipt_handle(message.receipt_handle().unwrap());
        done.send().await.expect("the message can be deleted");
        Some(message)
    })
    .await
}

fn receive_count(message: &Message) -> usize {
    let attributes = message.attributes().expect("the request names them");
    attributes[&MessageSystemAttributeName::ApproximateReceiveCount].parse().unwrap()
}
