//! The measured events: fixtures of the functions' tests, and batches of these.

use crate::token;
use anyhow::Context;
use hyper::body::Bytes;
use serde_json::{Value, json};
use std::fs;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Source: `template.yaml`, `BatchSize`.
pub(crate) const BATCH: usize = 10;

/// A ping, which keeps its socket open.
pub(crate) const PING: &str = "manage-connections-ping";

pub(crate) const WHOLE_BATCH: &str = "process-orders-batch";

pub(crate) const STEP_BATCH: &str = "reserve-stock-batch";

/// A vote that is not the last.
pub(crate) const VOTE: &str = "settle-order-vote";

/// The last vote, which confirms the order.
pub(crate) const DECISION: &str = "settle-order-decision";

/// The folder of all functions.
pub(crate) const FUNCTIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../functions");

macro_rules! fixture {
    ($path:literal) => {
        include_str!(concat!("../../../", $path))
    };
}

const CREATE_ORDER: &str = fixture!("functions/create-order/tests/fixtures/apigw-rest-put.json");
const AUTHORIZE_REQUEST: &str = fixture!("functions/authorize-request/tests/fixtures/rest-token.json");
const PROCESS_ORDERS: &str = fixture!("crates/orders-sqs/tests/fixtures/sqs-batch.json");
const STEP: &str = fixture!("crates/steps-sqs/tests/fixtures/sqs-batch.json");
const SETTLE_ORDER: &str = fixture!("functions/settle-order/tests/fixtures/sqs-batch.json");

/// A socket that opened when the fixture was written.
pub(crate) const CONNECT: &str = fixture!("functions/manage-connections/tests/fixtures/websocket-connect.json");

const WEBSOCKET_MESSAGE: &str = fixture!("functions/manage-connections/tests/fixtures/websocket-message.json");

/// Number of different batches, sent in turn. Each has different owners, so that caching an owner does not help.
const BATCHES: usize = 200;

/// Prefix of the fixtures' order ids. Each invocation replaces it, as every order has a different id.
const ORDER_ID: &str = "5f0c1b0e";

/// Events with new order ids so far.
static EVENTS: AtomicU32 = AtomicU32::new(0);

/// A subject's events, sent in turn.
///
/// # Errors
/// The subject has no fixture, or it cannot be read.
pub(crate) fn of(subject: &str) -> anyhow::Result<Vec<Bytes>> {
    match subject {
        "authorize-request" => Ok(vec![authorizer_event()?]),
        "manage-connections" => Ok(vec![connect_event()?]),
        PING => Ok(vec![ping_event()?]),
        "process-orders" => queued_orders(1, BATCHES),
        WHOLE_BATCH => queued_orders(BATCH, BATCHES),
        "authorize-payment" | "book-shipment" | "reserve-stock" => batches(STEP, 1, BATCHES, numbered_event),
        STEP_BATCH => batches(STEP, BATCH, BATCHES, numbered_event),
        "settle-order" => batches(SETTLE_ORDER, 1, BATCHES, submission),
        VOTE => batches(SETTLE_ORDER, 1, BATCHES, |record, number| held(record, number, "stock")),
        DECISION => batches(SETTLE_ORDER, 1, BATCHES, |record, number| held(record, number, "shipment")),
        function => Ok(vec![request(function)?]),
    }
}

/// The request in the fixtures of a function's own tests.
fn request(function: &str) -> anyhow::Result<Bytes> {
    let fixture = |method| format!("{FUNCTIONS}/{function}/tests/fixtures/apigw-rest-{method}.json");
    let event = fs::read(fixture("put")).or_else(|_| fs::read(fixture("get")));
    let add = || {
        format!(
            "{function} has no event: add apigw-rest-put.json or apigw-rest-get.json to its fixtures, or a case to bench/lambda-bench/src/events.rs"
        )
    };
    Ok(Bytes::from(event.with_context(add)?))
}

pub(crate) fn with_new_ids(event: &Bytes) -> Bytes {
    let Ok(text) = std::str::from_utf8(event) else { return event.clone() };
    let number = EVENTS.fetch_add(1, Ordering::Relaxed);
    Bytes::from(text.replace(ORDER_ID, &format!("{number:08x}")))
}

pub(crate) fn create_order() -> Bytes {
    Bytes::from_static(CREATE_ORDER.as_bytes())
}

/// An order of `items` items.
///
/// # Errors
/// The fixture has no order.
pub(crate) fn order_of(items: usize) -> anyhow::Result<Bytes> {
    let mut event: Value = serde_json::from_str(CREATE_ORDER)?;
    let mut order = body_of(&event)?;
    let item = order["items"][0].take();
    let numbered = |number| {
        let mut item = item.clone();
        item["sku"] = json!(format!("SKU-{number}"));
        item
    };
    order["items"] = (0..items).map(numbered).collect();
    event["body"] = json!(order.to_string());
    Ok(Bytes::from(event.to_string()))
}

/// `count` batches of `messages` orders for process-orders, each with a different owner.
///
/// # Errors
/// The fixture is not a batch.
pub(crate) fn queued_orders(messages: usize, count: usize) -> anyhow::Result<Vec<Bytes>> {
    batches(PROCESS_ORDERS, messages, count, |record, number| {
        record["messageAttributes"]["orderId"]["stringValue"] = json!(order_id(number));
        record["messageAttributes"]["owner"]["stringValue"] = json!(owner(number));
        Ok(())
    })
}

/// `count` batches of `messages` copies of the fixture's first message. `change` numbers each.
fn batches(
    fixture: &str,
    messages: usize,
    count: usize,
    change: impl Fn(&mut Value, usize) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<Bytes>> {
    (0..count).map(|number| batch(fixture, number * messages..(number + 1) * messages, &change)).collect()
}

fn batch(
    fixture: &str,
    numbers: Range<usize>,
    change: impl Fn(&mut Value, usize) -> anyhow::Result<()>,
) -> anyhow::Result<Bytes> {
    let mut event: Value = serde_json::from_str(fixture)?;
    let record = event["Records"][0].take();
    let records = numbers.map(|number| {
        let mut record = record.clone();
        record["messageId"] = json!(format!("059f36b4-87a3-44ab-83d2-{number:012}"));
        record["attributes"]["ApproximateReceiveCount"] = json!("1");
        // With the fixture's old time, the deadline of its order would have passed.
        record["attributes"]["SentTimestamp"] = json!(unix_ms()?.to_string());
        change(&mut record, number)?;
        anyhow::Ok(record)
    });
    event["Records"] = records.collect::<anyhow::Result<Value>>()?;
    Ok(Bytes::from(event.to_string()))
}

fn order_id(number: usize) -> String {
    format!("{ORDER_ID}-6a54-4a2e-9d0b-{number:012}")
}

fn owner(number: usize) -> String {
    format!("owner-{number}")
}

fn numbered_event(record: &mut Value, number: usize) -> anyhow::Result<()> {
    changed_event(record, number, |_| Ok(()))
}

/// The submission of publish-order's order, from the submissions queue.
fn submission(record: &mut Value, number: usize) -> anyhow::Result<()> {
    from_queue(record, "SubmissionsQueue");
    changed_event(record, number, |event| {
        event["type"] = json!("order.submitted");
        event["order"] = body_of(&serde_json::from_slice(&request("publish-order")?)?)?;
        Ok(())
    })
}

/// A step's vote `held`, from the outcomes queue.
fn held(record: &mut Value, number: usize, step: &str) -> anyhow::Result<()> {
    from_queue(record, "OutcomesQueue");
    changed_event(record, number, |event| {
        event["type"] = json!(format!("{step}.held"));
        Ok(())
    })
}

/// Here queues have their logical ids as names.
fn from_queue(record: &mut Value, name: &str) {
    record["eventSourceARN"] = json!(format!("arn:aws:sqs:eu-central-1:123456789012:{name}"));
}

fn changed_event(
    record: &mut Value,
    number: usize,
    change: impl FnOnce(&mut Value) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut event = body_of(record)?;
    event["orderId"] = json!(order_id(number));
    event["owner"] = json!(owner(number));
    change(&mut event)?;
    record["messageAttributes"]["eventType"]["stringValue"] = event["type"].clone();
    record["body"] = json!(event.to_string());
    Ok(())
}

fn body_of(request: &Value) -> anyhow::Result<Value> {
    let body = request["body"].as_str().context("the fixture has a body")?;
    serde_json::from_str(body).context("the fixture's body is JSON")
}

/// A socket that opens now. With the fixture's old time, the connection would have expired.
fn connect_event() -> anyhow::Result<Bytes> {
    let mut event: Value = serde_json::from_str(CONNECT)?;
    event["requestContext"]["connectedAt"] = json!(unix_ms()?);
    Ok(Bytes::from(event.to_string()))
}

/// Now.
fn unix_ms() -> anyhow::Result<u64> {
    Ok(u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?)
}

fn ping_event() -> anyhow::Result<Bytes> {
    let mut event: Value = serde_json::from_str(WEBSOCKET_MESSAGE)?;
    event["requestContext"]["routeKey"] = json!("ping");
    event["body"] = json!(json!({"action": "ping"}).to_string());
    Ok(Bytes::from(event.to_string()))
}

/// With a token that has not expired.
fn authorizer_event() -> anyhow::Result<Bytes> {
    let mut event: Value = serde_json::from_str(AUTHORIZE_REQUEST)?;
    event["authorizationToken"] = json!(format!("Bearer {}", token::token()?));
    Ok(Bytes::from(event.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn first(subject: &str) -> Value {
        let events = of(subject).expect("the fixture is a batch");
        serde_json::from_slice(&events[0]).expect("it is JSON")
    }

    fn bodies(event: &Value) -> Vec<Value> {
        let records = event["Records"].as_array().expect("a batch");
        records.iter().map(|record| body_of(record).expect("an event")).collect()
    }

    #[test]
    fn each_message_of_a_batch_has_a_different_order_and_owner() {
        let event = first(WHOLE_BATCH);

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
    fn each_event_of_a_steps_batch_has_a_different_order_and_owner() {
        let events = bodies(&first(STEP_BATCH));

        for field in ["orderId", "owner"] {
            let values: BTreeSet<String> = events.iter().map(|event| event[field].to_string()).collect();
            assert_eq!(values.len(), BATCH, "{field}");
        }
        assert!(events.iter().all(|event| event["type"] == "order.placed" && event["order"].is_object()));
    }

    #[test]
    fn settle_order_has_a_submission_a_vote_and_the_vote_that_decides() {
        for (subject, event_type, queue) in [
            ("settle-order", "order.submitted", "SubmissionsQueue"),
            (VOTE, "stock.held", "OutcomesQueue"),
            (DECISION, "shipment.held", "OutcomesQueue"),
        ] {
            let event = first(subject);

            let record = &event["Records"][0];
            assert_eq!(bodies(&event)[0]["type"], event_type);
            assert_eq!(record["messageAttributes"]["eventType"]["stringValue"], event_type);
            assert!(record["eventSourceARN"].as_str().is_some_and(|arn| arn.ends_with(queue)), "{record}");
        }
    }
}
