use crate::{Decider, Fingerprint, OrderContent, OrderId, Owner, Step, Timestamp, Votes};
use std::fmt;

/// The way from a request to the stored order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Request and response.
    Sync,
    /// Through the queue.
    Async,
    /// Through the event bus: every step votes.
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

    /// Whether steps vote on its orders.
    #[must_use]
    pub fn has_votes(self) -> bool {
        match self {
            Self::Bus => true,
            Self::Sync | Self::Async => false,
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

/// The status of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Bus lane only: stored, not decided yet.
    Placed,
    /// Stored; in the bus lane, every step holds. Final.
    Confirmed,
    /// Bus lane only: a step refused or failed, the deadline passed, or SNS did not take `order.placed`. Final.
    Cancelled,
    /// Not valid, or expired. Final.
    Rejected,
    /// The last delivery failed. A redrive can still confirm the order.
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

/// The outcome of an order, with its details.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Stored, not decided yet.
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
        /// When it was stored; in the bus lane, when it was decided.
        confirmed_at: Timestamp,
        /// The step that voted last; `None` in lanes without steps.
        last_vote: Option<Step>,
    },
    /// Cancelled for good.
    Cancelled {
        /// What was ordered.
        content: OrderContent,
        /// How it was cancelled.
        cancellation: Box<Cancellation>,
    },
    /// Rejected for good.
    Rejected {
        /// Why, for the customer to read.
        reason: String,
    },
    /// The last delivery failed.
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

/// One order of one owner, with its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// Its owner.
    pub owner: Owner,
    /// The lane of the first request.
    pub lane: Lane,
    /// When the API accepted it.
    pub placed_at: Timestamp,
    /// Deliveries until the outcome, 1 or more.
    pub attempts: u32,
    /// Distinguishes a repeat of the order from a different order with the same id.
    pub fingerprint: Fingerprint,
    /// The outcome.
    pub outcome: Outcome,
}

impl Order {
    /// Its status.
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

    /// What was ordered; `None` if it was rejected or failed.
    #[must_use]
    pub fn content(&self) -> Option<&OrderContent> {
        match &self.outcome {
            Outcome::Placed { content, .. }
            | Outcome::Confirmed { content, .. }
            | Outcome::Cancelled { content, .. } => Some(content),
            Outcome::Rejected { .. } | Outcome::Failed { .. } => None,
        }
    }

    /// Why it was cancelled or rejected, or failed.
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
