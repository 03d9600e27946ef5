//! Everything at once.

use crate::{
    Load,
    drops::Drops,
    figures::{Figures, say},
    listener::Listener,
    test_bed::TestBed,
    workers,
};
use fault_endpoint::{Fault, Passed, Rule, When};
use futures_util::future::join_all;
use hyper::StatusCode;
use std::{collections::BTreeMap, time::Duration};
use testkit::{
    api_client::ApiClient,
    order_bodies::{new_id, order_of},
    outputs::output,
    stack::OWNER,
};
use tokio::time::{Instant, interval};

/// Until all is settled.
const DEADLINE: Duration = Duration::from_mins(6);

/// Of received frames and stored orders.
const LOOK_EVERY: Duration = Duration::from_secs(1);

const KILL_EVERY: Duration = Duration::from_secs(3);

/// Faults of requests to DynamoDB and to the management API, and how often: 14 % in all.
fn faults() -> [(Fault, f64); 7] {
    [
        (Fault::Throttle, 0.04),
        (Fault::ServerError(StatusCode::INTERNAL_SERVER_ERROR), 0.02),
        (Fault::ServerError(StatusCode::SERVICE_UNAVAILABLE), 0.02),
        (Fault::DropBefore, 0.02),
        (Fault::DropAfter, 0.02),
        (Fault::Truncate, 0.01),
        (Fault::HangAfter, 0.01),
    ]
}

pub(crate) async fn every_order_survives_a_storm_and_every_owner_is_notified(bed: &TestBed, load: Load) -> Figures {
    let (owners, orders_each, kills) = (load.pick(20, 50), load.pick(20, 40), load.pick(3, 12));
    let expected = owners * orders_each;
    let mut listeners = vec![Listener::open(bed, OWNER).await];
    for owner in 1..owners {
        listeners.push(Listener::open(bed, &format!("owner-{owner}")).await);
    }
    let placed: BTreeMap<String, Vec<String>> = listeners
        .iter()
        .map(|listener| (listener.owner.clone(), (0..orders_each).map(|_| new_id()).collect()))
        .collect();
    say(&format!("{owners} owners listen"));
    let mark = bed.endpoint.mark();
    for (fault, probability) in faults() {
        bed.endpoint.inject(Rule::new(|_| true, When::Sometimes(probability), fault));
    }

    place(&placed).await;
    let killed = settle(bed, &placed, &listeners, kills).await;
    bed.endpoint.heal();
    bed.queue_is_empty(DEADLINE).await;
    assert!(killed > 0, "workers must have been killed");

    let statuses = bed.stack.statuses().await;
    let status = |owner: &str, id: &str| statuses.get(&format!("{owner}#{id}")).map(String::as_str);
    let all = || placed.iter().flat_map(|(owner, ids)| ids.iter().map(move |id| (owner, id)));
    let lost = all().filter(|(owner, id)| status(owner, id).is_none()).count();
    assert_eq!(lost, 0, "every order must be settled");
    let failed = all().filter(|(owner, id)| status(owner, id) == Some("FAILED")).count();
    let passed = bed.endpoint.since(mark);
    let twice = count_written_twice(&passed);
    assert_eq!(twice, 0, "no order may be written twice");
    let (drops, mut dropped) = (Drops::new(bed, "ProcessOrdersFunctionName").await, 0);
    for listener in &listeners {
        dropped += drops.catch_up(listener, &placed[&listener.owner].iter().cloned().collect()).await;
    }
    let injected = passed.iter().filter(|passed| passed.fault.is_some()).count();
    let percent = injected * 100 / passed.len();
    assert!(percent >= 10, "only {injected} of {} requests went wrong", passed.len());
    Figures::default()
        .with("orders", expected)
        .with("owners", owners)
        .with("requests", passed.len())
        .with("went wrong", format!("{injected} ({percent} %)"))
        .with("killed", killed)
        .with("lost", lost)
        .with("written twice", twice)
        .with("failed", failed)
        .with("frames dropped", dropped)
}

/// Orders through the API, each owner's one after the other; owners do not wait for each other.
async fn place(placed: &BTreeMap<String, Vec<String>>) {
    let owners = placed.iter().map(|(owner, ids)| async move {
        let api = ApiClient::for_user(owner);
        for id in ids {
            let queued = api.put("async", id, &order_of("SKU-1")).await;
            assert_eq!(queued.status, 202, "{queued:?}");
        }
    });
    join_all(owners).await;
}

/// Every order has an outcome, and no message waits.
async fn is_settled(bed: &TestBed, placed: &BTreeMap<String, Vec<String>>) -> bool {
    if bed.stack.messages_in("OrdersQueueUrl").await > 0 {
        return false;
    }
    let statuses = bed.stack.statuses().await;
    placed.iter().all(|(owner, ids)| ids.iter().all(|id| statuses.contains_key(&format!("{owner}#{id}"))))
}

/// Kills workers until every owner has received every outcome, or all outcomes are stored. Returns the number of kills.
async fn settle(bed: &TestBed, placed: &BTreeMap<String, Vec<String>>, listeners: &[Listener], kills: usize) -> usize {
    let expected: usize = placed.values().map(Vec::len).sum();
    let (end, mut killed) = (Instant::now() + DEADLINE, 0);
    let mut kill = interval(KILL_EVERY);
    let mut look = interval(LOOK_EVERY);
    let mut shown = 0;
    loop {
        tokio::select! {
            _ = kill.tick(), if killed < kills => {
                if let Some(victim) = fastrand::choice(workers::of(output("ProcessOrdersFunctionName"))) {
                    killed += usize::from(workers::kill(victim));
                }
            }
            _ = look.tick() => {
                let received: usize = listeners.iter().map(|listener| listener.orders().len()).sum();
                if received >= shown + 200 {
                    shown = received;
                    say(&format!("{received} of {expected} outcomes received, {} requests, {killed} workers killed", bed.endpoint.mark()));
                }
                if received == expected || is_settled(bed, placed).await {
                    return killed;
                }
                assert!(Instant::now() < end, "only {received} of {expected} outcomes were received within {DEADLINE:?}");
            }
        }
    }
}

/// Accepted more than once by AWS.
fn count_written_twice(passed: &[Passed]) -> usize {
    let mut writes: BTreeMap<&str, usize> = BTreeMap::new();
    for passed in passed.iter().filter(|passed| passed.call.writes("CONFIRMED") && passed.answered == Some(200)) {
        *writes.entry(&passed.call.key).or_default() += 1;
    }
    writes.values().filter(|count| **count > 1).count()
}
