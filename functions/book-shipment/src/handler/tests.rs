use super::*;
use event_bus::{EventKind, fakes::RecordingPublisher};
use holds::fakes::InMemoryHolds;
use lambda_runtime::Context;
use serde_json::{Value, json};
use shared_kernel::{Step, Vote};
use sqs_batch::{Backoff, BatchHandler, Unchanged};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Two orders of Lambda's batch, as they are placed: each is one parcel.
fn batch() -> Value {
    serde_json::from_str(include_str!("../../tests/fixtures/sqs-batch.json")).expect("the fixture is JSON")
}

/// The same batch, of events of another type.
fn batch_of(event_type: &str) -> Value {
    let mut batch = batch();
    for record in batch["Records"].as_array_mut().expect("records") {
        let mut event: Value = serde_json::from_str(record["body"].as_str().expect("a body")).expect("an event");
        event["type"] = json!(event_type);
        event["reason"] = json!("too late");
        record["body"] = json!(event.to_string());
    }
    batch
}

/// A service with that many slots tomorrow, and no other day.
fn handler(parcels_per_day: u64) -> Handler<InMemoryHolds, RecordingPublisher, Unchanged> {
    let batches = BatchHandler::new().concurrency(1);
    let subscriber = Subscriber { batches, max_receive_count: 5, backoff: Backoff::NONE };
    let calendar = Calendar { parcels_per_day, horizon_days: 1 };
    Handler { holds: InMemoryHolds::default(), calendar, outcomes: RecordingPublisher::default(), subscriber }
}

/// Handles a batch. No message of it must be redelivered.
async fn handle(handler: &Handler<InMemoryHolds, RecordingPublisher, Unchanged>, batch: Value) {
    let mut context = Context::default();
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970") + Duration::from_secs(15);
    context.deadline = u64::try_from(deadline.as_millis()).expect("in range");
    let event = serde_json::from_value(batch).expect("a batch of Lambda's");

    let response = handler.handle(LambdaEvent::new(event, context)).await.expect("every record has an id");

    assert_eq!(response.batch_item_failures.len(), 0);
}

/// The votes, oldest first.
fn votes(handler: &Handler<InMemoryHolds, RecordingPublisher, Unchanged>) -> Vec<Vote> {
    let vote = |event: event_bus::Event| match event.kind {
        EventKind::Voted(Step::Shipment, vote) => vote,
        other => panic!("not a vote of this step: {other:?}"),
    };
    handler.outcomes.published().into_iter().map(vote).collect()
}

#[tokio::test]
async fn books_a_day_for_every_order_while_one_is_free() {
    let handler = handler(1);

    handle(&handler, batch()).await;

    let [Vote::Held, Vote::Refused(reason)] = &votes(&handler)[..] else { panic!("{:?}", votes(&handler)) };
    assert!(reason.starts_with("no free day until 20"), "{reason}");
}

#[tokio::test]
async fn confirming_keeps_a_day_and_cancelling_frees_it() {
    for (event_type, parcels) in [("order.confirmed", 2), ("order.cancelled", 0)] {
        let handler = handler(9);
        handle(&handler, batch()).await;

        handle(&handler, batch_of(event_type)).await;
        handle(&handler, batch_of(event_type)).await;

        assert_eq!(handler.holds.taken(), parcels, "{event_type}");
        assert_eq!(votes(&handler), [Vote::Held, Vote::Held], "only order.placed is voted on");
    }
}

#[tokio::test]
async fn an_order_that_is_cancelled_before_it_is_placed_books_nothing() {
    let handler = handler(9);

    handle(&handler, batch_of("order.cancelled")).await;
    handle(&handler, batch()).await;

    assert_eq!(handler.holds.taken(), 0);
    assert_eq!(votes(&handler), []);
}
