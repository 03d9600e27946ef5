//! Stock and accounts for orders of lanes with steps. A run adds to them and takes the rest back.

use super::Scenario;
use crate::deployed::{self, Deployed};
use crate::owners::Owners;
use crate::stack_settings::{Amounts, Fill, Supply};
use crate::workload::{OrderIds, Turns, Workload};
use anyhow::Context;
use twolane_client::counters::account_key;
use uuid::Uuid;

/// Added to stock and to the owners' accounts.
pub(crate) struct Supplies {
    stock: Supply,
    accounts: Supply,
    orders: u32,
    turns: Turns,
    owners: Vec<String>,
}

impl Supplies {
    /// The addition, with what finds the orders of lanes with steps again.
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

    pub(super) fn changes(&self) -> [(String, String); 2] {
        [self.stock.changes(), self.accounts.changes()]
    }
}

/// What all orders take together, without repeats.
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
    /// Plans to add what the workload takes.
    ///
    /// # Errors
    /// A token has no readable subject, or AWS refuses.
    pub(crate) async fn supply(
        &mut self,
        deployed: &Deployed,
        workload: &Workload,
        owners: &Owners,
    ) -> anyhow::Result<()> {
        let Some(deployed::SupplyCounters { stock, accounts }) = &deployed.supplies else { return Ok(()) };
        let owners = owners.subjects.as_ref().context(
            "Orders of the bus lane are paid from their owners' accounts, but a token has no readable subject: pass \
             tokens that are JWTs",
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
    fn counts_each_order_once_for_its_owner() {
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
