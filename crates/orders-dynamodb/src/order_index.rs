use crate::{error::repository_error, order_record::OrderRecord};
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use orders::{
    Currency, Lane, OrderId, OrderIndex, OrderListQuery, OrderPage, OrderSummary, RepositoryError, Status, Timestamp,
};
use serde::Deserialize;
use std::collections::HashMap;

/// Lists orders through an index of the orders table with the partition key `owner` and the sort key `placedAt`.
///
/// A start key contains the keys of table and index, so orders of the same millisecond are neither skipped nor
/// repeated. Source: Amazon DynamoDB API Reference, `Query`, `ExclusiveStartKey`.
#[derive(Clone, Debug)]
pub struct DynamoDbOrderIndex {
    client: Client,
    table_name: String,
    index_name: String,
}

impl DynamoDbOrderIndex {
    /// Lists orders through `index_name` of `table_name`.
    #[must_use]
    pub fn new(client: Client, table_name: impl Into<String>, index_name: impl Into<String>) -> Self {
        Self { client, table_name: table_name.into(), index_name: index_name.into() }
    }
}

impl OrderIndex for DynamoDbOrderIndex {
    /// One query for one order more than the page holds, to see whether another page follows. 101 entries are far below
    /// a query's limit of 1 MB.
    async fn list(&self, wanted: &OrderListQuery) -> Result<OrderPage, RepositoryError> {
        let limit = usize::from(wanted.limit.get());
        let mut query = self
            .client
            .query()
            .table_name(&self.table_name)
            .index_name(&self.index_name)
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(wanted.owner.as_str()))
            .scan_index_forward(false)
            .limit(i32::from(wanted.limit.get()) + 1);
        query = match wanted.since {
            None => query.key_condition_expression("#owner = :owner"),
            Some(since) => query
                .key_condition_expression("#owner = :owner AND placedAt >= :since")
                .expression_attribute_values(":since", text(since.to_string())),
        };
        if let Some(after) = wanted.after {
            query = query
                .exclusive_start_key("pk", text(OrderRecord::key(&wanted.owner, &after.id)))
                .exclusive_start_key("owner", text(wanted.owner.as_str()))
                .exclusive_start_key("placedAt", text(after.placed_at.to_string()));
        }
        let mut entries = query.send().await.map_err(repository_error)?.items.unwrap_or_default();
        let has_more = entries.len() > limit;
        entries.truncate(limit);
        let orders = entries.into_iter().map(IndexEntry::read).collect::<Result<_, _>>()?;
        Ok(OrderPage { orders, has_more })
    }
}

fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct IndexEntry {
    order_id: String,
    status: String,
    lane: String,
    placed_at: String,
    confirmed_at: Option<String>,
    cancelled_at: Option<String>,
    currency: Option<String>,
    total_minor: Option<u64>,
}

impl IndexEntry {
    fn read(item: HashMap<String, AttributeValue>) -> Result<OrderSummary, RepositoryError> {
        let entry: Self = serde_dynamo::from_item(item).map_err(|error| RepositoryError::Unreadable(error.into()))?;
        let id = entry.order_id.clone();
        let summary = entry.into_summary();
        summary.ok_or_else(|| RepositoryError::Unreadable(format!("entry {id} of the index is not an order").into()))
    }

    fn into_summary(self) -> Option<OrderSummary> {
        let decided_at = match self.confirmed_at.or(self.cancelled_at) {
            Some(moment) => Some(Timestamp::parse(&moment).ok()?),
            None => None,
        };
        let total = match self.currency.zip(self.total_minor) {
            Some((code, minor_units)) => Some((Currency::parse(&code)?, minor_units)),
            None => None,
        };
        Some(OrderSummary {
            id: OrderId::parse(&self.order_id).ok()?,
            lane: Lane::from_name(&self.lane)?,
            status: Status::from_name(&self.status)?,
            placed_at: Timestamp::parse(&self.placed_at).ok()?,
            decided_at,
            total,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_http_client::test_util::infallible_client_fn;
    use dynamodb_fake::client;
    use orders::{ListPosition, Order, PageLimit, fakes};
    use serde_json::{Value, json};
    use std::sync::{Arc, Mutex};

    /// A fake that always gives this answer, and the requests.
    fn answering(answer: Value) -> (DynamoDbOrderIndex, Arc<Mutex<Vec<Value>>>) {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let http_client = infallible_client_fn(move |request| {
            let body = serde_json::from_slice(request.body().bytes().expect("the body is in memory"));
            seen.lock().expect("no test panicked").push(body.expect("a request is JSON"));
            http::Response::new(answer.to_string())
        });
        (DynamoDbOrderIndex::new(client(http_client), "orders", "OrdersByOwner"), requests)
    }

    fn wanted(limit: &str) -> OrderListQuery {
        let limit = PageLimit::parse(limit).expect("a limit");
        OrderListQuery { owner: fakes::owner("alice"), since: None, after: None, limit }
    }

    /// The attributes that `template.yaml` lists, and the keys.
    fn entry(order: &Order) -> Value {
        let item: HashMap<String, AttributeValue> =
            serde_dynamo::to_item(OrderRecord::new(order, None)).expect("an order is an item");
        let projected = ["orderId", "status", "lane", "confirmedAt", "cancelledAt", "currency", "totalMinor"];
        let names = projected.into_iter().chain(["pk", "owner", "placedAt"]);
        let json = names.filter_map(|name| {
            Some(match item.get(name)? {
                AttributeValue::S(text) => (name, json!({ "S": text })),
                AttributeValue::N(number) => (name, json!({ "N": number })),
                other => panic!("{name} is {other:?}"),
            })
        });
        json.map(|(name, value)| (name.to_owned(), value)).collect::<serde_json::Map<_, _>>().into()
    }

    #[tokio::test]
    async fn reads_the_entry_of_an_order_of_each_status() {
        let orders =
            [fakes::order(), fakes::placed(), fakes::confirmed_by_steps(), fakes::cancelled("no"), fakes::failed()];
        let (index, _) = answering(json!({"Items": orders.iter().map(entry).collect::<Vec<_>>()}));

        let page = index.list(&wanted("20")).await.expect("DynamoDB answered");

        assert_eq!(page.orders, orders.iter().map(OrderSummary::from).collect::<Vec<_>>());
        assert_eq!(page.next(), None);
    }

    #[tokio::test]
    async fn a_page_says_where_the_next_one_begins_if_an_order_follows() {
        let (index, _) = answering(json!({"Items": [entry(&fakes::order()), entry(&fakes::failed())]}));

        let page = index.list(&wanted("1")).await.expect("DynamoDB answered");

        assert_eq!(page.orders, [OrderSummary::from(&fakes::order())]);
        assert_eq!(page.next(), Some(ListPosition { placed_at: fakes::moment(0), id: fakes::order_id() }));
    }

    #[tokio::test]
    async fn queries_only_the_owners_orders_newest_first_from_the_given_position() {
        let (index, requests) = answering(json!({}));
        let after = Some(ListPosition { placed_at: fakes::moment(9), id: fakes::order_id() });

        index.list(&OrderListQuery { since: Some(fakes::moment(1)), after, ..wanted("100") }).await.expect("an answer");

        let (moment, id) = ("2026-01-01T00:00:09.000Z", "alice#5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b");
        assert_eq!(
            requests.lock().expect("no test panicked")[..],
            [json!({
                "TableName": "orders",
                "IndexName": "OrdersByOwner",
                "ScanIndexForward": false,
                "Limit": 101,
                "KeyConditionExpression": "#owner = :owner AND placedAt >= :since",
                "ExpressionAttributeNames": {"#owner": "owner"},
                "ExpressionAttributeValues": {":owner": {"S": "alice"}, ":since": {"S": "2026-01-01T00:00:01.000Z"}},
                "ExclusiveStartKey": {"pk": {"S": id}, "owner": {"S": "alice"}, "placedAt": {"S": moment}},
            })]
        );
    }

    #[tokio::test]
    async fn refuses_an_entry_that_is_not_an_order() {
        let mut broken = entry(&fakes::order());
        broken["status"] = json!({"S": "ODD"});
        let (index, _) = answering(json!({"Items": [broken]}));

        let error = index.list(&wanted("20")).await.expect_err("the status is unknown");

        assert!(matches!(error, RepositoryError::Unreadable(_)), "{error:?}");
    }
}
