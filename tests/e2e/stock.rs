//! The stock service's API: units on the shelves.

use reqwest::Method;
use serde_json::json;
use testkit::{
    api_client::{ApiClient, Response, send},
    eventually::{DEADLINE, eventually},
    order_bodies::{new_id, new_sku, order_in},
    stack::{OWNER, Stack},
};

async fn get(api: &ApiClient, sku: &str) -> Response {
    send(api.request(Method::GET, &format!("stock/{sku}"))).await
}

#[tokio::test]
async fn shows_what_is_left_of_a_sku_and_follows_an_order() {
    let (api, stack, id, sku) = (ApiClient::new(), Stack::from_env().await, new_id(), new_sku());
    let order = order_in("ISK", &[(&sku, 3, 10)]);
    stack.supply(OWNER, &order).await;
    stack.add_stock(&sku, 4).await;

    let before = get(&api, &sku).await;
    api.put("bus", &id, &order).await;

    assert_eq!((before.status, before.body), (200, json!({"sku": sku, "available": 7})));
    assert_eq!(api.settled(&id).await["status"], "CONFIRMED");
    eventually(DEADLINE, "the units are taken", async || (get(&api, &sku).await.body["available"] == 4).then_some(()))
        .await;
}

#[tokio::test]
async fn answers_404_for_a_sku_that_was_never_on_the_shelves() {
    get(&ApiClient::new(), &new_sku()).await.problem(404);
}

#[tokio::test]
async fn refuses_what_is_not_a_sku() {
    let api = ApiClient::new();

    for malformed in ["no%20spaces", "%C3%BC", "a".repeat(65).as_str(), "SKU%231"] {
        get(&api, malformed).await.problem(400);
    }
}

#[tokio::test]
async fn refuses_other_methods_with_405() {
    let (api, path) = (ApiClient::new(), format!("stock/{}", new_sku()));

    for method in [Method::PUT, Method::POST, Method::DELETE] {
        let response = send(api.request(method, &path)).await;
        response.problem(405);
        assert_eq!(response.header("allow"), "GET, OPTIONS");
    }
}
