//! Repositories for tests, and the tests that every repository must pass.

mod suite;

pub use suite::check_holds;

use crate::{CounterKey, Hold, HoldKey, HoldRepository, HoldState, RefuseOutcome, Shortage, TakeOutcome};
use shared_kernel::{OrderId, Owner, RepositoryError, Timestamp};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Holds and counters in memory, by the rules of [`HoldRepository`].
#[derive(Debug, Default)]
pub struct InMemoryHolds(Mutex<Tables>);

#[derive(Debug, Default)]
struct Tables {
    holds: HashMap<HoldKey, Hold>,
    counters: BTreeMap<CounterKey, u64>,
}

impl InMemoryHolds {
    /// A repository with these counters.
    #[must_use]
    pub fn with<'a>(counters: impl IntoIterator<Item = (&'a str, u64)>) -> Self {
        let holds = Self::default();
        for (key, available) in counters {
            holds.set(key, available);
        }
        holds
    }

    /// Sets the amount of a counter.
    pub fn set(&self, key: &str, available: u64) {
        self.lock().counters.insert(CounterKey::new(key), available);
    }

    /// The amount of a counter.
    #[must_use]
    pub fn counter(&self, key: &str) -> Option<u64> {
        self.lock().counters.get(&CounterKey::new(key)).copied()
    }

    /// The state of a hold.
    #[must_use]
    pub fn state(&self, key: &HoldKey) -> Option<HoldState> {
        self.lock().holds.get(key).map(|hold| hold.state.clone())
    }

    /// The sum of what all holds have taken.
    #[must_use]
    pub fn taken(&self) -> u64 {
        let tables = self.lock();
        let taken = tables.holds.values().filter(|hold| matches!(hold.state, HoldState::Held | HoldState::Done));
        taken.flat_map(|hold| &hold.claims).map(|claim| claim.amount).sum()
    }

    /// The sum of all counters.
    #[must_use]
    pub fn available_in_all(&self) -> u64 {
        self.lock().counters.values().sum()
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HoldRepository for InMemoryHolds {
    async fn take(&self, key: &HoldKey, hold: &Hold, initial: u64) -> Result<TakeOutcome, RepositoryError> {
        let mut tables = self.lock();
        if let Some(stored) = tables.holds.get(key) {
            return Ok(TakeOutcome::Exists(stored.clone()));
        }
        let shortage = |claim: &crate::Claim| {
            let available = tables.counters.get(&claim.counter).copied().unwrap_or(initial);
            (available < claim.amount).then(|| Shortage { claim: claim.clone(), available })
        };
        let shortages: Vec<_> = hold.claims.iter().filter_map(shortage).collect();
        if !shortages.is_empty() {
            return Ok(TakeOutcome::Short(shortages));
        }
        for claim in &hold.claims {
            *tables.counters.entry(claim.counter.clone()).or_insert(initial) -= claim.amount;
        }
        tables.holds.insert(key.clone(), hold.clone());
        Ok(TakeOutcome::Taken)
    }

    async fn refuse(&self, key: &HoldKey, hold: &Hold) -> Result<RefuseOutcome, RepositoryError> {
        let mut tables = self.lock();
        if let Some(stored) = tables.holds.get(key) {
            return Ok(RefuseOutcome::Exists(stored.clone()));
        }
        tables.holds.insert(key.clone(), hold.clone());
        Ok(RefuseOutcome::Refused)
    }

    async fn confirm(&self, key: &HoldKey, _: Timestamp) -> Result<(), RepositoryError> {
        match self.lock().holds.get_mut(key) {
            Some(hold) if matches!(hold.state, HoldState::Held | HoldState::Done) => {
                hold.state = HoldState::Done;
                Ok(())
            }
            _ => Err(RepositoryError::Refused("nothing is held".into())),
        }
    }

    async fn undo(&self, key: &HoldKey, now: Timestamp) -> Result<(), RepositoryError> {
        let mut tables = self.lock();
        let Tables { holds, counters } = &mut *tables;
        let undone = Hold { state: HoldState::Undone, claims: Vec::new(), created_at: now };
        let hold = holds.entry(key.clone()).or_insert(undone);
        if hold.state == HoldState::Held {
            hold.state = HoldState::Undone;
            for claim in &hold.claims {
                *counters.entry(claim.counter.clone()).or_default() += claim.amount;
            }
        }
        Ok(())
    }

    async fn find(&self, key: &HoldKey) -> Result<Option<Hold>, RepositoryError> {
        Ok(self.lock().holds.get(key).cloned())
    }

    async fn available(&self, counter: &CounterKey) -> Result<Option<u64>, RepositoryError> {
        Ok(self.lock().counters.get(counter).copied())
    }
}

/// A repository that always fails.
#[derive(Clone, Copy, Debug)]
pub enum Failing {
    /// Fails with [`RepositoryError::Unavailable`].
    Unavailable,
    /// Fails with [`RepositoryError::Refused`].
    Refusing,
}

impl Failing {
    fn fail<T>(self) -> Result<T, RepositoryError> {
        Err(match self {
            Self::Unavailable => RepositoryError::Unavailable("no answer".into()),
            Self::Refusing => RepositoryError::Refused("not allowed".into()),
        })
    }
}

impl HoldRepository for Failing {
    async fn take(&self, _: &HoldKey, _: &Hold, _: u64) -> Result<TakeOutcome, RepositoryError> {
        self.fail()
    }

    async fn refuse(&self, _: &HoldKey, _: &Hold) -> Result<RefuseOutcome, RepositoryError> {
        self.fail()
    }

    async fn confirm(&self, _: &HoldKey, _: Timestamp) -> Result<(), RepositoryError> {
        self.fail()
    }

    async fn undo(&self, _: &HoldKey, _: Timestamp) -> Result<(), RepositoryError> {
        self.fail()
    }

    async fn find(&self, _: &HoldKey) -> Result<Option<Hold>, RepositoryError> {
        self.fail()
    }

    async fn available(&self, _: &CounterKey) -> Result<Option<u64>, RepositoryError> {
        self.fail()
    }
}

/// Alice.
///
/// # Panics
/// Never: the name is visible ASCII.
#[must_use]
pub fn owner() -> Owner {
    Owner::parse("alice").expect("visible ASCII")
}

/// An order id that ends with `number`.
///
/// # Panics
/// Never: the text is a UUID.
#[must_use]
pub fn order_id(number: u8) -> OrderId {
    OrderId::parse(&format!("5f0c1b0e-6a54-4a2e-9d0b-{number:012}")).expect("a UUID")
}

/// The key of Alice's order that ends with `number`.
#[must_use]
pub fn key(number: u8) -> HoldKey {
    HoldKey::for_order(&owner(), order_id(number))
}

/// 2026-11-30T10:00:00Z.
///
/// # Panics
/// Never: the text is RFC 3339.
#[must_use]
pub fn moment() -> Timestamp {
    Timestamp::parse("2026-11-30T10:00:00Z").expect("RFC 3339")
}
