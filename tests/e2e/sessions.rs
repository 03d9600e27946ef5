//! Sockets end when the token that opened them expires.

use serde_json::{Value, json};
use testkit::{
    api_client::ApiClient,
    eventually::{DEADLINE, eventually},
    order_bodies::{new_id, order_of},
    socket::{SOCKETS, Socket},
    stack::Stack,
    tokens::ShortToken,
};

/// Of a short session: long enough for cold starts.
const SESSION_SECONDS: u64 = 10;

#[tokio::test]
async fn a_frame_after_the_tokens_expiry_is_answered_with_an_error_and_closes_the_socket() {
    ends_with_its_token(&json!({"action": "subscribe", "orderId": new_id()})).await;
}

#[tokio::test]
async fn a_ping_after_the_tokens_expiry_does_not_keep_the_socket_open() {
    ends_with_its_token(&json!({"action": "ping"})).await;
}

async fn ends_with_its_token(frame: &Value) {
    let (owner, stack) = (format!("alice-{}", new_id()), Stack::from_env().await);
    let _shared = SOCKETS.read().await;
    let token = ShortToken::new(&owner, SESSION_SECONDS);
    let mut socket = Socket::open_with(&token.text).await;
    assert_eq!(socket.subscribe(&new_id()).await["status"], "PENDING", "not expired yet");

    token.has_expired().await;
    socket.send(&frame.to_string()).await;

    let error = socket.frame("an error", |frame| frame["type"] == "error").await;
    assert!(error["detail"].as_str().unwrap().contains("expired"), "{error}");
    socket.is_closed().await;
    eventually(DEADLINE, "its row disappears", async || stack.connections_of(&owner).await.is_empty().then_some(()))
        .await;
}

#[tokio::test]
async fn a_socket_with_an_expired_token_is_not_notified_and_the_owners_others_are() {
    let (owner, id, stack) = (format!("alice-{}", new_id()), new_id(), Stack::from_env().await);
    let mut lasting = Socket::open_as(&owner).await;
    let token = ShortToken::new(&owner, SESSION_SECONDS);
    let mut socket = Socket::open_with(&token.text).await;
    assert_eq!(stack.connections_of(&owner).await.len(), 2);

    token.has_expired().await;
    ApiClient::for_user(&owner).put("async", &id, &order_of("SKU-1")).await;

    assert_eq!(lasting.outcome(&id).await["type"], "order.confirmed");
    socket.is_closed().await;
    assert!(socket.untaken().is_empty(), "{:?}", socket.untaken());
    eventually(DEADLINE, "its row disappears", async || (stack.connections_of(&owner).await.len() == 1).then_some(()))
        .await;
}
