//! Concurrent probes of everything that the stack does for its callers.

use crate::{
    bus_probes,
    probe::{new_owner, until},
};
use futures_util::{
    FutureExt,
    future::{LocalBoxFuture, join_all},
};
use std::{collections::BTreeMap, panic::AssertUnwindSafe, time::Duration};
use testkit::{
    api_client::ApiClient,
    order_bodies::{new_id, order_of},
    socket::Socket,
    stack::Stack,
    tokens::{ShortToken, now},
};
use tokio::time::{Instant, timeout};

/// Of a token that is to expire.
const SESSION_SECONDS: u64 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Work {
    /// Stores an order.
    PlaceSync,
    /// Queues an order.
    PlaceQueued,
    /// The worker stores it.
    Settle,
    /// The status service answers.
    Read,
    /// The list of orders answers.
    ListOrders,
    /// A row for an open socket.
    Connect,
    Subscribe,
    Ping,
    /// A closed socket loses its row.
    Disconnect,
    /// At the next frame on a socket with an expired token.
    Close,
    /// Of a settled order.
    Notify,
    /// A gone socket loses its row when its owner is notified.
    ForgetGone,
    /// A socket with an expired token is closed when its owner is notified.
    CloseExpired,
    PlaceOnBus,
    /// By settle-order.
    RecordOnBus,
    /// Every step can hold it, and each hold is final.
    ConfirmOnBus,
    /// It is out of stock, and the other steps give back what they held.
    CancelOnBus,
    /// Of the decision.
    NotifyOnBus,
    /// As `ForgetGone`, after a decision.
    ForgetGoneOnBus,
    /// As `CloseExpired`, after a decision.
    CloseExpiredOnBus,
    /// Captured while the caller waits.
    Pay,
    ReadPayment,
    /// Of a SKU.
    ReadStock,
}

/// Runs all probes with time limits. Returns how long each took, or `None` if it failed.
pub(crate) async fn tried(time_limit: impl Fn(Work) -> Duration) -> BTreeMap<Work, Option<Duration>> {
    let works = |work, probe| works(work, probe, time_limit(work));
    let probes = [
        works(Work::PlaceSync, place("sync").boxed_local()),
        works(Work::PlaceQueued, place("async").boxed_local()),
        works(Work::Settle, settle().boxed_local()),
        works(Work::Read, read().boxed_local()),
        works(Work::ListOrders, list_orders().boxed_local()),
        works(Work::Connect, connect().boxed_local()),
        works(Work::Subscribe, subscribe().boxed_local()),
        works(Work::Ping, ping().boxed_local()),
        works(Work::Disconnect, disconnect().boxed_local()),
        works(Work::Close, close().boxed_local()),
        works(Work::Notify, notify("async").boxed_local()),
        works(Work::ForgetGone, forget_gone("async").boxed_local()),
        works(Work::CloseExpired, close_expired("async").boxed_local()),
        works(Work::PlaceOnBus, place("bus").boxed_local()),
        works(Work::RecordOnBus, bus_probes::record().boxed_local()),
        works(Work::ConfirmOnBus, bus_probes::confirm().boxed_local()),
        works(Work::CancelOnBus, bus_probes::cancel().boxed_local()),
        works(Work::NotifyOnBus, notify("bus").boxed_local()),
        works(Work::ForgetGoneOnBus, forget_gone("bus").boxed_local()),
        works(Work::CloseExpiredOnBus, close_expired("bus").boxed_local()),
        works(Work::Pay, bus_probes::pay().boxed_local()),
        works(Work::ReadPayment, bus_probes::read_payment().boxed_local()),
        works(Work::ReadStock, bus_probes::read_stock().boxed_local()),
    ];
    join_all(probes).await.into_iter().collect()
}

/// A panic is a failure.
async fn works(work: Work, probe: LocalBoxFuture<'static, ()>, time_limit: Duration) -> (Work, Option<Duration>) {
    let begun = Instant::now();
    let tried = AssertUnwindSafe(timeout(time_limit, probe)).catch_unwind().await;
    (work, matches!(tried, Ok(Ok(()))).then(|| begun.elapsed()))
}

async fn expired_socket(owner: &str) -> Socket {
    let token = ShortToken::new(owner, SESSION_SECONDS);
    let socket = Socket::open_with(&token.text).await;
    token.has_expired().await;
    socket
}

async fn place(lane: &'static str) {
    let response = ApiClient::for_user(&new_owner()).put(lane, &new_id(), &order_of("SKU-1")).await;
    assert!([201, 202].contains(&response.status), "{response:?}");
}

async fn settle() {
    let (id, stack) = (new_id(), Stack::from_env().await);
    ApiClient::for_user(&new_owner()).put("async", &id, &order_of("SKU-1")).await;
    until("the order is stored", async || !stack.items_with_order_id(&id).await.is_empty()).await;
}

async fn read() {
    assert_eq!(ApiClient::for_user(&new_owner()).get(&new_id()).await.status, 200);
}

async fn list_orders() {
    assert_eq!(ApiClient::for_user(&new_owner()).list("").await.status, 200);
}

async fn connect() {
    let owner = new_owner();
    let _open = Socket::open_as(&owner).await;
    assert_eq!(Stack::from_env().await.connections_of(&owner).await.len(), 1);
}

async fn subscribe() {
    Socket::open_as(&new_owner()).await.subscribe(&new_id()).await;
}

async fn ping() {
    let mut socket = Socket::open_as(&new_owner()).await;
    socket.send(r#"{"action":"ping"}"#).await;
    socket.frame("a pong", |frame| frame["type"] == "pong").await;
}

async fn disconnect() {
    let (owner, stack) = (new_owner(), Stack::from_env().await);
    Socket::open_as(&owner).await.close().await;
    until("its row disappears", async || stack.connections_of(&owner).await.is_empty()).await;
}

async fn close() {
    let mut socket = expired_socket(&new_owner()).await;
    socket.send("anything").await;
    socket.is_closed().await;
}

async fn notify(lane: &'static str) {
    let (owner, id) = (new_owner(), new_id());
    let mut socket = Socket::open_as(&owner).await;
    ApiClient::for_user(&owner).put(lane, &id, &order_of("SKU-1")).await;
    socket.outcome(&id).await;
}

async fn forget_gone(lane: &'static str) {
    let (owner, stack) = (new_owner(), Stack::from_env().await);
    stack.add_gone_connection(&owner, "gone-for-good=", now() + 3600).await;
    ApiClient::for_user(&owner).put(lane, &new_id(), &order_of("SKU-1")).await;
    until("the row of the gone socket disappears", async || stack.connections_of(&owner).await.is_empty()).await;
}

async fn close_expired(lane: &'static str) {
    let owner = new_owner();
    let mut socket = expired_socket(&owner).await;
    ApiClient::for_user(&owner).put(lane, &new_id(), &order_of("SKU-1")).await;
    socket.is_closed().await;
}
