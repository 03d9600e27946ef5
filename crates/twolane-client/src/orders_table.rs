//! How orders stand, from the orders table. Source of its shape: `docs/architecture.md`, "What is stored".

use crate::batch_get::KeyedTable;
use aws_sdk_dynamodb::Client;
use std::collections::HashMap;

/// Whose order, and which: what finds the order again, since a message that is moved gets a new id.
/// Source: Amazon SQS Developer Guide, "Learn how to configure a dead-letter queue redrive".
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrderKey {
    /// The subject of the token that it was placed with.
    pub owner: String,
    /// A UUID in lower case.
    pub order_id: String,
}

impl OrderKey {
    /// The order's partition key in the orders table: `{owner}#{orderId}`.
    #[must_use]
    pub fn partition_key(&self) -> String {
        format!("{}#{}", self.owner, self.order_id)
    }
}

/// What is recorded of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// `PLACED`, `CONFIRMED`, `CANCELLED`, `REJECTED` or `FAILED`.
    pub status: String,
    /// Why it was cancelled, rejected or failed.
    pub reason: Option<String>,
    /// Deliveries it took.
    pub attempts: Option<u32>,
}

impl Record {
    /// Whether the order will stay so.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self.status.as_str(), "CONFIRMED" | "REJECTED" | "CANCELLED")
    }
}

/// The orders table.
#[derive(Clone, Debug)]
pub struct OrdersTable {
    /// What AWS is asked with.
    pub client: Client,
    /// As AWS calls it.
    pub name: String,
}

impl OrdersTable {
    /// The records of those orders that have one.
    ///
    /// # Errors
    /// DynamoDB refuses, does not answer, or is over its limit for seconds.
    pub async fn records(&self, orders: &[OrderKey]) -> anyhow::Result<HashMap<OrderKey, Record>> {
        // Several messages may be of one order, and no key may be asked for twice in one request.
        let by_key: HashMap<String, &OrderKey> = orders.iter().map(|order| (order.partition_key(), order)).collect();
        let keys: Vec<_> = by_key.keys().collect();
        let mut records = HashMap::new();
        let (client, name, attributes) = (&self.client, &self.name, &["status", "reason", "attempts"]);
        let table = KeyedTable { client, name, called: "orders table", attributes };
        for item in table.items(&keys).await? {
            let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
            let attempts = item.get("attempts").and_then(|value| value.as_n().ok()?.parse().ok());
            let order = text("pk").and_then(|key| by_key.get(&key).copied());
            if let (Some(order), Some(status)) = (order, text("status")) {
                records.insert(order.clone(), Record { status, reason: text("reason"), attempts });
            }
        }
        Ok(records)
    }
}
