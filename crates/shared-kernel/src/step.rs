use std::fmt;

/// The part of a service in one order of the bus lane, which is confirmed when every step holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Units are taken from the shelves.
    Stock,
    /// The total is taken from the owner's account.
    Payment,
    /// A day is booked for the parcel.
    Shipment,
}

impl Step {
    /// Every step.
    pub const ALL: [Self; 3] = [Self::Stock, Self::Payment, Self::Shipment];

    /// `stock`, `payment` or `shipment`, as in event types, records and responses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Stock => "stock",
            Self::Payment => "payment",
            Self::Shipment => "shipment",
        }
    }

    /// The step of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.name() == name)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A step's vote on one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vote {
    /// The step holds until the decision.
    Held,
    /// The step cannot serve the order. The owner reads this reason.
    Refused(String),
    /// The step failed its last delivery. The owner reads this reason.
    Failed(String),
}

impl Vote {
    /// `HELD`, `REFUSED` or `FAILED`, as in records and responses.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Held => "HELD",
            Self::Refused(_) => "REFUSED",
            Self::Failed(_) => "FAILED",
        }
    }

    /// Why the step does not hold.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Held => None,
            Self::Refused(reason) | Self::Failed(reason) => Some(reason),
        }
    }

    /// `None` for other names, and for `REFUSED` or `FAILED` without a reason.
    #[must_use]
    pub fn from_name(name: &str, reason: Option<String>) -> Option<Self> {
        match (name, reason) {
            ("HELD", _) => Some(Self::Held),
            ("REFUSED", Some(reason)) => Some(Self::Refused(reason)),
            ("FAILED", Some(reason)) => Some(Self::Failed(reason)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_step_and_vote_by_its_name() {
        for step in Step::ALL {
            assert_eq!(Step::from_name(step.name()), Some(step));
        }
        for vote in [Vote::Held, Vote::Refused("no".into()), Vote::Failed("no answer".into())] {
            assert_eq!(Vote::from_name(vote.name(), vote.reason().map(str::to_owned)), Some(vote));
        }
        assert_eq!(Vote::from_name("REFUSED", None), None);
        assert_eq!(Step::from_name("STOCK"), None);
    }
}
