//! Bodies made to be altered, half stored or choked on: each is refused with a clear 4xx, or stored as it was sent.
//!
//! That the queue carries a body byte for byte is read from the table: the record of an order that the worker refuses
//! has the SHA-256 of the body as it came out of the queue. So every body that is taken is sent once more in a currency that
//! only the worker knows to be none.

use futures_util::{StreamExt, stream};
use orders::Fingerprint;
use proptest::{prelude::any, strategy::Strategy, strategy::ValueTree, test_runner::TestRunner};
use reqwest::Method;
use serde_json::Value;
use testkit::{
    api_client::{Answer, ApiClient, send},
    eventually::{DEADLINE, eventually},
    hostile_bodies::{Case, Verdict, case, damaged_text, form_characters, large_ones, no_orders, odd_headers},
    order_bodies::{new_id, order_with_note},
    stack::Stack,
};

/// Cases on their way at once.
const CONCURRENCY: usize = 8;

async fn put(api: &ApiClient, lane: &str, id: &str, case: &Case, body: Vec<u8>) -> Answer {
    let request = api.request(Method::PUT, &format!("{lane}/orders/{id}"));
    let request = case.headers.iter().fold(request, |request, (name, value)| request.header(name, *value));
    send(request.body(body)).await
}

/// What the client ordered, of an order as it is shown.
fn content(order: &Value) -> [Value; 3] {
    ["currency", "items", "note"].map(|name| order[name].clone())
}

/// Sends a case down the sync lane: the order that was stored, or nothing.
async fn in_the_sync_lane(api: &ApiClient, case: &Case) -> Option<Value> {
    let id = new_id();
    let answer = put(api, "sync", &id, case, case.body.clone()).await;
    if answer.status == 201 {
        let stored = api.get(&id).await.body;
        assert_eq!(stored, answer.body, "{}", case.name);
        return Some(stored);
    }
    let status = answer.status;
    assert!((400..500).contains(&status), "{}: {answer:?}", case.name);
    answer.problem(status);
    if let Verdict::Refused(expected) | Verdict::RefusedAs(expected, _) = case.verdict {
        assert_eq!(status, expected, "{}", case.name);
    }
    assert_eq!(api.get(&id).await.body["status"], "PENDING", "{}: refused, so not stored", case.name);
    None
}

/// Sends a case down the async lane: the order that was stored, or nothing.
async fn in_the_async_lane(api: &ApiClient, stack: &Stack, case: &Case) -> Option<Value> {
    let id = new_id();
    let answer = put(api, "async", &id, case, case.body.clone()).await;
    if answer.status == 202 {
        let order = api.settled(&id).await;
        if order["status"] == "CONFIRMED" {
            return Some(order);
        }
        assert_eq!(order["status"], "REJECTED", "{}: {order}", case.name);
        assert_eq!(hash_from_the_queue(stack, &id).await, hash(&case.body), "{}: altered on its way", case.name);
        return None;
    }
    let status = answer.status;
    assert!((400..500).contains(&status), "{}: {answer:?}", case.name);
    answer.problem(status);
    if let Verdict::Refused(expected) | Verdict::RefusedAs(_, expected) = case.verdict {
        assert_eq!(status, expected, "{}", case.name);
    }
    assert_eq!(api.get(&id).await.body["status"], "PENDING", "{}: refused, so not stored", case.name);
    None
}

fn hash(body: &[u8]) -> String {
    Fingerprint::of_bytes(body).to_string()
}

/// The hash of the body of a refused order, as the worker had it from the queue.
async fn hash_from_the_queue(stack: &Stack, id: &str) -> String {
    let item = eventually(DEADLINE, &format!("a record of {id}"), async || stack.item(id).await).await;
    assert_eq!(item["status"].as_s().unwrap(), "REJECTED", "{item:?}");
    item["requestHash"].as_s().unwrap().clone()
}

/// Sends a body that is taken once more, in no currency, and compares what came out of the queue.
async fn assert_carried_byte_for_byte(api: &ApiClient, stack: &Stack, case: &Case) {
    let text = String::from_utf8(case.body.clone()).expect("a body that is taken is text");
    let body = text.replacen("EUR", "ABC", 1).into_bytes();
    assert_ne!(body, case.body, "{}: every case orders in EUR", case.name);
    let id = new_id();

    let answer = put(api, "async", &id, case, body.clone()).await;

    assert_eq!(answer.status, 202, "{}: {answer:?}", case.name);
    assert_eq!(hash_from_the_queue(stack, &id).await, hash(&body), "{}: altered on its way", case.name);
}

async fn check(api: &ApiClient, stack: &Stack, case: &Case) {
    let stored = [in_the_sync_lane(api, case).await, in_the_async_lane(api, stack, case).await];

    let taken = [case.verdict == Verdict::Taken; 2];
    assert_eq!(stored.each_ref().map(Option::is_some), taken, "{}: taken by the sync and the async lane", case.name);
    for order in stored.iter().flatten() {
        let sent: Value = serde_json::from_slice(&case.body).expect("a body that is taken is JSON");
        assert_eq!(content(order), content(&sent), "{}: altered", case.name);
    }
    if stored[1].is_some() {
        assert_carried_byte_for_byte(api, stack, case).await;
    }
}

async fn check_all(cases: Vec<Case>) {
    let (api, stack) = (ApiClient::new(), Stack::of_environment().await);
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
async fn what_is_no_order_is_refused() {
    check_all(no_orders()).await;
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
    let note = any::<String>().prop_filter("the three that no order has", |note| {
        !note.contains(['\u{FFFD}', '\u{FFFE}', '\u{FFFF}']) && note.chars().count() <= 500
    });
    let notes: Vec<_> = (0..NOTES).map(|_| note.new_tree(&mut runner).unwrap().current()).collect();

    // A failure shows the note itself: bodies are compared whole.
    check_all(notes.iter().map(|note| case("any note", order_with_note(note).to_string(), Verdict::Taken)).collect())
        .await;
}
