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
    /// AWS is over its limit, and does nothing.
    Throttle,
    /// AWS answers with a server error, and does nothing.
    ServerError(StatusCode),
    /// The request is done after this delay.
    Slow(Duration),
    /// Nothing is done, and no answer comes.
    HangBefore,
    /// The request is done, but no answer comes.
    HangAfter,
    /// The connection breaks before the request is done.
    DropBefore,
    /// The connection breaks after the request is done.
    DropAfter,
    /// The request is done. The connection breaks in the middle of the answer.
    Truncate,
    /// The request waits at the gate before it is done.
    HoldBefore(Gate),
    /// The request is done. Its answer waits at the gate.
    HoldAfter(Gate),
    /// The request is done several times, each after a random delay. The caller gets the first answer. So a publish can
    /// overtake others.
    Scatter(Scatter),
}

/// How often a request is done, and when. The delays depend only on the seed, the operation, the event and the order
/// id, not on the order of the requests.
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
    pub(crate) fn delays(self, call: &Call) -> Vec<Duration> {
        let mut hasher = DefaultHasher::new();
        (self.seed, &call.operation, &call.event, call.order_id()).hash(&mut hasher);
        let mut random = Rng::with_seed(hasher.finish());
        (0..self.copies).map(|_| self.within.mul_f64(random.f64())).collect()
    }
}

impl Fault {
    /// A short name, for messages.
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

/// Sources: Amazon DynamoDB Developer Guide, "Error handling with DynamoDB"; Amazon SNS API Reference, `Publish`,
/// errors; Amazon API Gateway, `PostToConnection`, errors.
pub(crate) fn throttled(call: &Call) -> Response<Bytes> {
    if call.is_publish() {
        return sns_error(StatusCode::TOO_MANY_REQUESTS, "Throttled");
    }
    if call.is_post() {
        return error(StatusCode::TOO_MANY_REQUESTS, "LimitExceededException");
    }
    error(StatusCode::BAD_REQUEST, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException")
}

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
