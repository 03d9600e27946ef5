//! What is measured: a bootstrap, its events and its environment.

use crate::backend::Backend;
use crate::template::Template;
use crate::token;
use anyhow::{Context, bail};
use hyper::body::Bytes;
use serde_json::{Value, json};
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Messages of a whole batch. Source: `template.yaml`, `BatchSize`.
pub(crate) const BATCH: usize = 10;

/// Batches that are sent in turn. Each has different owners, so that caching an owner does not help a function.
const BATCHES: usize = 200;

/// A bootstrap and its events.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) name: String,
    pub(crate) command: Vec<String>,
    /// Sent in turn.
    pub(crate) events: Vec<Bytes>,
    /// Orders of one event: more than one where it is a batch.
    pub(crate) orders: u32,
    pub(crate) kind: Kind,
    /// The function of `template.yaml` with the same environment variables.
    function: &'static str,
}

/// What a subject is measured for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// To compare the others with.
    Floor,
    /// One of the project's functions.
    Function,
    /// A bootstrap that the command line names.
    Peer,
}

const CREATE_ORDER: &str = include_str!("../../../functions/create-order/tests/fixtures/apigw-rest-put.json");
const PROCESS_ORDERS: &str = include_str!("../../../crates/orders-sqs/tests/fixtures/sqs-batch.json");
const GET_ORDER: &str = include_str!("../../../functions/get-order/tests/fixtures/apigw-rest-get.json");
const AUTHORIZE_REQUEST: &str = include_str!("../../../functions/authorize-request/tests/fixtures/rest-token.json");

/// The event of a socket that opened when the fixture was written.
pub(crate) const CONNECT: &str =
    include_str!("../../../functions/manage-connections/tests/fixtures/websocket-connect.json");

const WEBSOCKET_MESSAGE: &str =
    include_str!("../../../functions/manage-connections/tests/fixtures/websocket-message.json");

/// manage-connections with a client's ping, which keeps its socket open.
pub(crate) const PING: &str = "manage-connections-ping";

/// The smallest function.
pub(crate) const HELLO_FLOOR: &str = "hello-floor";

/// The smallest function that makes one AWS SDK call. Bounds are ratios to it.
pub(crate) const SDK_FLOOR: &str = "sdk-floor";

/// The project's functions: the folders in `functions/`.
pub(crate) const FUNCTIONS: [&str; 5] =
    ["authorize-request", "create-order", "get-order", "manage-connections", "process-orders"];

/// process-orders with batches of [`BATCH`] messages.
pub(crate) const WHOLE_BATCH: &str = "process-orders-batch";

/// Prefix of the fixtures' order ids. Each invocation replaces it, as every order has a different id.
const ORDER_ID: &str = "5f0c1b0e";

/// Events with new order ids so far.
static EVENTS: AtomicU32 = AtomicU32::new(0);

/// The floors and the project's functions. cargo-lambda writes each bootstrap to `folder/NAME/bootstrap`.
///
/// # Errors
/// A bootstrap is missing.
pub(crate) fn of_project(folder: &Path) -> anyhow::Result<Vec<Subject>> {
    // The floors get create-order's event: reading it is work that every function has.
    let floor = |name| {
        let subject = subject(folder, name, "create-order", events("create-order")?)?;
        anyhow::Ok(Subject { kind: Kind::Floor, ..subject })
    };
    let mut subjects = vec![floor(HELLO_FLOOR)?, floor(SDK_FLOOR)?];
    for name in FUNCTIONS {
        subjects.push(subject(folder, name, name, events(name)?)?);
    }
    let ping = subject(folder, "manage-connections", "manage-connections", vec![ping_event()?])?;
    subjects.push(Subject { name: PING.to_owned(), ..ping });
    subjects.push(whole_batches(folder, BATCHES)?);
    Ok(subjects)
}

/// The events that a function is measured with.
///
/// # Errors
/// There is no fixture for that function.
fn events(function: &str) -> anyhow::Result<Vec<Bytes>> {
    match function {
        "authorize-request" => Ok(vec![authorizer_event()?]),
        "create-order" => Ok(vec![Bytes::from_static(CREATE_ORDER.as_bytes())]),
        "get-order" => Ok(vec![Bytes::from_static(GET_ORDER.as_bytes())]),
        "manage-connections" => Ok(vec![connect_event()?]),
        "process-orders" => batches(1, BATCHES),
        _ => bail!("{function} has no event to measure it with: name its fixture in bench/lambda-bench/src/subject.rs"),
    }
}

/// The floors, the functions whose names contain `only`, and the peers.
///
/// # Errors
/// No function's name contains it, and the command line names no peer.
pub(crate) fn chosen(project: Vec<Subject>, only: Option<&str>, peers: &[Subject]) -> anyhow::Result<Vec<Subject>> {
    let (mut chosen, functions): (Vec<_>, Vec<_>) = project.into_iter().partition(|one| one.kind == Kind::Floor);
    let names: Vec<_> = functions.iter().map(|one| one.name.clone()).collect();
    let floors = chosen.len();
    chosen.extend(functions.into_iter().filter(|one| only.is_none_or(|only| one.name.contains(only))));
    chosen.extend(peers.iter().cloned());
    if chosen.len() == floors {
        bail!("No function has {:?} in its name; the functions are {}", only.unwrap_or_default(), names.join(", "));
    }
    Ok(chosen)
}

fn subject(folder: &Path, program: &str, function: &'static str, events: Vec<Bytes>) -> anyhow::Result<Subject> {
    let path = folder.join(program).join("bootstrap");
    anyhow::ensure!(path.is_file(), "{} is missing: run `make bench`, which builds it", path.display());
    let command = vec![path.to_string_lossy().into_owned()];
    Ok(Subject { name: program.to_owned(), command, events, orders: 1, kind: Kind::Function, function })
}

/// A bootstrap from `NAME=COMMAND` or `NAME=COMMAND@EVENTFILE`, the command's words separated by spaces. Without a file
/// it gets create-order's event; its environment is create-order's.
///
/// # Errors
/// The text does not have that form, or the event cannot be read.
pub(crate) fn peer(text: &str) -> anyhow::Result<Subject> {
    let form = || format!("{text} is not NAME=COMMAND or NAME=COMMAND@EVENTFILE");
    let (name, rest) = text.split_once('=').with_context(form)?;
    let (command, event) = match rest.split_once('@') {
        Some((command, file)) => {
            let event = fs::read(file).with_context(|| format!("Failed to read the event {file}"))?;
            (command, Bytes::from(event))
        }
        None => (rest, Bytes::from_static(CREATE_ORDER.as_bytes())),
    };
    let command: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
    anyhow::ensure!(!name.is_empty() && !command.is_empty(), form());
    let (name, events, function) = (name.to_owned(), vec![event], "create-order");
    Ok(Subject { name, command, events, orders: 1, kind: Kind::Peer, function })
}

/// create-order with an order of `items` items.
///
/// # Errors
/// Its bootstrap is missing.
pub(crate) fn create_order(folder: &Path, items: usize) -> anyhow::Result<Subject> {
    let mut event: Value = serde_json::from_str(CREATE_ORDER)?;
    let body = event["body"].as_str().context("the event has a body")?;
    let mut order: Value = serde_json::from_str(body)?;
    let item = order["items"][0].take();
    let numbered = |number| {
        let mut item = item.clone();
        item["sku"] = json!(format!("SKU-{number}"));
        item
    };
    order["items"] = (0..items).map(numbered).collect();
    event["body"] = json!(order.to_string());
    subject(folder, "create-order", "create-order", vec![Bytes::from(event.to_string())])
}

/// process-orders with `count` whole batches. Each message has a different owner.
///
/// # Errors
/// Its bootstrap is missing.
pub(crate) fn whole_batches(folder: &Path, count: usize) -> anyhow::Result<Subject> {
    let subject = subject(folder, "process-orders", "process-orders", batches(BATCH, count)?)?;
    Ok(Subject { name: WHOLE_BATCH.to_owned(), orders: u32::try_from(BATCH)?, ..subject })
}

/// `count` batches of `messages` messages each.
fn batches(messages: usize, count: usize) -> anyhow::Result<Vec<Bytes>> {
    (0..count).map(|number| batch(number * messages..(number + 1) * messages)).collect()
}

/// A batch of messages like the fixture's. Each has its number in its order id and its owner.
fn batch(numbers: Range<usize>) -> anyhow::Result<Bytes> {
    let mut event: Value = serde_json::from_str(PROCESS_ORDERS)?;
    let record = event["Records"][0].take();
    let records = numbers.map(|number| {
        let mut record = record.clone();
        record["messageId"] = json!(format!("059f36b4-87a3-44ab-83d2-{number:012}"));
        record["attributes"]["ApproximateReceiveCount"] = json!("1");
        record["messageAttributes"]["orderId"]["stringValue"] =
            json!(format!("{ORDER_ID}-6a54-4a2e-9d0b-{number:012}"));
        record["messageAttributes"]["owner"]["stringValue"] = json!(format!("owner-{number}"));
        record
    });
    event["Records"] = records.collect();
    Ok(Bytes::from(event.to_string()))
}

/// The fixture with a socket that opens now: its own time is so old that the connection has expired.
fn connect_event() -> anyhow::Result<Bytes> {
    let mut event: Value = serde_json::from_str(CONNECT)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    event["requestContext"]["connectedAt"] = json!(u64::try_from(now.as_millis())?);
    Ok(Bytes::from(event.to_string()))
}

/// The fixture with a ping.
fn ping_event() -> anyhow::Result<Bytes> {
    let mut event: Value = serde_json::from_str(WEBSOCKET_MESSAGE)?;
    event["requestContext"]["routeKey"] = json!("ping");
    event["body"] = json!(json!({"action": "ping"}).to_string());
    Ok(Bytes::from(event.to_string()))
}

/// The fixture with a token that has not expired.
fn authorizer_event() -> anyhow::Result<Bytes> {
    let mut event: Value = serde_json::from_str(AUTHORIZE_REQUEST)?;
    event["authorizationToken"] = json!(format!("Bearer {}", token::token()?));
    Ok(Bytes::from(event.to_string()))
}

impl Subject {
    /// The event of an invocation, with new order ids.
    pub(crate) fn event(&self, invocation: u32) -> Bytes {
        let event = &self.events[invocation as usize % self.events.len()];
        match std::str::from_utf8(event) {
            Ok(text) => {
                let number = EVENTS.fetch_add(1, Ordering::Relaxed);
                Bytes::from(text.replace(ORDER_ID, &format!("{number:08x}")))
            }
            Err(_) => event.clone(),
        }
    }

    /// The environment variables that Lambda would set on a local stack. `backend` is its AWS.
    ///
    /// # Errors
    /// A variable of the template cannot be evaluated, or `backend`'s certificate cannot be written to `folder`.
    pub(crate) fn environment(
        &self,
        runtime_api: &str,
        backend: &Backend,
        folder: &Path,
    ) -> anyhow::Result<Vec<(String, String)>> {
        let aws = backend.url();
        // Orders that expire: their records have every attribute.
        let expire = ("OrderRetentionDays", "30".to_owned());
        let template = Template::with(token::parameters().into_iter().chain([expire, ("LocalEndpoint", aws.clone())]));
        let memory = template.text(template.property(self.function, "MemorySize"))?.unwrap_or_default();
        let of_lambda = [
            ("AWS_LAMBDA_RUNTIME_API", runtime_api),
            ("AWS_LAMBDA_FUNCTION_NAME", &self.name),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &memory),
            ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
            ("AWS_LAMBDA_LOG_LEVEL", "INFO"),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_DEFAULT_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_SESSION_TOKEN", "token"),
            ("AWS_ENDPOINT_URL", &aws),
        ];
        let mut variables = template.environment(self.function)?;
        variables.extend(of_lambda.map(|(name, value)| (name.to_owned(), value.to_owned())));
        if let Some(authority) = backend.authority() {
            let file = folder.join("authority.pem");
            fs::write(&file, authority).with_context(|| format!("Failed to write {}", file.display()))?;
            // The names that AWS's SDKs, OpenSSL and Node read.
            let names = ["AWS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"];
            variables.extend(names.map(|name| (name.to_owned(), file.to_string_lossy().into_owned())));
        }
        Ok(variables)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_whole_batch_is_as_large_as_the_template_allows() {
        let template = Template::with([]);

        let source = &template.property("process-orders", "Events")["Orders"]["Properties"];

        assert_eq!(source["BatchSize"], BATCH);
    }

    #[test]
    fn every_function_of_the_project_has_an_event() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../functions");
        let folders = fs::read_dir(folder).expect("the project has functions");
        let mut folders: Vec<_> = folders.map(|entry| entry.expect("it is readable").file_name()).collect();
        folders.sort_unstable();

        assert_eq!(folders, FUNCTIONS);
        for function in FUNCTIONS {
            assert!(events(function).is_ok_and(|events| !events.is_empty()), "{function}");
        }
    }

    #[test]
    fn each_message_of_a_batch_is_another_order_of_another_owner() {
        let event = batch(0..BATCH).expect("the fixture is a batch");

        let event: Value = serde_json::from_slice(&event).expect("it is JSON");
        let records = event["Records"].as_array().expect("a batch");
        let of = |pointer: &str| -> BTreeSet<String> {
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
            vec![
                named(SDK_FLOOR, Kind::Floor),
                named("create-order", Kind::Function),
                named("get-order", Kind::Function),
            ]
        };
        let names = |only, peers: &[Subject]| -> anyhow::Result<Vec<String>> {
            Ok(chosen(project(), only, peers)?.into_iter().map(|subject| subject.name).collect())
        };

        assert_eq!(names(None, &[]).expect("all"), [SDK_FLOOR, "create-order", "get-order"]);
        assert_eq!(names(Some("create"), &[]).expect("one"), [SDK_FLOOR, "create-order"]);
        assert_eq!(names(Some("none"), std::slice::from_ref(&peer)).expect("the peer"), [SDK_FLOOR, "node"]);
        let refused = names(Some("creat-order"), &[]).expect_err("no function").to_string();
        assert!(refused.contains("\"creat-order\"") && refused.contains("get-order"), "{refused}");
    }
}
