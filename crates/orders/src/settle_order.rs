//! The use cases of the bus lane after an order is placed.

use crate::{
    Ballot, Deadline, Decider, Fingerprint, Lane, Notification, Order, Outcome, RepositoryError, SettleOutcome,
    SettlementRepository, Status, Timestamp,
};
use thiserror::Error;

/// What to do after a message's write. Both parts may be repeated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// The order to publish to the steps, before the message is deleted.
    pub publish: Option<Order>,
    /// The owner's notification.
    pub notify: Option<Notification>,
}

/// Why a vote or a deadline had no effect yet. The message must be redelivered.
#[derive(Debug, Error)]
pub enum SettleError {
    /// The order has no record yet.
    #[error("the order is not recorded")]
    NotRecorded,
    /// The repository failed.
    #[error("failed to settle the order")]
    Repository(#[from] RepositoryError),
}

impl Settled {
    /// For an order in its present state, after a delivery of `lane`. A repeat in the bus lane publishes a placed order
    /// again.
    pub(crate) fn standing(order: Order, lane: Lane) -> Self {
        let is_placed = order.status() == Status::Placed;
        let notify = Notification::for_order(&order);
        Self { publish: (is_placed && lane == Lane::Bus).then_some(order), notify }
    }

    fn decision(order: Order) -> Self {
        let notify = Notification::for_order(&order);
        Self { publish: Some(order), notify }
    }
}

/// Records a vote. If it decides, the decision is published and the owner notified.
///
/// A redelivery of the deciding vote repeats both, because the first may have failed after its write. Any other vote
/// repeats only a decision that was perhaps not published.
///
/// # Errors
/// See [`SettleError`].
pub async fn count_vote<R: SettlementRepository>(repository: &R, ballot: &Ballot) -> Result<Settled, SettleError> {
    settled(repository.vote(ballot).await?, Decider::Step(ballot.step), ballot.fingerprint)
}

/// Cancels an order that is not decided at its deadline. Redeliveries follow the rules of [`count_vote`].
///
/// # Errors
/// See [`SettleError`].
pub async fn pass_deadline<R: SettlementRepository>(
    repository: &R,
    deadline: &Deadline,
) -> Result<Settled, SettleError> {
    match repository.cancel_overdue(deadline).await? {
        // A deadline is published after its order is stored: the record was deleted since.
        SettleOutcome::Missing => Ok(Settled::default()),
        outcome => settled(outcome, Decider::Deadline, deadline.fingerprint),
    }
}

/// Cancels a placed order that no delivery of its submission could publish: no deadline runs, so it would stay placed.
/// Returns the notification of the owner.
///
/// If an attempt did reach the topic, a deadline runs, and publishes the cancellation. An order on which a step voted was
/// published, so it is left to its steps and its deadline.
///
/// # Errors
/// See [`SettleError`].
pub async fn cancel_unpublished<R: SettlementRepository>(
    repository: &R,
    order: &Order,
    now: Timestamp,
) -> Result<Option<Notification>, SettleError> {
    let outcome = repository.cancel_unpublished(order, now).await?;
    let settled = settled(outcome, Decider::Submission, order.fingerprint)?;
    let is_cancelled = settled.publish.is_some_and(|order| order.decided_by() == Some(Decider::Submission));
    Ok(settled.notify.filter(|_| is_cancelled))
}

/// Why [`cancel_unpublished`] cancels, for the owner.
pub const UNPUBLISHED_REASON: &str = "the order could not be passed on to the services";

fn settled(outcome: SettleOutcome, by: Decider, fingerprint: Fingerprint) -> Result<Settled, SettleError> {
    let (order, is_unpublished) = match outcome {
        SettleOutcome::Recorded => return Ok(Settled::default()),
        SettleOutcome::Decided(order) => return Ok(Settled::decision(order)),
        SettleOutcome::Unchanged(order) => (order, false),
        SettleOutcome::Unpublished(order) => (order, true),
        SettleOutcome::Missing => return Err(SettleError::NotRecorded),
    };
    // The delivery that decided an unpublished order may have died before it notified the owner.
    let repeats = order.fingerprint == fingerprint && (order.decided_by() == Some(by) || is_unpublished);
    Ok(if repeats { Settled::decision(order) } else { Settled::default() })
}

impl Order {
    /// What decided the order; `None` until then, and in lanes without steps.
    #[must_use]
    pub fn decided_by(&self) -> Option<Decider> {
        match &self.outcome {
            Outcome::Confirmed { last_vote, .. } => last_vote.map(Decider::Step),
            Outcome::Cancelled { cancellation, .. } => Some(cancellation.decided_by),
            Outcome::Placed { .. } | Outcome::Rejected { .. } | Outcome::Failed { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests;
