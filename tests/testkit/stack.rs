//! The stack under test.

use crate::{
    outputs::{HOW, output},
    queue_messages,
    tokens::subject_of,
};
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_http_client::{Builder, tls};
use std::{
    collections::{BTreeSet, HashMap},
    env,
};

/// The default owner of orders.
pub const OWNER: &str = "demo";

/// An item of a table.
pub type Item = HashMap<String, AttributeValue>;

/// Clients of the stack's tables and queues.
pub struct Stack {
    /// For tables.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// For queues.
    pub sqs: aws_sdk_sqs::Client,
}

impl Stack {
    /// As the environment says.
    pub async fn from_env() -> Self {
        let config = sdk_config().await;
        Self { dynamodb: aws_sdk_dynamodb::Client::new(&config), sqs: aws_sdk_sqs::Client::new(&config) }
    }

    /// An order's item now.
    pub async fn item(&self, id: &str) -> Option<Item> {
        let key = AttributeValue::S(format!("{}#{id}", subject_of(OWNER)));
        let request = self.dynamodb.get_item().table_name(output("OrdersTableName")).consistent_read(true);
        request.key("pk", key).send().await.expect("the orders table can be read").item
    }

    /// Items with that order id, of any owner.
    pub async fn items_with_order_id(&self, id: &str) -> Vec<Item> {
        let request = self.dynamodb.scan().table_name(output("OrdersTableName")).consistent_read(true);
        let request = request.filter_expression("orderId = :id");
        let pages = request.expression_attribute_values(":id", AttributeValue::S(id.to_owned()));
        let items = pages.into_paginator().items().send().collect::<Result<Vec<_>, _>>();
        items.await.expect("the orders table can be scanned")
    }

    /// Ids of connections with a row.
    pub async fn connections(&self) -> BTreeSet<String> {
        self.connection_rows().await.iter().map(|row| row["sk"].as_s().unwrap().clone()).collect()
    }

    /// Ids of the owner's connections with a row.
    pub async fn connections_of(&self, owner: &str) -> BTreeSet<String> {
        let rows = self.connection_rows().await;
        let own = rows.iter().filter(|row| row["pk"].as_s().unwrap() == owner);
        own.map(|row| row["sk"].as_s().unwrap().clone()).collect()
    }

    async fn connection_rows(&self) -> Vec<Item> {
        let request = self.dynamodb.scan().table_name(output("ConnectionsTableName")).consistent_read(true);
        let rows = request.into_paginator().items().send().collect::<Result<Vec<_>, _>>();
        rows.await.expect("the connections table can be scanned")
    }

    /// Adds the row of a connection, as if its socket had closed unnoticed.
    pub async fn add_gone_connection(&self, owner: &str, id: &str, expires_at: u64) {
        let row = self.dynamodb.put_item().table_name(output("ConnectionsTableName"));
        let row = row.item("pk", AttributeValue::S(owner.to_owned())).item("sk", AttributeValue::S(id.to_owned()));
        // Long ago: the worker keeps young rows, because their sockets may be just opening.
        let row = row.item("connectedAt", AttributeValue::S("2026-01-01T00:00:00.000Z".to_owned()));
        let row = row.item("expiresAt", AttributeValue::N(expires_at.to_string()));
        row.send().await.expect("the connections table can be written");
    }

    /// Each order's status, by its key `{owner}#{orderId}`.
    pub async fn statuses(&self) -> HashMap<String, String> {
        let request = self.dynamodb.scan().table_name(output("OrdersTableName")).consistent_read(true);
        let items = request.into_paginator().items().send().collect::<Result<Vec<_>, _>>();
        let items = items.await.expect("the orders table can be scanned");
        let text = |item: &Item, name: &str| item[name].as_s().unwrap().clone();
        items.iter().map(|item| (text(item, "pk"), text(item, "status"))).collect()
    }

    /// Messages in the queue of that output: visible, in flight and delayed.
    pub async fn messages_in(&self, queue: &str) -> usize {
        queue_messages::count(&self.sqs, output(queue)).await
    }
}

/// The SDK's configuration.
pub async fn sdk_config() -> SdkConfig {
    let (local, endpoint) = (output("ApiUrl").starts_with("http:"), env::var_os("AWS_ENDPOINT_URL"));
    assert!(!local || endpoint.is_some(), "The stack is a local one, and AWS_ENDPOINT_URL is not set.\n{HOW}");
    let http_client =
        Builder::new().tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring)).build_https();
    aws_config::defaults(BehaviorVersion::latest()).http_client(http_client).load().await
}
