use hyper::{Method, Request, body::Bytes};
use reqwest::Url;
use serde_json::Value;
use std::{collections::HashMap, sync::Arc};

/// A function's request to AWS.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// The caller that [`Endpoint::listen_for`](crate::Endpoint::listen_for) named for the used address; else empty.
    pub caller: Arc<str>,
    /// DynamoDB: `PutItem`, `UpdateItem`, `GetItem`, `TransactWriteItems` and so on. SNS: `Publish`. Management API:
    /// `PostToConnection`. A request that only opens a connection: `Connect`.
    pub operation: String,
    /// The item's partition key, the owner of a query, or the connection id. A transaction: the key of its first `Put`,
    /// else of its first `Update`. A published event: `{owner}#{orderId}`.
    pub key: String,
    /// The table's name or the topic's ARN; else empty.
    pub target: String,
    /// The order status or hold state that it writes.
    pub status: Option<String>,
    /// The type of the published event: `order.placed` and so on.
    pub event: Option<String>,
}

impl Call {
    pub(crate) fn read(caller: Arc<str>, request: &Request<Bytes>) -> Self {
        Self { caller, ..Self::from_request(request) }
    }

    fn from_request(request: &Request<Bytes>) -> Self {
        let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
        if let Some((_, operation)) = target.and_then(|target| target.split_once('.')) {
            return Self::from_dynamodb(operation, request.body());
        }
        if request.method() == Method::GET {
            return Self { operation: "Connect".into(), ..Self::default() };
        }
        if request.uri().path() == "/" {
            return Self::from_sns(request.body());
        }
        let id = request.uri().path().rsplit('/').next().unwrap_or_default();
        let id = id.replace("%3D", "=").replace("%3d", "=");
        Self { operation: "PostToConnection".into(), key: id, ..Self::default() }
    }

    /// Source: Amazon DynamoDB Developer Guide, "DynamoDB low-level API".
    fn from_dynamodb(operation: &str, body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let actions = body["TransactItems"].as_array().map(Vec::as_slice).unwrap_or_default();
        let action = |name: &str| actions.iter().map(|action| &action[name]).find(|action| action.is_object());
        let request = action("Put").or_else(|| action("Update")).unwrap_or(&body);
        let text = |pointer: &str| request.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let key = text("/Item/pk/S").or_else(|| text("/Key/pk/S"));
        let key = key.or_else(|| text("/ExpressionAttributeValues/:owner/S")).unwrap_or_default();
        let written = [
            "/Item/status/S",
            "/Item/state/S",
            "/ExpressionAttributeValues/:status/S",
            "/ExpressionAttributeValues/:end/S",
        ];
        let status = written.into_iter().find_map(text);
        let target = text("/TableName").unwrap_or_default();
        Self { operation: operation.to_owned(), key, target, status, ..Self::default() }
    }

    /// Source: Amazon SNS API Reference, `Publish`: a form.
    fn from_sns(body: &[u8]) -> Self {
        let mut url = Url::parse("http://form").expect("it is a URL");
        url.set_query(std::str::from_utf8(body).ok());
        let form: HashMap<_, _> = url.query_pairs().into_owned().collect();
        let field = |name: &str| form.get(name).cloned().unwrap_or_default();
        let event: Value = serde_json::from_str(&field("Message")).unwrap_or_default();
        let text = |name: &str| event[name].as_str().unwrap_or_default();
        Self {
            operation: field("Action"),
            key: format!("{}#{}", text("owner"), text("orderId")),
            target: field("TopicArn"),
            event: event["type"].as_str().map(str::to_owned),
            ..Self::default()
        }
    }

    /// Whether it is a single write with that order status or hold state.
    #[must_use]
    pub fn writes(&self, status: &str) -> bool {
        ["PutItem", "UpdateItem"].contains(&self.operation.as_str()) && self.status.as_deref() == Some(status)
    }

    /// Whether it is a transaction that leaves a hold in that state.
    #[must_use]
    pub fn transacts(&self, state: &str) -> bool {
        self.operation == "TransactWriteItems" && self.status.as_deref() == Some(state)
    }

    /// Whether it sends a frame to a socket.
    #[must_use]
    pub fn is_post(&self) -> bool {
        self.operation == "PostToConnection"
    }

    /// Whether it publishes an event.
    #[must_use]
    pub fn is_publish(&self) -> bool {
        self.operation == "Publish"
    }

    /// Whether it is about the order with that id, of any owner.
    #[must_use]
    pub fn is_about(&self, order_id: &str) -> bool {
        self.order_id() == order_id
    }

    /// The last part of its key: the order's id, if it is about an order.
    #[must_use]
    pub fn order_id(&self) -> &str {
        self.key.rsplit('#').next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn dynamodb(operation: &str, body: &Value) -> Call {
        let request = Request::post("/").header("x-amz-target", format!("DynamoDB_20120810.{operation}"));
        Call::from_request(&request.body(body.to_string().into()).expect("a request"))
    }

    #[test]
    fn reads_which_order_is_written_with_which_status() {
        let put = dynamodb(
            "PutItem",
            &json!({"TableName": "orders", "Item": {"pk": {"S": "demo#1"}, "status": {"S": "CONFIRMED"}}}),
        );
        let update = dynamodb(
            "UpdateItem",
            &json!({"TableName": "orders", "Key": {"pk": {"S": "demo#1"}},
                "ExpressionAttributeValues": {":status": {"S": "CANCELLED"}}}),
        );

        assert!(put.writes("CONFIRMED") && update.writes("CANCELLED") && !put.writes("CANCELLED"));
        for call in [put, update] {
            assert!(call.is_about("1") && call.target == "orders", "{call:?}");
        }
    }

    #[test]
    fn reads_whether_a_transaction_takes_or_gives_back() {
        let counter = json!({"Update": {"TableName": "stock", "Key": {"pk": {"S": "counter#SKU-1"}}}});
        let hold =
            json!({"Put": {"TableName": "stock", "Item": {"pk": {"S": "order#demo#1"}, "state": {"S": "HELD"}}}});
        let undo = json!({"Update": {"TableName": "stock", "Key": {"pk": {"S": "order#demo#1"}},
            "ExpressionAttributeValues": {":end": {"S": "UNDONE"}, ":held": {"S": "HELD"}}}});

        let take = dynamodb("TransactWriteItems", &json!({"TransactItems": [hold, counter]}));
        let give_back = dynamodb("TransactWriteItems", &json!({"TransactItems": [undo, counter]}));

        assert!(take.transacts("HELD") && give_back.transacts("UNDONE"), "{take:?} {give_back:?}");
        for call in [take, give_back] {
            assert!(call.is_about("1") && call.target == "stock", "{call:?}");
        }
    }

    #[test]
    fn reads_which_event_is_published_to_which_topic() {
        let event = json!({"type": "order.placed", "owner": "a&b=c", "orderId": "1"}).to_string();
        let mut form = Url::parse("http://form").expect("it is a URL");
        form.query_pairs_mut().extend_pairs([("Action", "Publish"), ("TopicArn", "arn:topic"), ("Message", &event)]);
        let body = form.query().expect("it has fields").to_owned();

        let call = Call::from_request(&Request::post("/").body(body.into()).expect("a request"));

        assert!(call.is_publish() && call.is_about("1"), "{call:?}");
        assert_eq!((call.target.as_str(), call.event.as_deref()), ("arn:topic", Some("order.placed")));
        assert_eq!(call.key, "a&b=c#1");
    }

    #[test]
    fn reads_which_socket_is_posted_to() {
        let request = Request::post("/api/live/%40connections/abc%3D").body(Bytes::new()).expect("a request");

        let call = Call::from_request(&request);

        assert!(call.is_post() && call.key == "abc=", "{call:?}");
    }
}
