//! What is too much is refused at the edge, as a problem that says when to come back, and costs nothing behind it.
//!
//! Limits are changed while this runs, so it has the stack to itself, and a change must take effect at once: this needs a
//! local cloud, `python3 infra/local exec -- cargo test -p twolane-tests --test throttles`.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped is what the test is about; the place says enough")]

use futures_util::FutureExt;
use reqwest::Method;
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, resume_unwind};
use testkit::{
    api_client::{Answer, ApiClient, send},
    local_account::request,
    order_bodies::{new_id, order_of},
    outputs::output,
    stack::Stack,
};

/// The deployed stage of the REST API.
struct Stage {
    /// Where API Gateway has it.
    path: String,
}

impl Stage {
    fn of_stack() -> Self {
        let url = output("ApiUrl").trim_end_matches('/');
        assert!(url.starts_with("http:"), "this refuses every request for a while, so it is for local clouds alone");
        let mut segments = url.rsplit('/');
        let [name, api_id] = [segments.next().unwrap(), segments.next().unwrap()];
        Self { path: format!("restapis/{api_id}/stages/{name}") }
    }

    async fn update(&self, operations: Value) {
        let request = request("apigateway", Method::PATCH, &self.path).json(&json!({"patchOperations": operations}));
        let answer = send(request).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// The limits of a method of its own, if it has any: requests at once, and a second.
    async fn limits(&self, method: &str) -> Option<(u64, f64)> {
        let stage = send(request("apigateway", Method::GET, &self.path)).await.body;
        let mut settings = stage["methodSettings"].as_object().unwrap().iter();
        let own = settings.find(|(name, _)| name.trim_start_matches('/') == method.trim_start_matches('/'));
        own.map(|(_, setting)| {
            (setting["throttlingBurstLimit"].as_u64().unwrap(), setting["throttlingRateLimit"].as_f64().unwrap())
        })
    }

    /// Sets or takes away the limits of a method.
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

    /// What `work` comes to while the method takes nothing at all.
    async fn while_closed<T>(&self, method: &str, work: impl AsyncFnOnce() -> T) -> T {
        let before = self.limits(method).await;
        self.limit(method, Some((0, 0.0))).await;
        let result = AssertUnwindSafe(work()).catch_unwind().await;
        self.limit(method, before).await;
        assert_eq!(self.limits(method).await, before, "{method}: the limits are what they were");
        result.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

fn is_throttled(answer: &Answer) {
    answer.problem(429);
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn what_is_past_a_limit_is_a_problem_that_says_when_to_come_back_and_reaches_nothing() {
    let (stage, api, stack) =
        (Stage::of_stack(), ApiClient::new().hearing_of_throttles(), Stack::of_environment().await);
    let order = order_of("SKU-1");
    let [sync, async_, read] = ["/sync/orders/{orderId}/PUT", "/async/orders/{orderId}/PUT", "/orders/{orderId}/GET"];
    assert!(stage.limits(sync).await.is_some(), "the template gives the sync lane limits of its own");
    let (refused, not_queued, other) = (new_id(), new_id(), new_id());

    // Each lane has its own limit: the other goes on.
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

    // What came after is done, so what was refused would be by now.
    let after = new_id();
    assert_eq!(api.put("async", &after, &order).await.status, 202);
    api.settled(&after).await;
    for id in [refused, not_queued] {
        assert!(stack.items_with_order_id(&id).await.is_empty());
        assert_eq!(api.put("sync", &id, &order).await.status, 201, "what was throttled is safe to repeat");
    }
}
