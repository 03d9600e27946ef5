//! Requests to the stack.

use crate::connections;
use crate::network::{Network, Proxy};
use crate::root_cause::{is_untrusted, root_cause};
use crate::token::Token;
use anyhow::Context;
use lanes::Lane;
use orders_api::Problem;
use reqwest::{Client, ClientBuilder, Method, Request, RequestBuilder, Url, header, redirect};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::{client::IntoClientRequest, handshake::client::Request as Handshake};

/// For a TCP and TLS connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Most connections per concurrent request: one in use, one idle, one being opened.
pub const FILES_PER_REQUEST: u64 = 3;

/// On an idle connection that the server has closed, a request fails within one round trip. On a busy machine, some
/// seconds may pass before this program notices. A later failure is the server's.
const STALE_WITHIN: Duration = Duration::from_secs(5);

/// Of a response that is not a problem document, in characters.
const MAX_ECHO_CHARS: usize = 200;

/// Requests to one stack.
#[derive(Clone)]
pub struct Requests {
    http: Client,
    /// One connection per request.
    fresh: Client,
    api_url: Url,
    token: Token,
    network: Network,
    proxy: Option<Proxy>,
    missed: Arc<AtomicBool>,
    resent: Arc<AtomicU64>,
}

/// A response with any status.
#[derive(Clone, Debug)]
pub struct Response {
    /// The HTTP status code.
    pub status: u16,
    /// `Retry-After`, if sent.
    pub retry_after: Option<Duration>,
    /// As text.
    pub body: String,
}

/// Why a request has no response.
#[derive(Clone, Debug)]
pub struct Unanswered {
    /// As text.
    pub why: String,
    /// Whether this machine is at fault: files, ports, network, DNS, proxy or trusted certificates.
    pub is_local: bool,
}

impl Requests {
    /// A client of the REST API at that URL for `at_once` concurrent requests, with at most [`FILES_PER_REQUEST`] times
    /// that many connections.
    ///
    /// # Errors
    /// TLS cannot be set up here, or the proxy setting is malformed.
    pub fn new(api_url: Url, token: Token, network: &Network, at_once: usize) -> anyhow::Result<Self> {
        let (builder, proxy) = network.http(&api_url)?;
        let http = built(builder.pool_max_idle_per_host(at_once), at_once)?;
        let (builder, _) = network.http(&api_url)?;
        let fresh = built(builder.pool_max_idle_per_host(0), at_once)?;
        let network = network.clone();
        Ok(Self { http, fresh, api_url, token, network, proxy, missed: Arc::default(), resent: Arc::default() })
    }

    /// This client's network settings.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The same connections with another token.
    #[must_use]
    pub fn with_token(&self, token: Token) -> Self {
        Self { token, ..self.clone() }
    }

    /// Places an order: `PUT` under the lane's path.
    ///
    /// # Errors
    /// Why there is no response.
    pub async fn put_order(&self, lane: Lane, id: &str, body: String, until: Instant) -> Result<Response, Unanswered> {
        let request = self.http(Method::PUT, &format!("{}/{id}", lane.path));
        self.response_to(request.header(header::CONTENT_TYPE, "application/json").body(body), until).await
    }

    /// Polls an order: `GET /orders/{orderId}`.
    ///
    /// # Errors
    /// Why there is no response.
    pub async fn get_order(&self, id: &str, until: Instant) -> Result<Response, Unanswered> {
        self.response_to(self.http(Method::GET, &format!("orders/{id}")), until).await
    }

    /// Whether a request found no server or no such API.
    #[must_use]
    pub fn missed(&self) -> bool {
        self.missed.load(Ordering::Relaxed)
    }

    /// Requests sent again because the server had just closed their connection.
    #[must_use]
    pub fn resent(&self) -> u64 {
        self.resent.load(Ordering::Relaxed)
    }

    fn http(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/{path}", self.api_url.as_str().trim_end_matches('/'));
        let request = self.http.request(method, url);
        match self.token.authorization() {
            Some(value) => request.header(header::AUTHORIZATION, value),
            None => request,
        }
    }

    async fn response_to(&self, request: RequestBuilder, until: Instant) -> Result<Response, Unanswered> {
        let exchange = async {
            let response = self.send(request.build()?).await?;
            let status = response.status().as_u16();
            let retry_after =
                response.headers().get(header::RETRY_AFTER).and_then(|value| retry_after(value.to_str().ok()?));
            Ok(Response { status, retry_after, body: response.text().await? })
        };
        match timeout_at(until, exchange).await {
            Err(_) => Err(Unanswered { why: "no answer in time".to_owned(), is_local: false }),
            Ok(Ok(response)) => {
                // The API's own 403 and 404 are problem documents.
                if [403, 404].contains(&response.status) && response.problem().is_none() {
                    self.missed.store(true, Ordering::Relaxed);
                }
                Ok(response)
            }
            Ok(Err(error)) => Err(self.unanswered(&error)),
        }
    }

    /// If the server had just closed the connection, sends the request again over a new one: PUT and GET are
    /// idempotent. Source: RFC 9110, section 9.2.2, "Idempotent Methods".
    async fn send(&self, request: Request) -> reqwest::Result<reqwest::Response> {
        let (again, started) = (request.try_clone(), Instant::now());
        let (sent, opened) = connections::noting(self.http.execute(request)).await;
        let is_soon = started.elapsed() < STALE_WITHIN;
        match (sent, again) {
            (Err(error), Some(again)) if is_soon && connections::was_stale(&error, opened) => {
                self.resent.fetch_add(1, Ordering::Relaxed);
                self.fresh.execute(again).await
            }
            (sent, _) => sent,
        }
    }

    fn unanswered(&self, error: &reqwest::Error) -> Unanswered {
        let cause = self.cause(error);
        // A failing proxy or untrusted certificate is this machine's fault.
        let is_on_the_way = error.is_connect() && (self.proxy.is_some() || is_untrusted(error));
        let is_local = connections::is_local(error) || is_on_the_way;
        let why = match error.is_connect() {
            true if is_local => format!("not sent: {cause}"),
            true => format!("no connection: {cause}"),
            false => format!("no answer: {cause}"),
        };
        // The address may be right if this machine is at fault.
        let may_be_right = is_local && !error.is_dns() || is_on_the_way;
        if error.is_connect() && !may_be_right {
            self.missed.store(true, Ordering::Relaxed);
        }
        Unanswered { why, is_local }
    }

    /// The root cause, with the proxy if any.
    fn cause(&self, error: &reqwest::Error) -> String {
        let cause = root_cause(error);
        self.proxy.as_ref().map_or_else(|| cause.clone(), |proxy| format!("proxy {proxy}: {cause}"))
    }
}

/// At most `at_once` connections open concurrently.
fn built(builder: ClientBuilder, at_once: usize) -> anyhow::Result<Client> {
    let builder = builder
        .user_agent(concat!("twolane/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .redirect(redirect::Policy::none());
    let client = connections::bounded(builder, at_once).build();
    client.map_err(|error| anyhow::anyhow!(root_cause(&error))).context("Failed to set up HTTP")
}

/// The WebSocket API's opening handshake, with that token.
///
/// # Errors
/// The URL is not a WebSocket URL.
pub fn handshake(websocket_url: &Url, token: &Token) -> anyhow::Result<Handshake> {
    let request = websocket_url.as_str().into_client_request();
    let mut request = request.with_context(|| format!("Failed to build a request to {websocket_url}"))?;
    if let Some(value) = token.authorization() {
        request.headers_mut().insert(header::AUTHORIZATION, value);
    }
    Ok(request)
}

/// In seconds: the service never sends the date form. Source: RFC 9110, section 10.2.3.
fn retry_after(value: &str) -> Option<Duration> {
    value.trim().parse::<u32>().ok().map(|seconds| Duration::from_secs(u64::from(seconds)))
}

impl Response {
    /// The body, or `null` if it is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The body as a problem document.
    #[must_use]
    pub fn problem(&self) -> Option<Problem> {
        serde_json::from_str(&self.body).ok()
    }

    /// The error message, unless a success.
    #[must_use]
    pub fn complaint(&self) -> String {
        let status = self.status;
        match self.problem() {
            Some(Problem { detail, request_id: Some(id), .. }) if status >= 500 => format!("{detail} (request {id})"),
            Some(problem) => problem.detail,
            None => {
                let body = self.json();
                let text = body["message"].as_str().unwrap_or(self.body.trim());
                let echo: String = text.chars().take(MAX_ECHO_CHARS).collect();
                if echo.is_empty() { format!("HTTP {status} with an empty body") } else { echo }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn complaint(status: u16, body: &str) -> String {
        Response { status, retry_after: None, body: body.to_owned() }.complaint()
    }

    #[test]
    fn shows_the_detail_of_a_problem_and_the_request_id_of_a_failure() {
        let problem = r#"{"type":"about:blank","title":"T","status":503,"detail":"Busy.","requestId":"r-1"}"#;

        assert_eq!(complaint(409, problem), "Busy.");
        assert_eq!(complaint(503, problem), "Busy. (request r-1)");
    }

    #[test]
    fn shows_the_body_if_the_response_is_not_a_problem_document() {
        assert_eq!(complaint(403, r#"{"message":"Forbidden"}"#), "Forbidden");
        assert_eq!(complaint(502, "<html>"), "<html>");
        assert_eq!(complaint(502, " "), "HTTP 502 with an empty body");
        assert_eq!(complaint(502, &"é".repeat(500)).chars().count(), MAX_ECHO_CHARS);
    }

    #[test]
    fn a_path_follows_the_url_of_the_api_with_and_without_a_stage() {
        for api in ["https://api.example.com", "https://api.example.com/", "https://abc.example/live"] {
            let url = Url::parse(api).expect("a URL");
            let token = Token::given("a.e30.c").expect("it can be sent");
            let requests = Requests::new(url, token, &Network::direct(), 1).expect("no proxy is set");

            let request = requests.http(Method::GET, "orders/1").build().expect("a request");

            assert_eq!(request.url().as_str(), format!("{}/orders/1", api.trim_end_matches('/')));
        }
    }

    #[test]
    fn reads_retry_after_in_seconds() {
        assert_eq!(retry_after(" 3 "), Some(Duration::from_secs(3)));
        for value in ["", "-1", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT", "99999999999999999999"] {
            assert_eq!(retry_after(value), None, "{value}");
        }
    }

    proptest! {
        #[test]
        fn no_response_makes_the_reader_panic(status in any::<u16>(), body in any::<String>()) {
            let _ = complaint(status, &body);
        }
    }
}
