//! What holds need from the outside.

use crate::{CounterKey, Hold, HoldKey, Shortage};
use shared_kernel::{RepositoryError, Timestamp};
use std::future::Future;

/// Keeps holds and counters.
///
/// Every method is called again, concurrently and in any order. An implementation MUST make each change in one atomic step, so
/// that available amounts plus the claims of holds in the states `Held` and `Done` stay constant, and no counter falls below 0.
pub trait HoldRepository {
    /// Takes every claim of `hold` and records it, in state [`HoldState::Held`](crate::HoldState::Held) or
    /// [`HoldState::Done`](crate::HoldState::Done), unless there is a hold with that key.
    ///
    /// A counter without a record has `initial` available. An implementation MUST take all claims or none. It MUST answer
    /// [`TakeOutcome::Exists`] if there is a hold with the key, also if a counter is short.
    ///
    /// At most 99 claims, each of another counter: Amazon DynamoDB takes 100 actions in a transaction, the hold's included.
    /// Source: Amazon DynamoDB API Reference, `TransactWriteItems`.
    fn take(
        &self,
        key: &HoldKey,
        hold: &Hold,
        initial: u64,
    ) -> impl Future<Output = Result<TakeOutcome, RepositoryError>> + Send;

    /// Records `hold`, in state [`HoldState::Refused`](crate::HoldState::Refused), unless there is a hold with that key. Takes
    /// nothing.
    fn refuse(&self, key: &HoldKey, hold: &Hold)
    -> impl Future<Output = Result<RefuseOutcome, RepositoryError>> + Send;

    /// Makes a hold that is held final, as of `now`. Does nothing to one that is final.
    ///
    /// An implementation MUST fail if there is no such hold, or it was undone or refused: what is confirmed was held before.
    fn confirm(&self, key: &HoldKey, now: Timestamp) -> impl Future<Output = Result<(), RepositoryError>> + Send;

    /// Gives back what a hold that is held has taken. Where there is no hold, records one that is undone, as of `now`, which
    /// keeps a later `take` from taking effect. Does nothing to any other hold.
    fn undo(&self, key: &HoldKey, now: Timestamp) -> impl Future<Output = Result<(), RepositoryError>> + Send;

    /// The hold with that key. Sees every change that has returned.
    fn find(&self, key: &HoldKey) -> impl Future<Output = Result<Option<Hold>, RepositoryError>> + Send;

    /// What a counter has, or `None` without a record of it.
    fn available(&self, counter: &CounterKey) -> impl Future<Output = Result<Option<u64>, RepositoryError>> + Send;
}

/// What [`HoldRepository::take`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakeOutcome {
    /// The claims are taken and the hold is recorded.
    Taken,
    /// Nothing was written: this hold has the key.
    Exists(Hold),
    /// Nothing was written: these counters are short, in the order of the claims; at least one.
    Short(Vec<Shortage>),
}

/// What [`HoldRepository::refuse`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefuseOutcome {
    /// The refusal is recorded.
    Refused,
    /// Nothing was written: this hold has the key.
    Exists(Hold),
}
