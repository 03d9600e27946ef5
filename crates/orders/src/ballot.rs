//! The inputs to the decision on an order: votes, and the deadline.

use crate::{Fingerprint, OrderId, Owner, Step, Timestamp, Vote};
use std::time::Duration;

/// One step's vote on one order.
#[derive(Clone, Debug)]
pub struct Ballot {
    /// The order's owner.
    pub owner: Owner,
    /// Which order of the owner.
    pub id: OrderId,
    /// The fingerprint of the order that the step votes on.
    pub fingerprint: Fingerprint,
    /// Which step votes.
    pub step: Step,
    /// Its vote.
    pub vote: Vote,
    /// The present moment, which becomes the moment of the decision.
    pub now: Timestamp,
}

/// The deadline of one order, which has passed.
#[derive(Clone, Debug)]
pub struct Deadline {
    /// The order's owner.
    pub owner: Owner,
    /// Which order of the owner.
    pub id: OrderId,
    /// The fingerprint of the order that has this deadline.
    pub fingerprint: Fingerprint,
    /// How long the steps had to vote.
    pub allowed: Duration,
    /// The present moment, which becomes the moment of the decision.
    pub now: Timestamp,
}

impl Deadline {
    /// Why an order that missed its deadline is cancelled, for its owner.
    #[must_use]
    pub fn reason(&self) -> String {
        format!("not every step answered within {} s", self.allowed.as_secs())
    }
}
