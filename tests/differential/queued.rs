//! Compares messages in the queue, attribute by attribute, while no worker receives them.

use crate::{
    Observations,
    cases::{self, Case},
    fields::{self, Fields},
    side::{DEADLINE, Side},
};
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use std::collections::HashMap;
use testkit::{eventually::eventually, order_bodies::new_id};

const CONCURRENCY: usize = 4;

/// Longer bodies are compared here by their size. The worker's records compare their hash.
const WHOLE_BYTES: usize = 10_000;

struct Sent {
    case: Case,
    id: String,
}

/// Sends the cases of the async lane again, and reads the queue instead of the worker.
pub(crate) async fn observe(side: &Side) -> Observations {
    set_worker(side, false).await;
    let cases = cases::all().into_iter().filter(Case::is_queued);
    let sending = stream::iter(cases).map(async |case| send(side, case).await).buffer_unordered(CONCURRENCY);
    let sent: HashMap<_, _> = sending.filter_map(async |sent| sent).collect().await;
    let messages = receive(side, sent.keys().map(String::as_str)).await;
    set_worker(side, true).await;
    let of = |(id, sent): (String, Sent)| {
        let fields = side.without_names(fields_of(&messages[&id], &sent.case), &sent.id);
        (format!("in the queue: {}", sent.case.name), fields)
    };
    sent.into_iter().map(of).collect()
}

/// Sends a case. Returns the message's id and the order if it was queued.
async fn send(side: &Side, case: Case) -> Option<(String, Sent)> {
    let id = new_id();
    let answer = side.send(&case.request, &id).await.ok()?;
    let message = answer.body["messageId"].as_str()?.to_owned();
    Some((message, Sent { case, id }))
}

async fn receive(side: &Side, ids: impl Iterator<Item = &str>) -> HashMap<String, Message> {
    let mut received = HashMap::new();
    let wanted: Vec<_> = ids.collect();
    let url = side.output("OrdersQueueUrl");
    let what = format!("the queue of {} has all messages", side.name);
    eventually(DEADLINE, &what, async || {
        let request = side.sqs.receive_message().queue_url(url).max_number_of_messages(10);
        let request = request.message_attribute_names("All");
        let request = request.message_system_attribute_names(MessageSystemAttributeName::AwsTraceHeader);
        for message in request.send().await.expect("the queue can be read").messages.unwrap_or_default() {
            let handle = message.receipt_handle.as_deref().expect("a message has a handle");
            let deleted = side.sqs.delete_message().queue_url(url).receipt_handle(handle).send().await;
            deleted.expect("a received message can be deleted");
            received.insert(message.message_id.clone().expect("a message has an id"), message);
        }
        wanted.iter().all(|id| received.contains_key(*id)).then_some(())
    })
    .await;
    received
}

fn fields_of(message: &Message, case: &Case) -> Fields {
    let body = message.body.as_deref().unwrap_or_default();
    let shown = if body.len() > WHOLE_BYTES { format!("{} bytes", body.len()) } else { body.to_owned() };
    let mut found = Fields::from([
        ("body".to_owned(), shown),
        ("body is as it was sent".to_owned(), (body.as_bytes() == case.request.body).to_string()),
    ]);
    for (name, attribute) in message.message_attributes.iter().flatten() {
        let value = attribute.string_value.as_deref().unwrap_or("no text");
        found.insert(format!("attribute {name}"), format!("{}: {}", attribute.data_type, fields::without_epoch(value)));
    }
    let trace =
        message.attributes.iter().flatten().map(|(name, value)| (format!("system attribute {name}"), value.clone()));
    found.extend(trace);
    found
}

async fn set_worker(side: &Side, enabled: bool) {
    let mappings = format!("{}/2015-03-31/event-source-mappings", side.endpoint);
    let function = side.output("ProcessOrdersFunctionName");
    let listed = call(side, side.http.get(format!("{mappings}/?FunctionName={function}"))).await;
    let id = listed["EventSourceMappings"][0]["UUID"].as_str().expect("the worker has a queue").to_owned();
    call(side, side.http.put(format!("{mappings}/{id}")).json(&json!({"Enabled": enabled}))).await;
    let (state, what) =
        (if enabled { "Enabled" } else { "Disabled" }, format!("enabled is {enabled} for the worker on {}", side.name));
    eventually(DEADLINE, &what, async || {
        let mapping = call(side, side.http.get(format!("{mappings}/{id}"))).await;
        (mapping["State"] == state).then_some(())
    })
    .await;
}

/// Calls Lambda's API without its large SDK. Emulators read only the credentials' scope from the signature.
async fn call(side: &Side, request: reqwest::RequestBuilder) -> Value {
    let scope = "Credential=test/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0";
    let answer = request.header("authorization", format!("AWS4-HMAC-SHA256 {scope}")).send().await;
    let answer = answer.unwrap_or_else(|error| panic!("{}: {error}", side.name));
    let text = answer.error_for_status().unwrap_or_else(|error| panic!("{}: {error}", side.name)).text().await.unwrap();
    serde_json::from_str(&text).unwrap()
}
