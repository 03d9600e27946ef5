//! Sockets: which are notified, what clients may send, and what happens when one closes.

use futures_util::future::join_all;
use serde_json::json;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use testkit::{
    api_client::ApiClient,
    eventually::{DEADLINE, eventually},
    order_bodies::{new_id, order_in_unknown_currency, order_of},
    socket::{SOCKETS, Socket},
    stack::{OWNER, Stack},
    tokens::subject_of,
};

#[tokio::test]
async fn every_open_socket_of_the_owner_is_notified() {
    let (api, id) = (ApiClient::new(), new_id());
    let _shared = SOCKETS.read().await;
    let mut sockets = [Socket::open_alone().await, Socket::open_alone().await, Socket::open_alone().await];

    api.put("async", &id, &order_of("SKU-1")).await;

    for socket in &mut sockets {
        assert_eq!(socket.outcome(&id).await["type"], "order.confirmed");
    }
}

/// A socket has a row shortly before it is open. Until then, API Gateway answers a notification as if the socket were
/// gone.
#[tokio::test]
async fn sockets_that_open_during_notifications_are_notified_from_then_on() {
    const SOCKETS_OPENED: usize = 15;
    const ORDERS_AT_ONCE: usize = 4;
    let (api, id, stack) = (ApiClient::new(), new_id(), Stack::from_env().await);
    let _alone = SOCKETS.write().await;
    let before = stack.connections_of(&subject_of(OWNER)).await;

    let others = join_all((0..ORDERS_AT_ONCE).map(|_| async {
        loop {
            let id = new_id();
            assert_eq!(api.put("async", &id, &order_of("SKU-1")).await.status, 202);
            // Otherwise the queue would grow while sockets open, and each would wait for it below.
            api.settled(&id).await;
        }
    }));
    let opening = async {
        let mut sockets = Vec::new();
        while sockets.len() < SOCKETS_OPENED {
            sockets.push(Socket::open_alone().await);
        }
        sockets
    };
    let mut sockets = tokio::select! {
        sockets = opening => sockets,
        _ = others => unreachable!("they never end"),
    };

    let known = stack.connections_of(&subject_of(OWNER)).await.difference(&before).count();
    assert_eq!(known, SOCKETS_OPENED, "every open socket has a row");
    api.put("async", &id, &order_of("SKU-1")).await;
    for socket in &mut sockets {
        assert_eq!(socket.outcome(&id).await["type"], "order.confirmed");
    }
}

#[tokio::test]
async fn a_closed_socket_loses_its_row_and_the_others_are_notified() {
    let (api, id, stack) = (ApiClient::new(), new_id(), Stack::from_env().await);
    let _alone = SOCKETS.write().await;
    let mut open = Socket::open_alone().await;
    let before = stack.connections_of(&subject_of(OWNER)).await;
    let closing = Socket::open_alone().await;
    let new: Vec<_> = stack.connections_of(&subject_of(OWNER)).await.difference(&before).cloned().collect();
    assert_eq!(new.len(), 1, "each open socket has one row: {new:?}");

    closing.close().await;
    api.put("async", &id, &order_of("SKU-1")).await;

    assert_eq!(open.outcome(&id).await["type"], "order.confirmed");
    eventually(DEADLINE, "the row of the closed socket disappears", async || {
        (!stack.connections_of(&subject_of(OWNER)).await.contains(&new[0])).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_socket_that_closed_unnoticed_loses_its_row_and_nothing_else_changes() {
    let (api, id, stack) = (ApiClient::new(), new_id(), Stack::from_env().await);
    let mut open = Socket::open().await;
    // In API Gateway's format, without a socket.
    let gone = format!("{}c=", &new_id().replace('-', "")[..14]);
    let in_an_hour = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_hours(1);
    stack.add_gone_connection(&subject_of(OWNER), &gone, in_an_hour.as_secs()).await;

    api.put("async", &id, &order_of("SKU-1")).await;

    assert_eq!(open.outcome(&id).await["type"], "order.confirmed");
    eventually(DEADLINE, "the row of the gone socket disappears", async || {
        (!stack.connections_of(&subject_of(OWNER)).await.contains(&gone)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_subscription_to_a_settled_order_replays_it() {
    let (api, confirmed, rejected) = (ApiClient::new(), new_id(), new_id());
    api.put("async", &confirmed, &order_of("SKU-1")).await;
    api.put("async", &rejected, &order_in_unknown_currency()).await;
    let orders = [api.settled(&confirmed).await, api.settled(&rejected).await];

    let mut socket = Socket::open().await;

    for order in orders {
        let status = socket.subscribe(order["orderId"].as_str().unwrap()).await;
        assert_eq!((&status["status"], &status["order"]), (&order["status"], &order));
    }
}

#[tokio::test]
async fn a_subscription_before_the_order_says_pending_and_the_outcome_follows() {
    let (api, id, mut socket) = (ApiClient::new(), new_id(), Socket::open().await);

    let before = socket.subscribe(&id).await;
    api.put("async", &id, &order_of("SKU-1")).await;
    let outcome = socket.outcome(&id).await;

    assert_eq!(before, json!({"type": "order.status", "orderId": id, "status": "PENDING"}));
    assert_eq!(outcome["type"], "order.confirmed");
}

#[tokio::test]
async fn a_frame_that_is_not_understood_is_answered_with_an_error() {
    let mut socket = Socket::open().await;
    let long = format!("{{\"action\":\"{}\"}}", "x".repeat(16 * 1024));
    let known_action = format!(r#"{{"action":"subscribe","orderId":"{}","owner":"mallory"}}"#, new_id());

    for frame in [
        "pong",
        "{",
        "{}",
        "[]",
        "null",
        "\"subscribe\"",
        r#"{"action":"order"}"#,
        r#"{"action":"subscribe"}"#,
        r#"{"action":"subscribe","orderId":7}"#,
        r#"{"action":"subscribe","orderId":"order-1"}"#,
        r#"{"action":{"subscribe":1}}"#,
        r#"{"action":"ping","orderId":"x"}"#,
        r#"{"type":"subscribe"}"#,
        "\u{0}\u{1F600}\u{FFFF}",
        &known_action,
        &long,
    ] {
        socket.send(frame).await;
        let error = socket.frame(&format!("an error for {frame:.80}"), |frame| frame["type"] == "error").await;
        assert!(error["detail"].as_str().unwrap().contains("understood"), "{frame:.80}: {error}");
    }

    assert_eq!(socket.subscribe(&new_id()).await["status"], "PENDING", "the socket is still served");
}

/// Of pages that keep their sockets open, and of common client libraries.
#[tokio::test]
async fn every_usual_ping_is_answered_with_a_pong_and_nothing_else() {
    let mut socket = Socket::open().await;

    for ping in [r#"{"action":"ping"}"#, r#"{"type":"ping"}"#, "ping"] {
        socket.send(ping).await;
        let pong = socket.frame(&format!("a pong for {ping}"), |frame| frame["type"] == "pong").await;
        assert_eq!(pong, json!({"type": "pong"}), "{ping}");
    }

    assert_eq!(socket.subscribe(&new_id()).await["status"], "PENDING", "the socket is still served");
    let untaken = socket.untaken().iter().filter(|frame| frame["type"] == "error" || frame["type"] == "pong");
    assert_eq!(untaken.count(), 0, "{:?}", socket.untaken());
}

#[tokio::test]
async fn a_frame_that_names_a_route_of_the_api_does_not_trigger_it() {
    let (api, id, mut socket) = (ApiClient::new(), new_id(), Socket::open().await);

    // Whichever route a platform selects for these, the socket stays open and keeps its row.
    for action in ["$connect", "$disconnect", "$default"] {
        socket.send(&json!({"action": action}).to_string()).await;
    }
    socket.subscribe(&id).await;
    api.put("async", &id, &order_of("SKU-1")).await;

    assert_eq!(socket.outcome(&id).await["type"], "order.confirmed");
}
