//! The sum of held and available amounts stays constant, for any calls in any order.

use holds::{Claim, CounterKey, Hold, HoldRepository, HoldState, fakes, fakes::InMemoryHolds, hold_or_refuse};
use proptest::prelude::*;
use std::collections::{BTreeMap, HashMap};

#[derive(Clone, Debug)]
enum Call {
    Hold(u8, BTreeMap<u8, u64>),
    Confirm(u8),
    Undo(u8),
}

fn call() -> impl Strategy<Value = Call> {
    let order = 0..4_u8;
    prop_oneof![
        (order.clone(), proptest::collection::btree_map(0..3_u8, 1..6_u64, 0..3))
            .prop_map(|(id, claims)| Call::Hold(id, claims)),
        order.clone().prop_map(Call::Confirm),
        order.prop_map(Call::Undo),
    ]
}

fn hold(claims: &BTreeMap<u8, u64>) -> Hold {
    let claim =
        |(counter, amount): (&u8, &u64)| Claim { counter: CounterKey::new(counter.to_string()), amount: *amount };
    Hold { state: HoldState::Held, claims: claims.iter().map(claim).collect(), created_at: fakes::moment() }
}

/// Confirming a hold that is not held fails, and changes nothing.
async fn make(holds: &InMemoryHolds, call: &Call) {
    match call {
        Call::Hold(id, claims) => {
            let recorded = hold_or_refuse(holds, &fakes::key(*id), hold(claims), 0, |_| "too little".to_owned()).await;
            recorded.expect("in memory");
        }
        Call::Confirm(id) => _ = holds.confirm(&fakes::key(*id), fakes::moment()).await,
        Call::Undo(id) => holds.undo(&fakes::key(*id), fakes::moment()).await.expect("in memory"),
    }
}

/// Whether a hold may pass from one state to the other.
fn follows(before: Option<&HoldState>, after: Option<&HoldState>) -> bool {
    match (before, after) {
        (None, after) => after != Some(&HoldState::Done),
        (Some(HoldState::Held), Some(HoldState::Held | HoldState::Done | HoldState::Undone)) => true,
        (before, after) => before == after,
    }
}

proptest! {
    #[test]
    fn no_calls_change_the_sum_of_held_and_available_amounts(calls in proptest::collection::vec(call(), 0..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let holds = InMemoryHolds::with([("0", 10), ("1", 10), ("2", 10)]);
        let mut states: HashMap<u8, Option<HoldState>> = HashMap::new();

        for call in &calls {
            runtime.block_on(make(&holds, call));

            prop_assert_eq!(holds.available_in_all() + holds.taken(), 30, "after {:?}", call);
            for id in 0..4 {
                let after = holds.state(&fakes::key(id));
                let before = states.insert(id, after.clone()).flatten();
                prop_assert!(follows(before.as_ref(), after.as_ref()), "{:?}: {:?} became {:?}", call, before, after);
            }
        }
    }

    #[test]
    fn an_order_that_is_undone_takes_nothing_whenever_its_hold_arrives(
        claims in proptest::collection::btree_map(0..3_u8, 1..12_u64, 0..3),
        holds_first in 0..3_usize,
        holds_last in 0..3_usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let holds = InMemoryHolds::with([("0", 10), ("1", 10), ("2", 10)]);
        let calls = vec![Call::Hold(1, claims.clone()); holds_first];
        let calls = calls.into_iter().chain([Call::Undo(1)]).chain(vec![Call::Hold(1, claims); holds_last]);

        for call in calls {
            runtime.block_on(make(&holds, &call));
        }

        let counters = ["0", "1", "2"].map(|counter| holds.counter(counter));
        prop_assert_eq!(counters, [Some(10); 3]);
    }
}
