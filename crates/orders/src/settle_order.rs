//! The use cases of the bus lane after an order is placed: count votes, and decide by the last vote, a refusal or the
//! deadline.

use crate::{
    Ballot, Deadline, Decider, Fingerprint, Lane, Notification, Order, Outcome, RepositoryError, SettleOutcome,
    SettlementRepository, Status,
};
use thiserror::Error;

/// What to do after a message's write. Both may be repeated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// The placed, confirmed or cancelled order to publish to the steps, before the message is deleted.
    pub publish: Option<Order>,
    /// The notification to send to the owner.
    pub notify: Option<Notification>,
}

/// Why a vote or a deadline had no effect yet. The message must be redelivered.
#[derive(Debug, Error)]
pub enum SettleError {
    /// No order is recorded under the id yet.
    #[error("the order is not recorded")]
    NotRecorded,
    /// The repository could not answer.
    #[error("failed to settle the order")]
    Repository(#[from] RepositoryError),
}

impl Settled {
    /// What to do for an order in its present state, after a request or delivery of `lane`. A repeat in the bus lane
    /// publishes a placed order again. Every outcome notifies the owner.
    pub(crate) fn standing(order: Order, lane: Lane) -> Self {
        let is_placed = order.status() == Status::Placed;
        let notify = Notification::of(&order);
        Self { publish: (is_placed && lane == Lane::Bus).then_some(order), notify }
    }

    /// What to do after a decision: publish it, and notify the owner.
    fn decision(order: Order) -> Self {
        let notify = Notification::of(&order);
        Self { publish: Some(order), notify }
    }
}

/// Records a vote. If the vote decides, the decision is published and the owner notified.
///
/// A redelivery of the deciding vote repeats both, because the first delivery may have failed after its write. Any
/// other vote on a decided order only publishes a decision that was perhaps not published.
///
/// # Errors
/// See [`SettleError`].
pub async fn count_vote<R: SettlementRepository>(repository: &R, ballot: &Ballot) -> Result<Settled, SettleError> {
    settled(repository.vote(ballot).await?, Decider::Step(ballot.step), ballot.fingerprint)
}

/// Cancels an order that is not decided when its deadline passes. Redeliveries follow the rules of [`count_vote`].
///
/// # Errors
/// See [`SettleError`].
pub async fn pass_deadline<R: SettlementRepository>(
    repository: &R,
    deadline: &Deadline,
) -> Result<Settled, SettleError> {
    match repository.cancel_overdue(deadline).await? {
        // A deadline is published after the order is stored, so the order's record was deleted since.
        SettleOutcome::Missing => Ok(Settled::default()),
        outcome => settled(outcome, Decider::Deadline, deadline.fingerprint),
    }
}

fn settled(outcome: SettleOutcome, by: Decider, fingerprint: Fingerprint) -> Result<Settled, SettleError> {
    let (order, is_unpublished) = match outcome {
        SettleOutcome::Recorded => return Ok(Settled::default()),
        SettleOutcome::Decided(order) => return Ok(Settled::decision(order)),
        SettleOutcome::Unchanged(order) => (order, false),
        SettleOutcome::Unpublished(order) => (order, true),
        SettleOutcome::Missing => return Err(SettleError::NotRecorded),
    };
    if order.fingerprint != fingerprint {
        return Ok(Settled::default());
    }
    if order.decided_by() == Some(by) {
        return Ok(Settled::decision(order));
    }
    // The delivery that decided notified the owner.
    Ok(Settled { publish: is_unpublished.then_some(order), notify: None })
}

impl Order {
    /// What decided the order; `None` before the decision, and in lanes without steps.
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
