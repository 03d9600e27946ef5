use crate::Amount;
use holds::{Claim, CounterKey, Hold, HoldKey, HoldRepository, HoldState, Recorded, hold_or_refuse};
use shared_kernel::{Currency, Owner, RepositoryError, Timestamp};

/// Balance of an account without a record, in minor units.
const NEW_ACCOUNT_BALANCE: u64 = 0;

/// Takes `amount` from the owner's account and records a hold in `state`, or records a refusal. A repeat returns what
/// the first call recorded. A free order has no amount.
///
/// # Errors
/// Those of the repository.
pub(crate) async fn charge<R: HoldRepository>(
    holds: &R,
    key: &HoldKey,
    owner: &Owner,
    amount: Option<Amount>,
    state: HoldState,
    now: Timestamp,
) -> Result<Recorded, RepositoryError> {
    let claims = amount.map(|amount| claim(owner, amount));
    let hold = Hold { state, claims: claims.into_iter().collect(), created_at: now };
    // How much is missing would disclose the balance.
    let refusal = |_: &[_]| amount.map_or_else(String::new, |amount| format!("the account does not cover {amount}"));
    hold_or_refuse(holds, key, hold, NEW_ACCOUNT_BALANCE, refusal).await
}

fn claim(owner: &Owner, amount: Amount) -> Claim {
    // A currency code has three letters, so two accounts never share a key, whatever the owner's name.
    let account = CounterKey::new(format!("{owner}#{}", amount.currency()));
    Claim { counter: account, amount: amount.minor_units() }
}

/// The amount of a hold on an account.
pub(crate) fn amount_of(hold: &Hold) -> Option<Amount> {
    let claim = hold.claims.first()?;
    let (_, code) = claim.counter.as_str().rsplit_once('#')?;
    Amount::new(Currency::parse(code)?, claim.amount)
}
