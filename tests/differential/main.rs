//! Sends one table of requests to a stack on each of two emulators, and compares answers and records field by field.
//!
//! `TWOLANE_OUTPUTS` names the outputs of the stack on MiniStack, `TWOLANE_OTHER_OUTPUTS` those of the stack on
//! LocalStack, each with its issuer's file next to it. Both have the same parameters, as `make test-differential` makes
//! them. Known differences are declared in `known`, with what AWS documents, and listed in docs/emulators.md. The run
//! fails on an undeclared difference, and on a declared one that no longer occurs.
#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test, and names its place")]

mod cases;
mod comparison;
mod document;
mod fields;
mod known;
mod queued;
mod side;

use comparison::Comparison;
use fields::Fields;
use futures_util::{StreamExt, stream};
use side::Side;
use std::collections::BTreeMap;

const CONCURRENCY: usize = 4;

/// Cases between two lines of progress.
const PROGRESS_EVERY: usize = 50;

/// One side's answers and records, by the name of the case.
type Observations = BTreeMap<String, Fields>;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it needs a stack on each emulator: make test-differential"]
async fn both_emulators_answer_and_store_alike_except_for_known_differences() {
    let sides =
        [Side::new("MiniStack", "TWOLANE_OUTPUTS").await, Side::new("LocalStack", "TWOLANE_OTHER_OUTPUTS").await];

    let [one, other] = &sides;
    let (left, right) = tokio::join!(observe(one), observe(other));
    let comparison = Comparison::new(&left, &right, known::DIFFERENCES);

    eprintln!("{comparison}");
    assert!(comparison.is_as_known(), "the emulators differ in other ways than {} says; see above", document::PATH);
}

async fn observe(side: &Side) -> Observations {
    let cases = cases::all();
    let number = cases.len();
    let observing = stream::iter(cases).map(async |case| (case.name.clone(), side.observe(&case).await));
    let mut observations = Observations::new();
    let mut observed = std::pin::pin!(observing.buffer_unordered(CONCURRENCY));
    while let Some((name, fields)) = observed.next().await {
        assert!(observations.insert(name.clone(), fields).is_none(), "two cases have the name {name:?}");
        if observations.len().is_multiple_of(PROGRESS_EVERY) {
            eprintln!("{}: {} of {number} requests", side.name, observations.len());
        }
    }
    observations.insert("at the end".to_owned(), side.end().await);
    observations.extend(queued::observe(side).await);
    observations
}
