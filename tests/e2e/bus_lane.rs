//! The bus lane over HTTP: three services decide an order, and the status service shows it. The services' tables show
//! what an order takes and gives back.
//!
//! Tests run concurrently and share accounts, so each uses different SKUs and a different currency.

use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::{Value, json};
use testkit::{
    api_client::{ApiClient, Response, send, url},
    eventually::{DEADLINE, eventually},
    order_bodies::{new_id, new_sku, order_in, order_of},
    services::{account, steps, total},
    socket::Socket,
    stack::{OWNER, Stack},
};

/// Units of a SKU, and money in the owner's account.
async fn left(stack: &Stack, sku: &str, currency: &str) -> [Option<i64>; 2] {
    [stack.available("stock", sku).await, stack.available("payment", &account(OWNER, currency)).await]
}

/// States as the status service shows them, in the order of the lane's steps.
fn shown(order: &Value) -> Vec<(&str, &str)> {
    let shown = order["steps"].as_array().expect("a bus order shows its steps").iter();
    shown.map(|step| (step["step"].as_str().unwrap(), step["state"].as_str().unwrap())).collect()
}

/// Waits until every service has handled the decision: no hold is left.
async fn no_hold_is_left(stack: &Stack, id: &str) {
    for step in steps() {
        eventually(DEADLINE, &format!("{} has no hold of {id} left", step.name), async || {
            let hold = stack.hold(step.name, OWNER, id).await?;
            (hold.state != "HELD").then_some(())
        })
        .await;
    }
}

async fn frame_of(socket: &mut Socket, kind: &str, id: &str) -> Value {
    socket.frame(&format!("{kind} of {id}"), |frame| frame["type"] == kind && frame["orderId"] == id).await
}

#[tokio::test]
async fn confirms_an_order_that_every_service_holds_and_takes_exactly_what_it_needs() {
    let (api, stack, id, sku) = (ApiClient::new(), Stack::from_env().await, new_id(), new_sku());
    let order = order_in("AED", &[(&sku, 2, 1999), (&sku, 3, 0)]);
    let [_, money_before] = left(&stack, &sku, "AED").await;
    stack.supply(OWNER, &order).await;
    stack.add_stock(&sku, 4).await;

    let submitted = api.put("bus", &id, &order).await;
    let decided = api.settled(&id).await;

    assert_eq!((submitted.status, &submitted.body["status"]), (202, &json!("SUBMITTED")), "{submitted:?}");
    assert!(submitted.body["messageId"].as_str().is_some_and(|id| !id.is_empty()), "{submitted:?}");
    let location = url(&format!("bus/orders/{id}")).join(submitted.header("location")).unwrap();
    assert_eq!(location, url(&format!("orders/{id}")));
    for (name, value) in [
        ("orderId", json!(id)),
        ("status", json!("CONFIRMED")),
        ("lane", json!("bus")),
        ("currency", json!("AED")),
        ("totalMinor", json!(3998)),
        ("items", order["items"].clone()),
    ] {
        assert_eq!(decided[name], value, "{name}");
    }
    assert_eq!(shown(&decided), [("stock", "DONE"), ("payment", "DONE"), ("shipment", "DONE")]);
    assert!(decided["confirmedAt"].as_str().unwrap() >= decided["placedAt"].as_str().unwrap(), "{decided}");
    no_hold_is_left(&stack, &id).await;
    // The quantities of a SKU in two lines add up.
    assert_eq!(left(&stack, &sku, "AED").await, [Some(4), Some(money_before.unwrap_or_default())]);
}

#[tokio::test]
async fn cancels_an_order_that_is_out_of_stock_and_gives_everything_back() {
    let (api, stack, id, sku) = (ApiClient::new(), Stack::from_env().await, new_id(), new_sku());
    let order = order_in("TRY", &[(&sku, 3, 100), (&sku, 2, 100)]);
    stack.add_stock(&sku, 2).await;
    stack.add_money(OWNER, "TRY", total(&order)).await;
    let before = left(&stack, &sku, "TRY").await;

    api.put("bus", &id, &order).await;
    let decided = api.settled(&id).await;

    assert_eq!(decided["status"], "CANCELLED", "{decided}");
    assert_eq!(shown(&decided), [("stock", "REFUSED"), ("payment", "UNDONE"), ("shipment", "UNDONE")]);
    assert_eq!(decided["reason"], format!("{sku}: 5 ordered, 2 left"));
    assert_eq!(decided["steps"][0]["reason"], decided["reason"]);
    assert!(decided["cancelledAt"].as_str().unwrap() >= decided["placedAt"].as_str().unwrap(), "{decided}");
    no_hold_is_left(&stack, &id).await;
    assert_eq!(left(&stack, &sku, "TRY").await, before);
}

#[tokio::test]
async fn cancels_an_order_that_the_account_does_not_cover_without_revealing_the_balance() {
    let (api, stack, id, sku) = (ApiClient::new(), Stack::from_env().await, new_id(), new_sku());
    let order = order_in("NOK", &[(&sku, 1, 900_000_000)]);
    stack.add_stock(&sku, 1).await;
    stack.add_money(OWNER, "NOK", 7).await;
    let before = left(&stack, &sku, "NOK").await;

    api.put("bus", &id, &order).await;
    let decided = api.settled(&id).await;

    assert_eq!(decided["status"], "CANCELLED", "{decided}");
    assert_eq!(shown(&decided), [("stock", "UNDONE"), ("payment", "REFUSED"), ("shipment", "UNDONE")]);
    assert_eq!(decided["reason"], "the account does not cover NOK 9000000.00");
    let balance = before[1].unwrap().to_string();
    assert!(!decided["steps"].to_string().contains(&balance), "the balance {balance} is in {decided}");
    no_hold_is_left(&stack, &id).await;
    assert_eq!(left(&stack, &sku, "NOK").await, before);
}

#[tokio::test]
async fn takes_a_repeated_order_once() {
    let (api, stack, id, sku) = (ApiClient::new(), Stack::from_env().await, new_id(), new_sku());
    let order = order_in("DKK", &[(&sku, 1, 250)]);
    stack.supply(OWNER, &order).await;
    stack.supply(OWNER, &order).await;
    let [units, money] = left(&stack, &sku, "DKK").await;

    let first = futures_util::future::join_all((0..5).map(|_| api.put("bus", &id, &order))).await;
    let decided = api.settled(&id).await;
    let again = api.put("bus", &id, &order).await;

    assert!(first.iter().chain([&again]).all(|response| response.status == 202), "{first:?} {again:?}");
    assert_eq!(decided["status"], "CONFIRMED", "{decided}");
    // A later order is decided, so the repeats are, too.
    let next = new_id();
    api.put("bus", &next, &order).await;
    assert_eq!(api.settled(&next).await["status"], "CONFIRMED");
    assert_eq!(api.get(&id).await.body, decided);
    no_hold_is_left(&stack, &next).await;
    assert_eq!(left(&stack, &sku, "DKK").await, [units.map(|left| left - 2), money.map(|left| left - 500)]);
}

#[tokio::test]
async fn keeps_nothing_of_the_order_that_loses_a_race_for_an_id() {
    const RACES: i64 = 5;
    let (api, stack, skus) = (ApiClient::new(), Stack::from_env().await, [new_sku(), new_sku()]);
    let orders = skus.each_ref().map(|sku| order_in("PLN", &[(sku, 1, 100)]));
    for _ in 0..RACES {
        stack.supply(OWNER, &orders[0]).await;
        stack.supply(OWNER, &orders[1]).await;
    }
    let money_before = stack.available("payment", &account(OWNER, "PLN")).await.unwrap();
    let mut socket = Socket::open().await;
    let ids: Vec<_> = (0..RACES).map(|_| new_id()).collect();
    let mut won = [0, 0];

    for id in &ids {
        let [first, second] = orders.each_ref().map(|order| api.put("bus", id, order));
        let (first, second) = tokio::join!(first, second);
        assert_eq!([first.status, second.status], [202, 202], "{first:?} {second:?}");
    }

    for id in &ids {
        let rejected = frame_of(&mut socket, "order.rejected", id).await;
        let confirmed = frame_of(&mut socket, "order.confirmed", id).await;
        assert_eq!(rejected["reason"], "the order id was used before for a different order");
        let winner = skus.iter().position(|sku| confirmed["order"]["items"][0]["sku"] == **sku);
        let winner = winner.expect("one of the two orders won");
        won[winner] += 1;
        no_hold_is_left(&stack, id).await;
        assert_eq!(stack.items_with_order_id(id).await.len(), 1, "{id}");
        let hold = stack.hold("stock", OWNER, id).await.expect("the winner has a hold");
        assert_eq!(hold.taken, [(skus[winner].clone(), 1)].into(), "{id}");
    }
    // Both orders of each race have ended, so this is final.
    for (sku, won) in skus.iter().zip(won) {
        assert_eq!(stack.books("stock").await.taken_from(sku), won, "{sku}");
        assert_eq!(stack.available("stock", sku).await, Some(RACES - won), "{sku}");
    }
    assert_eq!(stack.available("payment", &account(OWNER, "PLN")).await, Some(money_before - RACES * 100));
}

#[tokio::test]
async fn takes_up_to_99_different_skus_and_refuses_more_at_the_edge() {
    let (api, stack) = (ApiClient::new(), Stack::from_env().await);
    let skus: Vec<_> = (0..100).map(|_| new_sku()).collect();
    let lines: Vec<_> = skus.iter().map(|sku| (sku.as_str(), 1, 1)).collect();
    let (most, too_many) = (order_in("CZK", &lines[..99]), order_in("CZK", &lines));
    let [taken, refused] = [new_id(), new_id()];
    stack.supply(OWNER, &too_many).await;

    let accepted = api.put("bus", &taken, &most).await;
    let problem = api.put("bus", &refused, &too_many).await.problem(400);

    assert_eq!(accepted.status, 202, "{accepted:?}");
    let errors: Vec<_> = problem.errors.iter().map(|error| (error.pointer.as_str(), error.detail.as_str())).collect();
    assert_eq!(errors, [("/items", "must hold at most 99 different SKUs in the bus lane")]);
    assert_eq!(api.settled(&taken).await["status"], "CONFIRMED");
    assert_eq!(api.get(&refused).await.body["status"], "PENDING");
}

#[tokio::test]
async fn refuses_a_bad_order_as_the_sync_lane_does_and_submits_nothing() {
    let (api, id) = (ApiClient::new(), new_id());
    let mut several = order_of("no spaces");
    several["currency"] = "ABC".into();
    several["items"][0]["quantity"] = 0.into();
    several["vip"] = true.into();
    let bodies = [several, json!({}), json!([]), Value::Null, order_in("ABC", &[("SKU-1", 1, 1)])];

    for body in bodies {
        let [sync, bus] = [api.put("sync", &id, &body).await, api.put("bus", &id, &body).await];

        let [sync, bus] = [sync, bus].map(|response| response.problem(400));
        assert_eq!((&bus.kind, &bus.title, &bus.errors), (&sync.kind, &sync.title, &sync.errors), "{body}");
    }
    api.put("bus", "order-1", &order_of("SKU-1")).await.problem(400);

    // A later order is decided, so a submitted one would be, too.
    let next = new_id();
    api.put("bus", &next, &order_of("SKU-1")).await;
    api.settled(&next).await;
    assert_eq!(api.get(&id).await.body["status"], "PENDING");
}

#[tokio::test]
async fn refuses_other_methods_and_media_types() {
    let (api, id) = (ApiClient::new(), new_id());
    let path = format!("bus/orders/{id}");

    for method in [Method::GET, Method::POST, Method::DELETE, Method::PATCH] {
        let response = send(api.request(method, &path).header(CONTENT_TYPE, "application/json").body("{}")).await;
        response.problem(405);
        assert_eq!(response.header("allow"), "OPTIONS, PUT");
    }
    let other = api.request(Method::PUT, &path).header(CONTENT_TYPE, "text/plain");
    send(other.body(order_of("SKU-1").to_string())).await.problem(415);
}

#[tokio::test]
async fn an_order_is_paid_from_its_owners_account_and_unknown_to_others() {
    let (stack, id, sku) = (Stack::from_env().await, new_id(), new_sku());
    let (api, mallory) = (ApiClient::new(), ApiClient::for_user("mallory"));
    let order = order_in("HUF", &[(&sku, 1, 500)]);
    stack.supply(OWNER, &order).await;
    stack.add_money("mallory", "HUF", 0).await;
    let before = stack.available("payment", &account("mallory", "HUF")).await;

    api.put("bus", &id, &order).await;
    let decided = api.settled(&id).await;
    let foreign: Response = mallory.get(&id).await;

    assert_eq!(decided["status"], "CONFIRMED", "{decided}");
    assert_eq!(foreign.body, json!({"orderId": id, "status": "PENDING"}));
    assert_eq!(stack.available("payment", &account("mallory", "HUF")).await, before);
    // The same id is free for other owners.
    let theirs = order_in("HUF", &[(&sku, 1, 900_000_000)]);
    mallory.put("bus", &id, &theirs).await;
    assert_eq!(mallory.settled(&id).await["status"], "CANCELLED");
    assert_eq!(api.get(&id).await.body, decided);
}

#[tokio::test]
async fn an_order_of_another_lane_keeps_its_id() {
    let (api, stack, id, sku) = (ApiClient::new(), Stack::from_env().await, new_id(), new_sku());
    let order = order_in("RON", &[(&sku, 1, 100)]);
    stack.supply(OWNER, &order).await;
    let stored = api.put("sync", &id, &order).await;

    let mut socket = Socket::open().await;
    let another = order_in("RON", &[(&sku, 2, 100)]);
    for (order, outcome) in [(&order, "order.confirmed"), (&another, "order.rejected")] {
        assert_eq!(api.put("bus", &id, order).await.status, 202);
        frame_of(&mut socket, outcome, &id).await;
    }

    assert_eq!(api.get(&id).await.body, stored.body);
    for step in steps() {
        assert_eq!(stack.hold(step.name, OWNER, &id).await, None, "{}", step.name);
    }
}
