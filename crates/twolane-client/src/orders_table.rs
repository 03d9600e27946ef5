//! How orders stand, from the orders table. Source of its shape: `docs/architecture.md`, "What is stored".

use crate::aws::describe;
use anyhow::{Context, bail};
use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, KeysAndAttributes},
};
use std::{collections::HashMap, time::Duration};

/// Keys in one request. Source: Amazon DynamoDB API Reference, `BatchGetItem`.
const BATCH: usize = 100;

/// Times that DynamoDB may hand keys back before it is given up: it does so when it is over its limit.
const ROUNDS: u32 = 8;

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
    /// `CONFIRMED`, `REJECTED` or `FAILED`.
    pub status: String,
    /// Why it was rejected or failed.
    pub reason: Option<String>,
    /// Deliveries it took.
    pub attempts: Option<u32>,
}

impl Record {
    /// Whether the order will stay so.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self.status.as_str(), "CONFIRMED" | "REJECTED")
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
        for some in keys.chunks(BATCH) {
            for item in self.items(some).await? {
                let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
                let attempts = item.get("attempts").and_then(|value| value.as_n().ok()?.parse().ok());
                let order = text("pk").and_then(|key| by_key.get(&key).copied());
                if let (Some(order), Some(status)) = (order, text("status")) {
                    records.insert(order.clone(), Record { status, reason: text("reason"), attempts });
                }
            }
        }
        Ok(records)
    }

    async fn items(&self, keys: &[&String]) -> anyhow::Result<Vec<HashMap<String, AttributeValue>>> {
        let keys = keys.iter().map(|key| HashMap::from([("pk".to_owned(), AttributeValue::S((*key).clone()))]));
        let names = [("#pk", "pk"), ("#status", "status"), ("#reason", "reason"), ("#attempts", "attempts")];
        let wanted = KeysAndAttributes::builder()
            .set_keys(Some(keys.collect()))
            .consistent_read(true)
            .projection_expression("#pk, #status, #reason, #attempts")
            .set_expression_attribute_names(Some(names.map(|(name, value)| (name.into(), value.into())).into()))
            .build()
            .expect("keys are set");
        let (mut left, mut items) = (HashMap::from([(self.name.clone(), wanted)]), Vec::new());
        for round in 0..ROUNDS {
            if round > 0 {
                tokio::time::sleep(Duration::from_millis(50) * 2_u32.pow(round)).await;
            }
            let answer = self.client.batch_get_item().set_request_items(Some(left)).send().await;
            let answer = answer.map_err(|error| describe(&error));
            let answer = answer.with_context(|| format!("Failed to read the orders table {}", self.name))?;
            items.extend(answer.responses.unwrap_or_default().into_values().flatten());
            left = answer.unprocessed_keys.unwrap_or_default();
            if left.is_empty() {
                return Ok(items);
            }
        }
        bail!("The orders table {} is over its limit and did not answer; try again in a moment", self.name)
    }
}
