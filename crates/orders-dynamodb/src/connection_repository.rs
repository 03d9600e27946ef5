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
    count_unreadable: fn(usize),
}

impl DynamoDbConnectionRepository {
    /// Keeps connections in `table_name`.
    #[must_use]
    pub fn new(client: Client, table_name: impl Into<String>) -> Self {
        Self { client, table_name: table_name.into(), count_unreadable: |_| () }
    }

    /// Calls `count` after each look-up that skipped rows, with their number.
    #[must_use]
    pub fn count_unreadable(self, count: fn(usize)) -> Self {
        Self { count_unreadable: count, ..self }
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

    /// Skips rows that cannot be read: they must not keep the owner's other sockets from being notified. Each is logged and
    /// counted.
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
        let (mut connections, mut unreadable) = (Vec::new(), 0);
        while let Some(item) = pages.next().await {
            let item = item.map_err(repository_error)?;
            match read(owner, &item) {
                Ok(connection) => connections.push(connection),
                Err(Malformed(attribute)) => {
                    let id = text(&item, "sk").unwrap_or("(none)");
                    tracing::error!(connection.id = id, "Skipped connection {id}: its {attribute} cannot be read");
                    unreadable += 1;
                }
            }
        }
        if unreadable > 0 {
            (self.count_unreadable)(unreadable);
        }
        Ok(connections)
    }
}

/// The attribute of a row that is missing or cannot be read.
struct Malformed(&'static str);

fn read(owner: &Owner, item: &HashMap<String, AttributeValue>) -> Result<Connection, Malformed> {
    Ok(Connection {
        owner: owner.clone(),
        id: text(item, "sk").and_then(|id| ConnectionId::parse(id).ok()).ok_or(Malformed("sk"))?,
        connected_at: text(item, "connectedAt")
            .and_then(|moment| Timestamp::parse(moment).ok())
            .ok_or(Malformed("connectedAt"))?,
        expires_at: (item.get("sessionEndsAt").or(item.get("expiresAt")))
            .and_then(moment)
            .ok_or(Malformed("sessionEndsAt"))?,
    })
}

fn text<'a>(item: &'a HashMap<String, AttributeValue>, name: &str) -> Option<&'a str> {
    Some(item.get(name)?.as_s().ok()?)
}

fn seconds(moment: Timestamp) -> AttributeValue {
    AttributeValue::N(moment.unix_seconds().to_string())
}

fn moment(seconds: &AttributeValue) -> Option<Timestamp> {
    let seconds: i64 = seconds.as_n().ok()?.parse().ok()?;
    Timestamp::from_unix_ms(seconds.checked_mul(1000)?).ok()
}
