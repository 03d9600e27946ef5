//! An order and what became of it.

use crate::{Fingerprint, OrderContent, OrderId, Owner, Timestamp};
use std::fmt;

/// Which way an order came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Request and response: the caller waited.
    Sync,
    /// Through the queue: the caller was told later.
    Async,
}

impl Lane {
    /// Both lanes.
    pub const ALL: [Self; 2] = [Self::Sync, Self::Async];

    /// `sync` or `async`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Async => "async",
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
    /// Stored; it will be delivered.
    Confirmed,
    /// Refused for good; it will not be delivered.
    Rejected,
    /// Given up after the last delivery; it waits in the dead-letter queue and may yet be confirmed.
    Failed,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Confirmed, Self::Rejected, Self::Failed];

    /// `CONFIRMED`, `REJECTED` or `FAILED`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "CONFIRMED",
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
    /// Stored.
    Confirmed {
        /// What was ordered.
        content: OrderContent,
        /// When it was stored.
        confirmed_at: Timestamp,
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

/// One order of one owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Which order of the owner.
    pub id: OrderId,
    /// Whose order.
    pub owner: Owner,
    /// Which way it came in first.
    pub lane: Lane,
    /// When it was accepted: by the API in the sync lane, by the queue in the async lane.
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
            Outcome::Confirmed { .. } => Status::Confirmed,
            Outcome::Rejected { .. } => Status::Rejected,
            Outcome::Failed { .. } => Status::Failed,
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
