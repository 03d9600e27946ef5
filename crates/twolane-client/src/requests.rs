//! Every request that leaves: the one place where they are built.

use crate::network::{Network, Proxy};
use crate::root_cause::{is_untrusted, root_cause};
use crate::token::Token;
use anyhow::Context;
use lanes::Lane;
use orders_api::Problem;
use reqwest::{Client, Method, RequestBuilder, Url, header, redirect};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::{client::IntoClientRequest, handshake::client::Request};

/// Longest wait for a TCP and TLS connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest piece of an answer that is no problem document repeated to people, in characters.
const MAX_ECHO_CHARS: usize = 200;

/// Builds requests to one stack.
#[derive(Clone)]
pub struct Requests {
    http: Client,
    api_url: Url,
    token: Token,
    network: Network,
    proxy: Option<Proxy>,
    missed: Arc<AtomicBool>,
}

/// What came back, whatever its status.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status code.
    pub status: u16,
    /// `Retry-After` in seconds, where the server says one.
    pub retry_after: Option<Duration>,
    /// The body as text.
    pub body: String,
}

impl Requests {
    /// A client of the REST API under that URL, with that token.
    ///
    /// # Errors
    /// TLS cannot be set up on this machine, or the proxy is malformed.
    pub fn new(api_url: Url, token: Token, network: &Network) -> anyhow::Result<Self> {
        let (builder, proxy) = network.http(&api_url)?;
        let builder = builder
            .user_agent(concat!("twolane/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .redirect(redirect::Policy::none());
        let http =
            builder.build().map_err(|error| anyhow::anyhow!(root_cause(&error))).context("Failed to set up HTTP")?;
        Ok(Self { http, api_url, token, network: network.clone(), proxy, missed: Arc::default() })
    }

    /// How the API is reached.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The same with another token, over the same connections.
    #[must_use]
    pub fn with_token(&self, token: Token) -> Self {
        Self { token, ..self.clone() }
    }

    /// Places an order: `PUT` under the lane's path.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn put_order(&self, lane: Lane, id: &str, body: String, until: Instant) -> Result<Answer, String> {
        let request = self.http(Method::PUT, &format!("{}/{id}", lane.path));
        self.answer(request.header(header::CONTENT_TYPE, "application/json").body(body), until).await
    }

    /// Asks for an order: `GET /orders/{orderId}`.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn get_order(&self, id: &str, until: Instant) -> Result<Answer, String> {
        self.answer(self.http(Method::GET, &format!("orders/{id}")), until).await
    }

    /// Whether some request met nobody, or somebody who does not know the API.
    #[must_use]
    pub fn missed(&self) -> bool {
        self.missed.load(Ordering::Relaxed)
    }

    fn http(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/{path}", self.api_url.as_str().trim_end_matches('/'));
        let request = self.http.request(method, url);
        match self.token.authorization() {
            Some(value) => request.header(header::AUTHORIZATION, value),
            None => request,
        }
    }

    async fn answer(&self, request: RequestBuilder, until: Instant) -> Result<Answer, String> {
        let exchange = async {
            let response = request.send().await?;
            let status = response.status().as_u16();
            let retry_after =
                response.headers().get(header::RETRY_AFTER).and_then(|value| retry_after(value.to_str().ok()?));
            Ok(Answer { status, retry_after, body: response.text().await? })
        };
        match timeout_at(until, exchange).await {
            Err(_) => Err("no answer in time".to_owned()),
            Ok(Ok(answer)) => {
                // The API's own answers of these are problem documents.
                if [403, 404].contains(&answer.status) && answer.problem().is_none() {
                    self.missed.store(true, Ordering::Relaxed);
                }
                Ok(answer)
            }
            Ok(Err(error)) => {
                let error: reqwest::Error = error;
                let cause = self.cause(&error);
                if error.is_connect() {
                    // A proxy that fails, or a certificate that is not trusted, says nothing about the address.
                    if self.proxy.is_none() && !is_untrusted(&error) {
                        self.missed.store(true, Ordering::Relaxed);
                    }
                    return Err(format!("no connection: {cause}"));
                }
                Err(format!("no answer: {cause}"))
            }
        }
    }

    /// Why there is no answer, with the proxy on the way there.
    fn cause(&self, error: &reqwest::Error) -> String {
        let cause = root_cause(error);
        self.proxy.as_ref().map_or_else(|| cause.clone(), |proxy| format!("proxy {proxy}: {cause}"))
    }
}

/// The opening handshake of the WebSocket API under that URL, with that token.
///
/// # Errors
/// The URL cannot be asked for.
pub fn handshake(websocket_url: &Url, token: &Token) -> anyhow::Result<Request> {
    let request = websocket_url.as_str().into_client_request();
    let mut request = request.with_context(|| format!("Failed to ask for {websocket_url}"))?;
    if let Some(value) = token.authorization() {
        request.headers_mut().insert(header::AUTHORIZATION, value);
    }
    Ok(request)
}

/// `Retry-After` in seconds; the date form, which the service never sends, is not understood.
/// Source: RFC 9110, section 10.2.3.
fn retry_after(value: &str) -> Option<Duration> {
    value.trim().parse::<u32>().ok().map(|seconds| Duration::from_secs(u64::from(seconds)))
}

impl Answer {
    /// The body as JSON, `null` where it is not.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The body as a problem document.
    #[must_use]
    pub fn problem(&self) -> Option<Problem> {
        serde_json::from_str(&self.body).ok()
    }

    /// What an answer that is no success says, for people.
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
                if echo.is_empty() { format!("HTTP status {status} without a word") } else { echo }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn complaint(status: u16, body: &str) -> String {
        Answer { status, retry_after: None, body: body.to_owned() }.complaint()
    }

    #[test]
    fn tells_the_detail_of_a_problem_and_the_request_id_of_a_failure() {
        let problem = r#"{"type":"about:blank","title":"T","status":503,"detail":"Busy.","requestId":"r-1"}"#;

        assert_eq!(complaint(409, problem), "Busy.");
        assert_eq!(complaint(503, problem), "Busy. (request r-1)");
    }

    #[test]
    fn tells_what_there_is_when_the_answer_is_no_problem_document() {
        assert_eq!(complaint(403, r#"{"message":"Forbidden"}"#), "Forbidden");
        assert_eq!(complaint(502, "<html>"), "<html>");
        assert_eq!(complaint(502, " "), "HTTP status 502 without a word");
        assert_eq!(complaint(502, &"é".repeat(500)).chars().count(), MAX_ECHO_CHARS);
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
        fn no_answer_makes_the_reader_panic(status in any::<u16>(), body in any::<String>()) {
            let _ = complaint(status, &body);
        }
    }
}
