//! A stand-in for AWS: the operations of DynamoDB, SNS, SQS and the WebSocket API that functions call.

use crate::http::{self, FullResponse};
use crate::records::{Records, Updated};
use anyhow::Context;
use http_body_util::BodyExt;
use hyper::{
    Method, Request, Response, StatusCode, body::Bytes, body::Incoming, header::CONTENT_TYPE, http::request::Parts,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio_rustls::TlsAcceptor;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Behaviour {
    pub(crate) delay: Duration,
    /// With `Some(n)`, throttles every n-th write.
    pub(crate) throttle_every: Option<u64>,
    /// With a self-signed certificate.
    pub(crate) tls: bool,
}

/// What the stand-in received.
#[derive(Clone, Debug, Default)]
pub(crate) struct Received {
    /// Established connections, after the TLS handshake.
    pub(crate) connections: u64,
    /// By operation.
    pub(crate) requests: BTreeMap<String, u64>,
    /// Body of the newest `PutItem` or `TransactWriteItems`.
    newest_write: Bytes,
}

impl Received {
    pub(crate) fn since(&self, before: &Self) -> Self {
        let counted = |name: &String, count| (name.clone(), count - before.requests.get(name).unwrap_or(&0));
        let requests = self.requests.iter().map(|(name, count)| counted(name, *count));
        Self {
            connections: self.connections - before.connections,
            requests: requests.filter(|(_, count)| *count > 0).collect(),
            newest_write: self.newest_write.clone(),
        }
    }

    /// The last item put, by `PutItem` or as the first action of a transaction.
    pub(crate) fn newest_item(&self) -> Option<Value> {
        let request: Value = serde_json::from_slice(&self.newest_write).ok()?;
        let items = [&request["Item"], &request["TransactItems"][0]["Put"]["Item"]];
        items.into_iter().find(|item| item.is_object()).cloned()
    }
}

pub(crate) struct Backend {
    address: SocketAddr,
    authority: Option<String>,
    received: Arc<Mutex<Received>>,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Backend {
    /// Listens on a free port.
    ///
    /// # Errors
    /// No port is free, or no certificate can be created.
    pub(crate) async fn start(behaviour: Behaviour, records: &Arc<Records>) -> anyhow::Result<Self> {
        let (acceptor, authority) = if behaviour.tls { certificate()? } else { (None, None) };
        let received = Arc::new(Mutex::new(Received::default()));
        let (of_responses, of_connections, records) =
            (Arc::clone(&received), Arc::clone(&received), Arc::clone(records));
        let respond = move |request| respond(request, behaviour, Arc::clone(&of_responses), Arc::clone(&records));
        let connected = move || locked(&of_connections).connections += 1;
        let (address, server) = http::serve(acceptor, Arc::new(respond), connected).await?;
        Ok(Self { address, authority, received, server })
    }

    pub(crate) fn url(&self) -> String {
        let scheme = if self.authority.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The certificate to trust, as PEM; `None` without TLS.
    pub(crate) fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    pub(crate) fn received(&self) -> Received {
        locked(&self.received).clone()
    }
}

fn locked(received: &Mutex<Received>) -> MutexGuard<'_, Received> {
    received.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// For loopback: its acceptor, and the certificate as PEM.
fn certificate() -> anyhow::Result<(Option<TlsAcceptor>, Option<String>)> {
    let certified =
        rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).context("Failed to create a certificate")?;
    let certificate = CertificateDer::from(certified.cert.der().to_vec());
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    Ok((Some(TlsAcceptor::from(Arc::new(config))), Some(certified.cert.pem())))
}

async fn respond(
    request: Request<Incoming>,
    behaviour: Behaviour,
    received: Arc<Mutex<Received>>,
    records: Arc<Records>,
) -> FullResponse {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let operation = operation(&parts, &body);
    let count = {
        let mut received = locked(&received);
        if ["PutItem", "TransactWriteItems"].contains(&operation.as_str()) {
            received.newest_write = body.clone();
        }
        let count = received.requests.entry(operation.clone()).or_default();
        *count += 1;
        *count
    };
    if !behaviour.delay.is_zero() {
        tokio::time::sleep(behaviour.delay).await;
    }
    let is_throttled = behaviour.throttle_every.is_some_and(|every| operation == "PutItem" && count % every == 0);
    http::whole(match operation.as_str() {
        _ if is_throttled => json(StatusCode::BAD_REQUEST, THROTTLED.to_owned()),
        "PostToConnection" | "DeleteConnection" | "connect" => http::status(StatusCode::OK),
        "GetItem" => json(StatusCode::OK, records.item(&body)),
        "Query" => json(StatusCode::OK, records.queried(&body)),
        "UpdateItem" => match records.updated(&body) {
            Updated::Done(answer) => json(StatusCode::OK, answer.to_string()),
            Updated::Refused(item) => json(StatusCode::BAD_REQUEST, refused(&item)),
        },
        "Publish" => response("text/xml", StatusCode::OK, PUBLISHED.to_owned()),
        _ => json(StatusCode::OK, "{}".to_owned()),
    })
}

fn operation(parts: &Parts, body: &[u8]) -> String {
    let header = |name| parts.headers.get(name).and_then(|value: &hyper::header::HeaderValue| value.to_str().ok());
    // DynamoDB's and SQS's protocol.
    if let Some((_, operation)) = header("x-amz-target").and_then(|target| target.rsplit_once('.')) {
        return operation.to_owned();
    }
    // SNS's protocol: a form with the operation as its first field.
    if header(CONTENT_TYPE.as_str()) == Some("application/x-www-form-urlencoded") {
        let form = String::from_utf8_lossy(body);
        let action = form.split('&').find_map(|field| field.strip_prefix("Action="));
        return action.unwrap_or_default().to_owned();
    }
    match parts.method {
        Method::POST => "PostToConnection",
        Method::DELETE => "DeleteConnection",
        // A function opens its connections before the first event, with a GET request.
        _ => "connect",
    }
    .to_owned()
}

/// Source: Amazon SNS API Reference, `Publish`.
const PUBLISHED: &str = r#"<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">
  <PublishResult><MessageId>94f20ce6-13c5-43a0-9a9e-ca52d816e90b</MessageId></PublishResult>
  <ResponseMetadata><RequestId>f187a3c1-376f-11df-8963-01868b7c937a</RequestId></ResponseMetadata>
</PublishResponse>"#;

/// To a write that fails its condition on this item.
fn refused(item: &Value) -> String {
    serde_json::json!({
        "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
        "message": "The conditional request failed",
        "Item": item,
    })
    .to_string()
}

/// To a request over the table's limit.
const THROTTLED: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"over the limit"}"#;

fn json(status: StatusCode, body: String) -> Response<Bytes> {
    response("application/x-amz-json-1.0", status, body)
}

fn response(content_type: &str, status: StatusCode, body: String) -> Response<Bytes> {
    let head = Response::builder().status(status).header(CONTENT_TYPE, content_type);
    head.body(Bytes::from(body)).unwrap_or_default()
}
