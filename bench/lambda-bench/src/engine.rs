//! A DynamoDB that stores what is written: [dynoxide](https://crates.io/crates/dynoxide-rs), as a process.

use crate::backend;
use crate::subject::{BATCH, BATCHES};
use anyhow::Context;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, StatusCode, body::Bytes};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

/// How long it may take to start.
const START: Duration = Duration::from_secs(10);

/// Items of one `BatchWriteItem`. Source: Amazon DynamoDB API Reference.
const ITEMS: usize = 25;

/// It looks whether there is a signature, and not whether it is right.
const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=bench/20261125/eu-central-1/dynamodb/aws4_request, \
                             SignedHeaders=host;x-amz-date, Signature=00";

/// The engine, which ends when it is dropped.
pub(crate) struct Engine {
    address: SocketAddr,
    client: Client<HttpConnector, Full<Bytes>>,
    _child: Child,
}

impl Engine {
    /// Starts it with the tables of the stack, the order that get-order asks for and a socket of each owner.
    ///
    /// # Errors
    /// It cannot be started, or will not do what is asked.
    pub(crate) async fn start(program: &Path) -> anyhow::Result<Self> {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let mut command = Command::new(program);
        command.args(["serve", "--host", "127.0.0.1", "--port", &address.port().to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let child = command.spawn().with_context(|| format!("Failed to start {}", program.display()))?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let engine = Self { address, client: Client::builder(TokioExecutor::new()).build(connector), _child: child };
        let answers = tokio::time::timeout(START, engine.answers()).await;
        answers.with_context(|| format!("{} does not answer on {address}", program.display()))?;
        engine.seed().await.context("Failed to prepare dynoxide's tables")?;
        Ok(engine)
    }

    /// What it answers to that operation: a status, and JSON.
    ///
    /// # Errors
    /// It cannot be reached.
    pub(crate) async fn ask(&self, operation: &str, body: Bytes) -> anyhow::Result<(StatusCode, Bytes)> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("http://{}/", self.address))
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-date", "20261125T000000Z")
            .header("authorization", AUTHORIZATION)
            .body(Full::new(body))?;
        let response = self.client.request(request).await?;
        Ok((response.status(), response.into_body().collect().await?.to_bytes()))
    }

    async fn answers(&self) {
        while self.ask("ListTables", Bytes::from_static(b"{}")).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn seed(&self) -> anyhow::Result<()> {
        self.create_table("orders", &["pk"]).await?;
        self.create_table("connections", &["pk", "sk"]).await?;
        self.demand("PutItem", &json!({ "TableName": "orders", "Item": backend::order() })).await?;
        let owners: Vec<usize> = (0..BATCHES * BATCH).collect();
        for some in owners.chunks(ITEMS) {
            let puts = some.iter().map(|owner| backend::connection(&format!("owner-{owner}")));
            let puts: Vec<Value> = puts.map(|item| json!({ "PutRequest": { "Item": item } })).collect();
            self.demand("BatchWriteItem", &json!({ "RequestItems": { "connections": puts } })).await?;
        }
        Ok(())
    }

    async fn create_table(&self, name: &str, keys: &[&str]) -> anyhow::Result<()> {
        let attributes: Vec<Value> =
            keys.iter().map(|key| json!({ "AttributeName": key, "AttributeType": "S" })).collect();
        let schema = keys.iter().zip(["HASH", "RANGE"]);
        let schema: Vec<Value> = schema.map(|(key, kind)| json!({ "AttributeName": key, "KeyType": kind })).collect();
        let table = json!({
            "TableName": name, "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": attributes, "KeySchema": schema,
        });
        self.demand("CreateTable", &table).await
    }

    async fn demand(&self, operation: &str, body: &Value) -> anyhow::Result<()> {
        let (status, answer) = self.ask(operation, Bytes::from(body.to_string())).await?;
        anyhow::ensure!(status.is_success(), "{operation}: {status}: {}", String::from_utf8_lossy(&answer));
        Ok(())
    }
}
