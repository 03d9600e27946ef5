//! What orders of lanes with steps take from: stock and accounts, which a run adds to and takes back from at its end.

use super::Scenario;
use crate::deployed::{self, Deployed};
use crate::owners::Owners;
use crate::stack_settings::{Amounts, Fill, Supply};
use crate::workload::{OrderIds, Turns, Workload};
use anyhow::Context;
use twolane_client::counters::account_key;
use uuid::Uuid;

/// What a run adds to stock and to its owners' accounts.
pub(crate) struct Supplies {
    stock: Supply,
    accounts: Supply,
    orders: u32,
    turns: Turns,
    owners: Vec<String>,
}

impl Supplies {
    /// The same, and by what the orders of the lanes with steps are found again.
    pub(crate) fn fill(&self, orders_table: &str, order_ids: Vec<OrderIds>) -> Fill {
        Fill {
            id: Uuid::new_v4().to_string(),
            stock: self.stock.clone(),
            accounts: self.accounts.clone(),
            orders_table: orders_table.to_owned(),
            order_ids,
            orders: self.orders,
            turns: self.turns,
            owners: self.owners.clone(),
        }
    }

    /// What is there and what is added, for people.
    pub(super) fn changes(&self) -> [(String, String); 2] {
        [self.stock.changes(), self.accounts.changes()]
    }
}

/// What all orders take. Each counts once, whatever is sent twice.
fn needs(workload: &Workload, owners: &[String]) -> Amounts {
    let bodies = workload.ordered_bodies();
    let mut needs = Amounts::default();
    let mut last = None;
    for arrival in &workload.arrivals {
        if last.replace(arrival.order) == Some(arrival.order) {
            continue;
        }
        let Some(ordered) = Workload::ordered_in(&bodies, arrival.content) else { continue };
        for (sku, units) in ordered.units() {
            needs.add_units(sku, units);
        }
        let owner = &owners[workload.turns.owner(arrival.order, owners.len())];
        needs.add_money(account_key(owner, &ordered.currency), ordered.total_minor());
    }
    needs
}

impl Scenario {
    /// Plans to add to stock and accounts what the workload takes from them, on top of what is there.
    ///
    /// # Errors
    /// A token does not say whose it is; AWS refuses.
    pub(crate) async fn supply(
        &mut self,
        deployed: &Deployed,
        workload: &Workload,
        owners: &Owners,
    ) -> anyhow::Result<()> {
        let Some(deployed::Supplies { stock, accounts }) = &deployed.supplies else { return Ok(()) };
        let owners = owners.subjects.as_ref().context(
            "Orders of the bus lane are paid from their owners' accounts, and a token does not say whose it is: pass tokens \
             that are JWTs",
        )?;
        let needs = needs(workload, owners);
        if !needs.units.is_empty() {
            self.supplies = Some(Supplies {
                stock: Supply::plan(stock, needs.units).await?,
                accounts: Supply::plan(accounts, needs.money).await?,
                orders: workload.orders,
                turns: workload.turns,
                owners: owners.clone(),
            });
        }
        Ok(())
    }
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

        let needs = needs(&workload, &["alice".to_owned(), "bob".to_owned()]);

        let sums = |pairs: &[(&str, u64)]| pairs.iter().map(|(key, sum)| ((*key).to_owned(), *sum)).collect();
        let expected =
            Amounts { units: sums(&[("A", 4), ("B", 2)]), money: sums(&[("alice#EUR", 40), ("bob#JPY", 10)]) };
        assert_eq!((workload.arrivals.len(), needs), (8, expected));
    }
}
