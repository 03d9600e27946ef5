//! What can go wrong between a function and AWS.

use super::{call::Call, gate::Gate};
use hyper::{Response, StatusCode, body::Bytes, header::CONTENT_TYPE};
use serde_json::json;
use std::time::Duration;

/// What happens to a request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// AWS is over its limit; nothing was done.
    Throttle,
    /// AWS has a fault of its own and says so; nothing was done.
    ServerError(StatusCode),
    /// It takes that long, then goes well.
    Slow(Duration),
    /// Nothing is done and no answer comes: the client's timeout ends it.
    HangBefore,
    /// It is done and no answer comes: the timeout after the write.
    HangAfter,
    /// The connection breaks; nothing was done.
    DropBefore,
    /// It is done, then the connection breaks.
    DropAfter,
    /// It is done, and the connection breaks in the middle of the answer.
    Truncate,
    /// It waits at the gate before anything is done.
    HoldBefore(Gate),
    /// It is done, and its answer waits at the gate.
    HoldAfter(Gate),
    /// It is done, and done again that many times, each after a random time up to `within`: as a publish that arrives more
    /// than once and overtakes others.
    Repeat {
        /// How often it is done again.
        times: usize,
        /// Longest time until it is done again.
        within: Duration,
    },
}

impl Fault {
    /// A short name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Throttle => "throttle",
            Self::ServerError(_) => "server error",
            Self::Slow(_) => "slow",
            Self::HangBefore => "no answer",
            Self::HangAfter => "no answer after the work",
            Self::DropBefore => "dropped",
            Self::DropAfter => "dropped after the work",
            Self::Truncate => "truncated",
            Self::HoldBefore(_) => "held",
            Self::HoldAfter(_) => "held after the work",
            Self::Repeat { .. } => "repeated",
        }
    }
}

/// As DynamoDB, SNS and the management API say that they are over a limit. Sources: Amazon DynamoDB Developer Guide, "Error
/// handling with DynamoDB"; Amazon SNS API Reference, `Publish`, errors; Amazon API Gateway, `PostToConnection`, errors.
pub(crate) fn throttled(call: &Call) -> Response<Bytes> {
    if call.is_publish() {
        return error_of_sns(StatusCode::TOO_MANY_REQUESTS, "Throttled");
    }
    if call.is_post() {
        return error(StatusCode::TOO_MANY_REQUESTS, "LimitExceededException");
    }
    error(StatusCode::BAD_REQUEST, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException")
}

/// As AWS says that it has a fault.
pub(crate) fn server_error(call: &Call, status: StatusCode) -> Response<Bytes> {
    if call.is_publish() {
        return error_of_sns(status, "InternalError");
    }
    let code = if status == StatusCode::SERVICE_UNAVAILABLE { "ServiceUnavailable" } else { "InternalServerError" };
    error(status, code)
}

/// Source: Amazon SNS Developer Guide, the AWS query protocol.
fn error_of_sns(status: StatusCode, code: &str) -> Response<Bytes> {
    let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>injected</Message></Error>");
    let body = format!(r#"<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">{error}</ErrorResponse>"#);
    let response = Response::builder().status(status).header(CONTENT_TYPE, "text/xml");
    response.body(body.into()).expect("status and headers are well-formed")
}

fn error(status: StatusCode, code: &str) -> Response<Bytes> {
    let body = json!({"__type": code, "message": "injected"}).to_string();
    let response = Response::builder().status(status).header(CONTENT_TYPE, "application/x-amz-json-1.0");
    response.header("x-amzn-errortype", code).body(body.into()).expect("status and headers are well-formed")
}
