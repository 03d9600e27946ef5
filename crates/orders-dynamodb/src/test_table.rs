//! A table in memory behind DynamoDB's API, as far as the orders table is used: `GetItem`, `PutItem` and `UpdateItem` with
//! the operators of our expressions. Expressions are evaluated as DynamoDB documents them: a comparison with an attribute that
//! does not exist is false, and each placeholder of a request must be used.

use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Config, Credentials, HttpClient, Region, retry::RetryConfig},
};
use aws_smithy_http_client::test_util::infallible_client_fn;
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex};

/// The requests that a table served, each with the name of its operation as `Operation`.
pub(crate) type Requests = Arc<Mutex<Vec<Value>>>;

/// A client of this HTTP client's DynamoDB, without retries.
pub(crate) fn client(http_client: impl HttpClient + 'static) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .http_client(http_client)
        .build();
    Client::from_conf(config)
}

/// A client of a new and empty table.
pub(crate) fn table() -> (Client, Requests) {
    let requests = Requests::default();
    let (seen, items) = (Arc::clone(&requests), Mutex::new(Map::new()));
    let http_client = infallible_client_fn(move |request| {
        let target = request.headers().get("x-amz-target").and_then(|value| value.to_str().ok());
        let operation =
            target.and_then(|target| target.rsplit('.').next()).expect("an operation of DynamoDB").to_owned();
        let mut body: Value = serde_json::from_slice(request.body().bytes().expect("in memory")).expect("JSON");
        let (status, answer) = serve(&mut items.lock().expect("no test panicked"), &operation, &body);
        body["Operation"] = json!(operation);
        seen.lock().expect("no test panicked").push(body);
        http::Response::builder().status(status).body(answer.to_string()).expect("a response")
    });
    (client(http_client), requests)
}

fn serve(items: &mut Map<String, Value>, operation: &str, request: &Value) -> (u16, Value) {
    let key = request.pointer("/Key/pk/S").or(request.pointer("/Item/pk/S"));
    let key = key.and_then(Value::as_str).expect("a key").to_owned();
    let old = items.get(&key).cloned();
    if operation == "GetItem" {
        return (200, old.map_or(json!({}), |item| json!({ "Item": item })));
    }
    let expressions = Expressions::of(request);
    if !expressions.condition(&old.clone().unwrap_or(json!({}))) {
        let mut error = json!({"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"});
        if let (Some(item), "ALL_OLD") = (old, request["ReturnValuesOnConditionCheckFailure"].as_str().unwrap_or("")) {
            error["Item"] = item;
        }
        return (400, error);
    }
    let new = match operation {
        "PutItem" => request["Item"].clone(),
        "UpdateItem" => expressions.update(old.unwrap_or(json!({"pk": {"S": key}}))),
        other => panic!("{other} is not served"),
    };
    items.insert(key, new.clone());
    (200, if request["ReturnValues"] == "ALL_NEW" { json!({ "Attributes": new }) } else { json!({}) })
}

/// The expressions of one request, and what their placeholders stand for.
struct Expressions<'a>(&'a Value);

impl<'a> Expressions<'a> {
    fn of(request: &'a Value) -> Self {
        let text = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
        let used = tokens(&[text("ConditionExpression"), text("UpdateExpression")].join(" "));
        for placeholders in ["ExpressionAttributeNames", "ExpressionAttributeValues"] {
            for name in request[placeholders].as_object().into_iter().flatten().map(|(name, _)| name) {
                let is_used = used.iter().any(|token| token.split('.').any(|part| part == name));
                assert!(is_used, "{name} is not used, which DynamoDB refuses");
            }
        }
        Self(request)
    }

    fn condition(&self, item: &Value) -> bool {
        let tokens = tokens(self.0["ConditionExpression"].as_str().expect("every write has a condition"));
        let mut rest = tokens.iter().map(String::as_str).peekable();
        let holds = self.either(item, &mut rest);
        assert_eq!(rest.next(), None, "the condition is read to its end");
        holds
    }

    fn either<'t>(&self, item: &Value, rest: &mut std::iter::Peekable<impl Iterator<Item = &'t str>>) -> bool {
        let mut holds = self.both(item, rest);
        while rest.next_if_eq(&"OR").is_some() {
            holds |= self.both(item, rest);
        }
        holds
    }

    fn both<'t>(&self, item: &Value, rest: &mut std::iter::Peekable<impl Iterator<Item = &'t str>>) -> bool {
        let mut holds = self.one(item, rest);
        while rest.next_if_eq(&"AND").is_some() {
            holds &= self.one(item, rest);
        }
        holds
    }

    fn one<'t>(&self, item: &Value, rest: &mut std::iter::Peekable<impl Iterator<Item = &'t str>>) -> bool {
        match rest.next().expect("a condition") {
            "NOT" => !self.one(item, rest),
            "(" => {
                let holds = self.either(item, rest);
                assert_eq!(rest.next(), Some(")"));
                holds
            }
            "attribute_not_exists" => {
                assert_eq!(rest.next(), Some("("));
                let absent = self.find(item, rest.next().expect("a path")).is_none();
                assert_eq!(rest.next(), Some(")"));
                absent
            }
            path => {
                assert_eq!(rest.next(), Some("="));
                let value = self.value(rest.next().expect("a value"));
                self.find(item, path) == Some(value)
            }
        }
    }

    fn update(&self, mut item: Value) -> Value {
        let sets =
            self.0["UpdateExpression"].as_str().and_then(|update| update.strip_prefix("SET ")).expect("only sets");
        for set in sets.split(", ") {
            let (path, value) = set.split_once(" = ").expect("an assignment");
            let value = self.value(value).clone();
            let mut names: Vec<_> = path.split('.').map(|name| self.name(name)).collect();
            let last = names.pop().expect("a path has a name");
            let parent = names.iter().fold(&mut item, |parent, name| &mut parent[name]["M"]);
            parent.as_object_mut().expect("DynamoDB adds nothing to a map that is not there").insert(last, value);
        }
        item
    }

    fn find<'i>(&self, item: &'i Value, path: &str) -> Option<&'i Value> {
        let mut names = path.split('.').map(|name| self.name(name));
        let first = item.get(names.next()?)?;
        names.try_fold(first, |value, name| value.get("M")?.get(name))
    }

    fn name(&self, name: &str) -> String {
        if name.starts_with('#') {
            self.0["ExpressionAttributeNames"][name].as_str().expect("the name is defined").to_owned()
        } else {
            name.to_owned()
        }
    }

    fn value(&self, name: &str) -> &Value {
        self.0["ExpressionAttributeValues"].get(name).expect("the value is defined")
    }
}

/// Words, and parentheses as words.
fn tokens(expression: &str) -> Vec<String> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace(',', " ");
    spaced.split_whitespace().map(str::to_owned).collect()
}
