//! Outcomes from polls of the status service.

use super::clocked::Clocked;
use super::lane::HttpLane;
use super::tally::{By, OutcomeKind};
use serde::Deserialize;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, sleep_until};

/// As in the service's `Retry-After: 1`.
const INTERVAL: Duration = Duration::from_secs(1);

const TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) const AT_ONCE: u32 = 100;

#[derive(Clone, Copy, Debug)]
pub(crate) struct StatusPoll {
    pub(crate) order: u32,
    pub(crate) due: Duration,
}

#[derive(Deserialize)]
struct View<'a> {
    status: &'a str,
    attempts: Option<u32>,
}

/// Polls each queued order, at once and then once a second, until it has an outcome.
pub(crate) async fn poll(
    lane: Arc<HttpLane>,
    clocked: Clocked,
    mut queued: mpsc::UnboundedReceiver<StatusPoll>,
    at_once: u32,
) {
    let permits = Arc::new(Semaphore::new(at_once as usize));
    // All polls wait equally long, so the next one due is at the front of the queue.
    let (again, mut pending) = mpsc::unbounded_channel();
    let mut waiting: VecDeque<StatusPoll> = VecDeque::new();
    loop {
        let next = waiting.front().map(|poll| clocked.at(poll.due));
        let StatusPoll { order, due } = tokio::select! {
            Some(poll) = queued.recv() => poll,
            Some(order) = pending.recv() => {
                waiting.push_back(StatusPoll { order, due: clocked.elapsed() + INTERVAL });
                continue;
            }
            () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {
                waiting.pop_front().expect("it was just there")
            }
        };
        let permit = Arc::clone(&permits).acquire_owned().await.expect("it is never closed");
        let (lane, clocked, again) = (Arc::clone(&lane), clocked.clone(), again.clone());
        tokio::spawn(async move {
            clocked.tally().polls(due, clocked.elapsed());
            if ask_for(&lane, &clocked, order, By::Poll).await {
                clocked.tally().polled_for -= 1;
            } else {
                let _ = again.send(order);
            }
            drop(permit);
        });
    }
}

/// Polls those orders once, for the measurement only: not counted as usage.
pub(crate) async fn search(lane: &Arc<HttpLane>, clocked: &Clocked, orders: Vec<u32>, at_once: u32) {
    use futures_util::{StreamExt, stream};
    let polling = stream::iter(orders).map(|order| ask_for(lane, clocked, order, By::Search));
    polling.buffer_unordered(at_once as usize).for_each(async |_| {}).await;
}

/// Polls one order. Returns whether it has an outcome.
async fn ask_for(lane: &HttpLane, clocked: &Clocked, order: u32, by: By) -> bool {
    let id = lane.ids.id(order).to_string();
    let response = lane.owner(order).get_order(&id, Instant::now() + TIMEOUT).await;
    let response = match response {
        Ok(response) => response,
        Err(unanswered) => {
            if unanswered.is_local {
                clocked.tally().not_polled(by, unanswered.why);
            }
            return false;
        }
    };
    let Ok(view) = serde_json::from_str::<View>(&response.body) else { return false };
    let outcome = match view.status {
        "CONFIRMED" => OutcomeKind::Confirmed,
        "CANCELLED" => OutcomeKind::Cancelled,
        "REJECTED" => OutcomeKind::Rejected,
        "FAILED" => OutcomeKind::Failed,
        _ => return false,
    };
    clocked.tally().learned(order, outcome, view.attempts, by, clocked.elapsed());
    true
}
