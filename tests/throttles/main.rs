//! Above a rate limit, the edge refuses requests with a problem and `Retry-After`, and they reach nothing behind it.
//!
//! The test changes limits, so no other suite may use the stack concurrently. Changes must take effect at once, so it
//! needs a local cloud: `python3 infra/local exec -- cargo test -p twolane-tests --test throttles`.
#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test, and names its place")]

use futures_util::FutureExt;
use reqwest::Method;
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, resume_unwind};
use testkit::{
    api_client::{ApiClient, Response, send},
    local_account::request,
    order_bodies::{new_id, order_of},
    outputs::output,
    stack::Stack,
};

/// Of the REST API.
struct Stage {
    /// In the API of API Gateway.
    path: String,
}

impl Stage {
    fn from_outputs() -> Self {
        let url = output("ApiUrl").trim_end_matches('/');
        assert!(url.starts_with("http:"), "only for local clouds: the test refuses every request for a while");
        let mut segments = url.rsplit('/');
        let [name, api_id] = [segments.next().unwrap(), segments.next().unwrap()];
        Self { path: format!("restapis/{api_id}/stages/{name}") }
    }

    async fn update(&self, operations: Value) {
        let request = request("apigateway", Method::PATCH, &self.path).json(&json!({"patchOperations": operations}));
        let response = send(request).await;
        assert_eq!(response.status, 200, "{response:?}");
    }

    /// A method's burst and requests per second, if limited.
    async fn limits(&self, method: &str) -> Option<(u64, f64)> {
        let stage = send(request("apigateway", Method::GET, &self.path)).await.body;
        let mut settings = stage["methodSettings"].as_object().unwrap().iter();
        let own = settings.find(|(name, _)| name.trim_start_matches('/') == method.trim_start_matches('/'));
        own.map(|(_, setting)| {
            (setting["throttlingBurstLimit"].as_u64().unwrap(), setting["throttlingRateLimit"].as_f64().unwrap())
        })
    }

    async fn limit(&self, method: &str, limits: Option<(u64, f64)>) {
        let (path, method) = method.rsplit_once('/').unwrap();
        let path = path.replace('/', "~1");
        let operations = match limits {
            Some((burst, rate)) => {
                [("burstLimit", burst.to_string()), ("rateLimit", rate.to_string())].map(|(limit, value)| {
                    json!({"op": "replace", "path": format!("/{path}/{method}/throttling/{limit}"), "value": value})
                })
            }
            .into(),
            None => json!([{"op": "remove", "path": format!("/{path}/{method}")}]),
        };
        self.update(operations).await;
    }

    /// Meanwhile the method refuses every request.
    async fn while_closed<T>(&self, method: &str, work: impl AsyncFnOnce() -> T) -> T {
        let before = self.limits(method).await;
        self.limit(method, Some((0, 0.0))).await;
        let result = AssertUnwindSafe(work()).catch_unwind().await;
        self.limit(method, before).await;
        assert_eq!(self.limits(method).await, before, "{method}: the limits must be restored");
        result.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

fn is_throttled(response: &Response) {
    response.problem(429);
    assert_eq!(response.header("retry-after"), "1");
    assert_eq!(response.header("cache-control"), "no-store");
}

#[tokio::test]
async fn throttled_requests_get_a_problem_with_retry_after_and_reach_nothing() {
    let (stage, api, stack) = (Stage::from_outputs(), ApiClient::new().returning_throttles(), Stack::from_env().await);
    let order = order_of("SKU-1");
    let [sync, async_, read] = ["/sync/orders/{orderId}/PUT", "/async/orders/{orderId}/PUT", "/orders/{orderId}/GET"];
    assert!(stage.limits(sync).await.is_some(), "the template sets limits for the sync lane");
    let (refused, not_queued, other) = (new_id(), new_id(), new_id());

    // Lanes have separate limits: the other lane continues.
    stage
        .while_closed(sync, async || {
            is_throttled(&api.put("sync", &refused, &order).await);
            assert_eq!(api.put("async", &other, &order).await.status, 202);
            assert_eq!(api.settled(&other).await["status"], "CONFIRMED");
        })
        .await;
    stage
        .while_closed(async_, async || {
            is_throttled(&api.put("async", &not_queued, &order).await);
            assert_eq!(api.put("sync", &new_id(), &order).await.status, 201);
        })
        .await;
    stage.while_closed(read, async || is_throttled(&api.get(&other).await)).await;

    // A later order is settled, so a refused one would be, too.
    let after = new_id();
    assert_eq!(api.put("async", &after, &order).await.status, 202);
    api.settled(&after).await;
    for id in [refused, not_queued] {
        assert!(stack.items_with_order_id(&id).await.is_empty());
        assert_eq!(api.put("sync", &id, &order).await.status, 201, "a throttled request can be repeated");
    }
}
