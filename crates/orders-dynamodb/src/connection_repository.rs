//! The connections table.

use crate::error::repository_error;
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use orders::{Connection, ConnectionId, ConnectionRepository, Owner, RepositoryError, Timestamp};
use std::{collections::HashMap, time::Duration};

/// How long a row outlives its connection, so that a notification still finds it, and closes the socket.
const GRACE: Duration = Duration::from_mins(10);

/// Keeps connections in a table with the string keys `pk`, the owner, and `sk`, the connection id; in `sessionEndsAt` when
/// they expire, and in `expiresAt`, the table's time to live, a moment a little later, both in seconds since 1970.
#[derive(Clone, Debug)]
pub struct DynamoDbConnectionRepository {
    client: Client,
    table_name: String,
}

impl DynamoDbConnectionRepository {
    /// Keeps connections in `table_name`.
    #[must_use]
    pub fn new(client: Client, table_name: impl Into<String>) -> Self {
        Self { client, table_name: table_name.into() }
    }
}

impl ConnectionRepository for DynamoDbConnectionRepository {
    async fn add(&self, connection: &Connection) -> Result<(), RepositoryError> {
        self.client
            .put_item()
            .table_name(&self.table_name)
            .item("pk", AttributeValue::S(connection.owner.to_string()))
            .item("sk", AttributeValue::S(connection.id.to_string()))
            .item("connectedAt", AttributeValue::S(connection.connected_at.to_string()))
            .item("sessionEndsAt", seconds(connection.expires_at))
            .item("expiresAt", seconds(connection.expires_at.plus(GRACE)))
            .send()
            .await
            .map_err(repository_error)?;
        Ok(())
    }

    async fn remove(&self, owner: &Owner, id: &ConnectionId) -> Result<(), RepositoryError> {
        self.client
            .delete_item()
            .table_name(&self.table_name)
            .key("pk", AttributeValue::S(owner.to_string()))
            .key("sk", AttributeValue::S(id.to_string()))
            .send()
            .await
            .map_err(repository_error)?;
        Ok(())
    }

    /// Rows that are not ours are passed over: they must not keep the owner's sockets from being told.
    async fn list(&self, owner: &Owner) -> Result<Vec<Connection>, RepositoryError> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table_name)
            .key_condition_expression("pk = :owner")
            .expression_attribute_values(":owner", AttributeValue::S(owner.to_string()))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut connections = Vec::new();
        while let Some(item) = pages.next().await {
            connections.extend(read(owner, &item.map_err(repository_error)?));
        }
        Ok(connections)
    }
}

fn read(owner: &Owner, item: &HashMap<String, AttributeValue>) -> Option<Connection> {
    let text = |name: &str| item.get(name)?.as_s().ok();
    Some(Connection {
        owner: owner.clone(),
        id: ConnectionId::parse(text("sk")?).ok()?,
        connected_at: Timestamp::parse(text("connectedAt")?).ok()?,
        expires_at: moment(item.get("sessionEndsAt").or(item.get("expiresAt"))?)?,
    })
}

fn seconds(moment: Timestamp) -> AttributeValue {
    AttributeValue::N(moment.unix_seconds().to_string())
}

fn moment(seconds: &AttributeValue) -> Option<Timestamp> {
    let seconds: i64 = seconds.as_n().ok()?.parse().ok()?;
    Timestamp::from_unix_ms(seconds.checked_mul(1000)?).ok()
}
