use crate::error::repository_error;
use aws_sdk_dynamodb::{Client, operation::query::QueryOutput, types::AttributeValue};
use orders::{Connection, ConnectionId, ConnectionRepository, Owner, RepositoryError, Timestamp};
use std::{collections::HashMap, time::Duration};

/// A row, or the key of one.
type Item = HashMap<String, AttributeValue>;

/// How long a row outlives its connection, so that a notification still closes the socket.
const GRACE: Duration = Duration::from_mins(10);

/// Keeps connections in a table with the string keys `pk`, the owner, and `sk`, the connection id. `sessionEndsAt` is
/// when the connection expires; `expiresAt`, the time to live, is ten minutes later. Both are in seconds since 1970.
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

    /// The SDK's paginator does the same, but wakes the event loop four times a page.
    async fn page(&self, owner: &Owner, after: Option<Item>) -> Result<QueryOutput, RepositoryError> {
        self.client
            .query()
            .table_name(&self.table_name)
            .key_condition_expression("pk = :owner")
            .expression_attribute_values(":owner", AttributeValue::S(owner.to_string()))
            .consistent_read(true)
            .set_exclusive_start_key(after)
            .send()
            .await
            .map_err(repository_error)
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

    /// Logs, counts and skips unreadable rows, so that the owner's other sockets are still notified.
    async fn list(&self, owner: &Owner) -> Result<Vec<Connection>, RepositoryError> {
        let (mut connections, mut unreadable, mut after) = (Vec::new(), 0, None);
        loop {
            let page = self.page(owner, after).await?;
            for item in page.items() {
                match read(owner, item) {
                    Ok(connection) => connections.push(connection),
                    Err(Malformed(attribute)) => {
                        let id = text(item, "sk").unwrap_or("(none)");
                        tracing::error!(connection.id = id, "Skipped connection {id}: its {attribute} cannot be read");
                        unreadable += 1;
                    }
                }
            }
            after = page.last_evaluated_key.filter(|key| !key.is_empty());
            if after.is_none() {
                break;
            }
        }
        if unreadable > 0 {
            (self.count_unreadable)(unreadable);
        }
        Ok(connections)
    }
}

struct Malformed(&'static str);

fn read(owner: &Owner, item: &Item) -> Result<Connection, Malformed> {
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

fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    Some(item.get(name)?.as_s().ok()?)
}

fn seconds(moment: Timestamp) -> AttributeValue {
    AttributeValue::N(moment.unix_seconds().to_string())
}

fn moment(seconds: &AttributeValue) -> Option<Timestamp> {
    let seconds: i64 = seconds.as_n().ok()?.parse().ok()?;
    Timestamp::from_unix_ms(seconds.checked_mul(1000)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
    use aws_smithy_http_client::test_util::infallible_client_fn;
    use orders::fakes;
    use serde_json::{Value, json};

    /// A table with one row a page.
    fn pages(ids: &'static [&str]) -> DynamoDbConnectionRepository {
        let http_client = infallible_client_fn(move |request| {
            let request: Value = serde_json::from_slice(request.body().bytes().expect("in memory")).expect("JSON");
            let after = request["ExclusiveStartKey"]["sk"]["S"].as_str();
            let next = after.map_or(0, |after| 1 + ids.iter().position(|id| *id == after).expect("a key that it gave"));
            let key = json!({"pk": {"S": "alice"}, "sk": {"S": ids[next]}});
            let row = json!({
                "sk": {"S": ids[next]},
                "connectedAt": {"S": "2026-01-01T00:00:00.000Z"},
                "expiresAt": {"N": "1767312000"},
            });
            let mut answer = json!({"Items": [row]});
            if next + 1 < ids.len() {
                answer["LastEvaluatedKey"] = key;
            }
            http::Response::new(answer.to_string())
        });
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
            .http_client(http_client)
            .build();
        DynamoDbConnectionRepository::new(Client::from_conf(config), "connections")
    }

    #[tokio::test]
    async fn lists_the_connections_of_all_pages() {
        for ids in [["a"].as_slice(), &["a", "b", "c"]] {
            let listed = pages(ids).list(&fakes::owner("alice")).await.expect("DynamoDB answered");

            let listed: Vec<_> = listed.iter().map(|connection| connection.id.as_str()).collect();
            assert_eq!(listed, ids);
        }
    }
}
