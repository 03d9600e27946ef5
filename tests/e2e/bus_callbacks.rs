//! The callbacks of bus orders over the WebSocket API.

use serde_json::json;
use testkit::{
    api_client::ApiClient,
    order_bodies::{new_id, new_sku, order_in},
    socket::Socket,
    stack::{OWNER, Stack},
};

#[tokio::test]
async fn calls_back_with_the_order_when_it_is_confirmed_and_again_for_each_repeat() {
    let (api, stack, id, sku) = (ApiClient::new(), Stack::from_env().await, new_id(), new_sku());
    let mut socket = Socket::open().await;
    let order = order_in("EUR", &[(&sku, 1, 100)]);
    stack.supply(OWNER, &order).await;

    api.put("bus", &id, &order).await;
    let frame = socket.outcome(&id).await;
    api.put("bus", &id, &order).await;
    let again = socket.outcome(&id).await;

    assert_eq!((&frame["type"], &frame["order"]), (&json!("order.confirmed"), &api.get(&id).await.body));
    assert_eq!(again, frame);
}

#[tokio::test]
async fn calls_back_with_the_reason_when_an_order_is_cancelled() {
    let (api, stack, id, sku) = (ApiClient::new(), Stack::from_env().await, new_id(), new_sku());
    let mut socket = Socket::open().await;
    let order = order_in("EUR", &[(&sku, 2, 100)]);
    stack.add_money(OWNER, "EUR", 200).await;

    api.put("bus", &id, &order).await;
    let frame = socket.outcome(&id).await;

    let stored = api.get(&id).await.body;
    assert_eq!(frame["type"], "order.cancelled", "{frame}");
    assert_eq!((&frame["reason"], &frame["order"]), (&json!(format!("{sku}: 2 ordered, 0 left")), &stored));
    assert_eq!(stored["reason"], frame["reason"]);
}

#[tokio::test]
async fn a_subscription_replays_a_decided_order() {
    let (api, stack, sku) = (ApiClient::new(), Stack::from_env().await, new_sku());
    let order = order_in("EUR", &[(&sku, 1, 100)]);
    stack.supply(OWNER, &order).await;
    let (confirmed, cancelled) = (new_id(), new_id());
    api.put("bus", &confirmed, &order).await;
    let confirmed = api.settled(&confirmed).await;
    api.put("bus", &cancelled, &order).await;
    let cancelled = api.settled(&cancelled).await;
    assert_eq!([&confirmed["status"], &cancelled["status"]], ["CONFIRMED", "CANCELLED"]);

    let mut socket = Socket::open().await;

    for order in [confirmed, cancelled] {
        let frame = socket.subscribe(order["orderId"].as_str().unwrap()).await;
        assert_eq!((&frame["status"], &frame["order"]), (&order["status"], &order));
    }
}

#[tokio::test]
async fn a_subscription_before_the_order_says_pending_and_the_outcome_follows() {
    let (api, stack, id, sku) = (ApiClient::new(), Stack::from_env().await, new_id(), new_sku());
    let mut socket = Socket::open().await;
    let order = order_in("EUR", &[(&sku, 1, 100)]);
    stack.supply(OWNER, &order).await;

    let before = socket.subscribe(&id).await;
    api.put("bus", &id, &order).await;

    assert_eq!(before["status"], "PENDING");
    assert_eq!(socket.outcome(&id).await["type"], "order.confirmed");
}

#[tokio::test]
async fn two_orders_raced_under_one_id_are_one_confirmed_and_one_rejected() {
    let (api, stack, id) = (ApiClient::new(), Stack::from_env().await, new_id());
    let mut socket = Socket::open().await;
    let orders = [new_sku(), new_sku()].map(|sku| order_in("EUR", &[(&sku, 1, 100)]));
    for order in &orders {
        stack.supply(OWNER, order).await;
    }

    tokio::join!(api.put("bus", &id, &orders[0]), api.put("bus", &id, &orders[1]));
    let frames = [socket.outcome(&id).await, socket.outcome(&id).await];

    let by_type = |kind: &str| frames.iter().find(|frame| frame["type"] == kind);
    let confirmed = by_type("order.confirmed").unwrap_or_else(|| panic!("neither is confirmed: {frames:?}"));
    let rejected = by_type("order.rejected").unwrap_or_else(|| panic!("neither is rejected: {frames:?}"));
    assert!(rejected["reason"].as_str().unwrap().contains("different order"), "{rejected}");
    assert_eq!(confirmed["order"], api.get(&id).await.body);
}

#[tokio::test]
async fn an_order_of_another_lane_is_confirmed_as_it_is_stored() {
    let (api, id, sku) = (ApiClient::new(), new_id(), new_sku());
    let mut socket = Socket::open().await;
    let order = order_in("EUR", &[(&sku, 1, 100)]);
    let stored = api.put("sync", &id, &order).await;

    api.put("bus", &id, &order).await;
    let frame = socket.outcome(&id).await;
    api.put("bus", &id, &order_in("EUR", &[(&sku, 2, 100)])).await;
    let different = socket.outcome(&id).await;

    assert_eq!((&frame["type"], &frame["order"]), (&json!("order.confirmed"), &stored.body));
    assert_eq!(different["type"], "order.rejected", "{different}");
}
