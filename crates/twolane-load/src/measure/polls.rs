//! Outcomes as the status service reports them.

use super::clocked::Clocked;
use super::lane::HttpLane;
use super::tally::{By, Outcome};
use serde::Deserialize;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, sleep_until};

/// Between two questions for an order, as the service itself asks for by `Retry-After: 1`.
const INTERVAL: Duration = Duration::from_secs(1);

/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Questions under way at the same time, at most.
pub(crate) const AT_ONCE: u32 = 100;

/// An order that is to be asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    pub(crate) order: u32,
    /// When, since the start.
    pub(crate) due: Duration,
}

#[derive(Deserialize)]
struct View<'a> {
    status: &'a str,
    attempts: Option<u32>,
}

/// Asks for each order that is queued, at once and then once a second, until it has an outcome.
pub(crate) async fn poll(
    lane: Arc<HttpLane>,
    clocked: Clocked,
    mut queued: mpsc::UnboundedReceiver<Question>,
    at_once: u32,
) {
    let permits = Arc::new(Semaphore::new(at_once as usize));
    // All wait equally long, so that the first to be asked again is the first in the queue.
    let (again, mut pending) = mpsc::unbounded_channel();
    let mut waiting: VecDeque<Question> = VecDeque::new();
    loop {
        let next = waiting.front().map(|question| clocked.at(question.due));
        let Question { order, due } = tokio::select! {
            Some(question) = queued.recv() => question,
            Some(order) = pending.recv() => {
                waiting.push_back(Question { order, due: clocked.elapsed() + INTERVAL });
                continue;
            }
            () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {
                waiting.pop_front().expect("it was just there")
            }
        };
        let permit = Arc::clone(&permits).acquire_owned().await.expect("nobody closes it");
        let (lane, clocked, again) = (Arc::clone(&lane), clocked.clone(), again.clone());
        tokio::spawn(async move {
            clocked.tally().asks(due, clocked.elapsed());
            if ask(&lane, &clocked, order, By::Poll).await {
                clocked.tally().polled_for -= 1;
            } else {
                let _ = again.send(order);
            }
            drop(permit);
        });
    }
}

/// Asks for those orders once, for the instrument itself: what no caller asked for costs no lane anything.
pub(crate) async fn search(lane: &Arc<HttpLane>, clocked: &Clocked, orders: Vec<u32>, at_once: u32) {
    use futures_util::{StreamExt, stream};
    let asking = stream::iter(orders).map(|order| ask(lane, clocked, order, By::Search));
    asking.buffer_unordered(at_once as usize).for_each(async |_| {}).await;
}

/// Asks for one order; whether it has an outcome.
async fn ask(lane: &HttpLane, clocked: &Clocked, order: u32, by: By) -> bool {
    let id = lane.ids.id(order).to_string();
    let answer = lane.owner(order).get_order(&id, Instant::now() + TIMEOUT).await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(unanswered) => {
            if unanswered.is_local {
                clocked.tally().not_asked(by, unanswered.why);
            }
            return false;
        }
    };
    let Ok(view) = serde_json::from_str::<View>(&answer.body) else { return false };
    let outcome = match view.status {
        "CONFIRMED" => Outcome::Confirmed,
        "CANCELLED" => Outcome::Cancelled,
        "REJECTED" => Outcome::Rejected,
        "FAILED" => Outcome::Failed,
        _ => return false,
    };
    clocked.tally().learned(order, outcome, view.attempts, by, clocked.elapsed());
    true
}
