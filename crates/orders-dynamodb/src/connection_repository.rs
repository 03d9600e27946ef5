//! The connections table.

use crate::error::repository_error;
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use orders::{Connection, ConnectionId, ConnectionRepository, Owner, RepositoryError};

/// Keeps connections in a table with the string keys `pk`, the owner, and `sk`, the connection id, and a time to live
/// in `expiresAt`.
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
            .item("expiresAt", AttributeValue::N(connection.expires_at().unix_seconds().to_string()))
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

    async fn list(&self, owner: &Owner) -> Result<Vec<ConnectionId>, RepositoryError> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table_name)
            .key_condition_expression("pk = :owner")
            .expression_attribute_values(":owner", AttributeValue::S(owner.to_string()))
            .projection_expression("sk")
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut ids = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(repository_error)?;
            let id = item.get("sk").and_then(|value| value.as_s().ok()).and_then(|id| ConnectionId::parse(id).ok());
            ids.push(id.ok_or_else(|| RepositoryError::Unreadable("a connection has no readable id".into()))?);
        }
        Ok(ids)
    }
}
