//! What can go wrong between a function and AWS.

use super::{call::Call, gate::Gate};
use fastrand::Rng;
use hyper::{Response, StatusCode, body::Bytes, header::CONTENT_TYPE};
use serde_json::json;
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

/// What happens to a request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// AWS is over its limit; nothing was done.
    Throttle,
    /// AWS answers with a server error; nothing was done.
    ServerError(StatusCode),
    /// The request succeeds after this delay.
    Slow(Duration),
    /// Nothing is done and no answer comes, until the client times out.
    HangBefore,
    /// The request is done, but no answer comes: the client times out after the write.
    HangAfter,
    /// The connection breaks; nothing was done.
    DropBefore,
    /// The request is done, then the connection breaks.
    DropAfter,
    /// The request is done, and the connection breaks in the middle of the answer.
    Truncate,
    /// The request waits at the gate before it is forwarded.
    HoldBefore(Gate),
    /// The request is done, and its answer waits at the gate.
    HoldAfter(Gate),
    /// The request is done several times, each after a random delay. The caller gets the first answer. So a publish
    /// arrives several times and can overtake other publishes.
    Scatter(Scatter),
}

/// How often a request is done, and when.
///
/// The delays depend only on the seed, the operation, the event and the order id. A run with the same seed and orders
/// has the same delays, whatever order its requests come in.
#[derive(Clone, Copy, Debug)]
pub struct Scatter {
    /// Number of copies, 1 or more.
    pub copies: usize,
    /// Longest delay.
    pub within: Duration,
    /// Chooses the delays.
    pub seed: u64,
}

impl Scatter {
    /// The delay of each copy of this call.
    pub(crate) fn delays(self, call: &Call) -> Vec<Duration> {
        let mut hasher = DefaultHasher::new();
        (self.seed, &call.operation, &call.event, call.order_id()).hash(&mut hasher);
        let mut random = Rng::with_seed(hasher.finish());
        (0..self.copies).map(|_| self.within.mul_f64(random.f64())).collect()
    }
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
            Self::Scatter(_) => "scattered",
        }
    }
}

/// The throttling error of DynamoDB, SNS or the management API. Sources: Amazon DynamoDB Developer Guide, "Error
/// handling with DynamoDB"; Amazon SNS API Reference, `Publish`, errors; Amazon API Gateway, `PostToConnection`,
/// errors.
pub(crate) fn throttled(call: &Call) -> Response<Bytes> {
    if call.is_publish() {
        return sns_error(StatusCode::TOO_MANY_REQUESTS, "Throttled");
    }
    if call.is_post() {
        return error(StatusCode::TOO_MANY_REQUESTS, "LimitExceededException");
    }
    error(StatusCode::BAD_REQUEST, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException")
}

/// AWS's answer to a request that met a server error.
pub(crate) fn server_error(call: &Call, status: StatusCode) -> Response<Bytes> {
    if call.is_publish() {
        return sns_error(status, "InternalError");
    }
    let code = if status == StatusCode::SERVICE_UNAVAILABLE { "ServiceUnavailable" } else { "InternalServerError" };
    error(status, code)
}

/// Source: Amazon SNS Developer Guide, the AWS query protocol.
fn sns_error(status: StatusCode, code: &str) -> Response<Bytes> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn published(event: &str, key: &str) -> Call {
        Call { operation: "Publish".into(), event: Some(event.into()), key: key.into(), ..Call::default() }
    }

    #[test]
    fn a_seed_repeats_the_delays_of_an_order_for_any_owner() {
        let scatter = Scatter { copies: 3, within: Duration::from_secs(2), seed: 7 };

        let delays = scatter.delays(&published("order.placed", "demo#1"));

        assert!(delays.len() == 3 && delays.iter().all(|delay| *delay <= scatter.within), "{delays:?}");
        assert_eq!(delays, scatter.delays(&published("order.placed", "alice#1")));
        for other in [published("order.placed", "demo#2"), published("order.cancelled", "demo#1")] {
            assert_ne!(delays, scatter.delays(&other), "{other:?}");
        }
        assert_ne!(delays, Scatter { seed: 8, ..scatter }.delays(&published("order.placed", "demo#1")));
    }
}
