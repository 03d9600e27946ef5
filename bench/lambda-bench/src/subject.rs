//! What is measured: a bootstrap, its environment and its events.

use crate::backend::Backend;
use crate::token;
use anyhow::{Context, bail};
use hyper::body::Bytes;
use serde_json::{Value, json};
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

/// Messages of a whole batch. Source: `template.yaml`, `BatchSize`.
pub(crate) const BATCH: usize = 10;

/// Batches that are given in turn: what a function remembers of an owner is of no use to it then.
pub(crate) const BATCHES: usize = 200;

/// A bootstrap and what it is given.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) name: String,
    pub(crate) command: Vec<String>,
    /// Given in turn.
    pub(crate) events: Vec<Bytes>,
    /// Messages of an event, where it is a batch: each is an order.
    pub(crate) orders: usize,
    pub(crate) kind: Kind,
}

/// What a subject is measured for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// To be compared with.
    Floor,
    /// Bounds are for it.
    Function,
    /// Somebody else's.
    Peer,
}

/// The project's functions, each with an event as AWS sends it. `process-orders` is there with a batch of one message
/// and with one of [`BATCH`], each of an owner of its own.
const FUNCTIONS: [(&str, &str); 4] = [
    ("create-order", include_str!("../../../functions/create-order/tests/fixtures/apigw-rest-put.json")),
    ("process-orders", include_str!("../../../functions/process-orders/tests/fixtures/sqs-batch.json")),
    ("get-order", include_str!("../../../functions/get-order/tests/fixtures/apigw-rest-get.json")),
    ("manage-connections", include_str!("../../../functions/manage-connections/tests/fixtures/websocket-connect.json")),
];

/// What order ids of events begin with: each invocation gets ids of its own, as a repeat takes another way.
const ORDER_ID: &str = "5f0c1b0e";

/// Events with new orders so far.
static ORDERS: AtomicU32 = AtomicU32::new(0);

/// The function that asks for the order of its event, which must stay the one that there is.
const ASKING: &str = "get-order";

/// The authorizer, and an event of it but for its token, which does not last.
const AUTHORIZER: (&str, &str) =
    ("authorize-request", include_str!("../../../functions/authorize-request/tests/fixtures/rest-token.json"));

/// The function that does nothing.
pub(crate) const FLOOR: &str = "hello-floor";

/// The function that makes one request by the AWS SDK.
pub(crate) const SDK_FLOOR: &str = "sdk-floor";

/// The batch of [`BATCH`] messages.
pub(crate) const WHOLE_BATCH: &str = "process-orders, batch of 10";

/// The floors and the project's functions, whose bootstraps are in that folder as cargo-lambda puts them there: each in one
/// of its own, by its name.
///
/// # Errors
/// One is not there.
pub(crate) fn of_project(folder: &Path) -> anyhow::Result<Vec<Subject>> {
    // The floors get what create-order gets: reading an event is no work of a function's own.
    let event = Bytes::from_static(FUNCTIONS[0].1.as_bytes());
    let mut subjects = Vec::new();
    for floor in [FLOOR, SDK_FLOOR] {
        subjects.push(Subject { kind: Kind::Floor, ..subject(folder, floor, floor, vec![event.clone()], 1)? });
    }
    for (name, event) in FUNCTIONS {
        let event = Bytes::from_static(event.as_bytes());
        if name == "process-orders" {
            subjects.push(subject(folder, name, name, batches(&event, 1, BATCHES)?, 1)?);
            subjects.push(subject(folder, name, WHOLE_BATCH, batches(&event, BATCH, BATCHES)?, BATCH)?);
        } else {
            subjects.push(subject(folder, name, name, vec![event], 1)?);
        }
    }
    let mut event: Value = serde_json::from_str(AUTHORIZER.1)?;
    event["authorizationToken"] = json!(format!("Bearer {}", token::token()?));
    subjects.push(subject(folder, AUTHORIZER.0, AUTHORIZER.0, vec![Bytes::from(event.to_string())], 1)?);
    Ok(subjects)
}

/// The floors, the functions that have `only` in their name, and the peers.
///
/// # Errors
/// No function has it, and there is no peer either.
pub(crate) fn chosen(project: Vec<Subject>, only: Option<&str>, peers: &[Subject]) -> anyhow::Result<Vec<Subject>> {
    let (mut chosen, functions): (Vec<_>, Vec<_>) = project.into_iter().partition(|one| one.kind == Kind::Floor);
    let names: Vec<_> = functions.iter().map(|one| one.name.clone()).collect();
    let floors = chosen.len();
    chosen.extend(functions.into_iter().filter(|one| only.is_none_or(|only| one.name.contains(only))));
    chosen.extend(peers.iter().cloned());
    if chosen.len() == floors {
        bail!("No function has {:?} in its name; there are {}", only.unwrap_or_default(), names.join("; "));
    }
    Ok(chosen)
}

fn subject(folder: &Path, program: &str, name: &str, events: Vec<Bytes>, orders: usize) -> anyhow::Result<Subject> {
    let path = folder.join(program).join("bootstrap");
    anyhow::ensure!(path.is_file(), "There is no {}: run `make bench`, which builds it", path.display());
    let command = vec![path.to_string_lossy().into_owned()];
    Ok(Subject { name: name.to_owned(), command, events, orders, kind: Kind::Function })
}

/// A bootstrap of somebody else's, from `NAME=COMMAND` or `NAME=COMMAND@EVENTFILE`; words are parted by spaces. Without
/// a file it gets create-order's event.
///
/// # Errors
/// It does not have that form, or its event cannot be read.
pub(crate) fn peer(text: &str) -> anyhow::Result<Subject> {
    let form = || format!("{text} is not NAME=COMMAND or NAME=COMMAND@EVENTFILE");
    let (name, rest) = text.split_once('=').with_context(form)?;
    let (command, event) = match rest.split_once('@') {
        Some((command, file)) => {
            let event = fs::read(file).with_context(|| format!("Failed to read the event {file}"))?;
            (command, Bytes::from(event))
        }
        None => (rest, Bytes::from_static(FUNCTIONS[0].1.as_bytes())),
    };
    let command: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
    anyhow::ensure!(!name.is_empty() && !command.is_empty(), form());
    Ok(Subject { name: name.to_owned(), command, events: vec![event], orders: 1, kind: Kind::Peer })
}

/// create-order with an order of so many items.
///
/// # Errors
/// It is not there.
pub(crate) fn create_order(folder: &Path, items: usize) -> anyhow::Result<Subject> {
    let (name, event) = FUNCTIONS[0];
    let mut event: Value = serde_json::from_str(event)?;
    let body = event["body"].as_str().context("the event has a body")?;
    let mut order: Value = serde_json::from_str(body)?;
    let item = order["items"][0].take();
    order["items"] = (0..items)
        .map(|number| {
            let mut item = item.clone();
            item["sku"] = json!(format!("SKU-{number}"));
            item
        })
        .collect();
    event["body"] = json!(order.to_string());
    subject(folder, name, name, vec![Bytes::from(event.to_string())], 1)
}

/// process-orders with so many whole batches, in which no owner comes twice.
///
/// # Errors
/// It is not there.
pub(crate) fn whole_batches(folder: &Path, count: usize) -> anyhow::Result<Subject> {
    let (name, event) = FUNCTIONS[1];
    subject(folder, name, WHOLE_BATCH, batches(event.as_bytes(), BATCH, count)?, BATCH)
}

/// So many batches of that many messages each.
fn batches(fixture: &[u8], messages: usize, count: usize) -> anyhow::Result<Vec<Bytes>> {
    (0..count).map(|number| batch(fixture, number * messages..(number + 1) * messages)).collect()
}

/// A batch of messages like the one of the fixture, each its own order of its own owner.
fn batch(fixture: &[u8], numbers: Range<usize>) -> anyhow::Result<Bytes> {
    let mut event: Value = serde_json::from_slice(fixture)?;
    let record = event["Records"][0].take();
    let records = numbers.map(|number| {
        let mut record = record.clone();
        record["messageId"] = json!(format!("059f36b4-87a3-44ab-83d2-{number:012}"));
        record["attributes"]["ApproximateReceiveCount"] = json!("1");
        record["messageAttributes"]["orderId"]["stringValue"] = json!(format!("5f0c1b0e-6a54-4a2e-9d0b-{number:012}"));
        record["messageAttributes"]["owner"]["stringValue"] = json!(format!("owner-{number}"));
        record
    });
    event["Records"] = records.collect();
    Ok(Bytes::from(event.to_string()))
}

impl Subject {
    /// The event of an invocation, with orders that were never placed before.
    pub(crate) fn event(&self, invocation: u32) -> Bytes {
        let event = &self.events[invocation as usize % self.events.len()];
        match std::str::from_utf8(event) {
            Ok(text) if self.name != ASKING => {
                let number = ORDERS.fetch_add(1, Ordering::Relaxed);
                Bytes::from(text.replace(ORDER_ID, &format!("{number:08x}")))
            }
            _ => event.clone(),
        }
    }

    /// The environment in which Lambda would run it, with AWS at `backend`: what any function needs of the template.
    pub(crate) fn environment(&self, runtime_api: &str, backend: &Backend, folder: &Path) -> Vec<(String, String)> {
        let aws = backend.url();
        let mut variables = vec![
            ("AWS_LAMBDA_RUNTIME_API", runtime_api.to_owned()),
            ("AWS_LAMBDA_FUNCTION_NAME", self.name.clone()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
            ("AWS_LAMBDA_LOG_FORMAT", "JSON".to_owned()),
            ("AWS_LAMBDA_LOG_LEVEL", "INFO".to_owned()),
            ("AWS_REGION", "eu-central-1".to_owned()),
            ("AWS_DEFAULT_REGION", "eu-central-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
            ("AWS_SESSION_TOKEN", "token".to_owned()),
            ("AWS_ENDPOINT_URL", aws.clone()),
            ("ORDERS_TABLE_NAME", "orders".to_owned()),
            ("CONNECTIONS_TABLE_NAME", "connections".to_owned()),
            ("ORDER_RETENTION_DAYS", "30".to_owned()),
            ("WEBSOCKET_MANAGEMENT_URL", format!("{aws}/live")),
            ("ORDERS_URL", format!("{aws}/live/orders")),
            ("ORDERS_QUEUE_URL", format!("{aws}/123456789012/orders")),
            ("MAX_RECEIVE_COUNT", "5".to_owned()),
            ("MAX_QUEUE_AGE_SECONDS", "0".to_owned()),
            ("BACKOFF_BASE_SECONDS", "60".to_owned()),
            ("BACKOFF_CAP_SECONDS", "900".to_owned()),
        ];
        variables.extend(token::environment());
        if let Some(authority) = backend.authority() {
            let file = folder.join("authority.pem");
            // Not written: the function says so, as it trusts nobody then.
            let _ = fs::write(&file, authority);
            // As AWS's SDKs, OpenSSL and Node call it, in this order.
            for name in ["AWS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"] {
                variables.push((name, file.to_string_lossy().into_owned()));
            }
        }
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_of_a_batch_is_an_order_of_its_own() {
        let event = batch(FUNCTIONS[1].1.as_bytes(), 0..BATCH).expect("the fixture is a batch");

        let event: Value = serde_json::from_slice(&event).expect("it is JSON");
        let records = event["Records"].as_array().expect("a batch");
        let of = |pointer: &str| -> std::collections::BTreeSet<String> {
            records.iter().map(|record| record.pointer(pointer).expect("it has one").to_string()).collect()
        };
        for pointer in ["/messageId", "/messageAttributes/orderId/stringValue", "/messageAttributes/owner/stringValue"]
        {
            assert_eq!(of(pointer).len(), BATCH, "{pointer}");
        }
    }

    #[test]
    fn a_peer_is_a_name_and_a_command() {
        let subject = peer("node=node index.mjs").expect("it has the form");

        assert_eq!((subject.name.as_str(), subject.command), ("node", vec!["node".to_owned(), "index.mjs".to_owned()]));
        for wrong in ["node", "=node", "node="] {
            assert!(peer(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_name_that_no_function_has_measures_nothing() {
        let peer = peer("node=node index.mjs").expect("it has the form");
        let project = || {
            let named = |name: &str, kind| Subject { name: name.to_owned(), kind, ..peer.clone() };
            vec![named(FLOOR, Kind::Floor), named("create-order", Kind::Function), named("get-order", Kind::Function)]
        };
        let names = |only, peers: &[Subject]| -> anyhow::Result<Vec<String>> {
            Ok(chosen(project(), only, peers)?.into_iter().map(|subject| subject.name).collect())
        };

        assert_eq!(names(None, &[]).expect("all"), [FLOOR, "create-order", "get-order"]);
        assert_eq!(names(Some("create"), &[]).expect("one"), [FLOOR, "create-order"]);
        assert_eq!(names(Some("none"), std::slice::from_ref(&peer)).expect("the peer"), [FLOOR, "node"]);
        let refused = names(Some("creat-order"), &[]).expect_err("no function").to_string();
        assert!(refused.contains("\"creat-order\"") && refused.contains("get-order"), "{refused}");
    }
}
