//! Compares `infra/asyncapi.yaml` with the queue message and the WebSocket frames.

use crate::{cloudformation::yaml, rest_schemas::full_order};
use orders_api::{
    ClientFrame, PendingView, ServerFrame, ViolationView, parse_order_body,
    queue_message::{ORDER_ID_ATTRIBUTE, OWNER_ATTRIBUTE, REQUEST_TIME_ATTRIBUTE},
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use testkit::repository;

pub(crate) fn document() -> Value {
    yaml(&repository::read("infra/asyncapi.yaml"))
}

fn message(name: &str) -> Value {
    document()["components"]["messages"][name].clone()
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

fn texts(value: &Value) -> BTreeSet<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// Sent by clients; all others by the server.
const CLIENT_FRAMES: [&str; 2] = ["subscribe", "ping"];

/// The server's WebSocket messages, by their `type`.
fn server_messages() -> BTreeMap<String, Value> {
    let names = keys(&document()["channels"]["webSocket"]["messages"]);
    let names = names.iter().filter(|name| !CLIENT_FRAMES.contains(&name.as_str()));
    names
        .map(|name| message(name))
        .map(|message| (message["payload"]["properties"]["type"]["const"].as_str().unwrap().to_owned(), message))
        .collect()
}

/// Each with all fields and with only the required ones.
fn frames() -> [[ServerFrame; 2]; 7] {
    let text = || "text".to_owned();
    let (order, url) = (Some(Box::new(full_order())), Some(text()));
    let errors = vec![ViolationView { pointer: text(), detail: text() }];
    let failed = ServerFrame::Failed { order_id: text(), reason: text() };
    let error = ServerFrame::Error { detail: text() };
    [
        [
            ServerFrame::Confirmed { order_id: text(), order: order.clone(), order_url: url.clone() },
            ServerFrame::Confirmed { order_id: text(), order: None, order_url: None },
        ],
        [
            ServerFrame::Cancelled { order_id: text(), reason: text(), order: order.clone(), order_url: url.clone() },
            ServerFrame::Cancelled { order_id: text(), reason: text(), order: None, order_url: None },
        ],
        [
            ServerFrame::Rejected { order_id: text(), reason: text(), errors, order_url: url.clone() },
            ServerFrame::Rejected { order_id: text(), reason: text(), errors: Vec::new(), order_url: None },
        ],
        [failed.clone(), failed],
        [
            ServerFrame::Status { order_id: text(), status: text(), order, order_url: url },
            ServerFrame::Status { order_id: text(), status: text(), order: None, order_url: None },
        ],
        [ServerFrame::Pong, ServerFrame::Pong],
        [error.clone(), error],
    ]
}

#[test]
fn the_queue_message_has_the_attributes_that_the_worker_reads() {
    let message = message("queuedOrder");
    let required = BTreeSet::from([ORDER_ID_ATTRIBUTE, OWNER_ATTRIBUTE].map(String::from));
    let attributes = required.iter().cloned().chain([REQUEST_TIME_ATTRIBUTE.to_owned()]).collect();

    assert_eq!(keys(&message["headers"]["properties"]), attributes);
    assert_eq!(texts(&message["headers"]["required"]), required);
    assert_eq!(message["payload"], json!({"$ref": "./openapi.yaml#/components/schemas/OrderRequest"}));
    for example in message["examples"].as_array().unwrap() {
        assert!(parse_order_body(example["payload"].to_string().as_bytes()).is_ok(), "{example}");
    }
}

#[test]
fn every_frame_of_the_server_is_described_as_it_is_sent() {
    let described = server_messages();
    let mut sent = BTreeSet::new();

    for frame in frames() {
        let [full, least] = frame.map(|frame| serde_json::to_value(frame).unwrap());
        let kind = full["type"].as_str().unwrap();
        let message = described.get(kind).unwrap_or_else(|| panic!("infra/asyncapi.yaml: describe {kind}"));
        let payload = &message["payload"];
        assert_eq!(keys(&payload["properties"]), keys(&full), "{kind}: described (left), sent at most (right)");
        assert_eq!(texts(&payload["required"]), keys(&least), "{kind}: required (left), sent at least (right)");
        sent.insert(kind.to_owned());
    }
    assert_eq!(described.into_keys().collect::<BTreeSet<_>>(), sent, "types described (left), types sent (right)");
}

#[test]
fn every_example_of_a_frame_can_be_parsed() {
    for (kind, message) in server_messages() {
        for example in message["examples"].as_array().unwrap() {
            let frame: ServerFrame = serde_json::from_value(example["payload"].clone()).unwrap();
            assert_eq!(serde_json::to_value(frame).unwrap(), example["payload"], "{kind}");
        }
    }
    for example in message("subscribe")["examples"].as_array().unwrap() {
        let frame = ClientFrame::parse(&example["payload"].to_string());
        assert!(matches!(frame, Ok(ClientFrame::Subscribe(_))), "{example}");
    }
    for example in message("ping")["examples"].as_array().unwrap() {
        assert_eq!(ClientFrame::parse(&example["payload"].to_string()), Ok(ClientFrame::Ping), "{example}");
    }
}

#[test]
fn a_subscription_is_described_as_it_is_read() {
    let payload = message("subscribe")["payload"].clone();
    let fields = BTreeSet::from(["action", "orderId"].map(String::from));

    assert_eq!(payload["properties"]["action"]["const"], "subscribe");
    assert_eq!(keys(&payload["properties"]), fields);
    assert_eq!(texts(&payload["required"]), fields);
    assert_eq!(payload["additionalProperties"], false);
}

#[test]
fn a_ping_is_described_as_it_is_read() {
    let payload = message("ping")["payload"].clone();
    let fields = BTreeSet::from(["action".to_owned()]);

    assert_eq!(payload["properties"]["action"]["const"], "ping");
    assert_eq!((keys(&payload["properties"]), texts(&payload["required"])), (fields.clone(), fields));
    assert_eq!(payload["additionalProperties"], false);
}

/// Clients need both facts, and no handshake contains them.
#[test]
fn the_channel_says_how_long_a_socket_lives_and_how_to_catch_up() {
    let described = document()["channels"]["webSocket"]["description"].as_str().unwrap().to_owned();

    for fact in ["ten minutes", "two hours", "Send ping", "subscribe", "GET /orders/{orderId}"] {
        assert!(described.contains(fact), "mention {fact}: {described}");
    }
}

#[test]
fn a_status_frame_knows_the_statuses_of_the_status_service() {
    let statuses = orders::Status::ALL.map(orders::Status::name).into_iter().chain([PendingView::STATUS]);
    let described = message("orderStatus");

    assert_eq!(texts(&described["payload"]["properties"]["status"]["enum"]), statuses.map(String::from).collect());
}

#[test]
fn every_reference_has_a_target() {
    let (document, openapi) = (document(), crate::cloudformation::rest_api());
    let mut pending = vec![&document];

    while let Some(value) = pending.pop() {
        if let Some(reference) = value["$ref"].as_str() {
            let (file, pointer) = reference.split_once('#').unwrap();
            let target = if file.is_empty() { &document } else { &openapi };
            assert!(file.is_empty() || file == "./openapi.yaml", "{reference}");
            assert!(target.pointer(pointer).is_some(), "infra/asyncapi.yaml: {reference} leads nowhere");
        }
        match value {
            Value::Object(fields) => pending.extend(fields.values()),
            Value::Array(items) => pending.extend(items),
            _ => {}
        }
    }
}
