//! What holds for every batch and every outcome.

use proptest::prelude::*;
use serde_json::{Value, json};
use sqs_batch::{Backoff, BatchHandler, Disposition, Message, SqsBatch, VisibilityChange, VisibilityTimeout};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    future,
    time::{Duration, SystemTime},
};

const BACKOFF: Backoff = Backoff::full_jitter(Duration::from_secs(8), Duration::from_secs(20));

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Done,
    Retry,
    RetryAfter,
    Poison,
    Panic,
    Hang,
    NotAMessage,
}

use Fate::{Done, Hang, NotAMessage, Panic, Poison, Retry, RetryAfter};

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Done),
        1 => prop_oneof![Just(Retry), Just(RetryAfter), Just(Poison), Just(Panic), Just(Hang), Just(NotAMessage)],
    ]
}

/// A message: its fate, its group, and whether its record has an id.
#[derive(Clone, Debug)]
struct Planned {
    fate: Fate,
    group: u8,
    has_id: bool,
}

fn planned() -> impl Strategy<Value = Planned> {
    (fate(), 0..4_u8, prop::bool::weighted(0.98)).prop_map(|(fate, group, has_id)| Planned { fate, group, has_id })
}

fn record(index: usize, planned: &Planned, fifo: bool) -> Value {
    let suffix = if fifo { ".fifo" } else { "" };
    let mut record = json!({
        "receiptHandle": format!("handle-{index}"),
        "body": index.to_string(),
        "attributes": {"ApproximateReceiveCount": "1", "MessageGroupId": planned.group.to_string()},
        "eventSourceARN": format!("arn:aws:sqs:eu-central-1:123456789012:orders{suffix}"),
    });
    if planned.has_id {
        record["messageId"] = json!(index.to_string());
    }
    if planned.fate == NotAMessage {
        record["body"] = json!(["no", "text"]);
    }
    record
}

/// What a batch came to.
struct Seen {
    /// The ids reported; `None` when the whole batch comes again.
    failed: Option<Vec<String>>,
    /// Indices of the messages that the handler was given, in that order.
    handled: Vec<usize>,
    /// Seconds until messages come again that have a time of their own.
    changed: BTreeMap<String, u64>,
}

struct Recorder<'a>(&'a RefCell<BTreeMap<String, u64>>);

impl VisibilityTimeout for Recorder<'_> {
    async fn change(&self, changes: &[VisibilityChange]) {
        let seconds = |change: &VisibilityChange| (change.message_id.clone(), change.visibility_timeout.as_secs());
        self.0.borrow_mut().extend(changes.iter().map(seconds));
    }
}

fn run(plan: &[Planned], fifo: bool) -> Seen {
    let records: Vec<_> = plan.iter().enumerate().map(|(index, planned)| record(index, planned, fifo)).collect();
    let batch: SqsBatch = serde_json::from_value(json!({"Records": records})).expect("records are an array");
    let (handled, changed) = (RefCell::new(Vec::new()), RefCell::new(BTreeMap::new()));
    let obey = |message: Message| {
        let index: usize = message.body.as_deref().and_then(|body| body.parse().ok()).expect("as planned");
        handled.borrow_mut().push(index);
        let fate = plan[index].fate;
        async move {
            // Others get their turn, so that messages really are under way at the same time.
            tokio::task::yield_now().await;
            match fate {
                Done => Disposition::Done,
                Retry => Disposition::Retry,
                RetryAfter => Disposition::RetryAfter(BACKOFF),
                Poison => Disposition::Poison,
                Panic => panic!("told to"),
                Hang => future::pending().await,
                NotAMessage => unreachable!("it cannot be read"),
            }
        }
    };
    // Time stands still but for waiting: a message that hangs is over at once.
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
    let batches = BatchHandler::new().visibility(Recorder(&changed));
    let deadline = SystemTime::now() + Duration::from_mins(1);
    let response = runtime.block_on(batches.handle(batch, deadline, obey)).ok();
    let failed = response
        .map(|response| response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect());
    Seen { failed, handled: handled.into_inner(), changed: changed.into_inner() }
}

/// Panics of handlers are part of the plan: the log stays readable.
fn without_panic_messages() {
    std::panic::set_hook(Box::new(|panic| {
        if panic.payload_as_str() != Some("told to") {
            eprintln!("{panic}");
        }
    }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_standard_queue_is_told_exactly_what_was_not_done(plan in prop::collection::vec(planned(), 0..40)) {
        without_panic_messages();

        let seen = run(&plan, false);

        // Ten messages that hang use up the time of all that come after them.
        let reached = |index: usize| plan[index].fate == NotAMessage || seen.handled.contains(&index);
        let not_done: Vec<_> = (0..plan.len()).filter(|index| plan[*index].fate != Done || !reached(*index)).collect();
        match &seen.failed {
            None => prop_assert!(not_done.iter().any(|index| !plan[*index].has_id)),
            Some(failed) => {
                let expected: BTreeSet<_> = not_done.iter().map(ToString::to_string).collect();
                prop_assert_eq!(failed.len(), expected.len(), "nothing is told twice");
                prop_assert_eq!(failed.iter().cloned().collect::<BTreeSet<_>>(), expected);
                prop_assert!(not_done.iter().all(|index| plan[*index].has_id));
            }
        }
        if plan.iter().filter(|planned| planned.fate == Hang).count() < 10 {
            let readable = plan.iter().filter(|planned| planned.fate != NotAMessage).count();
            prop_assert_eq!(seen.handled.len(), readable, "one message's trouble keeps no other from its turn");
        }
    }

    #[test]
    fn only_messages_with_a_time_of_their_own_get_one(plan in prop::collection::vec(planned(), 0..40)) {
        without_panic_messages();

        let seen = run(&plan, false);

        prop_assume!(seen.failed.is_some());
        for (index, planned) in plan.iter().enumerate() {
            let changed = seen.changed.get(&index.to_string());
            let reached = seen.handled.contains(&index);
            match planned.fate {
                RetryAfter if reached => prop_assert!(changed.is_some_and(|seconds| *seconds <= 8)),
                Poison if reached => prop_assert_eq!(changed, Some(&0)),
                NotAMessage => prop_assert_eq!(changed, Some(&0)),
                _ => prop_assert_eq!(changed, None),
            }
        }
    }

    #[test]
    fn a_fifo_queue_keeps_the_order_of_each_group(plan in prop::collection::vec(planned(), 0..40)) {
        without_panic_messages();

        let seen = run(&plan, true);

        for group in 0..4 {
            let members: Vec<_> = (0..plan.len()).filter(|index| plan[*index].group == group).collect();
            let done: Vec<_> = members.iter().copied().take_while(|index| plan[*index].fate == Done).collect();
            let stopping = members.get(done.len()).filter(|index| plan[**index].fate != NotAMessage);
            let expected: Vec<_> = done.iter().copied().chain(stopping.copied()).collect();
            let handled: Vec<_> = seen.handled.iter().copied().filter(|index| plan[*index].group == group).collect();
            prop_assert_eq!(handled, expected, "in order, and nothing behind a failure");
            if let Some(failed) = &seen.failed {
                let reported: Vec<_> = members.iter().filter(|index| failed.contains(&index.to_string())).collect();
                prop_assert_eq!(reported, members[done.len()..].iter().collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn no_json_makes_it_report_what_is_not_there(records in prop::collection::vec(any_json(), 0..12)) {
        without_panic_messages();
        let batch: SqsBatch = serde_json::from_value(json!({ "Records": records })).expect("records are an array");
        let ids: BTreeSet<_> = records.iter().filter_map(|record| record["messageId"].as_str()).collect();
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
        let deadline = SystemTime::now() + Duration::from_mins(1);

        let response = runtime.block_on(BatchHandler::new().handle(batch, deadline, |message: Message| async move {
            match message.body.as_deref() {
                Some("fail") => Disposition::Retry,
                Some("panic") => panic!("told to"),
                _ => Disposition::Done,
            }
        }));

        let unreadable = |record: &&Value| {
            serde_json::from_value::<aws_lambda_events::event::sqs::SqsMessage>((*record).clone()).is_err()
        };
        let Ok(response) = response else {
            let unidentified = |record: &Value| record["messageId"].as_str().is_none_or(str::is_empty);
            prop_assert!(records.iter().any(unidentified));
            return Ok(());
        };
        let failed: BTreeSet<_> =
            response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect();
        prop_assert!(failed.is_subset(&ids) && !failed.contains(""));
        for record in records.iter().filter(unreadable) {
            prop_assert!(record["messageId"].as_str().is_some_and(|id| failed.contains(id)), "{}", record);
        }
    }
}

/// Any JSON, two levels deep, with the names that records have more often than not.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(Value::from("fail")),
        Just(Value::from("panic")),
    ];
    leaf.prop_recursive(2, 16, 6, |inner| {
        let name = prop_oneof![
            "messageId|body|attributes|messageAttributes|stringValue|dataType|eventSourceARN|receiptHandle",
            any::<String>()
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(name, inner, 0..6).prop_map(|map| json!(map)),
        ]
    })
}
