//! Stock and money that a run adds. It takes back what its orders did not take.

use super::supplies::{Amounts, Supply, Wait};
use crate::workload::{OrderIds, Turns};
use anyhow::bail;
use aws_sdk_dynamodb::Client;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use twolane_client::counters::account_key;
use twolane_client::orders_table::{OrderKey, OrdersTable, Taken};
use twolane_client::signals::Interruption;

/// Orders looked up in one request. Source: Amazon DynamoDB API Reference, `BatchGetItem`.
const BATCH: usize = 100;

const AT_ONCE: usize = 8;

/// Between checks of undecided orders.
const INTERVAL: Duration = Duration::from_secs(1);

/// Longest wait until every order is decided: the longest deadline, 15 minutes, and a minute for what it starts.
/// Source: `docs/architecture.md`, "What the bus lane does with one order".
const LONGEST: Duration = Duration::from_mins(16);

const LONGEST_INTERRUPTED: Duration = Duration::from_mins(1);

/// An addition, and what finds its orders again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Fill {
    /// Unique per addition.
    pub(crate) id: String,
    pub(crate) stock: Supply,
    pub(crate) accounts: Supply,
    pub(crate) orders_table: String,
    /// Of each lane with steps.
    pub(crate) order_ids: Vec<OrderIds>,
    /// Orders per lane.
    pub(crate) orders: u32,
    #[serde(default)]
    pub(crate) turns: Turns,
    pub(crate) owners: Vec<String>,
}

impl Fill {
    /// Adds everything. May be repeated.
    ///
    /// # Errors
    /// AWS refuses or does not answer.
    pub(super) async fn add(&self, client: &Client) -> anyhow::Result<()> {
        self.stock.add(client, &self.id).await?;
        self.accounts.add(client, &self.id).await
    }

    /// Takes back what the run's orders did not take, once each is decided. Also waits for `awaited` orders without a
    /// record. May be repeated.
    ///
    /// # Errors
    /// AWS refuses or does not answer. Or orders are not decided in time: nothing was taken back.
    pub(super) async fn take_back(
        &self,
        client: &Client,
        awaited: &HashSet<OrderKey>,
        interruption: Option<&Interruption>,
        notify: fn(&str),
    ) -> anyhow::Result<()> {
        let taken = self.taken(client, awaited, interruption, notify).await?;
        let wait = Wait::begin(interruption);
        let stock = self.stock.take_back(client, &self.id, &taken.units, &wait).await;
        let accounts = self.accounts.take_back(client, &self.id, &taken.money, &wait).await;
        let missing: Vec<String> = [&stock, &accounts].into_iter().flatten().flatten().cloned().collect();
        if !missing.is_empty() {
            notify(&format!(
                "warning: Not taken back, because other orders have taken what the run added: {}. Once that amount is \
                 available again, remove it with `twolane stock add SKU -UNITS` or `twolane account add OWNER CURRENCY \
                 -AMOUNT`.",
                missing.join("; ")
            ));
        }
        stock.and(accounts).map(drop)
    }

    /// What the run's orders have taken together.
    async fn taken(
        &self,
        client: &Client,
        awaited: &HashSet<OrderKey>,
        interruption: Option<&Interruption>,
        notify: fn(&str),
    ) -> anyhow::Result<Amounts> {
        let table = OrdersTable { client: client.clone(), name: self.orders_table.clone() };
        let began = Instant::now();
        let mut deadline = began + LONGEST;
        let mut taken = Amounts::default();
        let mut undecided = look(&table, self.batches(), awaited, &mut taken).await?;
        if !undecided.is_empty() {
            notify(&format!(
                "Waiting for {} orders before taking back what was added to stock and accounts.",
                undecided.len()
            ));
        }
        while !undecided.is_empty() {
            if interruption.is_some_and(|interruption| interruption.signal().is_some()) {
                deadline = deadline.min(Instant::now() + LONGEST_INTERRUPTED);
            }
            if Instant::now() >= deadline {
                bail!(
                    "{} orders of the run (such as {}) are undecided after {} s, so what was added to stock and \
                     accounts is still there",
                    undecided.len(),
                    undecided[0].order_id,
                    began.elapsed().as_secs()
                );
            }
            sleep(INTERVAL).await;
            undecided = look(&table, undecided.chunks(BATCH).map(<[_]>::to_vec), awaited, &mut taken).await?;
        }
        Ok(taken)
    }

    fn batches(&self) -> impl Iterator<Item = Vec<OrderKey>> {
        let numbers = (0..self.orders).step_by(BATCH);
        let batch = move |ids: &OrderIds, first: u32| {
            (first..self.orders).take(BATCH).map(|number| ids.key(number, self.turns, &self.owners)).collect()
        };
        self.order_ids.iter().flat_map(move |ids| numbers.clone().map(move |first| batch(ids, first)))
    }
}

/// Adds what those orders have taken to `taken`. Returns the undecided orders.
async fn look(
    table: &OrdersTable,
    batches: impl Iterator<Item = Vec<OrderKey>>,
    awaited: &HashSet<OrderKey>,
    taken: &mut Amounts,
) -> anyhow::Result<Vec<OrderKey>> {
    let found = stream::iter(batches).map(async |orders| {
        let found = table.taken(&orders).await?;
        anyhow::Ok((orders, found))
    });
    let mut found = std::pin::pin!(found.buffer_unordered(AT_ONCE));
    let mut undecided = Vec::new();
    while let Some((orders, found)) = found.try_next().await? {
        for order in orders {
            match found.get(&order) {
                Some(Taken::All { units, currency, total_minor }) => {
                    for (sku, units) in units {
                        taken.add_units(sku, *units);
                    }
                    taken.add_money(account_key(&order.owner, currency), *total_minor);
                }
                Some(Taken::Undecided) => undecided.push(order),
                None if awaited.contains(&order) => undecided.push(order),
                Some(Taken::Nothing) | None => {}
            }
        }
    }
    Ok(undecided)
}
