use crate::{CounterKey, Hold, HoldKey, Shortage};
use shared_kernel::{RepositoryError, Timestamp};
use std::future::Future;

/// The port that keeps holds and counters.
///
/// Calls are repeated, concurrent and in any order. Each change MUST be one atomic step. The sum of available amounts
/// and claims of `Held` and `Done` holds MUST stay constant, and no counter may fall below 0.
pub trait HoldRepository {
    /// Records `hold`, in state [`HoldState::Held`](crate::HoldState::Held) or
    /// [`HoldState::Done`](crate::HoldState::Done), and takes all of its claims or none. If a hold has that key, it
    /// MUST return [`TakeOutcome::Exists`], even if a counter is short. A counter without a record has `initial`.
    ///
    /// At most 99 claims, each of a different counter: with the hold, a DynamoDB transaction has at most 100 actions.
    /// Source: Amazon DynamoDB API Reference, `TransactWriteItems`.
    fn take(
        &self,
        key: &HoldKey,
        hold: &Hold,
        initial: u64,
    ) -> impl Future<Output = Result<TakeOutcome, RepositoryError>> + Send;

    /// Records `hold`, in state [`HoldState::Refused`](crate::HoldState::Refused), unless a hold has that key. Takes
    /// nothing.
    fn refuse(&self, key: &HoldKey, hold: &Hold)
    -> impl Future<Output = Result<RefuseOutcome, RepositoryError>> + Send;

    /// Makes a `Held` hold final, as of `now`. Does nothing to a final one. It MUST fail on any other, or if there is
    /// none: only held orders are confirmed.
    fn confirm(&self, key: &HoldKey, now: Timestamp) -> impl Future<Output = Result<(), RepositoryError>> + Send;

    /// Undoes a `Held` hold and gives back its claims. Without a hold, records an undone one as of `now`, so that a
    /// later `take` has no effect. Does nothing to any other hold.
    fn undo(&self, key: &HoldKey, now: Timestamp) -> impl Future<Output = Result<(), RepositoryError>> + Send;

    /// The hold with that key. The read is consistent.
    fn find(&self, key: &HoldKey) -> impl Future<Output = Result<Option<Hold>, RepositoryError>> + Send;

    /// The amount of a counter; `None` without a record of it.
    fn available(&self, counter: &CounterKey) -> impl Future<Output = Result<Option<u64>, RepositoryError>> + Send;
}

/// What [`HoldRepository::take`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakeOutcome {
    /// The claims are taken and the hold is recorded.
    Taken,
    /// Nothing was written, because this hold has the key.
    Exists(Hold),
    /// Nothing was written: these counters are short, in the order of the claims.
    Short(Vec<Shortage>),
}

/// What [`HoldRepository::refuse`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefuseOutcome {
    /// The refusal is recorded.
    Refused,
    /// Nothing was written, because this hold has the key.
    Exists(Hold),
}
