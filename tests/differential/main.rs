//! One table of requests, sent to a stack on each of two emulators; what they answer and store is compared field by field.
//!
//! `TWOLANE_OUTPUTS` names the outputs of the stack on MiniStack, `TWOLANE_OTHER_OUTPUTS` those of the stack on LocalStack,
//! each with its issuer's file beside it; both stacks are deployed with the same parameters. `make test-differential` does
//! all of this. A difference that is known is declared in `known`, with what AWS documents, and is in docs/emulators.md;
//! one that is not declared fails, and so does a declared one that does not show any more.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped is what the test is about; the place says enough")]

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

/// Cases on their way at once.
const CONCURRENCY: usize = 4;

/// Cases between two lines of progress.
const TOLD: usize = 50;

/// What one side answered and stored, by the name of the case.
type Observations = BTreeMap<String, Fields>;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it needs a stack on each emulator: make test-differential"]
async fn both_emulators_answer_and_store_alike_but_for_what_is_known() {
    let sides = [Side::of("MiniStack", "TWOLANE_OUTPUTS").await, Side::of("LocalStack", "TWOLANE_OTHER_OUTPUTS").await];

    let [one, other] = &sides;
    let (left, right) = tokio::join!(observe(one), observe(other));
    let comparison = Comparison::of(&left, &right, known::DIFFERENCES);

    eprintln!("{comparison}");
    assert!(comparison.is_as_known(), "the emulators differ otherwise than {} says; see above", document::PATH);
}

/// Sends every case to that side.
async fn observe(side: &Side) -> Observations {
    let cases = cases::all();
    let number = cases.len();
    let observing = stream::iter(cases).map(async |case| (case.name.clone(), side.observe(&case).await));
    let mut observations = Observations::new();
    let mut observed = std::pin::pin!(observing.buffer_unordered(CONCURRENCY));
    while let Some((name, fields)) = observed.next().await {
        assert!(observations.insert(name.clone(), fields).is_none(), "there are two cases {name:?}");
        if observations.len().is_multiple_of(TOLD) {
            eprintln!("{}: {} of {number} requests", side.name, observations.len());
        }
    }
    observations.insert("in the end".to_owned(), side.end().await);
    observations.extend(queued::observe(side).await);
    observations
}
