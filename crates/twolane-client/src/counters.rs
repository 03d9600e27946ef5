//! What bus orders take: units in stock and money in accounts.
//!
//! Each SKU or account has one counter in its service's table: the item `counter#{key}`. Its number `available` is what
//! no order has taken. Source: `docs/architecture.md`, "What is stored".

use crate::{
    aws::describe,
    batch_get::{Item, KeyedTable},
    stack::{DeployedAddress, Stack},
};
use anyhow::Context;
use aws_config::SdkConfig;
use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, ReturnValue},
};
use futures_util::future::join_all;
use std::collections::HashMap;

/// Largest value of a counter.
pub const MAX_AVAILABLE: u64 = 1_000_000_000_000_000;

/// Concurrent writes.
const AT_ONCE: usize = 16;

pub(crate) const AVAILABLE: &str = "available";

/// One service's counters.
#[derive(Clone, Debug)]
pub struct Counters {
    client: Client,
    table: String,
    /// The table's name in errors.
    called: &'static str,
}

/// A counter and its target value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// A SKU or an [`account_key`].
    pub key: String,
    /// Units, or minor units of the currency.
    pub available: u64,
}

/// The result of setting counters.
#[derive(Debug, Default)]
pub struct CounterChanges {
    /// Counters that were set, with the earlier value; `None` if missing.
    pub done: Vec<(Counter, Option<u64>)>,
    /// Why some were not set.
    pub error: Option<anyhow::Error>,
}

/// Key of an owner's account in a currency.
#[must_use]
pub fn account_key(owner: &str, currency: &str) -> String {
    format!("{owner}#{currency}")
}

impl Counters {
    /// Units in stock, by SKU.
    ///
    /// # Errors
    /// There is no such stack, it has no bus lane, or AWS is not configured.
    pub async fn find_stock(address: &DeployedAddress) -> anyhow::Result<Self> {
        let stack = Stack::find_deployed(address).await?;
        Self::of_stock(&stack, &stack.aws_config(address).await?)
    }

    /// Money in accounts, in minor units, by [`account_key`].
    ///
    /// # Errors
    /// As for [`Counters::find_stock`].
    pub async fn find_accounts(address: &DeployedAddress) -> anyhow::Result<Self> {
        let stack = Stack::find_deployed(address).await?;
        Self::of_accounts(&stack, &stack.aws_config(address).await?)
    }

    /// A stack's units in stock.
    ///
    /// # Errors
    /// It has no bus lane.
    pub fn of_stock(stack: &Stack, config: &SdkConfig) -> anyhow::Result<Self> {
        Self::in_table(stack, config, "StockTableName", "stock table")
    }

    /// A stack's money in accounts.
    ///
    /// # Errors
    /// It has no bus lane.
    pub fn of_accounts(stack: &Stack, config: &SdkConfig) -> anyhow::Result<Self> {
        Self::in_table(stack, config, "PaymentsTableName", "payments table")
    }

    fn in_table(stack: &Stack, config: &SdkConfig, output: &str, called: &'static str) -> anyhow::Result<Self> {
        let table = stack.output(output).context("This stack has no bus lane: deploy a newer template")?;
        Ok(Self { client: Client::new(config), table: table.to_owned(), called })
    }

    /// Counters in that table.
    #[must_use]
    pub fn in_named_table(client: Client, table: &str) -> Self {
        Self { client, table: table.to_owned(), called: "table" }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The table's name.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Numbers of the counters that exist.
    ///
    /// # Errors
    /// DynamoDB refuses, does not answer, or is over its limit for seconds; a counter is not a number.
    pub async fn read(&self, keys: &[String]) -> anyhow::Result<HashMap<String, u64>> {
        // DynamoDB rejects duplicate keys.
        let by_partition_key: HashMap<String, &String> = keys.iter().map(|key| (partition_key(key), key)).collect();
        let table =
            KeyedTable { client: &self.client, name: &self.table, called: self.called, attributes: &[AVAILABLE] };
        let items = table.items(&by_partition_key.keys().collect::<Vec<_>>()).await?;
        let number = |item: Item| {
            let partition_key = item.get("pk")?.as_s().ok()?;
            Some(((*by_partition_key.get(partition_key)?).clone(), self.number(&item)))
        };
        items.into_iter().filter_map(number).map(|(key, number)| Ok((key, number?))).collect()
    }

    /// Sets a counter, whatever its value. Returns the earlier value; `None` if missing.
    ///
    /// # Errors
    /// DynamoDB refuses or does not answer, or the earlier value is not a number.
    pub async fn set(&self, counter: &Counter) -> anyhow::Result<Option<u64>> {
        let request = self.client.update_item().table_name(&self.table);
        let request = request
            .key("pk", AttributeValue::S(partition_key(&counter.key)))
            .update_expression("SET #available = :available")
            .expression_attribute_names("#available", AVAILABLE)
            .expression_attribute_values(":available", AttributeValue::N(counter.available.to_string()))
            .return_values(ReturnValue::UpdatedOld);
        let response = request.send().await.map_err(|error| describe(&error));
        let response =
            response.with_context(|| format!("Failed to set {} in the {} {}", counter.key, self.called, self.table))?;
        response.attributes().filter(|item| item.contains_key(AVAILABLE)).map(|item| self.number(item)).transpose()
    }

    /// Sets counters concurrently; stops soon after an error.
    pub async fn set_all(&self, counters: Vec<Counter>) -> CounterChanges {
        let mut changes = CounterChanges::default();
        for some in counters.chunks(AT_ONCE) {
            for (counter, set) in some.iter().zip(join_all(some.iter().map(|counter| self.set(counter))).await) {
                match set {
                    Ok(was) => changes.done.push((counter.clone(), was)),
                    Err(error) => changes.error = changes.error.or(Some(error)),
                }
            }
            if changes.error.is_some() {
                break;
            }
        }
        changes
    }

    fn number(&self, item: &Item) -> anyhow::Result<u64> {
        let number = item.get(AVAILABLE).and_then(|value| value.as_n().ok()?.parse().ok());
        number.with_context(|| format!("A counter in the {} {} is not a whole number", self.called, self.table))
    }
}

/// Checks that a text is a valid SKU.
///
/// # Errors
/// The rule for SKUs.
pub fn check_sku(text: &str) -> Result<(), String> {
    shared_kernel::Sku::parse(text).map(drop).ok_or_else(|| format!("a SKU {}", shared_kernel::Sku::RULE))
}

pub(crate) fn partition_key(key: &str) -> String {
    format!("counter#{key}")
}
