//! An in-memory table with Amazon DynamoDB's API, for tests of adapters.
//!
//! It implements `GetItem`, `PutItem`, `UpdateItem` and `TransactWriteItems` on a table with the string partition key
//! `pk`, with the operators that this project uses. As in DynamoDB, a comparison with a missing attribute is false, and
//! each placeholder must be used. Any other request panics.

mod expression;

use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Config, Credentials, HttpClient, Region, retry::RetryConfig},
};
use aws_smithy_http_client::test_util::infallible_client_fn;
use expression::Expressions;
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex};

/// The requests that a table served, oldest first, each with the operation's name as `Operation`.
pub type Requests = Arc<Mutex<Vec<Value>>>;

/// A DynamoDB client over this HTTP client, without retries.
#[must_use]
pub fn client(http_client: impl HttpClient + 'static) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .http_client(http_client)
        .build();
    Client::from_conf(config)
}

/// A client of a new table with these items, in DynamoDB's JSON.
///
/// # Panics
/// If an item has no `pk`.
#[must_use]
pub fn table(items: impl IntoIterator<Item = Value>) -> (Client, Requests) {
    let items = items.into_iter().map(|item| (key(&item["pk"]), item)).collect();
    let (requests, table) = (Requests::default(), Mutex::new(Table(items)));
    let seen = Arc::clone(&requests);
    let http_client = infallible_client_fn(move |request| {
        let target = request.headers().get("x-amz-target").and_then(|value| value.to_str().ok());
        let operation =
            target.and_then(|target| target.rsplit('.').next()).expect("an operation of DynamoDB").to_owned();
        let mut body: Value = serde_json::from_slice(request.body().bytes().expect("in memory")).expect("JSON");
        let (status, answer) = table.lock().expect("no test panicked").serve(&operation, &body);
        body["Operation"] = json!(operation);
        seen.lock().expect("no test panicked").push(body);
        http::Response::builder().status(status).body(answer.to_string()).expect("a response")
    });
    (client(http_client), requests)
}

fn key(pk: &Value) -> String {
    pk["S"].as_str().expect("a partition key is a string").to_owned()
}

struct Table(Map<String, Value>);

/// Has the item if the request wants it.
struct ConditionFailed {
    old: Option<Value>,
}

impl Table {
    /// The status and the body of the response.
    fn serve(&mut self, operation: &str, request: &Value) -> (u16, Value) {
        match operation {
            "GetItem" => {
                let item = self.0.get(&key(&request["Key"]["pk"]));
                (200, item.map_or(json!({}), |item| json!({ "Item": item })))
            }
            "PutItem" | "UpdateItem" => match self.written(operation, request) {
                Ok((key, item)) => {
                    self.0.insert(key, item.clone());
                    (200, if request["ReturnValues"] == "ALL_NEW" { json!({ "Attributes": item }) } else { json!({}) })
                }
                Err(failed) => {
                    let mut error = exception("ConditionalCheckFailedException");
                    if let Some(item) = failed.old {
                        error["Item"] = item;
                    }
                    (400, error)
                }
            },
            "TransactWriteItems" => self.transact(request["TransactItems"].as_array().expect("actions")),
            other => panic!("{other} is not implemented"),
        }
    }

    /// All actions or none. The cancellation reasons have the order of the actions.
    fn transact(&mut self, actions: &[Value]) -> (u16, Value) {
        let write = |action: &Value| match (action.get("Put"), action.get("Update")) {
            (Some(put), None) => self.written("PutItem", put),
            (None, Some(update)) => self.written("UpdateItem", update),
            _ => panic!("{action} is not implemented"),
        };
        let written: Vec<_> = actions.iter().map(write).collect();
        if written.iter().all(Result::is_ok) {
            self.0.extend(written.into_iter().flatten());
            return (200, json!({}));
        }
        let reason = |written: Result<_, ConditionFailed>| match written {
            Ok(_) => json!({"Code": "None"}),
            Err(ConditionFailed { old: None }) => json!({"Code": "ConditionalCheckFailed"}),
            Err(ConditionFailed { old }) => json!({"Code": "ConditionalCheckFailed", "Item": old}),
        };
        let mut error = exception("TransactionCanceledException");
        error["CancellationReasons"] = written.into_iter().map(reason).collect();
        (400, error)
    }

    /// The key and the item after a write.
    fn written(&self, operation: &str, request: &Value) -> Result<(String, Value), ConditionFailed> {
        let key = key(request.pointer("/Key/pk").unwrap_or(&request["Item"]["pk"]));
        let old = self.0.get(&key);
        let expressions = Expressions::new(request);
        if !expressions.condition(old.unwrap_or(&json!({}))) {
            let is_wanted = request["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD";
            return Err(ConditionFailed { old: old.filter(|_| is_wanted).cloned() });
        }
        let new = match operation {
            "PutItem" => request["Item"].clone(),
            _ => expressions.update(old.unwrap_or(&json!({"pk": {"S": key}}))),
        };
        Ok((key, new))
    }
}

fn exception(code: &str) -> Value {
    json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{code}")})
}
