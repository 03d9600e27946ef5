//! The state of orders in the orders table. Source of its shape: `docs/architecture.md`, "What is stored".

use crate::batch_get::{Item, KeyedTable};
use aws_sdk_dynamodb::Client;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// Identifies an order even after a redrive, which gives the message a new id. Source: Amazon SQS Developer Guide,
/// "Learn how to configure a dead-letter queue redrive".
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderKey {
    /// The `sub` of its token.
    pub owner: String,
    /// A UUID in lower case.
    pub order_id: String,
}

impl OrderKey {
    /// In the orders table: `{owner}#{orderId}`.
    #[must_use]
    pub fn partition_key(&self) -> String {
        format!("{}#{}", self.owner, self.order_id)
    }
}

/// An order's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// `PLACED`, `CONFIRMED`, `CANCELLED`, `REJECTED` or `FAILED`.
    pub status: String,
    /// Why it was cancelled, rejected or failed.
    pub reason: Option<String>,
    /// Deliveries.
    pub attempts: Option<u32>,
}

impl Record {
    /// Whether the status is final.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self.status.as_str(), "CONFIRMED" | "REJECTED" | "CANCELLED")
    }
}

/// What an order has taken from stock and its owner's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It may take all or nothing.
    Undecided,
    /// Cancelled, rejected, failed, or in a lane without steps.
    Nothing,
    /// Confirmed.
    All {
        /// By SKU.
        units: BTreeMap<String, u64>,
        /// ISO 4217 code.
        currency: String,
        /// In minor units of the currency.
        total_minor: u64,
    },
}

/// The orders table.
#[derive(Clone, Debug)]
pub struct OrdersTable {
    /// The AWS client.
    pub client: Client,
    /// Its name on AWS.
    pub name: String,
}

impl OrdersTable {
    /// Records of those orders that have one.
    ///
    /// # Errors
    /// DynamoDB refuses, does not answer, or is over its limit for seconds.
    pub async fn records(&self, orders: &[OrderKey]) -> anyhow::Result<HashMap<OrderKey, Record>> {
        let read = |item: &Item| {
            let attempts = item.get("attempts").and_then(|value| value.as_n().ok()?.parse().ok());
            Some(Record { status: text(item, "status")?, reason: text(item, "reason"), attempts })
        };
        self.read(orders, &["status", "reason", "attempts"], read).await
    }

    /// What those orders of a lane with steps have taken; only orders with a record.
    ///
    /// # Errors
    /// DynamoDB refuses, does not answer, or is over its limit for seconds.
    pub async fn taken(&self, orders: &[OrderKey]) -> anyhow::Result<HashMap<OrderKey, Taken>> {
        let read = |item: &Item| {
            Some(match text(item, "status")?.as_str() {
                "PLACED" => Taken::Undecided,
                "CONFIRMED" => Taken::All {
                    units: units(item)?,
                    currency: text(item, "currency")?,
                    total_minor: number(item, "totalMinor")?,
                },
                _ => Taken::Nothing,
            })
        };
        self.read(orders, &["status", "items", "currency", "totalMinor"], read).await
    }

    async fn read<T>(
        &self,
        orders: &[OrderKey],
        attributes: &[&str],
        read: impl Fn(&Item) -> Option<T>,
    ) -> anyhow::Result<HashMap<OrderKey, T>> {
        // DynamoDB rejects duplicate keys, but an order may have several messages.
        let by_key: HashMap<String, &OrderKey> = orders.iter().map(|order| (order.partition_key(), order)).collect();
        let table = KeyedTable { client: &self.client, name: &self.name, called: "orders table", attributes };
        let items = table.items(&by_key.keys().collect::<Vec<_>>()).await?;
        let found = items.iter().filter_map(|item| {
            let order = *by_key.get(item.get("pk")?.as_s().ok()?)?;
            Some((order.clone(), read(item)?))
        });
        Ok(found.collect())
    }
}

fn text(item: &Item, name: &str) -> Option<String> {
    item.get(name)?.as_s().ok().cloned()
}

fn number(item: &Item, name: &str) -> Option<u64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

/// By SKU; several items may have the same.
fn units(order: &Item) -> Option<BTreeMap<String, u64>> {
    let mut units = BTreeMap::new();
    for item in order.get("items")?.as_l().ok()? {
        let item = item.as_m().ok()?;
        *units.entry(text(item, "sku")?).or_default() += number(item, "quantity")?;
    }
    Some(units)
}
