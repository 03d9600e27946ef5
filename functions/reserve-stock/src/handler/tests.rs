use super::*;
use event_bus::{EventKind, fakes::RecordingPublisher};
use holds::fakes::{Failing, InMemoryHolds};
use lambda_runtime::Context;
use proptest::prelude::*;
use serde_json::{Value, json};
use shared_kernel::{Step, Vote};
use sqs_batch::{Backoff, BatchHandler, Unchanged};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Two orders of Lambda's batch, as they are placed: two units of SKU-1, and five of SKU-2.
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

fn handler<R>(holds: R) -> Handler<R, RecordingPublisher, Unchanged> {
    let subscriber = Subscriber { batches: BatchHandler::new(), max_receive_count: 5, backoff: Backoff::NONE };
    Handler { holds, outcomes: RecordingPublisher::default(), subscriber }
}

/// Handles a batch, and returns the positions of the messages to redeliver.
async fn handle<R: HoldRepository + Sync, P: EventPublisher>(
    handler: &Handler<R, P, Unchanged>,
    batch: &Value,
) -> Vec<usize> {
    let mut context = Context::default();
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970") + Duration::from_secs(15);
    context.deadline = u64::try_from(deadline.as_millis()).expect("in range");
    let event = serde_json::from_value(batch.clone()).expect("a batch of Lambda's");

    let response = handler.handle(LambdaEvent::new(event, context)).await.expect("every record has an id");

    let records = batch["Records"].as_array().expect("records");
    let failed = |id: &str| records.iter().position(|record| record["messageId"] == id).expect("a record of the batch");
    let mut failures: Vec<_> =
        response.batch_item_failures.iter().map(|failure| failed(&failure.item_identifier)).collect();
    failures.sort_unstable();
    failures
}

/// The votes by the last digit of their order's id, in the order of these.
fn votes<R>(handler: &Handler<R, RecordingPublisher, Unchanged>) -> Vec<(char, Vote)> {
    let vote = |event: event_bus::Event| match event.kind {
        EventKind::Voted(Step::Stock, vote) => (event.order_id.to_string().pop().expect("an id"), vote),
        other => panic!("not a vote of this step: {other:?}"),
    };
    let mut votes: Vec<_> = handler.outcomes.published().into_iter().map(vote).collect();
    votes.sort_by_key(|(order, _)| *order);
    votes
}

fn counters<P>(handler: &Handler<InMemoryHolds, P, Unchanged>) -> [Option<u64>; 2] {
    ["SKU-1", "SKU-2"].map(|sku| handler.holds.counter(sku))
}

/// No message to redeliver.
const NONE: Vec<usize> = Vec::new();

#[tokio::test]
async fn votes_on_every_order_and_again_when_it_is_redelivered() {
    let handler = handler(InMemoryHolds::with([("SKU-1", 4), ("SKU-2", 3)]));
    let [held, refused] = [('1', Vote::Held), ('2', Vote::Refused("SKU-2: 5 ordered, 3 left".into()))];

    let failures = [handle(&handler, &batch()).await, handle(&handler, &batch()).await];

    assert_eq!(failures, [NONE, NONE]);
    assert_eq!(votes(&handler), [held.clone(), held, refused.clone(), refused]);
    assert_eq!(counters(&handler), [Some(2), Some(3)]);
}

#[tokio::test]
async fn confirming_keeps_what_is_held_and_cancelling_returns_it() {
    for (event_type, left) in [("order.confirmed", [18, 15]), ("order.cancelled", [20, 20])] {
        let handler = handler(InMemoryHolds::with([("SKU-1", 20), ("SKU-2", 20)]));
        handle(&handler, &batch()).await;

        let failures = [handle(&handler, &batch_of(event_type)).await, handle(&handler, &batch_of(event_type)).await];

        assert_eq!(failures, [NONE, NONE], "{event_type}");
        assert_eq!(counters(&handler), left.map(Some), "{event_type}");
        assert_eq!(votes(&handler).len(), 2, "only order.placed is voted on");
    }
}

#[tokio::test]
async fn an_order_that_is_cancelled_before_it_is_placed_takes_nothing() {
    let handler = handler(InMemoryHolds::with([("SKU-1", 20), ("SKU-2", 20)]));

    handle(&handler, &batch_of("order.cancelled")).await;
    let failures = handle(&handler, &batch()).await;

    assert_eq!(failures, NONE);
    assert_eq!(counters(&handler), [Some(20), Some(20)]);
    assert_eq!(votes(&handler), []);
}

#[tokio::test]
async fn an_event_is_redelivered_while_the_table_fails_and_its_last_delivery_votes() {
    let mut batch = batch();
    batch["Records"][1]["attributes"]["ApproximateReceiveCount"] = json!("5");
    let handler = handler(Failing::Unavailable);

    let failures = handle(&handler, &batch).await;

    assert_eq!(failures, [0, 1], "the last delivery ends in the dead-letter queue");
    assert_eq!(votes(&handler), [('2', Vote::Failed("the stock service did not answer in time".into()))]);
}

#[tokio::test]
async fn an_event_whose_vote_is_not_published_is_redelivered_and_takes_nothing_more() {
    let subscriber = Subscriber { batches: BatchHandler::new(), max_receive_count: 5, backoff: Backoff::NONE };
    let holds = InMemoryHolds::with([("SKU-1", 20), ("SKU-2", 20)]);
    let handler = Handler { holds, outcomes: RecordingPublisher::failing_first(2), subscriber };

    let failures = handle(&handler, &batch()).await;
    let again = handle(&handler, &batch()).await;

    assert_eq!((failures, again), (vec![0, 1], NONE));
    assert_eq!(votes(&handler), [('1', Vote::Held), ('2', Vote::Held)]);
    assert_eq!(counters(&handler), [Some(18), Some(15)]);
}

proptest! {
    #[test]
    fn no_message_makes_the_handler_panic(body in any::<Option<String>>(), receive_count in any::<Option<String>>()) {
        let mut batch = batch();
        batch["Records"][0]["body"] = json!(body);
        batch["Records"][0]["attributes"]["ApproximateReceiveCount"] = json!(receive_count.unwrap_or_default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");

        let failures = runtime.block_on(handle(&handler(InMemoryHolds::with([("SKU-1", 20), ("SKU-2", 20)])), &batch));

        prop_assert_eq!(failures, [0]);
    }
}
