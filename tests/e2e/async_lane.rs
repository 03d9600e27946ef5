//! The async lane: an order is queued, settled and called back.

use serde_json::json;
use testkit::{
    api_client::ApiClient,
    order_bodies::{new_id, order_in_unknown_currency, order_of},
    socket::Socket,
    stack::Stack,
};

#[tokio::test]
async fn queues_an_order_and_calls_back_when_it_is_stored() {
    let (api, id, mut socket) = (ApiClient::new(), new_id(), Socket::open().await);

    let queued = api.put("async", &id, &order_of("SKU-1")).await;
    let callback = socket.outcome(&id).await;

    assert_eq!((queued.status, &queued.body["status"]), (202, &json!("QUEUED")), "{queued:?}");
    assert!(queued.body["messageId"].as_str().is_some_and(|id| !id.is_empty()), "{queued:?}");
    assert_eq!(callback["type"], "order.confirmed");
    assert_eq!(callback["order"], api.get(&id).await.body);
    let fixed = json!({
        "orderId": id, "status": "CONFIRMED", "lane": "async", "currency": "EUR", "totalMinor": 3998,
        "items": [{"sku": "SKU-1", "quantity": 2, "unitPriceMinor": 1999}],
    });
    for (name, value) in fixed.as_object().unwrap() {
        assert_eq!(&callback["order"][name], value, "{name}");
    }
    assert!(callback["order"]["attempts"].as_u64().unwrap() >= 1);
    assert!(callback["order"]["confirmedAt"].as_str().unwrap() >= callback["order"]["placedAt"].as_str().unwrap());
}

#[tokio::test]
async fn the_status_service_knows_a_queued_order_once_it_is_stored() {
    let (api, id) = (ApiClient::new(), new_id());

    api.put("async", &id, &order_of("SKU-1")).await;

    assert_eq!(api.settled(&id).await["status"], "CONFIRMED");
}

#[tokio::test]
async fn calls_back_with_the_id_as_it_was_given_when_it_is_malformed() {
    let (api, mut socket, unique) = (ApiClient::new(), Socket::open().await, new_id());
    let ids = [
        (format!("order-{unique}"), format!("order-{unique}")),
        (format!("a+b-{unique}"), format!("a+b-{unique}")),
        (format!("a%20b-{unique}"), format!("a b-{unique}")),
        (format!("{unique}&DelaySeconds=900"), format!("{unique}&DelaySeconds=900")),
        (format!("%26MessageBody=%7B%7D-{unique}"), format!("&MessageBody={{}}-{unique}")),
        (format!("%22%27%5C-{unique}"), format!("\"'\\-{unique}")),
        (format!("100%25-{unique}"), format!("100%-{unique}")),
        (format!("%F0%9F%98%80-{unique}"), format!("😀-{unique}")),
        (format!("$util.urlEncode($x)-{unique}"), format!("$util.urlEncode($x)-{unique}")),
        (unique.replace('-', ""), unique.replace('-', "")),
    ];

    for (in_the_path, id) in &ids {
        let queued = api.put("async", in_the_path, &order_of("SKU-1")).await;
        assert_eq!(queued.status, 202, "{in_the_path}: {queued:?}");
        assert_eq!(queued.header("location"), "", "{in_the_path}: the status service would refuse it");
        let callback = socket.outcome(id).await;
        assert_eq!(callback["type"], "order.rejected", "{callback}");
        assert!(callback["reason"].as_str().unwrap().contains("UUID"), "{callback}");
    }
}

#[tokio::test]
async fn calls_back_with_everything_that_only_the_worker_finds_wrong() {
    let (api, id, mut socket) = (ApiClient::new(), new_id(), Socket::open().await);

    let queued = api.put("async", &id, &order_in_unknown_currency()).await;
    let callback = socket.outcome(&id).await;

    assert_eq!(queued.status, 202);
    assert_eq!((&callback["type"], &callback["errors"][0]["pointer"]), (&json!("order.rejected"), &json!("/currency")));
    let order = api.settled(&id).await;
    assert_eq!((&order["status"], &order["reason"]), (&json!("REJECTED"), &callback["reason"]));
}

#[tokio::test]
async fn calls_back_with_a_refusal_when_the_id_was_used_before_and_keeps_the_first_order() {
    let (api, id, mut socket, stack) = (ApiClient::new(), new_id(), Socket::open().await, Stack::from_env().await);
    api.put("async", &id, &order_of("SKU-1")).await;
    socket.outcome(&id).await;
    let first = stack.item(&id).await.unwrap();

    api.put("async", &id, &order_of("SKU-2")).await;
    let different = socket.outcome(&id).await;
    api.put("async", &id, &order_in_unknown_currency()).await;
    let invalid = socket.outcome(&id).await;

    assert_eq!((&different["type"], &invalid["type"]), (&json!("order.rejected"), &json!("order.rejected")));
    assert!(different["reason"].as_str().unwrap().contains("different order"), "{different}");
    assert_eq!(stack.item(&id).await.unwrap(), first);
}

#[tokio::test]
async fn confirms_an_order_of_the_sync_lane_that_is_repeated_in_the_async_lane() {
    let (api, id, mut socket) = (ApiClient::new(), new_id(), Socket::open().await);
    let stored = api.put("sync", &id, &order_of("SKU-1")).await;

    api.put("async", &id, &order_of("SKU-1")).await;
    let callback = socket.outcome(&id).await;

    assert_eq!((&callback["type"], &callback["order"]), (&json!("order.confirmed"), &stored.body));
}
