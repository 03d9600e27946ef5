//! Additions to stock and accounts, which orders of lanes with steps take from.

use aws_sdk_dynamodb::Client;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use twolane_client::additions::TakenBack;
use twolane_client::counters::{Counter, Counters};
use twolane_client::signals::Interruption;

const SHOWN: usize = 4;

const AT_ONCE: usize = 8;

/// Longest wait for what cancelled orders give back, and the interval between attempts. Steps undo cancelled orders
/// within seconds.
const LONGEST: Duration = Duration::from_mins(1);
const INTERVAL: Duration = Duration::from_secs(1);

/// The wait for missing amounts, shared by all counters.
pub(super) struct Wait<'a> {
    deadline: Instant,
    interruption: Option<&'a Interruption>,
}

impl<'a> Wait<'a> {
    /// A later interruption ends the wait. An earlier one ended the run, but its cancelled orders still give back.
    pub(super) fn begin(interruption: Option<&'a Interruption>) -> Self {
        Self {
            deadline: Instant::now() + LONGEST,
            interruption: interruption.filter(|interruption| !interruption.has_come()),
        }
    }

    /// Waits until the next attempt; `false` if there is none.
    async fn next(&self) -> bool {
        if Instant::now() >= self.deadline || self.interruption.is_some_and(Interruption::has_come) {
            return false;
        }
        match self.interruption {
            Some(interruption) => interruption.sleep(INTERVAL).await,
            None => sleep(INTERVAL).await,
        }
        true
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Amounts {
    /// By SKU.
    pub(crate) units: BTreeMap<String, u64>,
    /// In minor units, by account.
    pub(crate) money: BTreeMap<String, u64>,
}

impl Amounts {
    pub(crate) fn add_units(&mut self, sku: &str, units: u64) {
        add(&mut self.units, sku.to_owned(), units);
    }

    pub(crate) fn add_money(&mut self, account: String, minor_units: u64) {
        add(&mut self.money, account, minor_units);
    }
}

fn add(sums: &mut BTreeMap<String, u64>, key: String, more: u64) {
    let sum = sums.entry(key).or_default();
    *sum = sum.saturating_add(more);
}

/// To the counters of one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Supply {
    pub(crate) table: String,
    pub(crate) counters: Vec<Addition>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Addition {
    pub(crate) key: String,
    /// Before the run; `None` if the counter did not exist.
    pub(crate) available: Option<u64>,
    pub(crate) more: u64,
}

impl Supply {
    /// Plans to add an amount to each counter.
    ///
    /// # Errors
    /// AWS refuses or does not answer.
    pub(crate) async fn plan(counters: &Counters, more: BTreeMap<String, u64>) -> anyhow::Result<Self> {
        let keys: Vec<String> = more.keys().cloned().collect();
        let now = counters.read(&keys).await?;
        let addition = |(key, more)| Addition { available: now.get(&key).copied(), key, more };
        Ok(Self { table: counters.table().to_owned(), counters: more.into_iter().map(addition).collect() })
    }

    pub(crate) fn changes(&self) -> (String, String) {
        let number = |number: Option<u64>| number.map_or_else(|| "none".to_owned(), |number| number.to_string());
        let before = self.shown(|one| format!("{} {}", one.key, number(one.available)));
        (format!("{}: available {before}", self.table), format!("adds {self}"))
    }

    fn shown(&self, one: impl Fn(&Addition) -> String) -> String {
        let shown = self.counters.iter().take(SHOWN).map(one).collect::<Vec<_>>().join(", ");
        match self.counters.len().saturating_sub(SHOWN) {
            0 => shown,
            more => format!("{shown} and {more} more"),
        }
    }

    fn counters(&self, client: &Client) -> Counters {
        Counters::in_named_table(client.clone(), &self.table)
    }

    pub(super) async fn add(&self, client: &Client, fill: &str) -> anyhow::Result<()> {
        let counters = self.counters(client);
        let add = async |one: &Addition| counters.fill(fill, &one.counter(one.more)).await;
        stream::iter(&self.counters).map(add).buffer_unordered(AT_ONCE).try_collect().await
    }

    /// Takes back what orders have not taken. Returns missing amounts as text.
    pub(super) async fn take_back(
        &self,
        client: &Client,
        fill: &str,
        taken: &BTreeMap<String, u64>,
        wait: &Wait<'_>,
    ) -> anyhow::Result<Vec<String>> {
        let counters = self.counters(client);
        let take_back = async |one: &Addition| {
            let left = one.more.saturating_sub(taken.get(&one.key).copied().unwrap_or(0));
            let missing = one.take_back(&counters, fill, left, wait).await?;
            anyhow::Ok((missing > 0).then(|| format!("{missing} of {} in {}", one.key, self.table)))
        };
        let missing: Vec<_> =
            stream::iter(&self.counters).map(take_back).buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(missing.into_iter().flatten().collect())
    }
}

impl fmt::Display for Supply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown(|one| format!("{} to {}", one.more, one.key)))
    }
}

impl Addition {
    fn counter(&self, available: u64) -> Counter {
        Counter { key: self.key.clone(), available }
    }

    /// Takes back `left`, and deletes a counter that did not exist. Returns the missing amount.
    async fn take_back(&self, counters: &Counters, fill: &str, left: u64, wait: &Wait<'_>) -> anyhow::Result<u64> {
        let mut back = left;
        while counters.take_back(fill, &self.counter(back)).await? == TakenBack::TooLittleThere {
            if !wait.next().await {
                let available = counters.read(std::slice::from_ref(&self.key)).await?;
                back = left.min(available.get(&self.key).copied().unwrap_or(0));
            }
        }
        if self.available.is_none() {
            counters.delete_empty(&self.key).await?;
        }
        Ok(left - back)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_first_counters_and_the_number_of_others() {
        let supply = |keys: &[&str]| {
            let addition =
                |key: &&str| Addition { key: (*key).to_owned(), available: (*key != "b").then_some(7), more: 3 };
            Supply { table: "T".to_owned(), counters: keys.iter().map(addition).collect() }.changes()
        };
        let changes = |before: &str, more: &str| (before.to_owned(), more.to_owned());

        assert_eq!(supply(&["a", "b"]), changes("T: available a 7, b none", "adds 3 to a, 3 to b"));
        let many =
            changes("T: available a 7, b none, c 7, d 7 and 1 more", "adds 3 to a, 3 to b, 3 to c, 3 to d and 1 more");
        assert_eq!(supply(&["a", "b", "c", "d", "e"]), many);
    }
}
