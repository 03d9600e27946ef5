//! The worker stopped under load.

use crate::{
    Load,
    figures::{Figures, tell},
    rig::Rig,
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use std::{collections::HashMap, time::Duration};
use tokio::time::{Instant, interval};
use twolane_tests::{
    eventually::eventually,
    order_bodies::{new_id, order_of},
    stack::OWNER,
};

/// Orders that come in a second, whether or not those before them are acknowledged: well below what one machine takes
/// with all of the stack on it.
const ARRIVALS_PER_SECOND: u32 = 40;

/// Queues orders for that long; the ids of those acknowledged in that time, and of all.
async fn queue_orders(rig: &Rig, time: Duration) -> (usize, Vec<String>) {
    let end = Instant::now() + time;
    let arrivals = ARRIVALS_PER_SECOND * u32::try_from(time.as_secs()).unwrap();
    let mut arrival = interval(Duration::from_secs(1) / ARRIVALS_PER_SECOND);
    let (mut under_way, mut in_time, mut ids) = (FuturesUnordered::new(), 0, Vec::new());
    let mut take = |id: String| {
        in_time += usize::from(Instant::now() <= end);
        ids.push(id);
    };
    for _ in 0..arrivals {
        loop {
            tokio::select! {
                _ = arrival.tick() => break,
                Some(id) = under_way.next() => take(id),
            }
        }
        under_way.push(queue_order(rig));
    }
    while let Some(id) = under_way.next().await {
        take(id);
    }
    (in_time, ids)
}

async fn queue_order(rig: &Rig) -> String {
    let id = new_id();
    let queued = rig.api.put("async", &id, &order_of("SKU-1")).await;
    assert_eq!(queued.status, 202, "{queued:?}");
    id
}

pub(crate) async fn the_queue_takes_orders_at_the_same_rate_while_the_worker_is_down(rig: &Rig, load: Load) -> Figures {
    let up = load.pick(Duration::from_secs(5), Duration::from_secs(20));
    let down = load.pick(Duration::from_secs(10), Duration::from_mins(1));

    tell("orders come while the worker is up");
    let (acknowledged_up, mut ids) = queue_orders(rig, up).await;
    rig.set_worker(false).await;
    tell("orders come while the worker is down");
    let (acknowledged_down, waiting) = queue_orders(rig, down).await;
    let settled_meanwhile = count_settled(&rig.stack.statuses().await, &waiting);
    rig.set_worker(true).await;

    let rate = |count: usize, time: Duration| u32::try_from(count).map(f64::from).unwrap() / time.as_secs_f64();
    let ratio = rate(acknowledged_down, down) / rate(acknowledged_up, up);
    assert!(ratio >= 0.9, "orders were taken at {ratio:.2} of the rate with the worker up");
    assert_eq!(settled_meanwhile, 0, "the worker must have been down");
    ids.extend(waiting);
    all_are_confirmed(rig, &ids).await;
    Figures::default()
        .with("arrivals/s", ARRIVALS_PER_SECOND)
        .with("taken while up", format!("{acknowledged_up} in {} s", up.as_secs()))
        .with("while down", format!("{acknowledged_down} in {} s", down.as_secs()))
        .with("rate down/up", format!("{ratio:.2}"))
        .with("lost", 0)
}

fn count_settled(statuses: &HashMap<String, String>, ids: &[String]) -> usize {
    ids.iter().filter(|id| statuses.contains_key(&format!("{OWNER}#{id}"))).count()
}

async fn all_are_confirmed(rig: &Rig, ids: &[String]) {
    let deadline = Duration::from_mins(4);
    eventually(deadline, "all orders are confirmed", async || {
        let statuses = rig.stack.statuses().await;
        let settled = count_settled(&statuses, ids);
        if settled < ids.len() {
            tell(&format!("{settled} of {} settled", ids.len()));
            tokio::time::sleep(Duration::from_secs(1)).await;
            return None;
        }
        assert!(ids.iter().all(|id| statuses[&format!("{OWNER}#{id}")] == "CONFIRMED"));
        Some(())
    })
    .await;
}
