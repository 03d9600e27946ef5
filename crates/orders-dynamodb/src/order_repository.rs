//! The orders table.

use crate::{error::repository_error, order_record::OrderRecord};
use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};
use orders::{Order, OrderId, OrderRepository, Owner, RepositoryError, Status, StoreOutcome};
use std::time::Duration;

/// Keeps orders in a table with the string partition key `pk`.
#[derive(Clone, Debug)]
pub struct DynamoDbOrderRepository {
    client: Client,
    table_name: String,
    retention: Option<Duration>,
}

impl DynamoDbOrderRepository {
    /// Keeps orders in `table_name`: for `retention` after they were placed, or for ever.
    #[must_use]
    pub fn new(client: Client, table_name: impl Into<String>, retention: Option<Duration>) -> Self {
        Self { client, table_name: table_name.into(), retention }
    }
}

impl OrderRepository for DynamoDbOrderRepository {
    /// One conditional write, whatever the outcome: when the condition fails, DynamoDB hands over the item in the way
    /// in the same answer.
    async fn store(&self, order: &Order) -> Result<StoreOutcome, RepositoryError> {
        let expires_at = self.retention.map(|retention| order.placed_at.plus(retention));
        let item = serde_dynamo::to_item(OrderRecord::new(order, expires_at))
            .map_err(|error| RepositoryError::Refused(error.into()))?;
        let written = self
            .client
            .put_item()
            .table_name(&self.table_name)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk) OR (#status = :failed AND requestHash = :hash)")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":failed", AttributeValue::S(Status::Failed.name().to_owned()))
            .expression_attribute_values(":hash", AttributeValue::S(order.fingerprint.to_string()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;

        let Err(error) = written else { return Ok(StoreOutcome::Stored) };
        let in_the_way = error.as_service_error().and_then(|error| match error {
            aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(failed) => {
                failed.item.clone()
            }
            _ => None,
        });
        match in_the_way {
            Some(item) => OrderRecord::read(item).map(StoreOutcome::Exists),
            None => Err(repository_error(error)),
        }
    }

    async fn find(&self, owner: &Owner, id: &OrderId) -> Result<Option<Order>, RepositoryError> {
        let found = self
            .client
            .get_item()
            .table_name(&self.table_name)
            .key("pk", AttributeValue::S(OrderRecord::key(owner, id)))
            .consistent_read(true)
            .send()
            .await
            .map_err(repository_error)?;
        found.item.map(OrderRecord::read).transpose()
    }
}
