//! Tests for every implementation of [`HoldRepository`].

use super::{key, moment};
use crate::{Claim, CounterKey, Hold, HoldRepository, HoldState, RefuseOutcome, Shortage, TakeOutcome};
use shared_kernel::{RepositoryError, Timestamp};
use std::time::Duration;

type Counters = [(&'static str, u64)];

fn states() -> [HoldState; 4] {
    [HoldState::Held, HoldState::Done, HoldState::Undone, HoldState::Refused("too little".to_owned())]
}

/// Runs every test, each on a new repository from `make` with these counters and no hold.
///
/// # Panics
/// If the repository breaks a rule of [`HoldRepository`].
pub async fn check_holds<R: HoldRepository>(make: impl Fn(&Counters) -> R) {
    let both = || make(&[("SKU-1", 5), ("SKU-2", 1)]);
    for state in [HoldState::Held, HoldState::Done] {
        taking_records_the_hold_and_takes_every_claim(&both(), state).await;
    }
    a_hold_without_claims_takes_nothing(&make(&[])).await;
    all_claims_are_taken_or_none(&both()).await;
    a_counter_without_a_record_has_the_initial_amount(&make(&[])).await;
    for state in states() {
        an_existing_hold_does_not_change(&both(), state.clone()).await;
        only_a_held_or_final_hold_can_be_confirmed(&both(), state.clone()).await;
        only_a_held_hold_is_given_back(&both(), state).await;
    }
    refusing_records_the_reason_and_takes_nothing(&both()).await;
    an_undone_hold_takes_nothing_whenever_it_arrives(&both()).await;
    missing_records_are_not_found(&make(&[])).await;
}

/// A hold of these amounts of `SKU-1` and `SKU-2`.
fn hold(state: HoldState, amounts: [u64; 2]) -> Hold {
    let claim = |(sku, amount)| Claim { counter: CounterKey::new(sku), amount };
    Hold { state, claims: ["SKU-1", "SKU-2"].into_iter().zip(amounts).map(claim).collect(), created_at: moment() }
}

fn later() -> Timestamp {
    moment().plus(Duration::from_mins(1))
}

async fn take<R: HoldRepository>(holds: &R, hold: &Hold) -> TakeOutcome {
    holds.take(&key(1), hold, 0).await.expect("it answers")
}

async fn found<R: HoldRepository>(holds: &R) -> Option<Hold> {
    holds.find(&key(1)).await.expect("it is read")
}

async fn available<R: HoldRepository>(holds: &R) -> [Option<u64>; 2] {
    let [first, second] = ["SKU-1", "SKU-2"].map(CounterKey::new);
    [holds.available(&first).await.expect("it is read"), holds.available(&second).await.expect("it is read")]
}

/// Returns the recorded hold of two `SKU-1` and one `SKU-2`, brought into that state.
async fn bring_into<R: HoldRepository>(holds: &R, state: HoldState) -> Hold {
    match &state {
        HoldState::Refused(_) => {
            let refused = hold(state.clone(), [2, 1]);
            assert_eq!(holds.refuse(&key(1), &refused).await.expect("it is recorded"), RefuseOutcome::Refused);
        }
        state => {
            assert_eq!(take(holds, &hold(HoldState::Held, [2, 1])).await, TakeOutcome::Taken);
            match state {
                HoldState::Done => holds.confirm(&key(1), later()).await.expect("it is held"),
                HoldState::Undone => holds.undo(&key(1), later()).await.expect("it is held"),
                _ => {}
            }
        }
    }
    hold(state, [2, 1])
}

async fn taking_records_the_hold_and_takes_every_claim<R: HoldRepository>(holds: &R, state: HoldState) {
    let wanted = hold(state, [2, 1]);

    assert_eq!(take(holds, &wanted).await, TakeOutcome::Taken);

    assert_eq!(found(holds).await, Some(wanted));
    assert_eq!(available(holds).await, [Some(3), Some(0)]);
}

async fn a_hold_without_claims_takes_nothing<R: HoldRepository>(holds: &R) {
    let empty = Hold { claims: Vec::new(), ..hold(HoldState::Held, [0, 0]) };

    assert_eq!(take(holds, &empty).await, TakeOutcome::Taken);

    assert_eq!(found(holds).await, Some(empty));
}

async fn all_claims_are_taken_or_none<R: HoldRepository>(holds: &R) {
    let wanted = hold(HoldState::Held, [2, 3]);

    let outcome = take(holds, &wanted).await;

    let shortage = Shortage { claim: wanted.claims[1].clone(), available: 1 };
    assert_eq!(outcome, TakeOutcome::Short(vec![shortage]));
    assert_eq!((found(holds).await, available(holds).await), (None, [Some(5), Some(1)]));
}

async fn a_counter_without_a_record_has_the_initial_amount<R: HoldRepository>(holds: &R) {
    let wanted = hold(HoldState::Held, [2, 4]);

    let short = holds.take(&key(1), &wanted, 1).await.expect("it answers");
    let shortage = |claim: &Claim| Shortage { claim: claim.clone(), available: 1 };
    assert_eq!(short, TakeOutcome::Short(wanted.claims.iter().map(shortage).collect()));
    assert_eq!(available(holds).await, [None, None]);
    let taken = holds.take(&key(1), &wanted, 4).await.expect("it answers");

    assert_eq!(taken, TakeOutcome::Taken);
    assert_eq!(available(holds).await, [Some(2), Some(0)]);
}

async fn an_existing_hold_does_not_change<R: HoldRepository>(holds: &R, state: HoldState) {
    let stored = bring_into(holds, state).await;
    let before = available(holds).await;
    let refused = hold(HoldState::Refused("no".to_owned()), [9, 9]);

    let outcomes = [take(holds, &stored).await, take(holds, &hold(HoldState::Held, [9, 9])).await];
    let refusal = holds.refuse(&key(1), &refused).await.expect("it answers");

    assert_eq!(outcomes, [TakeOutcome::Exists(stored.clone()), TakeOutcome::Exists(stored.clone())]);
    assert_eq!(refusal, RefuseOutcome::Exists(stored.clone()));
    assert_eq!((found(holds).await, available(holds).await), (Some(stored), before));
}

async fn only_a_held_or_final_hold_can_be_confirmed<R: HoldRepository>(holds: &R, state: HoldState) {
    let stored = bring_into(holds, state).await;
    let before = available(holds).await;

    let confirmed = [holds.confirm(&key(1), later()).await, holds.confirm(&key(1), later()).await];

    let left = if matches!(stored.state, HoldState::Held | HoldState::Done) {
        assert!(confirmed.iter().all(Result::is_ok), "{confirmed:?}");
        Hold { state: HoldState::Done, ..stored }
    } else {
        let is_refused = |confirmed: &Result<(), _>| matches!(confirmed, Err(RepositoryError::Refused(_)));
        assert!(confirmed.iter().all(is_refused), "{confirmed:?}");
        stored
    };
    assert_eq!((found(holds).await, available(holds).await), (Some(left), before));
}

async fn only_a_held_hold_is_given_back<R: HoldRepository>(holds: &R, state: HoldState) {
    let stored = bring_into(holds, state).await;
    let before = available(holds).await;

    for _ in 0..2 {
        holds.undo(&key(1), later()).await.expect("it is undone, or there is nothing to undo");
    }

    let (left, has) = match stored.state {
        HoldState::Held => (Hold { state: HoldState::Undone, ..stored }, [Some(5), Some(1)]),
        _ => (stored, before),
    };
    assert_eq!((found(holds).await, available(holds).await), (Some(left), has));
}

async fn refusing_records_the_reason_and_takes_nothing<R: HoldRepository>(holds: &R) {
    let refused = bring_into(holds, HoldState::Refused("2 ordered, 1 left".to_owned())).await;

    assert_eq!((found(holds).await, available(holds).await), (Some(refused), [Some(5), Some(1)]));
}

async fn an_undone_hold_takes_nothing_whenever_it_arrives<R: HoldRepository>(holds: &R) {
    holds.undo(&key(1), later()).await.expect("it is recorded");
    let undone = Hold { state: HoldState::Undone, claims: Vec::new(), created_at: later() };

    assert_eq!(take(holds, &hold(HoldState::Held, [2, 1])).await, TakeOutcome::Exists(undone.clone()));

    assert_eq!((found(holds).await, available(holds).await), (Some(undone), [Some(5), Some(1)]));
}

async fn missing_records_are_not_found<R: HoldRepository>(holds: &R) {
    assert_eq!((found(holds).await, available(holds).await), (None, [None, None]));
    assert!(holds.confirm(&key(1), later()).await.is_err(), "a missing hold cannot be confirmed");
    assert_eq!(found(holds).await, None);
}
