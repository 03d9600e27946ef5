//! An order and what became of it.

use crate::{Decider, Fingerprint, OrderContent, OrderId, Owner, Step, Timestamp, Votes};
use std::fmt;

/// Which way an order came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Request and response: the caller waited.
    Sync,
    /// Through the queue: the caller is notified later.
    Async,
    /// Over the event bus: every step votes, and the caller is notified of the decision.
    Bus,
}

impl Lane {
    /// Every lane.
    pub const ALL: [Self; 3] = [Self::Sync, Self::Async, Self::Bus];

    /// `sync`, `async` or `bus`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Async => "async",
            Self::Bus => "bus",
        }
    }

    /// The lane of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lane| lane.name() == name)
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What became of an order, without its details.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Stored, in the bus lane: the steps have not decided yet.
    Placed,
    /// Stored; it will be delivered.
    Confirmed,
    /// Cancelled for good, in the bus lane: a step does not hold, or the deadline passed.
    Cancelled,
    /// Refused for good; it will not be delivered.
    Rejected,
    /// Given up after the last delivery; it waits in the dead-letter queue and may yet be confirmed.
    Failed,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 5] = [Self::Placed, Self::Confirmed, Self::Cancelled, Self::Rejected, Self::Failed];

    /// `PLACED`, `CONFIRMED`, `CANCELLED`, `REJECTED` or `FAILED`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Placed => "PLACED",
            Self::Confirmed => "CONFIRMED",
            Self::Cancelled => "CANCELLED",
            Self::Rejected => "REJECTED",
            Self::Failed => "FAILED",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What became of an order, with what only that outcome has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Stored and not decided yet.
    Placed {
        /// What was ordered.
        content: OrderContent,
        /// The votes so far.
        votes: Votes,
    },
    /// Stored; in the bus lane, every step holds.
    Confirmed {
        /// What was ordered.
        content: OrderContent,
        /// When it was stored, or in the bus lane decided.
        confirmed_at: Timestamp,
        /// The step that voted last; `None` where no step votes.
        last_vote: Option<Step>,
    },
    /// Cancelled for good.
    Cancelled {
        /// What was ordered.
        content: OrderContent,
        /// How it was cancelled.
        cancellation: Box<Cancellation>,
    },
    /// Refused for good.
    Rejected {
        /// Why, for the customer to read.
        reason: String,
    },
    /// Given up after the last delivery.
    Failed {
        /// Why, for the customer to read.
        reason: String,
    },
}

/// How an order was cancelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancellation {
    /// The votes until then.
    pub votes: Votes,
    /// What cancelled the order.
    pub decided_by: Decider,
    /// Why, for the customer to read.
    pub reason: String,
    /// When.
    pub cancelled_at: Timestamp,
}

/// One order of one owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Which order of the owner.
    pub id: OrderId,
    /// Whose order.
    pub owner: Owner,
    /// Which way it came in first.
    pub lane: Lane,
    /// When the API accepted it.
    pub placed_at: Timestamp,
    /// Deliveries it took to reach the outcome, 1 or more.
    pub attempts: u32,
    /// What tells a repeat of the order from a different order with its id.
    pub fingerprint: Fingerprint,
    /// What became of it.
    pub outcome: Outcome,
}

impl Order {
    /// What became of it, without details.
    #[must_use]
    pub fn status(&self) -> Status {
        match self.outcome {
            Outcome::Placed { .. } => Status::Placed,
            Outcome::Confirmed { .. } => Status::Confirmed,
            Outcome::Cancelled { .. } => Status::Cancelled,
            Outcome::Rejected { .. } => Status::Rejected,
            Outcome::Failed { .. } => Status::Failed,
        }
    }

    /// What was ordered, where the order was stored with it.
    #[must_use]
    pub fn content(&self) -> Option<&OrderContent> {
        match &self.outcome {
            Outcome::Placed { content, .. }
            | Outcome::Confirmed { content, .. }
            | Outcome::Cancelled { content, .. } => Some(content),
            Outcome::Rejected { .. } | Outcome::Failed { .. } => None,
        }
    }

    /// Why the order will not be delivered, or not yet.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match &self.outcome {
            Outcome::Placed { .. } | Outcome::Confirmed { .. } => None,
            Outcome::Cancelled { cancellation, .. } => Some(&cancellation.reason),
            Outcome::Rejected { reason } | Outcome::Failed { reason } => Some(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_lane_and_status_by_its_name() {
        for lane in Lane::ALL {
            assert_eq!(Lane::from_name(lane.name()), Some(lane));
        }
        for status in Status::ALL {
            assert_eq!(Status::from_name(status.name()), Some(status));
        }
        assert_eq!(Lane::from_name("SYNC"), None);
        assert_eq!(Status::from_name("PENDING"), None);
    }
}
