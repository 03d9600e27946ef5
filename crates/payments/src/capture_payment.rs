use crate::{
    Amount, PaymentId,
    charge::{amount_of, charge},
};
use holds::{Hold, HoldKey, HoldRepository, HoldState, Recorded};
use shared_kernel::{Owner, RepositoryError, Timestamp};

/// A payment, captured or declined for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// The amount.
    pub amount: Amount,
    /// Its status.
    pub status: PaymentStatus,
    /// When it was first requested.
    pub created_at: Timestamp,
}

/// The status of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentStatus {
    /// The amount is taken from the account.
    Captured,
    /// Nothing is taken. The owner reads this reason.
    Declined(String),
}

/// The result of [`capture_payment`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Capture {
    /// The payment is captured now.
    Captured(Payment),
    /// The same payment was captured before.
    Repeated(Payment),
    /// Declined, now or before, for this reason.
    Declined(String),
    /// The owner used the id for another amount or currency. That payment is unchanged.
    Conflict,
}

/// Takes `amount` from the owner's account for good, or records that the payment is declined. A repeat changes nothing.
///
/// # Errors
/// Those of the repository. A repeat is safe.
pub async fn capture_payment<R: HoldRepository>(
    holds: &R,
    owner: &Owner,
    id: PaymentId,
    amount: Amount,
    now: Timestamp,
) -> Result<Capture, RepositoryError> {
    let recorded = charge(holds, &key(owner, id), owner, Some(amount), HoldState::Done, now).await?;
    let is_new = matches!(recorded, Recorded::Now(_));
    let payment = payment(id, recorded.into_hold())?;
    Ok(match payment.status {
        _ if payment.amount != amount => Capture::Conflict,
        PaymentStatus::Declined(reason) => Capture::Declined(reason),
        PaymentStatus::Captured if is_new => Capture::Captured(payment),
        PaymentStatus::Captured => Capture::Repeated(payment),
    })
}

/// The owner's payment with that id.
///
/// # Errors
/// Those of the repository.
pub async fn find_payment<R: HoldRepository>(
    holds: &R,
    owner: &Owner,
    id: PaymentId,
) -> Result<Option<Payment>, RepositoryError> {
    let hold = holds.find(&key(owner, id)).await?;
    hold.map(|hold| payment(id, hold)).transpose()
}

/// Differs from an order's key, so a payment is never taken for an order's hold.
fn key(owner: &Owner, id: PaymentId) -> HoldKey {
    HoldKey::new("payment", owner, id)
}

fn payment(id: PaymentId, hold: Hold) -> Result<Payment, RepositoryError> {
    let unreadable = || RepositoryError::Unreadable("the hold is not that of a payment".into());
    let amount = amount_of(&hold).ok_or_else(unreadable)?;
    let status = match hold.state {
        HoldState::Done => PaymentStatus::Captured,
        HoldState::Refused(reason) => PaymentStatus::Declined(reason),
        // Payments are captured at once, and never undone.
        HoldState::Held | HoldState::Undone => return Err(unreadable()),
    };
    Ok(Payment { id, amount, status, created_at: hold.created_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use holds::fakes::{self, InMemoryHolds};
    use shared_kernel::Currency;
    use std::time::Duration;

    const ID: &str = "0d9c3f52-7d43-4c0a-8a5e-1f2e3d4c5b6a";

    fn id() -> PaymentId {
        PaymentId::parse(ID).expect("a UUID")
    }

    fn euros(minor_units: u64) -> Amount {
        Amount::new(Currency::parse("EUR").expect("a currency"), minor_units).expect("in range")
    }

    fn captured(minor_units: u64) -> Payment {
        let amount = euros(minor_units);
        Payment { id: id(), amount, status: PaymentStatus::Captured, created_at: fakes::moment() }
    }

    async fn capture(holds: &InMemoryHolds, amount: Amount) -> Capture {
        capture_payment(holds, &fakes::owner(), id(), amount, fakes::moment()).await.expect("in memory")
    }

    #[tokio::test]
    async fn captures_a_payment_once() {
        let holds = InMemoryHolds::with([("alice#EUR", 5000)]);

        let first = capture(&holds, euros(3998)).await;
        let later = fakes::moment().plus(Duration::from_hours(1));
        let second = capture_payment(&holds, &fakes::owner(), id(), euros(3998), later).await.expect("in memory");

        assert_eq!((first, second), (Capture::Captured(captured(3998)), Capture::Repeated(captured(3998))));
        assert_eq!(holds.counter("alice#EUR"), Some(1002));
        let found = find_payment(&holds, &fakes::owner(), id()).await.expect("in memory");
        assert_eq!(found, Some(captured(3998)));
    }

    #[tokio::test]
    async fn a_declined_payment_stays_declined_after_money_is_added() {
        let holds = InMemoryHolds::default();
        let declined = Capture::Declined("the account does not cover EUR 39.98".to_owned());

        let first = capture(&holds, euros(3998)).await;
        holds.set("alice#EUR", 5000);
        let second = capture(&holds, euros(3998)).await;

        assert_eq!((first, second), (declined.clone(), declined));
        assert_eq!(holds.counter("alice#EUR"), Some(5000));
    }

    #[tokio::test]
    async fn refuses_another_amount_or_currency_under_a_used_id() {
        let holds = InMemoryHolds::with([("alice#EUR", 5000), ("alice#USD", 5000)]);
        capture(&holds, euros(3998)).await;
        let dollars = Amount::new(Currency::parse("USD").expect("a currency"), 3998).expect("in range");

        for other in [euros(3997), dollars] {
            assert_eq!(capture(&holds, other).await, Capture::Conflict, "{other}");
        }

        assert_eq!([holds.counter("alice#EUR"), holds.counter("alice#USD")], [Some(1002), Some(5000)]);
    }

    #[tokio::test]
    async fn a_payment_is_not_the_hold_of_an_order_with_its_id() {
        let holds = InMemoryHolds::with([("alice#EUR", 5000)]);
        capture(&holds, euros(3998)).await;
        let order = shared_kernel::OrderId::parse(ID).expect("a UUID");

        let currency = Currency::parse("EUR").expect("a currency");
        let hold = crate::authorize_order(&holds, &fakes::owner(), order, currency, 1000, fakes::moment()).await;

        assert_eq!(hold.expect("in memory").state, HoldState::Held);
        assert_eq!(holds.counter("alice#EUR"), Some(2));
    }
}
