//! One lane, from its first order to the last outcome.

use super::callbacks::Callbacks;
use super::lane::HttpLane;
use super::load::{Clocked, send_all};
use super::polls;
use super::queues::{Depths, send_undecodable};
use super::reconcile::reconcile;
use super::tally::Tally;
use super::usage::{self, Window};
use crate::cli::Lane;
use crate::compare::args::ConfirmBy;
use crate::compare::deployed::Deployed;
use crate::compare::owners::Owners;
use crate::compare::report::model::{DeadLetters, FunctionUsage, Reconciliation};
use crate::compare::workload::{Arrival, Content, OrderIds, Workload};
use crate::requests::Requests;
use crate::signals::Interruption;
use reqwest::Url;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// Between two looks at whether everything is settled.
const LOOK: Duration = Duration::from_millis(100);

/// Without news for this long, the status service is asked for what callbacks have not told.
const OVERDUE: Duration = Duration::from_secs(5);

/// Orders that are asked for at once when callbacks are overdue.
const SEARCHED_AT_ONCE: usize = 500;

/// When everything is settled, callbacks may still be on their way: those of orders that were sent twice.
const LINGER: Duration = Duration::from_secs(1);

/// Longest wait while messages are still in the queue: all deliveries of a message that fails take half an hour.
/// Source: `docs/operations.md`, "When a message comes again".
const LONGEST: Duration = Duration::from_mins(40);

/// Logs come a little later than what they tell of.
const LOGS_DELAY: Duration = Duration::from_secs(2);

/// One lane and what it is sent.
pub(crate) struct LaneRun {
    pub(crate) lane: Lane,
    pub(crate) workload: Arc<Workload>,
    pub(crate) requests: Requests,
    pub(crate) websocket_url: Option<Url>,
    pub(crate) owners: Owners,
    pub(crate) confirm: ConfirmBy,
    pub(crate) grace: Duration,
    pub(crate) max_in_flight: u32,
    pub(crate) deployed: Option<Deployed>,
    pub(crate) interruption: Interruption,
    pub(crate) is_emulator: bool,
}

/// What was measured of one lane.
pub(crate) struct Measured {
    pub(crate) lane: Lane,
    pub(crate) clocked: Clocked,
    pub(crate) depths: Option<Depths>,
    /// Whether each accepted order was waited for.
    pub(crate) to_the_end: bool,
    pub(crate) undecodable: u64,
    pub(crate) dead_letters: Option<DeadLetters>,
    pub(crate) reconciliation: Option<Reconciliation>,
    pub(crate) functions: Vec<FunctionUsage>,
    pub(crate) sockets: u32,
    pub(crate) listened: bool,
    pub(crate) took: Duration,
    /// What went wrong with the measurement itself.
    pub(crate) errors: Vec<String>,
}

/// A lane that is ready to be loaded: its sockets are open.
pub(crate) struct Ready {
    run: LaneRun,
    lane: Arc<HttpLane>,
    workload: Arc<Workload>,
    undecodable: Vec<Duration>,
    callbacks: Option<Callbacks>,
}

impl LaneRun {
    /// Opens the sockets.
    ///
    /// # Errors
    /// A socket does not open: nothing was sent.
    pub(crate) async fn prepare(self) -> anyhow::Result<Ready> {
        let lane =
            Arc::new(HttpLane { lane: self.lane, owners: self.owners.requests(&self.requests), ids: OrderIds::new() });
        let callbacks = match &self.websocket_url {
            Some(url) if self.lane == Lane::Async && self.confirm.has_callbacks() => {
                Some(Callbacks::open(url, &self.owners.tokens).await?)
            }
            _ => None,
        };
        let (workload, undecodable) = self.split();
        Ok(Ready { run: self, lane, workload, undecodable, callbacks })
    }

    /// What goes over the API, and when messages that nothing can decode go straight into the queue: the API would
    /// refuse them, as it does in the sync lane, where they stay.
    fn split(&self) -> (Arc<Workload>, Vec<Duration>) {
        let is_undecodable = |arrival: &Arrival| arrival.content == Content::Undecodable;
        let goes_over_the_api = self.lane == Lane::Sync || self.deployed.is_none();
        if goes_over_the_api || !self.workload.arrivals.iter().any(is_undecodable) {
            return (Arc::clone(&self.workload), Vec::new());
        }
        let mut workload = Workload::clone(&self.workload);
        let due = workload.arrivals.extract_if(.., |arrival| is_undecodable(arrival)).map(Arrival::at).collect();
        (Arc::new(workload), due)
    }
}

impl Ready {
    /// The tally before anything happens.
    pub(crate) fn tally(&self) -> Tally {
        Tally { is_polled: self.run.lane == Lane::Async && self.run.confirm.has_polls(), ..Tally::new(&self.workload) }
    }

    /// Loads the lane and waits for the outcomes. `disturb` runs beside the load.
    pub(crate) async fn run(self, clocked: Clocked, disturb: impl Future<Output = anyhow::Result<()>>) -> Measured {
        let Self { run, lane, workload, undecodable, callbacks } = self;
        let from = OffsetDateTime::now_utc();
        let mut errors = Vec::new();
        let dead_letters_before = dead_letters(&run, &mut errors).await;
        let mut beside = JoinSet::new();
        let depths = run.deployed.clone().filter(|_| run.lane == Lane::Async).map(|deployed| {
            let depths = Depths::default();
            beside.spawn(depths.clone().sample(deployed, clocked.clone()));
            depths
        });
        let sockets = if callbacks.is_some() { run.owners.count() } else { 0 };
        let listening = callbacks.map(|callbacks| callbacks.listen(lane.ids, &clocked));
        let (queued, to_poll) = mpsc::unbounded_channel();
        if clocked.tally().is_polled {
            beside.spawn(polls::poll(Arc::clone(&lane), clocked.clone(), to_poll));
        }

        let interrupted = run.interruption.wait();
        let sending = send_all(&workload, Arc::clone(&lane), &clocked, run.max_in_flight, queued, interrupted);
        let injecting = async {
            match &run.deployed {
                Some(deployed) => tokio::select! {
                    sent = send_undecodable(&undecodable, deployed, &clocked) => sent,
                    () = run.interruption.wait() => 0,
                },
                None => 0,
            }
        };
        let ((), undecodable, disturbed) = tokio::join!(sending, injecting, disturb);
        errors.extend(disturbed.err().map(|error| format!("{error:#}")));
        let to_the_end = settle(&run, &lane, &clocked, undecodable, listening.is_some()).await;
        let took = clocked.elapsed();
        beside.shutdown().await;

        if let Some(lost) = listening.as_ref().map(super::callbacks::Listening::lost).filter(|lost| !lost.is_empty()) {
            errors.push(format!("WebSockets closed {} times during the run; the first: {}", lost.len(), lost[0]));
        }
        let dead_letters_after = dead_letters(&run, &mut errors).await;
        let reconciliation = reconciled(&run, &lane, &clocked, to_the_end, &mut errors).await;
        let functions = reported(&run, from, &mut errors).await;
        Measured {
            lane: run.lane,
            depths,
            to_the_end,
            undecodable,
            dead_letters: dead_letters_before
                .zip(dead_letters_after)
                .map(|(before, after)| DeadLetters { before, after }),
            reconciliation,
            functions,
            sockets,
            listened: listening.is_some(),
            took,
            errors,
            clocked,
        }
    }
}

/// Waits until each accepted order has an outcome, or there was no news for too long. Whether it waited to the end.
async fn settle(run: &LaneRun, lane: &Arc<HttpLane>, clocked: &Clocked, undecodable: u64, listens: bool) -> bool {
    let began = Instant::now();
    let mut last_in_queue = Instant::now();
    let mut searched = Instant::now();
    loop {
        if run.interruption.signal().is_some() {
            return false;
        }
        let depth = match &run.deployed {
            Some(deployed) if run.lane == Lane::Async => deployed.depth(&deployed.orders_queue_url).await.ok(),
            _ => None,
        };
        // What nothing can decode stays in the queue until its deliveries are used up, and holds nothing up.
        let waiting = depth.is_some_and(|depth| depth > undecodable);
        if waiting {
            last_in_queue = Instant::now();
        }
        let (open, polled_for, last_news) = {
            let tally = clocked.tally();
            (tally.open, tally.polled_for, clocked.at(tally.last_news))
        };
        if open == 0 && polled_for == 0 && !waiting {
            if listens {
                run.interruption.sleep(LINGER).await;
            }
            return true;
        }
        let quiet = last_news.max(began).max(last_in_queue).elapsed();
        if quiet >= run.grace || began.elapsed() >= LONGEST {
            let orders = clocked.tally().open_orders();
            polls::search(lane, clocked, orders).await;
            return true;
        }
        let overdue = last_news.max(began).max(searched).elapsed() >= OVERDUE;
        if overdue && open > 0 && !run.confirm.has_polls() {
            let mut orders = clocked.tally().open_orders();
            orders.truncate(SEARCHED_AT_ONCE);
            polls::search(lane, clocked, orders).await;
            searched = Instant::now();
        }
        run.interruption.sleep(LOOK).await;
    }
}

async fn dead_letters(run: &LaneRun, errors: &mut Vec<String>) -> Option<u64> {
    let deployed = run.deployed.as_ref().filter(|_| run.lane == Lane::Async)?;
    match deployed.depth(&deployed.dead_letter_queue_url).await {
        Ok(depth) => Some(depth),
        Err(error) => {
            errors.push(format!("{error:#}"));
            None
        }
    }
}

async fn reconciled(
    run: &LaneRun,
    lane: &HttpLane,
    clocked: &Clocked,
    to_the_end: bool,
    errors: &mut Vec<String>,
) -> Option<Reconciliation> {
    let deployed = run.deployed.as_ref()?;
    let Some(subjects) = &run.owners.subjects else {
        errors.push("The sums were not compared with the orders table: a token does not say whose it is".to_owned());
        return None;
    };
    let orders = clocked.tally().orders.clone();
    match reconcile(&deployed.orders, lane, subjects, &orders, to_the_end).await {
        Ok(found) => {
            errors.extend(found.mismatches.iter().cloned());
            Some(found)
        }
        Err(error) => {
            errors.push(format!("{error:#}"));
            None
        }
    }
}

/// What Lambda reported of the functions; its logs are awaited for a moment.
async fn reported(run: &LaneRun, from: OffsetDateTime, errors: &mut Vec<String>) -> Vec<FunctionUsage> {
    let Some(deployed) = &run.deployed else { return Vec::new() };
    if run.interruption.signal().is_none() {
        sleep(LOGS_DELAY).await;
    }
    let window = Window { from, to: OffsetDateTime::now_utc() };
    match usage::functions(run.lane, deployed, window, run.is_emulator).await {
        Ok(functions) => functions,
        Err(error) => {
            errors.push(format!("{error:#}"));
            Vec::new()
        }
    }
}
