use crate::Claim;
use shared_kernel::{OrderId, Owner, Timestamp};
use std::fmt;

/// The key of a hold within a service: `{kind}#{owner}#{id}`, for example `order#alice#5f0c1b0e-…`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HoldKey(String);

impl HoldKey {
    /// The hold of an order.
    #[must_use]
    pub fn for_order(owner: &Owner, id: OrderId) -> Self {
        Self::new("order", owner, id)
    }

    /// A hold of another `kind`, a word without `#`. The ids of a kind MUST have one length, or no `#`: then no two
    /// holds share a key, whatever the owner's name.
    #[must_use]
    pub fn new(kind: &'static str, owner: &Owner, id: impl fmt::Display) -> Self {
        Self(format!("{kind}#{owner}#{id}"))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a service holds, or refused to hold, for one order or payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Its state.
    pub state: HoldState,
    /// At most one claim for each counter, or none. A refused hold takes none of them.
    pub claims: Vec<Claim>,
    /// When it was first recorded.
    pub created_at: Timestamp,
}

/// The state of a hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldState {
    /// Its claims are taken, until it is confirmed or undone.
    Held,
    /// Its claims are taken for good.
    Done,
    /// Its claims were given back, or never taken. It is never held again.
    Undone,
    /// A counter had too little. The owner reads this reason.
    Refused(String),
}

impl HoldState {
    /// `HELD`, `DONE`, `UNDONE` or `REFUSED`, as in records.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Held => "HELD",
            Self::Done => "DONE",
            Self::Undone => "UNDONE",
            Self::Refused(_) => "REFUSED",
        }
    }

    /// `None` for other names, and for `REFUSED` without a reason.
    #[must_use]
    pub fn from_name(name: &str, reason: Option<String>) -> Option<Self> {
        match name {
            "HELD" => Some(Self::Held),
            "DONE" => Some(Self::Done),
            "UNDONE" => Some(Self::Undone),
            "REFUSED" => reason.map(Self::Refused),
            _ => None,
        }
    }

    /// Why the hold is refused.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Refused(reason) => Some(reason),
            Self::Held | Self::Done | Self::Undone => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_state_by_its_name() {
        for state in [HoldState::Held, HoldState::Done, HoldState::Undone, HoldState::Refused("no".into())] {
            assert_eq!(HoldState::from_name(state.name(), state.reason().map(str::to_owned)), Some(state));
        }
        assert_eq!(HoldState::from_name("REFUSED", None), None);
        assert_eq!(HoldState::from_name("held", None), None);
    }

    #[test]
    fn separates_the_holds_of_owners_and_kinds() {
        let id = OrderId::parse("5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b").expect("a UUID");
        let [alice, other] = ["alice", "alice#order"].map(|name| Owner::parse(name).expect("visible ASCII"));

        assert_eq!(HoldKey::for_order(&alice, id).as_str(), "order#alice#5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b");
        assert_ne!(HoldKey::for_order(&alice, id), HoldKey::for_order(&other, id));
        assert_ne!(HoldKey::for_order(&alice, id), HoldKey::new("payment", &alice, id));
    }
}
