//! The worker stopped under load.

use crate::{
    Load,
    figures::{Figures, tell},
    rig::Rig,
};
use futures_util::{StreamExt, stream};
use std::time::Duration;
use tokio::time::Instant;
use twolane_tests::{
    eventually::eventually,
    order_bodies::{new_id, order_of},
    stack::OWNER,
};

/// Requests under way at once.
const CONCURRENCY: usize = 8;

/// Queues orders for that long; their ids.
async fn queue_orders(rig: &Rig, time: Duration) -> Vec<String> {
    let end = Instant::now() + time;
    stream::repeat_with(new_id)
        .take_while(|_| std::future::ready(Instant::now() < end))
        .map(async |id| {
            let queued = rig.api.put("async", &id, &order_of("SKU-1")).await;
            assert_eq!(queued.status, 202, "{queued:?}");
            id
        })
        .buffer_unordered(CONCURRENCY)
        .collect()
        .await
}

pub(crate) async fn the_queue_takes_orders_at_the_same_rate_while_the_worker_is_down(rig: &Rig, load: Load) -> Figures {
    let (warm_up, up, down) = (
        Duration::from_secs(1),
        load.pick(Duration::from_secs(4), Duration::from_secs(20)),
        load.pick(Duration::from_secs(8), Duration::from_mins(1)),
    );
    let mut ids = queue_orders(rig, warm_up).await;

    tell("orders come while the worker is up");
    let while_up = queue_orders(rig, up).await;
    rig.set_worker(false).await;
    tell("orders come while the worker is down");
    let while_down = queue_orders(rig, down).await;
    rig.set_worker(true).await;

    let rate = |count: usize, time: Duration| u32::try_from(count).map(f64::from).unwrap() / time.as_secs_f64();
    let ratio = rate(while_down.len(), down) / rate(while_up.len(), up);
    assert!(ratio >= 0.8, "orders were taken at {ratio:.2} of the rate with the worker up");
    let (count_up, count_down) = (while_up.len(), while_down.len());
    ids.extend(while_up);
    ids.extend(while_down);
    all_are_confirmed(rig, &ids).await;
    Figures::default()
        .with("taken while up", count_up)
        .with("taken while down", count_down)
        .with("rate down/up", format!("{ratio:.2}"))
        .with("lost", 0)
}

async fn all_are_confirmed(rig: &Rig, ids: &[String]) {
    let deadline = Duration::from_mins(4);
    eventually(deadline, "all orders are confirmed", async || {
        let statuses = rig.stack.statuses().await;
        let left = ids.iter().filter(|id| !statuses.contains_key(&format!("{OWNER}#{id}"))).count();
        if left > 0 {
            tell(&format!("{} of {} settled", ids.len() - left, ids.len()));
            tokio::time::sleep(Duration::from_secs(1)).await;
            return None;
        }
        assert!(ids.iter().all(|id| statuses[&format!("{OWNER}#{id}")] == "CONFIRMED"));
        Some(())
    })
    .await;
}
