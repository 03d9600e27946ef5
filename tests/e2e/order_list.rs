//! The list of an owner's orders.

use futures_util::future::join_all;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use testkit::{
    api_client::{ApiClient, LANES},
    eventually::{DEADLINE, eventually},
    order_bodies::{new_id, order_of},
    stack::Stack,
};

fn new_owner() -> String {
    format!("lister-{}", new_id())
}

fn ids(orders: &[Value]) -> Vec<&str> {
    orders.iter().map(|order| order["orderId"].as_str().unwrap()).collect()
}

/// Waits until the first page has these orders and statuses. On AWS, an index follows its table with a delay.
async fn listed(api: &ApiClient, expected: &[(&str, &str)]) -> Vec<Value> {
    eventually(DEADLINE, "the list has the orders", async || {
        let response = api.list("limit=100").await;
        assert_eq!(response.status, 200, "{response:?}");
        let orders = response.body["orders"].as_array().unwrap();
        let has = |(id, status): &(&str, &str)| {
            orders.iter().any(|order| order["orderId"] == *id && order["status"] == *status)
        };
        expected.iter().all(has).then(|| orders.clone())
    })
    .await
}

/// Reads every page. Runs `meanwhile` between two pages.
async fn pages(api: &ApiClient, query: &str, mut meanwhile: impl AsyncFnMut()) -> Vec<Vec<Value>> {
    let (mut pages, mut next) = (Vec::new(), String::new());
    loop {
        let response = api.list(&format!("{query}{next}")).await;
        assert_eq!(response.status, 200, "{response:?}");
        pages.push(response.body["orders"].as_array().unwrap().clone());
        let Some(cursor) = response.body["next"].as_str() else { return pages };
        next = format!("&next={cursor}");
        meanwhile().await;
    }
}

#[tokio::test]
async fn orders_of_all_lanes_are_listed_newest_first_as_the_status_service_shows_them() {
    let (owner, stack) = (new_owner(), Stack::from_env().await);
    let (api, placed) = (ApiClient::for_user(&owner), LANES.map(|_| new_id()));
    stack.supply(&owner, &order_of("SKU-1")).await;
    for (lane, id) in LANES.iter().zip(&placed) {
        api.put(lane, id, &order_of("SKU-1")).await;
        api.settled(id).await;
    }

    let expected: Vec<_> = placed.iter().map(|id| (id.as_str(), "CONFIRMED")).collect();
    let orders = listed(&api, &expected).await;

    assert_eq!(ids(&orders), placed.iter().rev().map(String::as_str).collect::<Vec<_>>());
    for summary in &orders {
        let order = api.get(summary["orderId"].as_str().unwrap()).await.body;
        for (name, value) in summary.as_object().unwrap() {
            assert_eq!(&order[name], value, "{name} of {order}");
        }
        assert!(summary["confirmedAt"].is_string() && summary["totalMinor"] == 3998, "{summary}");
    }
}

#[tokio::test]
async fn cancelled_and_rejected_orders_are_listed_too() {
    let (api, cancelled, rejected) = (ApiClient::for_user(&new_owner()), new_id(), new_id());
    let mut unknown_currency = order_of("SKU-1");
    unknown_currency["currency"] = "ABC".into();

    // Its owner has no account.
    api.put("bus", &cancelled, &order_of("SKU-1")).await;
    api.put("async", &rejected, &unknown_currency).await;

    let orders = listed(&api, &[(&cancelled, "CANCELLED"), (&rejected, "REJECTED")]).await;
    let of = |id: &str| orders.iter().find(|order| order["orderId"] == id).unwrap();
    assert!(of(&cancelled)["cancelledAt"].is_string() && of(&cancelled)["confirmedAt"].is_null());
    assert_eq!((&of(&rejected)["currency"], &of(&rejected)["totalMinor"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn pages_list_each_order_once_while_new_ones_are_placed() {
    const ORDERS: usize = 25;
    let api = ApiClient::for_user(&new_owner());
    let (order, before): (_, Vec<_>) = (order_of("SKU-1"), (0..ORDERS).map(|_| new_id()).collect());
    // Some have the same millisecond.
    join_all(before.iter().map(|id| api.put("sync", id, &order))).await;
    listed(&api, &before.iter().map(|id| (id.as_str(), "CONFIRMED")).collect::<Vec<_>>()).await;
    let mut later = Vec::new();

    let pages = pages(&api, "limit=7", async || {
        let id = new_id();
        api.put("sync", &id, &order_of("SKU-1")).await;
        later.push(id);
    })
    .await;

    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [7, 7, 7, 4]);
    let orders = pages.concat();
    let found: BTreeSet<_> = ids(&orders).into_iter().collect();
    assert_eq!((found.len(), found), (ORDERS, before.iter().map(String::as_str).collect()));
    let times: Vec<_> = orders.iter().map(|order| order["placedAt"].as_str().unwrap()).collect();
    assert!(times.is_sorted_by(|newer, older| newer >= older), "{times:?}");
    // The first page has the orders placed meanwhile.
    let later: Vec<_> = later.iter().map(|id| (id.as_str(), "CONFIRMED")).collect();
    let all = listed(&api, &later).await;
    assert_eq!(ids(&all[..later.len()]), later.iter().rev().map(|(id, _)| *id).collect::<Vec<_>>());
}

#[tokio::test]
async fn since_leaves_older_orders_out_of_every_page() {
    let (api, placed) = (ApiClient::for_user(&new_owner()), [new_id(), new_id(), new_id()]);
    for id in &placed {
        api.put("sync", id, &order_of("SKU-1")).await;
    }
    let all = listed(&api, &placed.each_ref().map(|id| (id.as_str(), "CONFIRMED"))).await;
    let since = all[1]["placedAt"].as_str().unwrap();

    let pages = pages(&api, &format!("limit=1&since={since}"), async || ()).await;

    assert_eq!(pages.iter().map(|page| ids(page)).collect::<Vec<_>>(), [[placed[2].as_str()], [placed[1].as_str()]]);
}

#[tokio::test]
async fn a_list_and_its_cursor_serve_only_their_owner() {
    let (alice, mallory) = (ApiClient::for_user(&new_owner()), ApiClient::for_user(&new_owner()));
    let placed = [new_id(), new_id()];
    for id in &placed {
        alice.put("sync", id, &order_of("SKU-1")).await;
    }
    listed(&alice, &placed.each_ref().map(|id| (id.as_str(), "CONFIRMED"))).await;

    let page = alice.list("limit=1").await;
    let next = page.body["next"].as_str().unwrap();

    assert_eq!(alice.list(&format!("next={next}")).await.body["orders"][0]["orderId"], placed[0]);
    mallory.list(&format!("next={next}")).await.problem(400);
    let nothing = mallory.list("owner=alice").await;
    assert_eq!((nothing.status, nothing.body), (200, json!({"orders": []})));
    ApiClient::with_authorization(None).list("").await.problem(401);
}

#[tokio::test]
async fn says_what_is_wrong_with_a_query() {
    let api = ApiClient::new();
    let queries = [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=", "limit"),
        ("limit=10;limit=20", "limit"),
        ("since=yesterday", "since"),
        ("since=2026-11-30", "since"),
        ("since=2026-11-30T09:00:00+01:00", "since"),
        ("next=", "next"),
        ("next=1796029205309.5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b.0000000000000000", "next"),
        ("next=%27%20OR%201%3D1", "next"),
    ];

    for (query, parameter) in queries {
        let problem = api.list(query).await.problem(400);
        assert!(problem.detail.starts_with(parameter), "{query}: {}", problem.detail);
    }
    assert_eq!(api.list("since=2026-11-30T09:00:00%2B01:00&limit=100").await.status, 200);
}
