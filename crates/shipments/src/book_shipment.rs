use crate::{Calendar, Day};
use holds::{Claim, CounterKey, Hold, HoldKey, HoldRepository, HoldState, RefuseOutcome, TakeOutcome};
use shared_kernel::{OrderId, Owner, RepositoryError, Timestamp};

/// Books the first free day for an order's parcel, or records a refusal. A repeat returns what the first call recorded.
///
/// An order takes from the same one of a day's counters on every day. If it is empty, the next day is tried, even if
/// another counter of the day has a parcel left.
///
/// # Errors
/// Those of the repository.
pub async fn book_shipment<R: HoldRepository>(
    holds: &R,
    owner: &Owner,
    id: OrderId,
    calendar: Calendar,
    placed_at: Timestamp,
    now: Timestamp,
) -> Result<Hold, RepositoryError> {
    let key = HoldKey::for_order(owner, id);
    let counter = calendar.counter_of(id);
    for day in calendar.days(now) {
        let hold = Hold { state: HoldState::Held, claims: vec![parcel_on(&day, counter)], created_at: placed_at };
        match holds.take(&key, &hold, calendar.parcels_of(counter)).await? {
            TakeOutcome::Taken => return Ok(hold),
            TakeOutcome::Exists(stored) => return Ok(stored),
            TakeOutcome::Short(_) => {}
        }
    }
    let reason = format!("no free day until {}", calendar.last_day(now));
    let refused = Hold { state: HoldState::Refused(reason), claims: Vec::new(), created_at: placed_at };
    match holds.refuse(&key, &refused).await? {
        RefuseOutcome::Refused => Ok(refused),
        RefuseOutcome::Exists(stored) => Ok(stored),
    }
}

fn parcel_on(day: &Day, counter: u64) -> Claim {
    Claim { counter: CounterKey::new(format!("{day}#{counter}")), amount: 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holds::fakes::{self, InMemoryHolds};
    use proptest::prelude::*;

    const CALENDAR: Calendar = Calendar { parcels_per_day: 2, horizon_days: 2 };

    async fn book(holds: &InMemoryHolds, order: u8) -> Hold {
        let booked =
            book_shipment(holds, &fakes::owner(), fakes::order_id(order), CALENDAR, fakes::moment(), fakes::moment())
                .await;
        booked.expect("in memory")
    }

    #[tokio::test]
    async fn books_the_first_free_day_then_refuses() {
        let holds = InMemoryHolds::default();

        let mut booked = Vec::new();
        for order in 1..=5 {
            booked.push(book(&holds, order).await);
        }

        let days: Vec<_> = booked.iter().flat_map(|hold| &hold.claims).map(|claim| claim.counter.as_str()).collect();
        assert_eq!(days, ["2026-12-01#0", "2026-12-01#0", "2026-12-02#0", "2026-12-02#0"]);
        assert_eq!(booked[4].state, HoldState::Refused("no free day until 2026-12-02".to_owned()));
    }

    #[tokio::test]
    async fn books_an_order_once() {
        let holds = InMemoryHolds::default();

        let (first, second) = (book(&holds, 1).await, book(&holds, 1).await);

        assert_eq!(first, second);
        assert_eq!(holds.counter("2026-12-01#0"), Some(1));
    }

    #[tokio::test]
    async fn a_freed_day_is_booked_again() {
        let holds = InMemoryHolds::with([("2026-12-01#0", 1), ("2026-12-02#0", 0)]);
        book(&holds, 1).await;
        holds.undo(&fakes::key(1), fakes::moment()).await.expect("in memory");

        assert_eq!(book(&holds, 2).await.state, HoldState::Held);
    }

    /// In any order, any number of times.
    #[derive(Clone, Copy, Debug)]
    enum Call {
        Book,
        Confirm,
        Undo,
    }

    proptest! {
        #[test]
        fn the_sum_of_held_and_available_parcels_stays_constant(
            left in [0..4_u64, 0..4_u64],
            calls in proptest::collection::vec(
                (0..16_u8, prop_oneof![2 => Just(Call::Book), 1 => Just(Call::Confirm), 1 => Just(Call::Undo)]), 0..60,
            ),
        ) {
            let calendar = Calendar { parcels_per_day: 2000, horizon_days: 1 };
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            runtime.block_on(async {
                let holds = InMemoryHolds::with([("2026-12-01#0", left[0]), ("2026-12-01#1", left[1])]);
                for (order, call) in calls {
                    let (key, id, now) = (fakes::key(order), fakes::order_id(order), fakes::moment());
                    let before = holds.counter(&format!("2026-12-01#{}", calendar.counter_of(id)));
                    let is_new = holds.state(&key).is_none();
                    match call {
                        Call::Book => {
                            let booked = book_shipment(&holds, &fakes::owner(), id, calendar, now, now).await;
                            let is_refused = matches!(booked.expect("in memory").state, HoldState::Refused(_));
                            prop_assert!(!is_new || is_refused == (before == Some(0)), "refused if and only if its counter is empty");
                        }
                        Call::Confirm => _ = holds.confirm(&key, now).await,
                        Call::Undo => holds.undo(&key, now).await.expect("in memory"),
                    }
                    prop_assert_eq!(holds.available_in_all() + holds.taken(), left[0] + left[1]);
                }
                Ok(())
            })?;
        }
    }
}
