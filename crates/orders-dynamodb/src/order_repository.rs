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
    pub(crate) client: Client,
    pub(crate) table_name: String,
    retention: Option<Duration>,
}

impl DynamoDbOrderRepository {
    /// Keeps orders in `table_name` for `retention` after they were placed; `None` keeps them for ever.
    #[must_use]
    pub fn new(client: Client, table_name: impl Into<String>, retention: Option<Duration>) -> Self {
        Self { client, table_name: table_name.into(), retention }
    }
}

impl OrderRepository for DynamoDbOrderRepository {
    /// Always one conditional write. If the condition fails, the response contains the existing item.
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
        let existing = error.as_service_error().and_then(|error| match error {
            aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(failed) => {
                failed.item.clone()
            }
            _ => None,
        });
        match existing {
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

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_http_client::test_util::infallible_client_fn;
    use dynamodb_fake::client;
    use orders::fakes;
    use serde_json::{Value, json};
    use std::sync::{Arc, Mutex};

    /// A fake that always gives this answer, and the requests.
    fn answering(status: u16, answer: Value) -> (DynamoDbOrderRepository, Arc<Mutex<Vec<Value>>>) {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let http_client = infallible_client_fn(move |request| {
            let body = serde_json::from_slice(request.body().bytes().expect("the body is in memory"));
            seen.lock().expect("no test panicked").push(body.expect("a request is JSON"));
            http::Response::builder().status(status).body(answer.to_string()).expect("a response")
        });
        let day = Duration::from_hours(24);
        (DynamoDbOrderRepository::new(client(http_client), "orders", Some(day)), requests)
    }

    fn error(code: &str) -> Value {
        json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": "internal detail"})
    }

    #[tokio::test]
    async fn stores_with_one_conditional_write_that_returns_an_existing_item() {
        let (repository, requests) = answering(200, json!({}));

        let outcome = repository.store(&fakes::failed()).await.expect("DynamoDB took it");

        assert_eq!(outcome, StoreOutcome::Stored);
        let requests = requests.lock().expect("no test panicked");
        let [request] = &requests[..] else { panic!("one request, not {}", requests.len()) };
        assert_eq!(request["ReturnValuesOnConditionCheckFailure"], "ALL_OLD");
        assert_eq!(request["Item"]["pk"]["S"], "alice#5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b");
        assert_eq!(request["Item"]["requestHash"], request["ExpressionAttributeValues"][":hash"]);
        assert_eq!(request["Item"]["expiresAt"]["N"], "1767312000", "a day after 2026-01-01");
    }

    #[tokio::test]
    async fn returns_the_existing_order() {
        let stored: std::collections::HashMap<String, AttributeValue> =
            serde_dynamo::to_item(OrderRecord::new(&fakes::failed(), None)).expect("a record is an item");
        let item: serde_json::Map<_, _> = stored
            .into_iter()
            .map(|(name, value)| {
                let typed = match value {
                    AttributeValue::S(text) => json!({"S": text}),
                    AttributeValue::N(number) => json!({"N": number}),
                    other => panic!("a failed order has no {other:?}"),
                };
                (name, typed)
            })
            .collect();
        let mut answer = error("ConditionalCheckFailedException");
        answer["Item"] = Value::Object(item);
        let (repository, _) = answering(400, answer);

        let outcome = repository.store(&fakes::failed()).await.expect("a failed condition is not an error");

        assert_eq!(outcome, StoreOutcome::Exists(fakes::failed()));
    }

    #[tokio::test]
    async fn treats_a_failed_condition_without_the_item_as_unavailability() {
        let (repository, _) = answering(400, error("ConditionalCheckFailedException"));

        let error = repository.store(&fakes::failed()).await.expect_err("whether the order is stored is unknown");

        assert!(matches!(error, RepositoryError::Unavailable(_)), "{error:?}");
    }

    #[tokio::test]
    async fn distinguishes_throttles_faults_and_refusals() {
        type Check = fn(&RepositoryError) -> bool;
        let cases: [(u16, &str, Check); 6] = [
            (400, "ProvisionedThroughputExceededException", |error| matches!(error, RepositoryError::Throttled(_))),
            (400, "ThrottlingException", |error| matches!(error, RepositoryError::Throttled(_))),
            (500, "InternalServerError", |error| matches!(error, RepositoryError::Unavailable(_))),
            (503, "ServiceUnavailable", |error| matches!(error, RepositoryError::Unavailable(_))),
            (400, "AccessDeniedException", |error| matches!(error, RepositoryError::Refused(_))),
            (400, "ResourceNotFoundException", |error| matches!(error, RepositoryError::Refused(_))),
        ];
        for (status, code, expected) in cases {
            let (repository, _) = answering(status, error(code));

            let stored = repository.store(&fakes::failed()).await.expect_err("DynamoDB refused");
            let found =
                repository.find(&fakes::owner("alice"), &fakes::order_id()).await.expect_err("DynamoDB refused");

            assert!(expected(&stored), "{code}: {stored:?}");
            assert!(expected(&found), "{code}: {found:?}");
        }
    }

    #[tokio::test]
    async fn treats_an_answer_that_is_not_from_dynamodb_as_unavailability() {
        let (repository, _) = answering(502, json!("<html>Bad Gateway</html>"));

        let error = repository.store(&fakes::failed()).await.expect_err("it was not stored");

        assert!(matches!(error, RepositoryError::Unavailable(_)), "{error:?}");
    }

    #[tokio::test]
    async fn finds_nothing_in_an_empty_table() {
        let (repository, requests) = answering(200, json!({}));

        let found = repository.find(&fakes::owner("alice"), &fakes::order_id()).await.expect("DynamoDB answered");

        assert_eq!(found, None);
        assert_eq!(requests.lock().expect("no test panicked")[0]["ConsistentRead"], true);
    }
}
