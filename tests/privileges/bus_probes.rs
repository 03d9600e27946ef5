//! Probes of the bus lane and its services.

use crate::probe::{new_owner, until};
use reqwest::Method;
use serde_json::Value;
use testkit::{
    api_client::{ApiClient, Response, send},
    order_bodies::{new_id, new_sku, order_in},
    services::{account, steps},
    stack::Stack,
};

/// Reads the table, because the status service is another function.
async fn until_it_is(stack: &Stack, id: &str, status: &str) {
    until(&format!("the order is {status}"), async || {
        let stored = stack.items_with_order_id(id).await;
        stored.iter().any(|item| item["status"].as_s().is_ok_and(|found| found == status))
    })
    .await;
}

async fn until_the_hold_is(stack: &Stack, step: &str, owner: &str, id: &str, state: &str) {
    until(&format!("the hold of {step} is {state}"), async || {
        stack.hold(step, owner, id).await.is_some_and(|hold| hold.state == state)
    })
    .await;
}

fn order_of_two() -> Value {
    order_in("EUR", &[(&new_sku(), 2, 1999)])
}

pub(crate) async fn record() {
    let (id, stack) = (new_id(), Stack::from_env().await);
    ApiClient::for_user(&new_owner()).put("bus", &id, &order_of_two()).await;
    until("the order is recorded", async || !stack.items_with_order_id(&id).await.is_empty()).await;
}

pub(crate) async fn confirm() {
    let (owner, id, order, stack) = (new_owner(), new_id(), order_of_two(), Stack::from_env().await);
    stack.supply(&owner, &order).await;

    ApiClient::for_user(&owner).put("bus", &id, &order).await;

    until_it_is(&stack, &id, "CONFIRMED").await;
    for step in steps() {
        until_the_hold_is(&stack, step.name, &owner, &id, "DONE").await;
    }
}

pub(crate) async fn cancel() {
    let (owner, id, order, stack) = (new_owner(), new_id(), order_of_two(), Stack::from_env().await);
    stack.add_money(&owner, "EUR", 3998).await;

    ApiClient::for_user(&owner).put("bus", &id, &order).await;

    until_it_is(&stack, &id, "CANCELLED").await;
    for step in ["payment", "shipment"] {
        until_the_hold_is(&stack, step, &owner, &id, "UNDONE").await;
    }
    assert_eq!(stack.available("payment", &account(&owner, "EUR")).await, Some(3998));
}

/// As a new owner.
async fn paid() -> (ApiClient, String, Response) {
    let (owner, id) = (new_owner(), new_id());
    Stack::from_env().await.add_money(&owner, "EUR", 3998).await;
    let api = ApiClient::for_user(&owner);
    let response = api.put_payment(&id, "EUR", 3998).await;
    (api, id, response)
}

pub(crate) async fn pay() {
    let (.., response) = paid().await;
    assert_eq!(response.status, 201, "{response:?}");
}

pub(crate) async fn read_payment() {
    let (api, id, _) = paid().await;
    let response = send(api.request(Method::GET, &format!("payments/{id}"))).await;
    assert_eq!((response.status, &response.body["status"]), (200, &"CAPTURED".into()), "{response:?}");
}

pub(crate) async fn read_stock() {
    let (sku, stack) = (new_sku(), Stack::from_env().await);
    stack.add_stock(&sku, 3).await;
    let response = send(ApiClient::new().request(Method::GET, &format!("stock/{sku}"))).await;
    assert_eq!((response.status, &response.body["available"]), (200, &3.into()), "{response:?}");
}
