//! What orders of lanes with steps take from: stock and accounts, filled before such a lane is loaded and set back at its end.

use super::Scenario;
use crate::deployed::{Deployed, Supplies};
use crate::owners::Owners;
use crate::stack_settings::Setting;
use crate::workload::Workload;
use anyhow::Context;
use std::collections::BTreeMap;
use twolane_client::counters::{Counters, account_key};

/// What every order of a workload takes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Needs {
    /// By SKU.
    units: BTreeMap<String, u64>,
    /// In minor units, by account.
    money: BTreeMap<String, u64>,
}

impl Needs {
    /// Each order counts once, whatever is sent twice.
    fn of(workload: &Workload, owners: &[String]) -> Self {
        let bodies = workload.ordered_bodies();
        let mut needs = Self::default();
        let mut last = None;
        for arrival in &workload.arrivals {
            if last.replace(arrival.order) == Some(arrival.order) {
                continue;
            }
            let Some(ordered) = Workload::ordered_in(&bodies, arrival.content) else { continue };
            for (sku, units) in ordered.units() {
                add(&mut needs.units, sku.to_owned(), units);
            }
            let owner = &owners[workload.owner(arrival.order, owners.len())];
            add(&mut needs.money, account_key(owner, &ordered.currency), ordered.total_minor());
        }
        needs
    }
}

fn add(sums: &mut BTreeMap<String, u64>, key: String, more: u64) {
    let sum = sums.entry(key).or_default();
    *sum = sum.saturating_add(more);
}

impl Scenario {
    /// Adds to stock and accounts what the workload takes from them, on top of what is there.
    ///
    /// # Errors
    /// A token does not say whose it is; AWS refuses.
    pub(crate) async fn fill(
        &mut self,
        deployed: &Deployed,
        workload: &Workload,
        owners: &Owners,
    ) -> anyhow::Result<()> {
        let Some(Supplies { stock, accounts }) = &deployed.supplies else { return Ok(()) };
        let owners = owners.subjects.as_ref().context(
            "Orders of the bus lane are paid from their owners' accounts, and a token does not say whose it is: pass tokens \
             that are JWTs",
        )?;
        let needs = Needs::of(workload, owners);
        for (counters, more) in [(stock, needs.units), (accounts, needs.money)] {
            if !more.is_empty() {
                let (before, during) = filled(counters, more).await?;
                // What is only changed later is behind it.
                self.before.insert(0, before);
                self.during.insert(0, during);
            }
        }
        Ok(())
    }
}

/// The numbers as they are, and with so much more.
async fn filled(counters: &Counters, more: BTreeMap<String, u64>) -> anyhow::Result<(Setting, Setting)> {
    let keys: Vec<String> = more.keys().cloned().collect();
    let now = counters.read(&keys).await?;
    let available = |key: &String| now.get(key).copied();
    let before = keys.iter().map(|key| (key.clone(), available(key))).collect();
    let during = more.iter().map(|(key, more)| (key.clone(), Some(available(key).unwrap_or(0).saturating_add(*more))));
    let table = counters.table().to_owned();
    let during = Setting::Counters { table: table.clone(), available: during.collect() };
    Ok((Setting::Counters { table, available: before }, during))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{Mix, mixed};
    use std::time::Duration;

    #[test]
    fn needs_what_each_order_takes_once_from_its_own_owner() {
        let bodies = vec![
            r#"{"currency":"EUR","items":[{"sku":"A","quantity":2,"unitPriceMinor":10}]}"#.into(),
            r#"{"currency":"JPY","items":[{"sku":"B","quantity":1,"unitPriceMinor":5}]}"#.into(),
        ];
        let times: Vec<u64> = (0..4).collect();
        let twice = Mix::Twice(100.0);
        let workload = mixed(&times, bodies, twice, Duration::ZERO, &mut fastrand::Rng::with_seed(1));

        let needs = Needs::of(&workload, &["alice".to_owned(), "bob".to_owned()]);

        let sums = |pairs: &[(&str, u64)]| pairs.iter().map(|(key, sum)| ((*key).to_owned(), *sum)).collect();
        let expected = Needs { units: sums(&[("A", 4), ("B", 2)]), money: sums(&[("alice#EUR", 40), ("bob#JPY", 10)]) };
        assert_eq!((workload.arrivals.len(), needs), (8, expected));
    }
}
