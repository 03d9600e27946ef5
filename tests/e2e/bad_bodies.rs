//! Bad bodies in both lanes: both answers list what is wrong, in one format.

use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use testkit::{
    api_client::{ApiClient, Response, send},
    order_bodies::{new_id, order_of},
};

async fn put(api: &ApiClient, lane: &str, body: &str) -> Response {
    let request = api.request(Method::PUT, &format!("{lane}/orders/{}", new_id()));
    send(request.header(CONTENT_TYPE, "application/json").body(body.to_owned())).await
}

fn with(pointer: &str, value: Value) -> String {
    let mut order = order_of("SKU-1");
    *order.pointer_mut(pointer).unwrap() = value;
    order.to_string()
}

/// Both lanes refuse them at once. With the pointers of the sync lane's errors.
fn bad_bodies() -> Vec<(String, Vec<&'static str>)> {
    let mut unknown_field = order_of("SKU-1");
    unknown_field["vip"] = true.into();
    let mut hostile_name = order_of("SKU-1");
    hostile_name[r#"a"b\c/d"#] = 1.into();
    let mut several = order_of("no spaces");
    several["note"] = 7.into();
    several["items"][0]["quantity"] = 0.into();
    vec![
        (String::new(), vec![""]),
        ("{".to_owned(), vec![""]),
        ("[]".to_owned(), vec![""]),
        ("null".to_owned(), vec![""]),
        ("{}".to_owned(), vec!["/currency", "/items"]),
        (json!({"currency": "EUR"}).to_string(), vec!["/items"]),
        (unknown_field.to_string(), vec!["/vip"]),
        (hostile_name.to_string(), vec![r#"/a"b\c~1d"#]),
        (with("/currency", json!("euro")), vec!["/currency"]),
        (with("/items", json!({})), vec!["/items"]),
        (
            with("/items/0", json!(null)),
            vec!["/items/0", "/items/0/quantity", "/items/0/sku", "/items/0/unitPriceMinor"],
        ),
        (with("/items/0/sku", json!(r#""quoted" \u0000"#)), vec!["/items/0/sku"]),
        (with("/items/0/quantity", json!(10_001)), vec!["/items/0/quantity"]),
        (with("/items/0/unitPriceMinor", json!("1")), vec!["/items/0/unitPriceMinor"]),
        (several.to_string(), vec!["/items/0/quantity", "/items/0/sku", "/note"]),
    ]
}

#[tokio::test]
async fn both_lanes_answer_bad_bodies_alike_and_list_what_is_wrong() {
    let api = ApiClient::new();

    for (body, expected) in bad_bodies() {
        let [sync, queue] = [put(&api, "sync", &body).await, put(&api, "async", &body).await];

        let problems = [&sync, &queue].map(|response| response.problem(400));
        let [in_sync, in_queue] = &problems;
        assert_eq!((&in_sync.kind, &in_sync.title), (&in_queue.kind, &in_queue.title), "{body}");
        let names = |response: &Response| response.body.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(names(&sync), names(&queue), "{body}: fields of the sync (left) and of the async lane (right)");
        for error in problems.iter().flat_map(|problem| &problem.errors) {
            assert!(!error.detail.is_empty(), "{body}: {problems:?}");
        }
        let found: BTreeSet<_> = in_sync.errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(found, expected.into_iter().collect(), "{body}: {sync:?}");
        // API Gateway does not say where. The pointer is that of the whole body.
        let at_the_edge: Vec<_> = in_queue.errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(at_the_edge, [""], "{body}: {queue:?}");
    }
}

#[tokio::test]
async fn the_edge_names_the_field_or_the_rule() {
    let api = ApiClient::new();
    let mut unknown_field = order_of("SKU-1");
    unknown_field["vip"] = true.into();

    for (body, named) in [
        (json!({"currency": "EUR"}).to_string(), "items"),
        (unknown_field.to_string(), "vip"),
        (with("/items/0/quantity", json!(10_001)), "10000"),
        (with("/currency", json!("euro")), "euro"),
    ] {
        let problem = put(&api, "async", &body).await.problem(400);

        assert!(problem.errors[0].detail.contains(named), "{body}: {problem:?}");
    }
}
