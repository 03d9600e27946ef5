//! Places one order and follows it to its outcome.

use crate::callbacks::{Callback, Callbacks, Waiter};
use crate::order_file::PlannedOrder;
use crate::requests::{Requests, Response};
use crate::timeline::{
    Acknowledgement, DoneBy, End, ObservedOutcome, ObservedStatus, Repeat, Timeline, outcome_of_frame,
};
use lanes::{Answer, Lane};
use orders_api::{OrderView, PendingView, QueuedView};
use std::pin::pin;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

/// Statuses after which the PUT, which is idempotent, is repeated.
///
/// API Gateway answers 500 when Lambda does not take an invocation, such as when it throttles. Source: AWS Lambda
/// Developer Guide, "Handling Lambda errors with an API Gateway API".
const REPEATABLE: [u16; 5] = [429, 500, 502, 503, 504];
/// Statuses that refuse an order permanently.
const REFUSED: [u16; 3] = [400, 409, 413];
/// Before the first repeat without `Retry-After`. It doubles up to [`MAX_BACKOFF`].
const MIN_BACKOFF: Duration = Duration::from_millis(500);
const MAX_BACKOFF: Duration = Duration::from_secs(30);
/// Between polls without `Retry-After`.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Reason of an order in progress at an interruption.
const INTERRUPTED: &str = "interrupted; it may yet be confirmed";

/// How orders are placed.
pub struct Placing {
    /// Builds the requests.
    pub requests: Requests,
    /// The lane.
    pub lane: Lane,
    /// `None`: poll only.
    pub callbacks: Option<Callbacks>,
    /// Longest wait for an outcome.
    pub timeout: Duration,
    /// Most repeats of a request.
    pub retries: usize,
    /// From the acknowledgement to the first poll.
    pub poll_after: Duration,
    /// True once the run is interrupted: then nothing more is sent or waited for.
    pub interrupted: watch::Receiver<bool>,
}

#[derive(Clone, Copy)]
struct Clock {
    started: Instant,
    deadline: Instant,
}

impl Clock {
    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn end(&self, outcome: ObservedOutcome, by: DoneBy) -> End {
        End { at: self.elapsed(), outcome, by }
    }
}

enum Fetched {
    Outcome(ObservedOutcome),
    /// What the service said, and when to poll again.
    Nothing {
        said: String,
        wait: Duration,
    },
}

impl Placing {
    /// Places an order and waits for its outcome or an interruption. `None` if it was not sent before an interruption.
    pub async fn place(&self, order: PlannedOrder) -> Option<Timeline> {
        if *self.interrupted.borrow() {
            return None;
        }
        let waiter = self.callbacks.as_ref().map(|callbacks| callbacks.wait_for(&order.order_id));
        let sent_at = OffsetDateTime::now_utc();
        let started = Instant::now();
        let clock = Clock { started, deadline: started + self.timeout };
        let (response, repeats) = self.put(&order, &clock).await;
        let at = clock.elapsed();
        let mut timeline = Timeline {
            total: order.total(),
            lane: self.lane,
            sent_at,
            repeats,
            http_status: response.as_ref().ok().map(|response| response.status),
            acknowledged: None,
            end: End { at, outcome: settled(&response, self.lane, &order), by: DoneBy::Answer },
            order,
        };
        match &response {
            Ok(response) if self.lane.answer == Answer::Receipt && self.lane.accepted.contains(&response.status) => {
                let message_id = serde_json::from_str(&response.body).ok().map(|queued: QueuedView| queued.message_id);
                timeline.acknowledged = Some(Acknowledgement { at, message_id });
                timeline.end = self.outcome(&timeline.order, &clock, waiter).await;
            }
            // A callback may show that the order was accepted although the answer is lost or an error.
            _ if !timeline.end.outcome.status.is_final() => {
                if let Some(end) = waiter.and_then(|waiter| earlier_end(waiter, &timeline.order, &clock)) {
                    timeline.end = end;
                } else if response.is_err() {
                    timeline.end.by = DoneBy::Nothing;
                }
            }
            _ => {}
        }
        Some(timeline)
    }

    async fn interruption(&self) {
        if self.interrupted.clone().wait_for(|interrupted| *interrupted).await.is_err() {
            // No interruption can follow: the sender is gone.
            std::future::pending::<()>().await;
        }
    }

    /// Sends the order, and repeats where allowed.
    async fn put(&self, order: &PlannedOrder, clock: &Clock) -> (Result<Response, String>, Vec<Repeat>) {
        let mut repeats = Vec::new();
        let mut backoff = MIN_BACKOFF;
        loop {
            let body = order.body.get().to_owned();
            let response = tokio::select! {
                // Prefer an answer in time.
                biased;
                response = self.requests.put_order(self.lane, &order.order_id, body, clock.deadline) => {
                    response.map_err(|unanswered| unanswered.why)
                }
                () = self.interruption() => return (Err(INTERRUPTED.to_owned()), repeats),
            };
            let (why, wait) = match &response {
                Ok(response) if REPEATABLE.contains(&response.status) => {
                    (format!("{} {}", response.status, response.complaint()), response.retry_after.unwrap_or(backoff))
                }
                Ok(_) => return (response, repeats),
                Err(why) => (why.clone(), backoff),
            };
            if repeats.len() >= self.retries || Instant::now() + wait >= clock.deadline {
                return (response, repeats);
            }
            let at = clock.elapsed();
            tokio::select! {
                biased;
                () = self.interruption() => return (response, repeats),
                () = sleep(wait) => repeats.push(Repeat { at, why, wait }),
            }
            backoff = (backoff * 2).min(MAX_BACKOFF);
        }
    }

    /// Waits for a queued order's outcome: by callback, or by polls once that is overdue.
    ///
    /// A polled `FAILED` may be from an earlier delivery: it counts only if nothing else follows.
    async fn outcome(&self, order: &PlannedOrder, clock: &Clock, mut waiter: Option<Waiter>) -> End {
        let poll_after = if waiter.is_some() { self.poll_after } else { Duration::ZERO };
        let mut fetching = pin!(self.fetch_at(Instant::now() + poll_after, order, clock.deadline));
        let mut failed = None;
        let mut said = None;
        loop {
            let end = tokio::select! {
                // Prefer a callback in time; a poll cut off by the deadline does not count.
                biased;
                callback = next_callback(waiter.as_mut()) => end_of(&callback, order, clock),
                () = sleep_until(clock.deadline) => {
                    let said = said.map(|said| format!("; the status service said: {said}")).unwrap_or_default();
                    let reason = format!("no outcome within {} s{said}", self.timeout.as_secs());
                    let unanswered = ObservedOutcome::because(ObservedStatus::Unanswered, reason);
                    return failed.unwrap_or_else(|| clock.end(unanswered, DoneBy::Nothing));
                }
                () = self.interruption() => {
                    return failed.unwrap_or_else(|| {
                        clock.end(ObservedOutcome::because(ObservedStatus::Unanswered, INTERRUPTED), DoneBy::Nothing)
                    });
                }
                fetched = fetching.as_mut() => {
                    let (end, wait) = match fetched {
                        Fetched::Outcome(outcome) => (Some(clock.end(outcome, DoneBy::Fetch)), POLL_INTERVAL),
                        Fetched::Nothing { said: text, wait } => {
                            said = Some(text);
                            (None, wait)
                        }
                    };
                    fetching.set(self.fetch_at(Instant::now() + wait, order, clock.deadline));
                    end
                }
            };
            match end {
                Some(End {
                    outcome: ObservedOutcome { status: ObservedStatus::Failed, .. },
                    by: DoneBy::Fetch,
                    ..
                }) => failed = end,
                Some(end) => return end,
                None => {}
            }
        }
    }

    async fn fetch_at(&self, start: Instant, order: &PlannedOrder, deadline: Instant) -> Fetched {
        sleep_until(start).await;
        let nothing = |said: String, wait: Option<Duration>| {
            // Never poll at once, even if the server allows it.
            let wait = wait.filter(|wait| !wait.is_zero()).unwrap_or(POLL_INTERVAL);
            Fetched::Nothing { said, wait }
        };
        match self.requests.get_order(&order.order_id, deadline).await {
            Err(unanswered) => nothing(unanswered.why, None),
            Ok(response) if response.status != 200 => {
                nothing(format!("{} {}", response.status, response.complaint()), response.retry_after)
            }
            Ok(response) => match serde_json::from_str::<OrderView>(&response.body) {
                Ok(view) => match ObservedOutcome::of_record(&view, &order.content) {
                    Some(outcome) => Fetched::Outcome(outcome),
                    None => nothing(state_of(&view), response.retry_after),
                },
                Err(_) if response.json()["status"] == PendingView::STATUS => {
                    nothing(PendingView::STATUS.to_owned(), response.retry_after)
                }
                Err(_) => nothing("an answer that is not an order".to_owned(), response.retry_after),
            },
        }
    }
}

/// An order without an outcome, with its steps.
fn state_of(view: &OrderView) -> String {
    let steps: Vec<_> = view.steps.iter().flatten().map(|step| format!("{} {}", step.step, step.state)).collect();
    if steps.is_empty() { view.status.clone() } else { format!("{} ({})", view.status, steps.join(", ")) }
}

/// By the response to the PUT.
fn settled(response: &Result<Response, String>, lane: Lane, order: &PlannedOrder) -> ObservedOutcome {
    match response {
        Err(why) => ObservedOutcome::because(ObservedStatus::Unanswered, why.as_str()),
        Ok(response) if lane.answer == Answer::Outcome && lane.accepted.contains(&response.status) => {
            let view: Option<OrderView> = serde_json::from_str(&response.body).ok();
            view.and_then(|view| ObservedOutcome::of_record(&view, &order.content))
                .unwrap_or_else(|| ObservedOutcome::because(ObservedStatus::Error, "the answer is not an order"))
        }
        Ok(response) => {
            let status =
                if REFUSED.contains(&response.status) { ObservedStatus::Rejected } else { ObservedStatus::Error };
            ObservedOutcome { problem: response.problem(), ..ObservedOutcome::because(status, response.complaint()) }
        }
    }
}

/// The order's next frame; never without a socket.
async fn next_callback(waiter: Option<&mut Waiter>) -> Callback {
    match waiter {
        Some(waiter) => waiter.next().await,
        None => std::future::pending().await,
    }
}

/// At the callback's arrival time.
fn end_of(callback: &Callback, order: &PlannedOrder, clock: &Clock) -> Option<End> {
    let (outcome, by) = outcome_of_frame(&callback.frame, &order.content)?;
    Some(End { at: callback.at.saturating_duration_since(clock.started), outcome, by })
}

/// From frames already received.
fn earlier_end(mut waiter: Waiter, order: &PlannedOrder, clock: &Clock) -> Option<End> {
    std::iter::from_fn(|| waiter.try_next()).find_map(|callback| end_of(&callback, order, clock))
}
