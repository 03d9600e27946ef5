use crate::{Fingerprint, OrderId, Owner, Step, Timestamp, Vote};
use std::time::Duration;

/// One step's vote on one order.
#[derive(Clone, Debug)]
pub struct Ballot {
    /// The order's owner.
    pub owner: Owner,
    /// The order's id.
    pub id: OrderId,
    /// The order that the step votes on.
    pub fingerprint: Fingerprint,
    /// Which step votes.
    pub step: Step,
    /// Its vote.
    pub vote: Vote,
    /// The moment of the decision, if the vote decides.
    pub now: Timestamp,
    /// Whether the message moves to the dead-letter queue if this delivery fails.
    pub last_attempt: bool,
}

/// The deadline of one order, which has passed.
#[derive(Clone, Debug)]
pub struct Deadline {
    /// The order's owner.
    pub owner: Owner,
    /// The order's id.
    pub id: OrderId,
    /// The order that has this deadline.
    pub fingerprint: Fingerprint,
    /// How long the steps had to vote.
    pub allowed: Duration,
    /// The moment of the decision.
    pub now: Timestamp,
    /// Whether the message moves to the dead-letter queue if this delivery fails.
    pub last_attempt: bool,
}

impl Deadline {
    /// Why the order is cancelled, for its owner.
    #[must_use]
    pub fn reason(&self) -> String {
        format!("not every step answered within {} s", self.allowed.as_secs())
    }
}
