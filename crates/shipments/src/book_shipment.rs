//! The step `shipment` of an order.

use crate::{Calendar, Day};
use holds::{Claim, CounterKey, Hold, HoldKey, HoldRepository, HoldState, RefuseOutcome, TakeOutcome};
use shared_kernel::{OrderId, Owner, RepositoryError, Timestamp};

/// Books the first free day for an order's parcel, or records that it is refused. A repeat returns what the first call recorded.
///
/// # Errors
/// The repository's.
pub async fn book_shipment<R: HoldRepository>(
    holds: &R,
    owner: &Owner,
    id: OrderId,
    calendar: Calendar,
    placed_at: Timestamp,
    now: Timestamp,
) -> Result<Hold, RepositoryError> {
    let key = HoldKey::for_order(owner, id);
    for day in calendar.days(now) {
        let hold = Hold { state: HoldState::Held, claims: vec![parcel_on(&day)], created_at: placed_at };
        match holds.take(&key, &hold, calendar.parcels_per_day).await? {
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

fn parcel_on(day: &Day) -> Claim {
    Claim { counter: CounterKey::new(day.to_string()), amount: 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holds::fakes::{self, InMemoryHolds};

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
        assert_eq!(days, ["2026-12-01", "2026-12-01", "2026-12-02", "2026-12-02"]);
        assert_eq!(booked[4].state, HoldState::Refused("no free day until 2026-12-02".to_owned()));
    }

    #[tokio::test]
    async fn books_an_order_once() {
        let holds = InMemoryHolds::default();

        let (first, second) = (book(&holds, 1).await, book(&holds, 1).await);

        assert_eq!(first, second);
        assert_eq!(holds.counter("2026-12-01"), Some(1));
    }

    #[tokio::test]
    async fn a_day_that_is_freed_is_booked_again() {
        let holds = InMemoryHolds::with([("2026-12-01", 1), ("2026-12-02", 0)]);
        book(&holds, 1).await;
        holds.undo(&fakes::key(1), fakes::moment()).await.expect("in memory");

        assert_eq!(book(&holds, 2).await.state, HoldState::Held);
    }
}
