//! What has several spellings is taken in each, and answered in one.

use reqwest::{
    Method,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use serde_json::json;
use testkit::{
    api_client::{ApiClient, LANES, send},
    order_bodies::{new_id, order_in_no_currency, order_of},
    socket::{SOCKETS, Socket, handshake},
    stack::{OWNER, Stack},
    tokens::token,
};

#[tokio::test]
async fn an_order_id_in_capital_letters_comes_back_in_small_ones_everywhere() {
    let (api, mut socket, stack) = (ApiClient::new(), Socket::open().await, Stack::of_environment().await);

    let (stored, confirmed, rejected) = (new_id(), new_id(), new_id());
    let pending = api.get(&stored.to_uppercase()).await;
    let sync = api.put("sync", &stored.to_uppercase(), &order_of("SKU-1")).await;
    let queued = api.put("async", &confirmed.to_uppercase(), &order_of("SKU-1")).await;
    // `outcome` and `subscribe` wait for a frame with the id in small letters.
    let told = socket.outcome(&confirmed).await;
    let refused = api.put("async", &rejected.to_uppercase(), &order_in_no_currency()).await;
    let refusal = socket.outcome(&rejected).await;
    api.put("async", &confirmed.to_uppercase(), &order_of("SKU-2")).await;
    let different = socket.outcome(&confirmed).await;
    socket.send(&json!({"action": "subscribe", "orderId": confirmed.to_uppercase()}).to_string()).await;
    let status = socket.frame("order.status", |frame| frame["type"] == "order.status").await;

    assert_eq!((&pending.body["orderId"], &sync.body["orderId"]), (&json!(stored), &json!(stored)));
    assert_eq!((queued.status, refused.status), (202, 202));
    for (answer, id) in [(&sync, &stored), (&queued, &confirmed), (&refused, &rejected)] {
        assert!(answer.header("location").ends_with(&format!("/orders/{id}")), "{answer:?}");
    }
    assert_eq!((&told["type"], &told["order"]["orderId"]), (&json!("order.confirmed"), &json!(confirmed)));
    assert_eq!((&refusal["type"], &different["type"]), (&json!("order.rejected"), &json!("order.rejected")));
    assert_eq!((&status["orderId"], &status["order"]["orderId"]), (&json!(confirmed), &json!(confirmed)));
    for id in [&stored, &confirmed, &rejected] {
        assert_eq!(stack.items_with_order_id(id).await.len(), 1, "{id}");
        assert!(stack.items_with_order_id(&id.to_uppercase()).await.is_empty(), "{id}");
    }
}

#[tokio::test]
async fn a_media_type_counts_in_any_case_in_every_lane() {
    let (api, stack) = (ApiClient::new(), Stack::of_environment().await);

    for lane in LANES {
        for media_type in ["Application/JSON", "APPLICATION/JSON; Charset=UTF-8", "application/json;charset=utf-8"] {
            let id = new_id();
            stack.supply(OWNER, &order_of("SKU-1")).await;
            let request = api.request(Method::PUT, &format!("{lane}/orders/{id}")).header(CONTENT_TYPE, media_type);
            let answer = send(request.body(order_of("SKU-1").to_string())).await;
            assert!([201, 202].contains(&answer.status), "{lane} {media_type}: {answer:?}");
            assert_eq!(api.settled(&id).await["status"], "CONFIRMED", "{lane} {media_type}");
        }
    }
}

#[tokio::test]
async fn the_scheme_of_a_token_counts_in_any_case_at_both_apis() {
    let (token, _beside_others) = (token(OWNER), SOCKETS.read().await);

    for scheme in ["Bearer", "bearer", "BEARER"] {
        let value = format!("{scheme} {token}");
        let api = ApiClient::with_authorization(Some(value.clone()));
        assert_eq!(api.get(&new_id()).await.status, 200, "{scheme}");
        let opened = Socket::try_open(handshake(&[(AUTHORIZATION.as_str(), &value)])).await;
        assert!(opened.is_ok(), "{scheme}: {:?}", opened.err());
    }
}
