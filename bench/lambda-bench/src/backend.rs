//! What functions ask of AWS: the least that DynamoDB, SQS and the WebSocket API's management endpoint can answer.

use crate::engine::Engine;
use crate::http::{self, Answer};
use anyhow::Context;
use http_body_util::BodyExt;
use hyper::{Method, Request, Response, StatusCode, body::Bytes, body::Incoming};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio_rustls::TlsAcceptor;

/// How the stand-in answers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Manners {
    /// How long each answer takes.
    pub(crate) delay: Duration,
    /// Which of the writes is refused as over the table's limit: every so-manieth.
    pub(crate) throttle_every: Option<u64>,
    /// Whether it speaks TLS, with a certificate of its own authority.
    pub(crate) tls: bool,
}

/// What came by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Connections that were established, TLS handshake included.
    pub(crate) connections: u64,
    /// Requests by what they asked for.
    pub(crate) calls: BTreeMap<String, u64>,
}

impl Seen {
    /// What came by since that was seen.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let calls = self.calls.iter().map(|(name, count)| (name.clone(), count - before.calls.get(name).unwrap_or(&0)));
        Self {
            connections: self.connections - before.connections,
            calls: calls.filter(|(_, count)| *count > 0).collect(),
        }
    }
}

/// The stand-in, on loopback.
pub(crate) struct Backend {
    address: SocketAddr,
    manners: Manners,
    authority: Option<String>,
    seen: Arc<Mutex<Seen>>,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Backend {
    /// Listens on a free port. What is asked of DynamoDB is for `engine` to answer, where there is one.
    ///
    /// # Errors
    /// Loopback has none.
    pub(crate) async fn start(manners: Manners, engine: Option<Arc<Engine>>) -> anyhow::Result<Self> {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (tls, authority) = if manners.tls {
            let (acceptor, authority) = certified()?;
            (Some(acceptor), Some(authority))
        } else {
            (None, None)
        };
        let (calls, connections) = (Arc::clone(&seen), Arc::clone(&seen));
        let answer = move |request| answer(request, manners, Arc::clone(&calls), engine.clone());
        let connected = move || locked(&connections).connections += 1;
        let (address, server) = http::serve(tls, Arc::new(answer), connected).await?;
        Ok(Self { address, manners, authority, seen, server })
    }

    /// Its base URL.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.manners.tls { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The certificate of its authority, as PEM, where it speaks TLS.
    pub(crate) fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// What came by so far.
    pub(crate) fn seen(&self) -> Seen {
        locked(&self.seen).clone()
    }
}

fn locked(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A certificate for loopback, and whoever signed it.
fn certified() -> anyhow::Result<(TlsAcceptor, String)> {
    let certified =
        rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).context("Failed to make a certificate")?;
    let certificate = CertificateDer::from(certified.cert.der().to_vec());
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    Ok((TlsAcceptor::from(Arc::new(config)), certified.cert.pem()))
}

async fn answer(
    request: Request<Incoming>,
    manners: Manners,
    seen: Arc<Mutex<Seen>>,
    engine: Option<Arc<Engine>>,
) -> Answer {
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
    let operation = match target.and_then(|target| target.rsplit_once('.')) {
        Some((_, operation)) => operation.to_owned(),
        None if request.method() == Method::POST => "PostToConnection".to_owned(),
        // A function that opens its connections before it needs them asks for nothing.
        None => "connect".to_owned(),
    };
    let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let count = {
        let mut seen = locked(&seen);
        let count = seen.calls.entry(operation.clone()).or_default();
        *count += 1;
        *count
    };
    if !manners.delay.is_zero() {
        tokio::time::sleep(manners.delay).await;
    }
    if operation == "PutItem" && manners.throttle_every.is_some_and(|every| count % every == 0) {
        let refusal = json!({
            "__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
            "message": "over the limit",
        });
        return http::whole(json_answer(StatusCode::BAD_REQUEST, &refusal));
    }
    http::whole(match (operation.as_str(), engine) {
        ("PostToConnection" | "connect", _) => http::status(StatusCode::OK),
        (_, Some(engine)) => match engine.ask(&operation, body).await {
            Ok((status, answer)) => whole_json(status, answer),
            // The function's answer says that it could not do its work, which ends the run.
            Err(_) => http::status(StatusCode::BAD_GATEWAY),
        },
        ("GetItem", None) => json_answer(StatusCode::OK, &json!({ "Item": order() })),
        ("Query", None) => json_answer(StatusCode::OK, &connections(&body)),
        _ => json_answer(StatusCode::OK, &json!({})),
    })
}

fn json_answer(status: StatusCode, body: &Value) -> Response<Bytes> {
    whole_json(status, Bytes::from(body.to_string()))
}

fn whole_json(status: StatusCode, body: Bytes) -> Response<Bytes> {
    let answer = Response::builder().status(status).header("content-type", "application/x-amz-json-1.0");
    answer.body(body).unwrap_or_default()
}

/// A confirmed order, as the orders table has it.
pub(crate) fn order() -> Value {
    let text = |text: &str| json!({ "S": text });
    let number = |number: &str| json!({ "N": number });
    json!({
        "pk": text("demo#5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b"),
        "orderId": text("5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b"),
        "owner": text("demo"),
        "status": text("CONFIRMED"),
        "lane": text("sync"),
        "placedAt": text("2026-11-22T09:30:00.123Z"),
        "confirmedAt": text("2026-11-22T09:30:00.200Z"),
        "attempts": number("1"),
        "requestHash": text(&"0".repeat(64)),
        "currency": text("EUR"),
        "totalMinor": number("3998"),
        "items": { "L": [{ "M": {
            "sku": text("SKU-1"), "quantity": number("2"), "unitPriceMinor": number("1999"),
        } }] },
    })
}

/// What is found of whoever is asked about: one open socket.
fn connections(request: &[u8]) -> Value {
    let request: Value = serde_json::from_slice(request).unwrap_or_default();
    let owner = request["ExpressionAttributeValues"][":owner"]["S"].as_str().unwrap_or_default();
    json!({ "Count": 1, "ScannedCount": 1, "Items": [connection(owner)] })
}

/// An open socket of that owner, as the connections table has it.
pub(crate) fn connection(owner: &str) -> Value {
    json!({
        "pk": { "S": owner },
        "sk": { "S": format!("socket-of-{owner}") },
        "connectedAt": { "S": "2026-11-22T09:00:00Z" },
        "expiresAt": { "N": "4102444800" },
    })
}
