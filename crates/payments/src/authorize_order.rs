use crate::{Amount, charge::charge};
use holds::{Hold, HoldKey, HoldRepository, HoldState};
use shared_kernel::{Currency, OrderId, Owner, RepositoryError, Timestamp};

/// Holds an order's total on its owner's account, or records a refusal. A repeat returns what the first call recorded.
///
/// # Errors
/// Those of the repository.
pub async fn authorize_order<R: HoldRepository>(
    holds: &R,
    owner: &Owner,
    id: OrderId,
    currency: Currency,
    total_minor_units: u64,
    now: Timestamp,
) -> Result<Hold, RepositoryError> {
    // `None` only for a free order: no order exceeds the largest amount.
    let amount = Amount::new(currency, total_minor_units);
    let key = HoldKey::for_order(owner, id);
    let recorded = charge(holds, &key, owner, amount, HoldState::Held, now).await?;
    Ok(recorded.into_hold())
}

#[cfg(test)]
mod tests {
    use super::*;
    use holds::fakes::{self, InMemoryHolds};

    async fn authorize(holds: &InMemoryHolds, order: u8, total: u64) -> HoldState {
        let currency = Currency::parse("EUR").expect("a currency");
        let id = fakes::order_id(order);
        let hold = authorize_order(holds, &fakes::owner(), id, currency, total, fakes::moment()).await;
        hold.expect("in memory").state
    }

    #[tokio::test]
    async fn holds_the_total_on_the_account_of_its_currency() {
        let holds = InMemoryHolds::with([("alice#EUR", 5000), ("alice#USD", 5000), ("bob#EUR", 5000)]);

        assert_eq!(authorize(&holds, 1, 3998).await, HoldState::Held);

        let balances = ["alice#EUR", "alice#USD", "bob#EUR"].map(|account| holds.counter(account));
        assert_eq!(balances, [Some(1002), Some(5000), Some(5000)]);
    }

    #[tokio::test]
    async fn refuses_a_total_that_the_account_does_not_cover_without_its_balance() {
        let holds = InMemoryHolds::with([("alice#EUR", 3997)]);

        let state = authorize(&holds, 1, 3998).await;

        assert_eq!(state, HoldState::Refused("the account does not cover EUR 39.98".to_owned()));
        assert_eq!(holds.counter("alice#EUR"), Some(3997));
    }

    #[tokio::test]
    async fn holds_a_free_order_without_an_account() {
        let holds = InMemoryHolds::default();

        assert_eq!(authorize(&holds, 1, 0).await, HoldState::Held);

        assert_eq!(holds.state(&fakes::key(1)), Some(HoldState::Held));
    }
}
