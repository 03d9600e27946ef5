//! Batches as Lambda delivers them, with an in-memory repository and topic.

use event_bus::{EventKind, Subscriber, fakes::RecordingPublisher};
use holds::{
    Claim, CounterKey, Hold, HoldKey, HoldRepository, HoldState, Shortage,
    fakes::{Failing, InMemoryHolds},
    hold_or_refuse,
};
use lambda_runtime::{Context, LambdaEvent};
use proptest::prelude::*;
use serde_json::{Value, json};
use shared_kernel::{RepositoryError, Step, Vote};
use sqs_batch::{Backoff, BatchHandler, Unchanged};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use steps_sqs::{PlacedOrder, Service, Worker};

/// Takes the first line of an order from a counter.
#[derive(Debug)]
struct FirstLine;

impl Service for FirstLine {
    const STEP: Step = Step::Stock;

    async fn hold<R: HoldRepository + Sync>(&self, holds: &R, order: PlacedOrder<'_>) -> Result<Hold, RepositoryError> {
        let item = &order.ordered.items[0];
        let claim = Claim { counter: CounterKey::new(item.sku.as_str()), amount: item.quantity.units().into() };
        let hold = Hold { state: HoldState::Held, claims: vec![claim], created_at: order.placed_at };
        let reason = |short: &[Shortage]| format!("{} left", short[0].available);
        Ok(hold_or_refuse(holds, &HoldKey::for_order(order.owner, order.id), hold, 0, reason).await?.into_hold())
    }
}

/// The fixture's events are older than any real deadline.
const NO_DEADLINE: Duration = Duration::from_hours(24 * 365 * 100);

type TestWorker<R> = Worker<FirstLine, R, RecordingPublisher, Unchanged>;

/// Two `order.placed` events: for two units of SKU-1, and for five of SKU-2.
fn batch() -> Value {
    serde_json::from_str(include_str!("fixtures/sqs-batch.json")).expect("the fixture is JSON")
}

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

fn worker<R>(holds: R) -> TestWorker<R> {
    let subscriber = Subscriber { batches: BatchHandler::new(), max_receive_count: 5, backoff: Backoff::NONE };
    let outcomes = RecordingPublisher::default();
    Worker { service: FirstLine, holds, outcomes, order_deadline: NO_DEADLINE, subscriber }
}

/// Returns the positions of the messages to redeliver.
async fn handle<R: HoldRepository + Sync>(worker: &TestWorker<R>, batch: &Value) -> Vec<usize> {
    let mut context = Context::default();
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970") + Duration::from_secs(15);
    context.deadline = u64::try_from(deadline.as_millis()).expect("in range");
    let event = serde_json::from_value(batch.clone()).expect("a batch of Lambda's");

    let response = worker.handle(LambdaEvent::new(event, context)).await.expect("every record has an id");

    let records = batch["Records"].as_array().expect("records");
    let failed = |id: &str| records.iter().position(|record| record["messageId"] == id).expect("a record of the batch");
    let mut failures: Vec<_> =
        response.batch_item_failures.iter().map(|failure| failed(&failure.item_identifier)).collect();
    failures.sort_unstable();
    failures
}

/// The votes with the last digit of their order's id, sorted by it.
fn votes<R>(worker: &TestWorker<R>) -> Vec<(char, Vote)> {
    let vote = |event: event_bus::Event| match event.kind {
        EventKind::Voted(Step::Stock, vote) => (event.order_id.to_string().pop().expect("an id"), vote),
        other => panic!("not a vote of this step: {other:?}"),
    };
    let mut votes: Vec<_> = worker.outcomes.published().into_iter().map(vote).collect();
    votes.sort_by_key(|(order, _)| *order);
    votes
}

fn counters(worker: &TestWorker<InMemoryHolds>) -> [Option<u64>; 2] {
    ["SKU-1", "SKU-2"].map(|sku| worker.holds.counter(sku))
}

const NONE: Vec<usize> = Vec::new();

#[tokio::test]
async fn votes_on_every_order_and_again_when_it_is_redelivered() {
    let worker = worker(InMemoryHolds::with([("SKU-1", 4), ("SKU-2", 3)]));
    let [held, refused] = [('1', Vote::Held), ('2', Vote::Refused("3 left".into()))];

    let failures = [handle(&worker, &batch()).await, handle(&worker, &batch()).await];

    assert_eq!(failures, [NONE, NONE]);
    assert_eq!(votes(&worker), [held.clone(), held, refused.clone(), refused]);
    assert_eq!(counters(&worker), [Some(2), Some(3)]);
}

#[tokio::test]
async fn confirming_keeps_the_held_amount_and_cancelling_gives_it_back() {
    for (event_type, left) in [("order.confirmed", [18, 15]), ("order.cancelled", [20, 20])] {
        let worker = worker(InMemoryHolds::with([("SKU-1", 20), ("SKU-2", 20)]));
        handle(&worker, &batch()).await;

        let failures = [handle(&worker, &batch_of(event_type)).await, handle(&worker, &batch_of(event_type)).await];

        assert_eq!(failures, [NONE, NONE], "{event_type}");
        assert_eq!(counters(&worker), left.map(Some), "{event_type}");
        assert_eq!(votes(&worker).len(), 2, "only order.placed is voted on");
    }
}

#[tokio::test]
async fn an_order_after_its_deadline_takes_nothing() {
    let worker = Worker { order_deadline: Duration::from_mins(15), ..worker(InMemoryHolds::with([("SKU-1", 20)])) };

    assert_eq!(handle(&worker, &batch()).await, NONE);

    assert_eq!(counters(&worker), [Some(20), None]);
    assert!(votes(&worker).iter().all(|(_, vote)| matches!(vote, Vote::Failed(_))), "{:?}", votes(&worker));
    assert_eq!(votes(&worker).len(), 2);
}

#[tokio::test]
async fn an_order_that_is_cancelled_before_it_is_placed_takes_nothing() {
    let worker = worker(InMemoryHolds::with([("SKU-1", 20), ("SKU-2", 20)]));

    handle(&worker, &batch_of("order.cancelled")).await;
    let failures = handle(&worker, &batch()).await;

    assert_eq!(failures, NONE);
    assert_eq!(counters(&worker), [Some(20), Some(20)]);
    assert_eq!(votes(&worker), []);
}

#[tokio::test]
async fn an_event_is_redelivered_while_the_table_fails_and_its_last_delivery_votes() {
    let mut batch = batch();
    batch["Records"][1]["attributes"]["ApproximateReceiveCount"] = json!("5");
    let worker = worker(Failing::Unavailable);

    let failures = handle(&worker, &batch).await;

    assert_eq!(failures, [0, 1], "the last delivery ends in the dead-letter queue");
    assert_eq!(votes(&worker), [('2', Vote::Failed("the stock service did not answer in time".into()))]);
}

#[tokio::test]
async fn an_event_is_redelivered_if_its_vote_is_not_published_and_takes_its_claims_once() {
    let holds = InMemoryHolds::with([("SKU-1", 20), ("SKU-2", 20)]);
    let worker = Worker { outcomes: RecordingPublisher::failing_first(2), ..worker(holds) };

    let failures = handle(&worker, &batch()).await;
    let again = handle(&worker, &batch()).await;

    assert_eq!((failures, again), (vec![0, 1], NONE));
    assert_eq!(votes(&worker), [('1', Vote::Held), ('2', Vote::Held)]);
    assert_eq!(counters(&worker), [Some(18), Some(15)]);
}

proptest! {
    #[test]
    fn no_message_makes_the_handler_panic(body in any::<Option<String>>(), receive_count in any::<Option<String>>()) {
        let mut batch = batch();
        batch["Records"][0]["body"] = json!(body);
        batch["Records"][0]["attributes"]["ApproximateReceiveCount"] = json!(receive_count.unwrap_or_default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");

        let failures = runtime.block_on(handle(&worker(InMemoryHolds::default()), &batch));

        prop_assert_eq!(failures, [0]);
    }
}
