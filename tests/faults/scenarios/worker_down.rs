//! The worker stopped under load.

use crate::{
    Load,
    figures::{Figures, say},
    test_bed::TestBed,
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use std::time::Duration;
use testkit::{
    api_client::ApiClient,
    order_bodies::{new_id, order_of},
    stack::OWNER,
};
use tokio::time::interval;

/// Even if earlier orders are not acknowledged yet. One machine with the whole stack can serve clearly more.
const ARRIVALS_PER_SECOND: u32 = 40;

/// Queues orders during that time. Each must be accepted at the first attempt. Returns their ids.
async fn queue_orders(time: Duration) -> Vec<String> {
    let api = ApiClient::new().returning_throttles();
    let arrivals = ARRIVALS_PER_SECOND * u32::try_from(time.as_secs()).unwrap();
    let mut arrival = interval(Duration::from_secs(1) / ARRIVALS_PER_SECOND);
    let (mut under_way, mut ids) = (FuturesUnordered::new(), Vec::new());
    for _ in 0..arrivals {
        loop {
            tokio::select! {
                _ = arrival.tick() => break,
                Some(id) = under_way.next() => ids.push(id),
            }
        }
        under_way.push(queue_order(&api));
    }
    while let Some(id) = under_way.next().await {
        ids.push(id);
    }
    ids
}

async fn queue_order(api: &ApiClient) -> String {
    let id = new_id();
    let queued = api.put("async", &id, &order_of("SKU-1")).await;
    assert_eq!(queued.status, 202, "{queued:?}");
    id
}

pub(crate) async fn the_queue_takes_every_order_while_the_worker_is_down(bed: &TestBed, load: Load) -> Figures {
    let up = load.pick(Duration::from_secs(5), Duration::from_secs(20));
    let down = load.pick(Duration::from_secs(10), Duration::from_mins(1));

    say("orders come while the worker is up");
    let mut ids = queue_orders(up).await;
    bed.set_worker(false).await;
    say("orders come while the worker is down");
    let waiting = queue_orders(down).await;
    let (statuses, in_the_queue) = (bed.stack.statuses().await, bed.stack.messages_in("OrdersQueueUrl").await);
    bed.set_worker(true).await;

    let settled_meanwhile = waiting.iter().filter(|id| statuses.contains_key(&format!("{OWNER}#{id}"))).count();
    assert_eq!(settled_meanwhile, 0, "the worker must have been down");
    assert!(in_the_queue >= waiting.len(), "{in_the_queue} of {} orders wait in the queue", waiting.len());
    let waiting_orders = waiting.len();
    ids.extend(waiting);
    bed.all_are_confirmed(&ids, Duration::from_mins(4)).await;
    Figures::default()
        .with("arrivals/s", ARRIVALS_PER_SECOND)
        .with("accepted while it was up", ids.len() - waiting_orders)
        .with("down", waiting_orders)
        .with("in the queue", in_the_queue)
        .with("lost", 0)
}
