//! The port of holds.

use crate::{CounterKey, Hold, HoldKey, Shortage};
use shared_kernel::{RepositoryError, Timestamp};
use std::future::Future;

/// Keeps holds and counters.
///
/// Calls are repeated, concurrent and in any order. An implementation MUST make each change in one atomic step. The sum
/// of available amounts and claims of `Held` and `Done` holds MUST stay constant, and no counter may fall below 0.
pub trait HoldRepository {
    /// Takes every claim of `hold` and records it, in state [`HoldState::Held`](crate::HoldState::Held) or
    /// [`HoldState::Done`](crate::HoldState::Done), unless there is a hold with that key.
    ///
    /// A counter without a record has `initial` available. An implementation MUST take all claims or none. If a hold
    /// with the key exists, it MUST return [`TakeOutcome::Exists`], even if a counter is short.
    ///
    /// At most 99 claims, each of a different counter: a DynamoDB transaction has at most 100 actions, including the
    /// hold's. Source: Amazon DynamoDB API Reference, `TransactWriteItems`.
    fn take(
        &self,
        key: &HoldKey,
        hold: &Hold,
        initial: u64,
    ) -> impl Future<Output = Result<TakeOutcome, RepositoryError>> + Send;

    /// Records `hold`, in state [`HoldState::Refused`](crate::HoldState::Refused), unless there is a hold with that
    /// key. Takes nothing.
    fn refuse(&self, key: &HoldKey, hold: &Hold)
    -> impl Future<Output = Result<RefuseOutcome, RepositoryError>> + Send;

    /// Makes a `Held` hold final, as of `now`. Does nothing to a final one.
    ///
    /// An implementation MUST fail if there is no such hold, or if it is undone or refused: only held orders are
    /// confirmed.
    fn confirm(&self, key: &HoldKey, now: Timestamp) -> impl Future<Output = Result<(), RepositoryError>> + Send;

    /// Undoes a `Held` hold and gives back its claims. If there is no hold, records an undone one as of `now`, so that
    /// a later `take` has no effect. Does nothing to any other hold.
    fn undo(&self, key: &HoldKey, now: Timestamp) -> impl Future<Output = Result<(), RepositoryError>> + Send;

    /// The hold with that key. The read is consistent: it sees every completed change.
    fn find(&self, key: &HoldKey) -> impl Future<Output = Result<Option<Hold>, RepositoryError>> + Send;

    /// The amount that a counter has; `None` without a record of it.
    fn available(&self, counter: &CounterKey) -> impl Future<Output = Result<Option<u64>, RepositoryError>> + Send;
}

/// What [`HoldRepository::take`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakeOutcome {
    /// The claims are taken and the hold is recorded.
    Taken,
    /// Nothing was written, because this hold has the key.
    Exists(Hold),
    /// Nothing was written, because these counters are short: one or more, in the order of the claims.
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
