//! Batches as Lambda delivers them, with in-memory repositories, topics and sockets.

use super::*;
use event_bus::fakes::RecordingPublisher;
use lambda_runtime::Context;
use lambda_support::environment::Environment;
use orders::{
    Decider, Fingerprint, Notification, Status, Step, Vote,
    fakes::{self, Flaky, InMemoryOrders, RecordingNotifier, Refusing, Unavailable},
};
use serde_json::{Value, json};
use sqs_batch::{Backoff, BatchHandler, VisibilityChange};
use std::{
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

const SUBMISSIONS: &str = "twolane-SubmissionsQueue-1A2B3C";
const OUTCOMES: &str = "twolane-OutcomesQueue-1A2B3C";
const DEADLINE: &str = "twolane-DeadlineQueue-1A2B3C";

/// The queue of each message that is redelivered after a back-off.
#[derive(Debug)]
struct RecordingVisibility(&'static str, Arc<Mutex<Vec<&'static str>>>);

impl VisibilityTimeout for RecordingVisibility {
    async fn change(&self, changes: &[VisibilityChange]) {
        self.1.lock().expect("no test panicked").extend(changes.iter().map(|_| self.0));
    }
}

type TestHandler<R> = Handler<R, RecordingPublisher, RecordingNotifier, RecordingVisibility>;

fn handler<R>(orders: R) -> TestHandler<R> {
    publishing(orders, RecordingPublisher::default())
}

fn publishing<R>(orders: R, events: RecordingPublisher) -> TestHandler<R> {
    recording(orders, events, &Arc::default())
}

/// Records that queue in `redelivered`.
fn recording<R>(orders: R, events: RecordingPublisher, redelivered: &Arc<Mutex<Vec<&'static str>>>) -> TestHandler<R> {
    let queue = |name| Queue {
        url: format!("https://sqs.eu-central-1.amazonaws.com/123456789012/{name}"),
        subscriber: Subscriber {
            batches: BatchHandler::new().visibility(RecordingVisibility(name, Arc::clone(redelivered))),
            max_receive_count: 5,
            backoff: Backoff::NONE,
        },
    };
    Handler {
        orders,
        events,
        notifier: RecordingNotifier::default(),
        notifying: Duration::from_secs(5),
        order_deadline: Duration::from_mins(15),
        queues: [SUBMISSIONS, OUTCOMES, DEADLINE].map(queue),
    }
}

/// That event of Alice's order, as Lambda's event source mapping delivers it.
fn record(kind: EventKind, receive_count: u32) -> Value {
    let event: Value =
        serde_json::from_str(include_str!("../../tests/fixtures/sqs-batch.json")).expect("the fixture is JSON");
    let mut record = event["Records"][0].clone();
    let queue = match &kind {
        EventKind::Submitted { .. } => SUBMISSIONS,
        EventKind::Placed(_) => DEADLINE,
        _ => OUTCOMES,
    };
    record["eventSourceARN"] = json!(format!("arn:aws:sqs:eu-central-1:123456789012:{queue}"));
    record["attributes"]["ApproximateReceiveCount"] = json!(receive_count.to_string());
    record["messageAttributes"]["eventType"]["stringValue"] = json!(kind.name());
    let placed = fakes::placed();
    let event = Event {
        order_id: placed.id,
        owner: placed.owner,
        fingerprint: placed.fingerprint,
        occurred_at: placed.placed_at,
        kind,
    };
    record["body"] = json!(event.to_json());
    record
}

fn submitted() -> EventKind {
    EventKind::Submitted { order: items(), note: None }
}

fn items() -> OrderedItems {
    let content = fakes::content("SKU-1");
    OrderedItems { currency: content.currency(), items: content.items().to_vec() }
}

fn held(step: Step) -> EventKind {
    EventKind::Voted(step, Vote::Held)
}

/// Returns the numbers of the redelivered records.
async fn deliver<R>(handler: &TestHandler<R>, mut records: Vec<Value>) -> Vec<usize>
where
    R: OrderRepository + SettlementRepository,
{
    for (number, record) in records.iter_mut().enumerate() {
        record["messageId"] = json!(number.to_string());
    }
    let batch = serde_json::from_value(json!({ "Records": records })).expect("a batch");
    let response = handler.handle(LambdaEvent::new(batch, context())).await.expect("every record has an id");
    let mut failed: Vec<_> =
        response.batch_item_failures.iter().map(|failure| failure.item_identifier.parse().expect("a number")).collect();
    failed.sort_unstable();
    failed
}

fn context() -> Context {
    let mut context = Context::default();
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970") + Duration::from_secs(25);
    context.deadline = u64::try_from(deadline.as_millis()).expect("in range");
    context
}

/// The types, oldest first.
fn published<R>(handler: &TestHandler<R>) -> Vec<String> {
    handler.events.published().iter().map(|event| event.kind.name()).collect()
}

#[tokio::test]
async fn records_a_submitted_order_and_publishes_it_to_the_steps() {
    let handler = handler(InMemoryOrders::default());
    let kind = EventKind::Submitted { order: items(), note: Some("ring twice".into()) };

    assert!(deliver(&handler, vec![record(kind, 2)]).await.is_empty());

    let order = &handler.orders.all()[0];
    assert_eq!((order.status(), order.attempts, order.placed_at), (Status::Placed, 2, fakes::moment(0)));
    assert_eq!(order.content().and_then(OrderContent::note).map(orders::Note::as_str), Some("ring twice"));
    let placed = Event {
        order_id: order.id,
        owner: order.owner.clone(),
        fingerprint: order.fingerprint,
        occurred_at: fakes::moment(0),
        kind: EventKind::Placed(items()),
    };
    assert_eq!(handler.events.published(), [placed]);
    assert!(handler.notifier.sent().is_empty());
}

#[tokio::test]
async fn confirms_an_order_for_any_order_of_its_votes() {
    let [stock, payment, shipment] = Step::ALL;
    for steps in [
        [stock, payment, shipment],
        [stock, shipment, payment],
        [payment, stock, shipment],
        [payment, shipment, stock],
        [shipment, stock, payment],
        [shipment, payment, stock],
    ] {
        let handler = handler(InMemoryOrders::default());
        deliver(&handler, vec![record(submitted(), 1)]).await;

        for step in steps {
            assert!(deliver(&handler, vec![record(held(step), 1)]).await.is_empty());
        }

        let order = handler.orders.all()[0].clone();
        assert_eq!((order.status(), order.decided_by()), (Status::Confirmed, Some(Decider::Step(steps[2]))));
        assert_eq!(published(&handler), ["order.placed", "order.confirmed"]);
        assert_eq!(handler.notifier.sent(), [Notification::Confirmed(order)]);
    }
}

#[tokio::test]
async fn confirms_an_order_once_when_one_batch_has_every_vote_twice() {
    let handler = handler(InMemoryOrders::default());
    handler.orders.insert(fakes::placed());
    let votes = Step::ALL.into_iter().chain(Step::ALL).map(|step| record(held(step), 1)).collect();

    assert!(deliver(&handler, votes).await.is_empty());

    assert_eq!(handler.orders.all()[0].status(), Status::Confirmed);
    // The batch has the deciding vote twice, so its decision may be published twice.
    let published = handler.events.published();
    assert!(
        (1..=2).contains(&published.len()) && published.iter().all(|event| *event == published[0]),
        "{published:?}"
    );
}

#[tokio::test]
async fn cancels_an_order_for_the_step_s_reason_and_notifies_steps_and_owner() {
    for vote in [Vote::Refused("SKU-1: 2 ordered, 1 left".into()), Vote::Failed("no answer".into())] {
        let handler = handler(InMemoryOrders::default());
        handler.orders.insert(fakes::placed());
        deliver(&handler, vec![record(held(Step::Payment), 1)]).await;

        let refusal = EventKind::Voted(Step::Stock, vote.clone());
        assert!(deliver(&handler, vec![record(refusal, 1), record(held(Step::Shipment), 1)]).await.is_empty());

        let order = handler.orders.all()[0].clone();
        assert_eq!((order.status(), order.reason()), (Status::Cancelled, vote.reason()));
        let published = handler.events.published();
        let reason = vote.reason().unwrap_or_default().to_owned();
        assert_eq!(published.iter().map(|event| &event.kind).collect::<Vec<_>>(), [&EventKind::Cancelled { reason }]);
        assert_eq!(handler.notifier.sent(), [Notification::Cancelled(order)]);
    }
}

#[tokio::test]
async fn cancels_an_order_after_its_deadline_and_ignores_later_votes() {
    let handler = handler(InMemoryOrders::default());
    handler.orders.insert(fakes::placed());
    deliver(&handler, vec![record(held(Step::Payment), 1)]).await;

    assert!(deliver(&handler, vec![record(EventKind::Placed(items()), 1)]).await.is_empty());
    assert!(deliver(&handler, vec![record(held(Step::Stock), 1), record(held(Step::Shipment), 1)]).await.is_empty());

    let order = handler.orders.all()[0].clone();
    assert_eq!((order.status(), order.decided_by()), (Status::Cancelled, Some(Decider::Deadline)));
    assert_eq!(order.reason(), Some("not every step answered within 900 s"));
    assert_eq!(published(&handler), ["order.cancelled"]);
    assert_eq!(handler.notifier.sent(), [Notification::Cancelled(order)]);
}

#[tokio::test]
async fn a_deadline_of_a_decided_order_has_no_effect() {
    let handler = handler(InMemoryOrders::default());
    handler.orders.insert(fakes::confirmed_by_steps());

    assert!(deliver(&handler, vec![record(EventKind::Placed(items()), 1)]).await.is_empty());

    assert_eq!(handler.orders.all(), [fakes::confirmed_by_steps()]);
    assert!(published(&handler).is_empty() && handler.notifier.sent().is_empty());
}

#[tokio::test]
async fn repeats_a_decision_if_its_publication_failed_after_the_write() {
    let handler = publishing(InMemoryOrders::default(), RecordingPublisher::failing_first(1));
    handler.orders.insert(fakes::placed());
    let refused = || EventKind::Voted(Step::Stock, Vote::Refused("no".into()));

    assert_eq!(deliver(&handler, vec![record(refused(), 1)]).await, [0]);
    assert_eq!(handler.notifier.sent().len(), 1, "the order is cancelled, published or not");
    assert!(deliver(&handler, vec![record(refused(), 2)]).await.is_empty());

    assert_eq!(published(&handler), ["order.cancelled"]);
    assert_eq!(handler.notifier.sent(), vec![Notification::Cancelled(handler.orders.all()[0].clone()); 2]);
}

#[tokio::test]
async fn the_deadline_publishes_a_decision_that_no_delivery_of_its_vote_could_publish() {
    let refused = EventKind::Voted(Step::Stock, Vote::Refused("no".into()));
    let handler = publishing(InMemoryOrders::default(), RecordingPublisher::failing_first(6));
    handler.orders.insert(fakes::placed());
    for delivery in 1..=5 {
        assert_eq!(deliver(&handler, vec![record(refused.clone(), delivery)]).await, [0]);
    }
    let notified = handler.notifier.sent().len();

    let failed = deliver(&handler, vec![record(EventKind::Placed(items()), 1)]).await;
    let redelivered = deliver(&handler, vec![record(EventKind::Placed(items()), 2)]).await;

    assert_eq!((failed, redelivered), (vec![0], vec![]));
    assert_eq!(published(&handler), ["order.cancelled"]);
    assert!(handler.notifier.sent().len() > notified, "the delivery that decided may have died before it notified");
}

#[tokio::test]
async fn publishes_a_recorded_order_again_when_its_publication_failed_after_the_write() {
    let handler = publishing(InMemoryOrders::default(), RecordingPublisher::failing_first(1));

    assert_eq!(deliver(&handler, vec![record(submitted(), 1)]).await, [0]);
    assert!(deliver(&handler, vec![record(submitted(), 2)]).await.is_empty());

    assert_eq!(published(&handler), ["order.placed"]);
    assert_eq!(handler.orders.all().len(), 1);
}

#[tokio::test]
async fn cancels_an_order_that_no_delivery_could_publish() {
    let handler = publishing(InMemoryOrders::default(), RecordingPublisher::failing_first(5));
    for delivery in 1..=5 {
        assert!(handler.notifier.sent().is_empty(), "the order may still be published");
        assert_eq!(deliver(&handler, vec![record(submitted(), delivery)]).await, [0]);
    }

    let order = handler.orders.all()[0].clone();
    assert_eq!((order.status(), order.decided_by()), (Status::Cancelled, Some(Decider::Submission)));
    assert_eq!(handler.notifier.sent(), [Notification::Cancelled(order.clone())]);

    assert!(deliver(&handler, vec![record(submitted(), 1)]).await.is_empty(), "redriven");
    assert_eq!((handler.orders.all(), published(&handler)), (vec![order], vec![]), "a redrive changes nothing");
}

#[tokio::test]
async fn undoes_an_order_that_was_published_though_each_publication_seemed_to_fail() {
    let handler = publishing(InMemoryOrders::default(), RecordingPublisher::failing_first(5));
    for delivery in 1..=5 {
        deliver(&handler, vec![record(submitted(), delivery)]).await;
    }

    assert!(deliver(&handler, vec![record(held(Step::Stock), 1)]).await.is_empty());
    assert!(deliver(&handler, vec![record(EventKind::Placed(items()), 1)]).await.is_empty());

    assert_eq!(published(&handler), ["order.cancelled", "order.cancelled"]);
    assert_eq!(handler.notifier.sent(), vec![Notification::Cancelled(handler.orders.all()[0].clone()); 3]);
}

#[tokio::test]
async fn a_repeat_that_cannot_be_published_leaves_an_order_to_its_first_submission() {
    let handler = publishing(InMemoryOrders::default(), RecordingPublisher::failing_first(1));
    let first = Order { placed_at: fakes::moment(0).plus(Duration::from_secs(1)), ..fakes::placed() };
    handler.orders.insert(first.clone());

    assert_eq!(deliver(&handler, vec![record(submitted(), 5)]).await, [0]);

    assert_eq!(handler.orders.all(), [first]);
    assert!(handler.notifier.sent().is_empty());
}

#[tokio::test]
async fn an_order_with_a_vote_is_left_to_its_steps_if_its_submission_cannot_be_published_again() {
    let handler = publishing(InMemoryOrders::default(), RecordingPublisher::failing_first(1));
    handler.orders.insert(fakes::placed());
    deliver(&handler, vec![record(held(Step::Stock), 1)]).await;

    assert_eq!(deliver(&handler, vec![record(submitted(), 5)]).await, [0]);

    assert_eq!(handler.orders.all()[0].status(), Status::Placed);
    assert!(handler.notifier.sent().is_empty());
}

#[tokio::test]
async fn notifies_the_owner_of_an_order_that_can_neither_be_published_nor_cancelled() {
    let handler = publishing(Flaky::failing_after(1), RecordingPublisher::failing_first(1));

    assert_eq!(deliver(&handler, vec![record(submitted(), 5)]).await, [0]);

    assert_eq!(handler.orders.inner().all()[0].status(), Status::Placed);
    assert!(matches!(&handler.notifier.sent()[..], [Notification::Failed { .. }]));
    assert!(deliver(&handler, vec![record(submitted(), 1)]).await.is_empty(), "a redrive publishes it");
    assert_eq!(published(&handler), ["order.placed"]);
}

#[tokio::test]
async fn the_deadline_publishes_a_decision_of_a_last_delivery_that_ended_after_its_write() {
    for steps in [&[][..], &[Step::Payment, Step::Shipment]] {
        let handler = handler(Flaky::losing_after(steps.len()));
        handler.orders.inner().insert(fakes::placed());
        for step in steps {
            deliver(&handler, vec![record(held(*step), 1)]).await;
        }
        let vote = if steps.is_empty() { Vote::Refused("no".into()) } else { Vote::Held };

        assert_eq!(deliver(&handler, vec![record(EventKind::Voted(Step::Stock, vote), 5)]).await, [0]);
        assert!(deliver(&handler, vec![record(EventKind::Placed(items()), 1)]).await.is_empty());

        let order = handler.orders.inner().all()[0].clone();
        assert_eq!(published(&handler).len(), 1, "{order:?}");
        assert_eq!(handler.notifier.sent(), Vec::from_iter(Notification::for_order(&order)));
    }
}

#[tokio::test]
async fn the_next_vote_publishes_a_decision_of_a_last_deadline_that_ended_after_its_write() {
    let handler = handler(Flaky::losing_after(0));
    handler.orders.inner().insert(fakes::placed());

    assert_eq!(deliver(&handler, vec![record(EventKind::Placed(items()), 5)]).await, [0]);
    assert!(deliver(&handler, vec![record(held(Step::Stock), 1)]).await.is_empty());

    assert_eq!(published(&handler), ["order.cancelled"]);
    assert_eq!(handler.notifier.sent(), [Notification::Cancelled(handler.orders.inner().all()[0].clone())]);
}

#[tokio::test]
async fn the_deadline_publishes_a_decision_between_two_deliveries_of_its_vote() {
    let handler = publishing(InMemoryOrders::default(), RecordingPublisher::failing_first(1));
    handler.orders.insert(fakes::placed());
    let refused = EventKind::Voted(Step::Stock, Vote::Refused("no".into()));

    assert_eq!(deliver(&handler, vec![record(refused, 1)]).await, [0]);
    assert!(deliver(&handler, vec![record(EventKind::Placed(items()), 1)]).await.is_empty());

    assert_eq!(published(&handler), ["order.cancelled"]);
}

#[tokio::test]
async fn a_last_delivery_marks_an_earlier_decision_before_it_publishes() {
    let handler = handler(InMemoryOrders::default());
    handler.orders.insert(fakes::placed());
    let refused = || Vote::Refused("no".into());
    // The first delivery dies after this write.
    handler.orders.vote(&fakes::ballot(Step::Stock, refused())).await.expect("it is recorded");

    // The last one may die after it publishes.
    assert!(deliver(&handler, vec![record(EventKind::Voted(Step::Stock, refused()), 5)]).await.is_empty());
    assert!(deliver(&handler, vec![record(EventKind::Placed(items()), 1)]).await.is_empty());

    assert_eq!(published(&handler), ["order.cancelled", "order.cancelled"]);
}

#[tokio::test]
async fn repeats_a_decision_if_the_answer_to_its_write_was_lost() {
    let orders = Flaky::losing_first(1);
    orders.inner().insert(fakes::placed());
    let handler = handler(orders);
    let failed = || EventKind::Voted(Step::Shipment, Vote::Failed("no answer".into()));

    assert_eq!(deliver(&handler, vec![record(failed(), 1)]).await, [0]);
    assert!(deliver(&handler, vec![record(failed(), 2)]).await.is_empty());

    assert_eq!(published(&handler), ["order.cancelled"]);
    assert_eq!(handler.notifier.sent().len(), 1);
}

#[tokio::test]
async fn only_notifies_again_when_a_decided_order_is_submitted_again() {
    for order in [fakes::confirmed_by_steps(), fakes::cancelled("no")] {
        let handler = handler(InMemoryOrders::default());
        handler.orders.insert(order.clone());

        assert!(deliver(&handler, vec![record(submitted(), 1)]).await.is_empty());

        assert_eq!(handler.orders.all(), std::slice::from_ref(&order));
        assert!(published(&handler).is_empty());
        assert_eq!(handler.notifier.sent(), Vec::from_iter(Notification::for_order(&order)));
    }
}

#[tokio::test]
async fn rejects_another_order_under_a_used_id_and_stores_nothing() {
    let handler = handler(InMemoryOrders::default());
    let used = Order { fingerprint: Fingerprint::of_bytes(b"another order"), ..fakes::placed() };
    handler.orders.insert(used.clone());

    assert!(deliver(&handler, vec![record(submitted(), 1)]).await.is_empty());

    assert_eq!(handler.orders.all(), [used]);
    assert!(published(&handler).is_empty());
    assert!(matches!(&handler.notifier.sent()[..], [Notification::Rejected { .. }]));
}

#[tokio::test]
async fn a_vote_that_arrives_before_its_order_is_redelivered_after_a_back_off() {
    let redelivered = Arc::default();
    let handler = recording(InMemoryOrders::default(), RecordingPublisher::default(), &redelivered);

    assert_eq!(deliver(&handler, vec![record(held(Step::Stock), 1)]).await, [0]);
    deliver(&handler, vec![record(submitted(), 1)]).await;
    assert!(deliver(&handler, vec![record(held(Step::Stock), 2)]).await.is_empty());

    assert_eq!(handler.orders.all()[0].status(), Status::Placed);
    assert_eq!(*redelivered.lock().expect("no test panicked"), [OUTCOMES], "through the vote's queue");
}

#[tokio::test]
async fn a_redriven_submission_turns_failed_into_placed() {
    let handler = handler(Flaky::failing_first(1));

    let last = deliver(&handler, vec![record(submitted(), 5)]).await;
    let failed = handler.orders.inner().all()[0].clone();
    let notified = handler.notifier.sent();
    assert!(deliver(&handler, vec![record(submitted(), 1)]).await.is_empty());

    assert_eq!(last, [0], "the queue moves it to the dead-letter queue");
    assert_eq!((failed.status(), failed.lane), (Status::Failed, Lane::Bus));
    assert!(matches!(&notified[..], [Notification::Failed { .. }]), "{notified:?}");
    assert_eq!(handler.orders.inner().all(), [fakes::placed()]);
    assert_eq!(published(&handler), ["order.placed"]);
}

#[tokio::test]
async fn fails_every_message_while_the_database_is_unavailable_or_refuses() {
    async fn failures<R: OrderRepository + SettlementRepository>(handler: TestHandler<R>, receive_count: u32) -> usize {
        let kinds = [submitted(), held(Step::Stock), EventKind::Placed(items())];
        let mut failures = 0;
        for kind in kinds {
            failures += deliver(&handler, vec![record(kind, receive_count)]).await.len();
        }
        assert!(published(&handler).is_empty());
        // Only a failed last delivery of a submission notifies the owner.
        assert_eq!(handler.notifier.sent().len(), usize::from(receive_count >= 5));
        failures
    }

    for receive_count in [1, 5] {
        assert_eq!(failures(handler(Unavailable), receive_count).await, 3);
        assert_eq!(failures(handler(Refusing), receive_count).await, 3);
    }
}

#[tokio::test]
async fn refuses_a_batch_from_a_queue_that_it_does_not_know() {
    let handler = handler(InMemoryOrders::default());
    let mut record = record(submitted(), 1);
    record["eventSourceARN"] = json!("arn:aws:sqs:eu-central-1:123456789012:another-SubmissionsQueue-1A2B3C");
    let batch = serde_json::from_value(json!({ "Records": [record] })).expect("a batch");

    let error = handler.handle(LambdaEvent::new(batch, context())).await.expect_err("the queue is unknown");

    assert!(matches!(error, BatchError::UnknownQueue(_)), "{error:?}");
    assert!(handler.orders.all().is_empty());
}

#[test]
fn names_every_setting_that_is_missing() {
    let mut environment = Environment::from_iter([]);
    let config = crate::config::Config::from_env(&mut environment);

    let error = environment.finish(config).map(|_| ()).expect_err("all are missing").to_string();

    for name in [
        "ORDERS_TABLE_NAME",
        "ORDER_RETENTION_DAYS",
        "ORDER_EVENTS_TOPIC_ARN",
        "SUBMISSIONS_QUEUE_URL",
        "OUTCOMES_QUEUE_URL",
        "DEADLINE_QUEUE_URL",
        "ORDER_DEADLINE_SECONDS",
        "MAX_RECEIVE_COUNT",
        "BACKOFF_BASE_SECONDS",
        "BACKOFF_CAP_SECONDS",
    ] {
        assert!(error.contains(&format!("{name} is missing")), "{name}: {error}");
    }
}
