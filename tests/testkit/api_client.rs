//! The REST API over HTTP.

use crate::{
    eventually::{DEADLINE, eventually},
    outputs::output,
    stack::OWNER,
    tokens::token,
};
use orders_api::Problem;
use reqwest::{
    Body, Client, Method, RequestBuilder, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap},
};
use serde_json::{Value, json};
use std::sync::OnceLock;

/// Names of all lanes.
pub const LANES: [&str; lanes::LANES.len()] = {
    let mut names = [""; lanes::LANES.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = lanes::LANES[at].name;
        at += 1;
    }
    names
};

/// Statuses before the decision.
const UNDECIDED: [&str; 2] = ["PENDING", "PLACED"];

/// A client of the stack's REST API. Make one per test, because connections belong to a test's runtime.
pub struct ApiClient {
    http: Client,
    authorization: Option<String>,
    returns_throttles: bool,
}

/// A response of the API.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// JSON, or else the text as a JSON string.
    pub body: Value,
}

/// Installs the TLS provider of HTTP and WebSocket clients, which a local stack does not need.
pub fn set_up_tls() {
    static DONE: OnceLock<()> = OnceLock::new();
    DONE.get_or_init(|| rustls::crypto::ring::default_provider().install_default().unwrap());
}

/// `path` below the base URL.
pub fn url(path: &str) -> Url {
    Url::parse(&format!("{}/{path}", output("ApiUrl"))).unwrap()
}

impl ApiClient {
    /// A client of [`OWNER`].
    #[expect(clippy::new_without_default, reason = "no client is the default one")]
    pub fn new() -> Self {
        Self::for_user(OWNER)
    }

    /// A client of that user.
    pub fn for_user(subject: &str) -> Self {
        Self::with_authorization(Some(format!("Bearer {}", token(subject))))
    }

    /// Sends that `Authorization` header, or none, and waits [`DEADLINE`] for an answer.
    pub fn with_authorization(authorization: Option<String>) -> Self {
        set_up_tls();
        let builder = Client::builder().timeout(DEADLINE);
        // Never behind a proxy.
        let local = url("").scheme() == "http";
        let http = if local { builder.no_proxy() } else { builder }.build().unwrap();
        Self { http, authorization, returns_throttles: false }
    }

    /// Returns throttled requests (429) instead of sending them again.
    #[must_use]
    pub fn returning_throttles(self) -> Self {
        Self { returns_throttles: true, ..self }
    }

    /// A request to build upon.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, url(path));
        match &self.authorization {
            Some(value) => request.header(AUTHORIZATION, value),
            None => request,
        }
    }

    /// Places an order.
    pub async fn put(&self, lane: &str, id: &str, order: &Value) -> Response {
        self.put_bytes(lane, id, order.to_string()).await
    }

    /// Sends any body to a lane as `application/json`.
    pub async fn put_bytes(&self, lane: &str, id: &str, body: impl Into<Body>) -> Response {
        let path = lanes::lane(lane).expect("a lane of the table").path;
        let request = self.request(Method::PUT, &format!("{path}/{id}"));
        self.send(request.header(CONTENT_TYPE, "application/json").body(body)).await
    }

    /// Sends a payment.
    pub async fn put_payment(&self, id: &str, currency: &str, amount_minor: i64) -> Response {
        let payment = json!({"currency": currency, "amountMinor": amount_minor});
        self.send(self.request(Method::PUT, &format!("payments/{id}")).json(&payment)).await
    }

    /// Reads an order.
    pub async fn get(&self, id: &str) -> Response {
        self.send(self.request(Method::GET, &format!("orders/{id}"))).await
    }

    /// A page of the list of orders. `query` follows `?`, encoded.
    pub async fn list(&self, query: &str) -> Response {
        self.send(self.request(Method::GET, &format!("orders?{query}"))).await
    }

    async fn send(&self, request: RequestBuilder) -> Response {
        if self.returns_throttles { try_send(request).await.expect("the API answers") } else { send(request).await }
    }

    /// The decided order.
    pub async fn settled(&self, id: &str) -> Value {
        eventually(DEADLINE, &format!("order {id} is settled"), async || {
            let response = self.get(id).await;
            assert_eq!(response.status, 200, "{response:?}");
            let status = response.body["status"].as_str().unwrap_or_default();
            (!UNDECIDED.contains(&status)).then_some(response.body)
        })
        .await
    }
}

/// Sends a request again while the stack throttles it. All tests together may exceed the stack's rate limits.
pub async fn send(request: RequestBuilder) -> Response {
    eventually(DEADLINE, "a request is not throttled", async || {
        let again = request.try_clone().expect("the body is not a stream");
        let response = try_send(again).await.expect("the API answers");
        (response.status != 429).then_some(response)
    })
    .await
}

/// Sends a request over a connection that may break.
///
/// # Errors
/// The connection broke.
pub async fn try_send(request: RequestBuilder) -> reqwest::Result<Response> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await?;
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Ok(Response { status, headers, body })
}

impl Response {
    /// The header's text; empty if missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// Asserts a problem of that status, and returns it.
    #[track_caller]
    pub fn problem(&self, status: u16) -> Problem {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), Problem::MEDIA_TYPE, "{self:?}");
        let problem: Problem = serde_json::from_value(self.body.clone()).expect("the body is a problem");
        assert_eq!(problem.status, Some(status), "the problem and its answer must have one status: {self:?}");
        assert!(problem.request_id.as_ref().is_some_and(|id| !id.is_empty()), "{self:?}");
        assert!(!problem.title.is_empty() && !problem.detail.is_empty(), "{self:?}");
        problem
    }
}
