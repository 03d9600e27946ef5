//! Ids, media types and schemes are accepted in every spelling, and answered in one.

use reqwest::{
    Method,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use serde_json::json;
use testkit::{
    api_client::{ApiClient, LANES, send},
    order_bodies::{new_id, order_in_unknown_currency, order_of},
    socket::{SOCKETS, Socket, handshake},
    stack::{OWNER, Stack},
    tokens::token,
};

#[tokio::test]
async fn an_order_id_in_upper_case_is_answered_in_lower_case_everywhere() {
    let (api, mut socket, stack) = (ApiClient::new(), Socket::open().await, Stack::from_env().await);

    let (stored, confirmed, rejected) = (new_id(), new_id(), new_id());
    let pending = api.get(&stored.to_uppercase()).await;
    let sync = api.put("sync", &stored.to_uppercase(), &order_of("SKU-1")).await;
    let queued = api.put("async", &confirmed.to_uppercase(), &order_of("SKU-1")).await;
    // Both wait for a frame with the id in lower case.
    let callback = socket.outcome(&confirmed).await;
    let refused = api.put("async", &rejected.to_uppercase(), &order_in_unknown_currency()).await;
    let refusal = socket.outcome(&rejected).await;
    api.put("async", &confirmed.to_uppercase(), &order_of("SKU-2")).await;
    let different = socket.outcome(&confirmed).await;
    socket.send(&json!({"action": "subscribe", "orderId": confirmed.to_uppercase()}).to_string()).await;
    let status = socket.frame("order.status", |frame| frame["type"] == "order.status").await;

    assert_eq!((&pending.body["orderId"], &sync.body["orderId"]), (&json!(stored), &json!(stored)));
    assert_eq!((queued.status, refused.status), (202, 202));
    for (response, id) in [(&sync, &stored), (&queued, &confirmed), (&refused, &rejected)] {
        assert!(response.header("location").ends_with(&format!("/orders/{id}")), "{response:?}");
    }
    assert_eq!((&callback["type"], &callback["order"]["orderId"]), (&json!("order.confirmed"), &json!(confirmed)));
    assert_eq!((&refusal["type"], &different["type"]), (&json!("order.rejected"), &json!("order.rejected")));
    assert_eq!((&status["orderId"], &status["order"]["orderId"]), (&json!(confirmed), &json!(confirmed)));
    for id in [&stored, &confirmed, &rejected] {
        assert_eq!(stack.items_with_order_id(id).await.len(), 1, "{id}");
        assert!(stack.items_with_order_id(&id.to_uppercase()).await.is_empty(), "{id}");
    }
}

#[tokio::test]
async fn every_lane_accepts_a_media_type_in_any_case() {
    let (api, stack) = (ApiClient::new(), Stack::from_env().await);

    for lane in LANES {
        for media_type in ["Application/JSON", "APPLICATION/JSON; Charset=UTF-8", "application/json;charset=utf-8"] {
            let id = new_id();
            stack.supply(OWNER, &order_of("SKU-1")).await;
            let request = api.request(Method::PUT, &format!("{lane}/orders/{id}")).header(CONTENT_TYPE, media_type);
            let response = send(request.body(order_of("SKU-1").to_string())).await;
            assert!([201, 202].contains(&response.status), "{lane} {media_type}: {response:?}");
            assert_eq!(api.settled(&id).await["status"], "CONFIRMED", "{lane} {media_type}");
        }
    }
}

#[tokio::test]
async fn both_apis_accept_the_bearer_scheme_in_any_case() {
    let (token, _shared) = (token(OWNER), SOCKETS.read().await);

    for scheme in ["Bearer", "bearer", "BEARER"] {
        let value = format!("{scheme} {token}");
        let api = ApiClient::with_authorization(Some(value.clone()));
        assert_eq!(api.get(&new_id()).await.status, 200, "{scheme}");
        let opened = Socket::try_open(handshake(&[(AUTHORIZATION.as_str(), &value)])).await;
        assert!(opened.is_ok(), "{scheme}: {:?}", opened.err());
    }
}
