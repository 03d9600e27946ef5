//! Hostile bodies: each is refused with a clear 4xx, or stored as it was sent.
//!
//! The queue must carry a body byte for byte. So every accepted body is sent again with an unknown currency, which only
//! the worker rejects. The rejected order's record has the SHA-256 of the body that the worker received.

use futures_util::{StreamExt, stream};
use orders::Fingerprint;
use proptest::{prelude::any, strategy::Strategy, strategy::ValueTree, test_runner::TestRunner};
use reqwest::Method;
use serde_json::Value;
use testkit::{
    api_client::{ApiClient, Response, send},
    eventually::{DEADLINE, eventually},
    hostile_bodies::{Case, Verdict, case, damaged_text, form_characters, large_ones, not_orders, odd_headers},
    order_bodies::{new_id, order_with_note},
    stack::Stack,
};

const CONCURRENCY: usize = 8;

async fn put(api: &ApiClient, lane: &str, id: &str, case: &Case, body: Vec<u8>) -> Response {
    let request = api.request(Method::PUT, &format!("{lane}/orders/{id}"));
    let request = case.headers.iter().fold(request, |request, (name, value)| request.header(name, *value));
    send(request.body(body)).await
}

/// Sent by the client.
fn content(order: &Value) -> [Value; 3] {
    ["currency", "items", "note"].map(|name| order[name].clone())
}

/// Returns the stored order, if any.
async fn in_the_sync_lane(api: &ApiClient, case: &Case) -> Option<Value> {
    let id = new_id();
    let response = put(api, "sync", &id, case, case.body.clone()).await;
    if response.status == 201 {
        let stored = api.get(&id).await.body;
        assert_eq!(stored, response.body, "{}", case.name);
        return Some(stored);
    }
    let status = response.status;
    assert!((400..500).contains(&status), "{}: {response:?}", case.name);
    response.problem(status);
    if let Verdict::Refused(expected) | Verdict::RefusedAs(expected, _) = case.verdict {
        assert_eq!(status, expected, "{}", case.name);
    }
    assert_eq!(api.get(&id).await.body["status"], "PENDING", "{}: refused, so not stored", case.name);
    None
}

/// Returns the confirmed order, if any.
async fn in_the_async_lane(api: &ApiClient, stack: &Stack, case: &Case) -> Option<Value> {
    let id = new_id();
    let response = put(api, "async", &id, case, case.body.clone()).await;
    if response.status == 202 {
        let order = api.settled(&id).await;
        if order["status"] == "CONFIRMED" {
            return Some(order);
        }
        assert_eq!(order["status"], "REJECTED", "{}: {order}", case.name);
        assert_eq!(hash_from_the_queue(stack, &id).await, hash(&case.body), "{}: altered in the queue", case.name);
        return None;
    }
    let status = response.status;
    assert!((400..500).contains(&status), "{}: {response:?}", case.name);
    response.problem(status);
    if let Verdict::Refused(expected) | Verdict::RefusedAs(_, expected) = case.verdict {
        assert_eq!(status, expected, "{}", case.name);
    }
    assert_eq!(api.get(&id).await.body["status"], "PENDING", "{}: refused, so not stored", case.name);
    None
}

fn hash(body: &[u8]) -> String {
    Fingerprint::of_bytes(body).to_string()
}

/// Of a rejected order's body, as the worker received it.
async fn hash_from_the_queue(stack: &Stack, id: &str) -> String {
    let item = eventually(DEADLINE, &format!("{id} has a record"), async || stack.item(id).await).await;
    assert_eq!(item["status"].as_s().unwrap(), "REJECTED", "{item:?}");
    item["requestHash"].as_s().unwrap().clone()
}

/// Sends an accepted body again with an unknown currency, and compares the hash of what the worker received.
async fn assert_carried_byte_for_byte(api: &ApiClient, stack: &Stack, case: &Case) {
    let text = String::from_utf8(case.body.clone()).expect("an accepted body is text");
    let body = text.replacen("EUR", "ABC", 1).into_bytes();
    assert_ne!(body, case.body, "{}: every case orders in EUR", case.name);
    let id = new_id();

    let response = put(api, "async", &id, case, body.clone()).await;

    assert_eq!(response.status, 202, "{}: {response:?}", case.name);
    assert_eq!(hash_from_the_queue(stack, &id).await, hash(&body), "{}: altered in the queue", case.name);
}

async fn check(api: &ApiClient, stack: &Stack, case: &Case) {
    let stored = [in_the_sync_lane(api, case).await, in_the_async_lane(api, stack, case).await];

    let taken = [case.verdict == Verdict::Taken; 2];
    assert_eq!(stored.each_ref().map(Option::is_some), taken, "{}: accepted by the sync and the async lane", case.name);
    for order in stored.iter().flatten() {
        let sent: Value = serde_json::from_slice(&case.body).expect("an accepted body is JSON");
        assert_eq!(content(order), content(&sent), "{}: altered", case.name);
    }
    if stored[1].is_some() {
        assert_carried_byte_for_byte(api, stack, case).await;
    }
}

async fn check_all(cases: Vec<Case>) {
    let (api, stack) = (ApiClient::new(), Stack::from_env().await);
    stream::iter(&cases).for_each_concurrent(CONCURRENCY, |case| check(&api, &stack, case)).await;
}

#[tokio::test]
async fn characters_that_mean_something_to_forms_and_templates_arrive_as_they_are() {
    check_all(form_characters()).await;
}

#[tokio::test]
async fn damaged_text_is_refused() {
    check_all(damaged_text()).await;
}

#[tokio::test]
async fn bodies_that_are_not_orders_are_refused() {
    check_all(not_orders()).await;
}

#[tokio::test]
async fn large_bodies_are_taken_up_to_the_same_size_in_both_lanes() {
    check_all(large_ones()).await;
}

#[tokio::test]
async fn odd_headers_do_not_alter_a_body() {
    check_all(odd_headers()).await;
}

#[tokio::test]
async fn any_note_arrives_as_it_is() {
    const NOTES: usize = 32;
    let mut runner = TestRunner::default();
    let note = any::<String>().prop_filter("without the three characters that orders cannot have", |note| {
        !note.contains(['\u{FFFD}', '\u{FFFE}', '\u{FFFF}']) && note.chars().count() <= 500
    });
    let notes: Vec<_> = (0..NOTES).map(|_| note.new_tree(&mut runner).unwrap().current()).collect();

    // A failure prints the whole body, with the note.
    check_all(notes.iter().map(|note| case("any note", order_with_note(note).to_string(), Verdict::Taken)).collect())
        .await;
}
