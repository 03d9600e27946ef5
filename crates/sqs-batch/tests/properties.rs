//! Properties of every batch and every result.

use crate::{
    plan::{Fate, Plan, plan},
    records::{BACKOFF, Recorded, later, without_panic_messages},
};
use proptest::prelude::*;
use sqs_batch::{BatchHandler, Disposition, Message, VisibilityChange};
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    future,
};

/// The observed result of a batch.
struct Seen {
    /// `None` if the whole batch is redelivered.
    reported: Option<Vec<String>>,
    /// By index, in the order of the handler.
    handled: Vec<usize>,
    /// Highest number of concurrent handlers.
    most: usize,
    /// Two messages of one sequence were handled concurrently.
    overlapped: bool,
    changes: Vec<VisibilityChange>,
}

/// Until the handler returns, panics or is dropped.
struct UnderWay<'a>(usize, &'a RefCell<BTreeSet<usize>>);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.1.borrow_mut().remove(&self.0);
    }
}

fn run(plan: &Plan) -> Seen {
    without_panic_messages();
    let sequences = plan.sequences();
    let sequence_of = |index: usize| sequences.iter().position(|sequence| sequence.contains(&index));
    let (handled, under_way) = (RefCell::new(Vec::new()), RefCell::new(BTreeSet::new()));
    let (most, overlapped, recorded) = (Cell::new(0), Cell::new(false), Recorded::default());
    let obey = async |message: Message| {
        let index: usize = message.body.as_deref().and_then(|body| body.parse().ok()).expect("as planned");
        handled.borrow_mut().push(index);
        let others_of_its_sequence = |other: &usize| sequence_of(*other) == sequence_of(index);
        overlapped.set(overlapped.get() || under_way.borrow().iter().any(others_of_its_sequence));
        under_way.borrow_mut().insert(index);
        let _under_way = UnderWay(index, &under_way);
        most.set(most.get().max(under_way.borrow().len()));
        // So that handlers really run concurrently.
        tokio::task::yield_now().await;
        match plan.records[index].fate {
            Fate::Done => Disposition::Done,
            Fate::Retry => Disposition::Retry,
            Fate::RetryAfter => Disposition::RetryAfter(BACKOFF),
            Fate::Poison => Disposition::Poison,
            Fate::Panic => panic!("intended"),
            Fate::Hang => future::pending().await,
            Fate::NotAMessage => unreachable!("the record cannot be read"),
        }
    };
    // The paused clock jumps to the next timer, so a message that hangs times out at once.
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
    let batch = serde_json::from_value(plan.event()).expect("records are an array");
    let batches = BatchHandler::new().concurrency(plan.concurrency).visibility(&recorded);
    let response = runtime.block_on(batches.handle(batch, later(), obey));
    let ids = |failures: Vec<_>| {
        failures.into_iter().map(|failure: aws_lambda_events::event::sqs::BatchItemFailure| failure.item_identifier)
    };
    Seen {
        reported: response.ok().map(|response| ids(response.batch_item_failures).collect()),
        handled: handled.into_inner(),
        most: most.get(),
        overlapped: overlapped.get(),
        changes: recorded.0.into_inner(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn exactly_the_messages_not_done_are_reported(plan in plan()) {
        let seen = run(&plan);

        let distinct = seen.reported.as_ref().map(|reported| reported.iter().cloned().collect::<BTreeSet<_>>());
        prop_assert_eq!(&distinct, &plan.failed());
        prop_assert_eq!(seen.reported.map(|reported| reported.len()), distinct.map(|distinct| distinct.len()));
    }

    #[test]
    fn messages_are_handled_in_order_and_none_behind_a_failure(plan in plan()) {
        let seen = run(&plan);

        let expected = plan.expected();
        for sequence in plan.sequences() {
            let handled: Vec<_> = seen.handled.iter().copied().filter(|index| sequence.contains(index)).collect();
            let to_handle: Vec<_> = sequence.into_iter().filter(|index| expected[*index].handled).collect();
            prop_assert_eq!(handled, to_handle);
        }
        prop_assert!(!seen.overlapped, "a message started before the previous one of its sequence ended");
    }

    #[test]
    fn the_concurrency_limit_is_used_and_kept(plan in plan()) {
        let seen = run(&plan);

        let expected = plan.expected();
        let sequences = plan.sequences();
        let first = sequences.iter().take(plan.concurrency);
        let started_at_once = first.filter(|sequence| expected[sequence[0]].handled);
        prop_assert!(seen.most >= started_at_once.count());
        prop_assert!(seen.most <= plan.concurrency);
    }

    #[test]
    fn visibility_is_changed_exactly_for_messages_with_a_delay(plan in plan()) {
        let seen = run(&plan);

        let expected = plan.expected();
        let mut changed = BTreeMap::new();
        for change in &seen.changes {
            let before = changed.insert(change.message_id.clone(), change);
            prop_assert!(before.is_none(), "one change for each message");
        }
        let failed = plan.failed();
        prop_assert!(failed.is_some() || changed.is_empty(), "the whole batch is redelivered");
        for id in failed.iter().flatten() {
            // If several records with this id failed, it may be the change of any.
            let asked = (0..expected.len()).filter(|index| !expected[*index].done && plan.id(*index).as_ref() == Some(id));
            let fits = |after: &Option<std::ops::RangeInclusive<u64>>| match (changed.get(id), after) {
                (Some(change), Some(after)) => after.contains(&change.visibility_timeout.as_secs()),
                (None, None) => true,
                _ => false,
            };
            prop_assert!(asked.clone().any(|index| fits(&expected[index].after)), "{}: {:?}", id, changed.get(id));
        }
        for (id, change) in &changed {
            let matches = |index: &usize| change.receipt_handle == format!("handle-{index}") && plan.id(*index).as_ref() == Some(id);
            prop_assert!((0..expected.len()).any(|index| matches(&index)), "a message's own receipt handle");
            prop_assert!(failed.as_ref().is_some_and(|failed| failed.contains(id)), "only reported messages are changed");
        }
    }

    #[test]
    fn a_message_group_is_redelivered_together(plan in plan()) {
        let plan = Plan { fifo: true, ..plan };
        let seen = run(&plan);

        for sequence in plan.sequences() {
            // Only ids that a single record has.
            let own = |index: &usize| plan.id(*index).filter(|id| id.starts_with("own"));
            let times: BTreeSet<_> = sequence
                .iter()
                .filter_map(own)
                .filter_map(|id| seen.changes.iter().find(|change| change.message_id == id))
                .map(|change| change.visibility_timeout)
                .collect();
            prop_assert!(times.len() <= 1, "{:?}", times);
        }
    }
}
