use crate::{Hold, HoldKey, HoldRepository, HoldState, RefuseOutcome, Shortage, TakeOutcome};
use shared_kernel::RepositoryError;

/// A hold, and whether this call recorded it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// This call recorded it.
    Now(Hold),
    /// It was recorded before, and has this state now.
    Before(Hold),
}

impl Recorded {
    /// The recorded hold.
    #[must_use]
    pub fn into_hold(self) -> Hold {
        match self {
            Self::Now(hold) | Self::Before(hold) => hold,
        }
    }
}

/// The use case of every service: takes what `hold` claims. If counters are short, records it as refused, with `reason`
/// of the shortages. A repeat returns what the first call recorded.
///
/// # Errors
/// Those of the repository. A repeat is safe.
pub async fn hold_or_refuse<R: HoldRepository>(
    repository: &R,
    key: &HoldKey,
    hold: Hold,
    initial: u64,
    reason: impl FnOnce(&[Shortage]) -> String,
) -> Result<Recorded, RepositoryError> {
    let shortages = match repository.take(key, &hold, initial).await? {
        TakeOutcome::Taken => return Ok(Recorded::Now(hold)),
        TakeOutcome::Exists(stored) => return Ok(Recorded::Before(stored)),
        TakeOutcome::Short(shortages) => shortages,
    };
    let refused = Hold { state: HoldState::Refused(reason(&shortages)), ..hold };
    match repository.refuse(key, &refused).await? {
        RefuseOutcome::Refused => Ok(Recorded::Now(refused)),
        // A concurrent delivery recorded the hold first.
        RefuseOutcome::Exists(stored) => Ok(Recorded::Before(stored)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Claim, CounterKey,
        fakes::{self, InMemoryHolds},
    };

    fn claiming(amount: u64) -> Hold {
        let claims = vec![Claim { counter: CounterKey::new("SKU-1"), amount }];
        Hold { state: HoldState::Held, claims, created_at: fakes::moment() }
    }

    #[tokio::test]
    async fn records_a_hold_once() {
        let holds = InMemoryHolds::with([("SKU-1", 3)]);

        let first =
            hold_or_refuse(&holds, &fakes::key(1), claiming(2), 0, |_| unreachable!()).await.expect("in memory");
        let second =
            hold_or_refuse(&holds, &fakes::key(1), claiming(2), 0, |_| unreachable!()).await.expect("in memory");

        assert_eq!((first, second), (Recorded::Now(claiming(2)), Recorded::Before(claiming(2))));
        assert_eq!(holds.counter("SKU-1"), Some(1));
    }

    #[tokio::test]
    async fn a_refusal_stays_even_if_the_counter_has_enough_later() {
        let holds = InMemoryHolds::with([("SKU-1", 1)]);
        let reason = |shortages: &[Shortage]| format!("{} left", shortages[0].available);
        let refused = Hold { state: HoldState::Refused("1 left".into()), ..claiming(2) };

        let first = hold_or_refuse(&holds, &fakes::key(1), claiming(2), 0, reason).await.expect("in memory");
        holds.set("SKU-1", 9);
        let second = hold_or_refuse(&holds, &fakes::key(1), claiming(2), 0, reason).await.expect("in memory");

        assert_eq!((first, second), (Recorded::Now(refused.clone()), Recorded::Before(refused)));
        assert_eq!(holds.counter("SKU-1"), Some(9));
    }
}
