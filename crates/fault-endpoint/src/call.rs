//! What a function asks of AWS, as the endpoint sees it.

use hyper::{Method, Request, body::Bytes};
use serde_json::Value;

/// One request of a function.
#[derive(Clone, Debug)]
pub struct Call {
    /// `PutItem`, `GetItem`, `Query`, `DeleteItem` or `PostToConnection`; `Connect` for a request that only opens a
    /// connection.
    pub operation: String,
    /// The item's partition key, the owner of a query, or the connection id.
    pub key: String,
    /// The status of the order that is written.
    pub status: Option<String>,
}

impl Call {
    pub(crate) fn read(request: &Request<Bytes>) -> Self {
        let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
        let Some((_, operation)) = target.and_then(|target| target.split_once('.')) else {
            if request.method() == Method::GET {
                return Self { operation: "Connect".into(), key: String::new(), status: None };
            }
            let id = request.uri().path().rsplit('/').next().unwrap_or_default();
            let id = id.replace("%3D", "=").replace("%3d", "=");
            return Self { operation: "PostToConnection".into(), key: id, status: None };
        };
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let key = text("/Item/pk/S").or_else(|| text("/Key/pk/S"));
        let key = key.or_else(|| text("/ExpressionAttributeValues/:owner/S")).unwrap_or_default();
        Self { operation: operation.to_owned(), key, status: text("/Item/status/S") }
    }

    /// Whether it writes an order with that status.
    #[must_use]
    pub fn writes(&self, status: &str) -> bool {
        self.operation == "PutItem" && self.status.as_deref() == Some(status)
    }

    /// Whether it tells a socket something.
    #[must_use]
    pub fn is_post(&self) -> bool {
        self.operation == "PostToConnection"
    }

    /// Whether it is about that order of any owner.
    #[must_use]
    pub fn is_about(&self, order_id: &str) -> bool {
        self.key.rsplit('#').next() == Some(order_id)
    }
}
