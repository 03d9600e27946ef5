//! Concurrent owners: each places and reads only their own orders, and receives only their own callbacks.

use futures_util::future::join_all;
use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::json;
use std::collections::BTreeSet;
use testkit::{
    api_client::{ApiClient, LANES, send},
    hostile_values::SUBJECTS,
    order_bodies::{new_id, order_of},
    socket::Socket,
    stack::Stack,
    tokens::subject_of,
};

/// Per owner and lane.
const ORDERS: usize = 6;

#[tokio::test]
async fn two_owners_in_parallel_receive_and_read_only_their_own_orders() {
    let (alice, bob) = (format!("alice-{}", new_id()), format!("bob-{}", new_id()));
    let stack = Stack::from_env().await;
    let run = async |owner: &str, sku: &str, ids: &[String]| {
        let api = ApiClient::for_user(owner);
        let mut sockets = [Socket::open_as(owner).await, Socket::open_as(owner).await];
        let order = order_of(sku);
        for _ in ids {
            stack.supply(owner, &order).await;
        }
        join_all(ids.iter().enumerate().map(|(at, id)| api.put(LANES[at % LANES.len()], id, &order))).await;
        for id in ids {
            assert_eq!(api.settled(id).await["items"][0]["sku"], sku);
        }
        let has_callback = |at: usize| lanes::LANES[at % LANES.len()].has_callback;
        let queued = ids.iter().enumerate().filter(|(at, _)| has_callback(*at)).map(|(_, id)| id.clone());
        let queued: BTreeSet<_> = queued.collect();
        for socket in &mut sockets {
            for id in &queued {
                assert_eq!(socket.outcome(id).await["order"]["items"][0]["sku"], sku);
            }
        }
        (sockets, queued)
    };
    // Both use the same ids, then separate ones.
    let shared: Vec<_> = (0..ORDERS).map(|_| new_id()).collect();
    let own = || shared.iter().cloned().chain((0..ORDERS).map(|_| new_id())).collect::<Vec<_>>();
    let (of_alice, of_bob) = (own(), own());

    let (alices, bobs) = tokio::join!(run(&alice, "ALICE", &of_alice), run(&bob, "BOB", &of_bob));

    for ((mut sockets, queued), sku) in [(alices, "ALICE"), (bobs, "BOB")] {
        for socket in &mut sockets {
            // Earlier frames have arrived.
            socket.subscribe(&new_id()).await;
            for frame in socket.untaken() {
                assert!(queued.contains(frame["orderId"].as_str().unwrap()), "{sku} received {frame}");
                assert_eq!(frame["order"]["items"][0]["sku"], sku, "{sku} received {frame}");
            }
        }
    }
    let foreign = ApiClient::for_user(&alice).get(of_bob.last().unwrap()).await;
    assert_eq!(foreign.body, json!({"orderId": of_bob.last().unwrap(), "status": "PENDING"}));
}

#[tokio::test]
async fn another_owners_order_looks_like_an_unknown_id() {
    let (owner, id, unknown) = (format!("alice-{}", new_id()), new_id(), new_id());
    let (alice, mallory) = (ApiClient::for_user(&owner), ApiClient::for_user("mallory"));
    assert_eq!(alice.put("sync", &id, &order_of("SKU-1")).await.status, 201);

    let (foreign, nothing) = (mallory.get(&id).await, mallory.get(&unknown).await);
    let placed = mallory.put("sync", &id, &order_of("SKU-2")).await;

    let as_unknown = |text: String| text.replace(&id, &unknown);
    assert_eq!(as_unknown(foreign.body.to_string()), nothing.body.to_string());
    assert_eq!((foreign.status, foreign.header("retry-after")), (nothing.status, nothing.header("retry-after")));
    // A conflict would reveal the order: the id is free for other owners.
    assert_eq!(placed.status, 201);
    assert_eq!(alice.get(&id).await.body["items"][0]["sku"], "SKU-1");
}

#[tokio::test]
async fn a_subscription_to_another_owners_order_looks_like_one_to_an_unknown_id() {
    let (alice, id, unknown) = (ApiClient::for_user(&format!("alice-{}", new_id())), new_id(), new_id());
    assert_eq!(alice.put("sync", &id, &order_of("SKU-1")).await.status, 201);

    let mut socket = Socket::open_as("mallory").await;
    let (foreign, nothing) = (socket.subscribe(&id).await, socket.subscribe(&unknown).await);

    assert_eq!(foreign.to_string().replace(&id, &unknown), nothing.to_string());
}

/// Unique to this run.
fn hostile_subjects() -> impl Iterator<Item = String> {
    let unique = new_id();
    SUBJECTS.iter().map(move |subject| format!("{subject}~{unique}"))
}

/// Every lane uses the token's subject only as a value.
#[tokio::test]
async fn a_hostile_subject_is_only_a_name() {
    let stack = Stack::from_env().await;

    for owner in hostile_subjects() {
        let api = ApiClient::for_user(&owner);
        let ids = LANES.map(|_| new_id());
        stack.supply(&owner, &order_of("SKU-1")).await;
        for (lane, id) in LANES.iter().zip(&ids) {
            let response = api.put(lane, id, &order_of("SKU-1")).await;
            assert!([201, 202].contains(&response.status), "{owner}: {response:?}");
            assert_eq!(api.settled(id).await["status"], "CONFIRMED", "{owner}");
            let items = stack.items_with_order_id(id).await;
            assert_eq!(items.len(), 1, "{owner}");
            assert_eq!(items[0]["pk"].as_s().unwrap(), &format!("{owner}#{id}"));
            assert_eq!(ApiClient::new().get(id).await.body["status"], "PENDING", "{owner}: demo reads it");
        }
    }
}

#[tokio::test]
async fn owners_with_hostile_subjects_are_notified() {
    for owner in hostile_subjects() {
        let (api, mut socket, id) = (ApiClient::for_user(&owner), Socket::open_as(&owner).await, new_id());

        api.put("async", &id, &order_of("SKU-1")).await;

        assert_eq!(socket.outcome(&id).await["type"], "order.confirmed", "{owner}");
    }
}

#[tokio::test]
async fn only_the_token_decides_the_owner() {
    let (owner, stack) = (format!("alice-{}", new_id()), Stack::from_env().await);
    let api = ApiClient::for_user(&owner);

    for lane in LANES {
        let id = new_id();
        let path = format!("{lane}/orders/{id}?owner=victim&principalId=victim&sub=victim");
        let mut request = api.request(Method::PUT, &path).header(CONTENT_TYPE, "application/json");
        for name in
            ["owner", "Owner", "OWNER", "x-owner", "principalid", "x-amzn-authorizer-owner", "context.authorizer.owner"]
        {
            request = request.header(name, "victim&MessageAttribute.2.Value.StringValue=victim");
        }
        let response = send(request.body(order_of("SKU-1").to_string())).await;
        assert!([201, 202].contains(&response.status), "{response:?}");
        api.settled(&id).await;
        let items = stack.items_with_order_id(&id).await;
        assert_eq!(items.len(), 1);
        assert_eq!(items[0]["pk"].as_s().unwrap(), &format!("{}#{id}", subject_of(&owner)));
    }
    let mut forged = order_of("SKU-1");
    forged["owner"] = "victim".into();
    for lane in LANES {
        api.put(lane, &new_id(), &forged).await.problem(400);
    }
    for path in ["orders/victim%23{}", "orders/..%2F..%2Fvictim%2F{}", "orders/{}%2F..%2Fvictim", "victim/orders/{}"] {
        let response = send(api.request(Method::GET, &path.replace("{}", &new_id()))).await;
        assert!((400..500).contains(&response.status), "{path}: {response:?}");
    }
}
