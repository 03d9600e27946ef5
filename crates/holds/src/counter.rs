use std::fmt;

/// The key of a counter, unique within a service, for example `SKU-1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CounterKey(String);

impl CounterKey {
    /// The counter with that key.
    #[must_use]
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// The key as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CounterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a hold takes from one counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The counter.
    pub counter: CounterKey,
    /// The amount: 1 or more.
    pub amount: u64,
}

/// A counter that has less than a hold claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// The hold's claim.
    pub claim: Claim,
    /// The amount that the counter had.
    pub available: u64,
}
