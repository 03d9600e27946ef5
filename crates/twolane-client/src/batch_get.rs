//! Reads a table's items by key.

use crate::aws::describe;
use anyhow::{Context, bail};
use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, KeysAndAttributes},
};
use std::{collections::HashMap, time::Duration};

/// Source: Amazon DynamoDB API Reference, `BatchGetItem`.
const BATCH: usize = 100;

/// Attempts: DynamoDB returns unprocessed keys when it is over its limit.
const ROUNDS: u32 = 8;

/// By attribute name.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// Its only key is the text attribute `pk`.
#[derive(Clone, Debug)]
pub(crate) struct KeyedTable<'a> {
    pub(crate) client: &'a Client,
    pub(crate) name: &'a str,
    /// Its name in errors: `orders table`.
    pub(crate) called: &'a str,
    /// Attributes to read besides the key.
    pub(crate) attributes: &'a [&'a str],
}

impl KeyedTable<'_> {
    /// Key and attributes of the existing items among those keys. Keys must be unique.
    ///
    /// # Errors
    /// DynamoDB refuses, does not answer, or is over its limit for seconds.
    pub(crate) async fn items(&self, keys: &[&String]) -> anyhow::Result<Vec<Item>> {
        let mut items = Vec::new();
        for some in keys.chunks(BATCH) {
            items.extend(self.batch(some).await?);
        }
        Ok(items)
    }

    async fn batch(&self, keys: &[&String]) -> anyhow::Result<Vec<Item>> {
        let keys = keys.iter().map(|key| HashMap::from([("pk".to_owned(), AttributeValue::S((*key).clone()))]));
        let names = || std::iter::once(&"pk").chain(self.attributes);
        let wanted = KeysAndAttributes::builder()
            .set_keys(Some(keys.collect()))
            .consistent_read(true)
            .projection_expression(names().map(|name| format!("#{name}")).collect::<Vec<_>>().join(", "))
            .set_expression_attribute_names(Some(
                names().map(|name| (format!("#{name}"), (*name).to_owned())).collect(),
            ))
            .build()
            .expect("keys are set");
        let (mut left, mut items) = (HashMap::from([(self.name.to_owned(), wanted)]), Vec::new());
        for round in 0..ROUNDS {
            if round > 0 {
                tokio::time::sleep(Duration::from_millis(50) * 2_u32.pow(round)).await;
            }
            let response = self.client.batch_get_item().set_request_items(Some(left)).send().await;
            let response = response.map_err(|error| describe(&error));
            let response = response.with_context(|| format!("Failed to read the {} {}", self.called, self.name))?;
            items.extend(response.responses.unwrap_or_default().into_values().flatten());
            left = response.unprocessed_keys.unwrap_or_default();
            if left.is_empty() {
                return Ok(items);
            }
        }
        bail!("The {} {} is over its limit and did not answer; try again in a moment", self.called, self.name)
    }
}
