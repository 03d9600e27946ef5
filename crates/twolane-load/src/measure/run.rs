//! Runs one lane, from its first order to the last outcome.

use super::clocked::Clocked;
use super::lane::HttpLane;
use super::load::send_all;
use super::owner_sockets::{Listening, OwnerSockets};
use super::polls;
use super::queues::{Depths, send_undecodable};
use super::reconcile::reconcile;
use super::tally::Tally;
use super::usage::{self, Window};
use crate::deployed::Deployed;
use crate::owners::Owners;
use crate::settings::ConfirmBy;
use crate::workload::{Arrival, Content, OrderIds, Workload};
use lanes::{Answer, Lane};
use reqwest::Url;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use twolane_client::orders_table::OrderKey;
use twolane_client::requests::Requests;
use twolane_client::signals::Interruption;
use twolane_report::model::{Counts, DeadLetterCounts, FunctionUsage, Reconciliation};

/// Interval between checks whether all orders are settled.
const LOOK: Duration = Duration::from_millis(100);

/// After this time without a new outcome, orders without a callback are polled.
const OVERDUE: Duration = Duration::from_secs(5);

/// Orders polled at a time when callbacks are overdue.
const SEARCHED_AT_ONCE: usize = 500;

/// Wait for callbacks of repeats after all orders are settled.
const LINGER: Duration = Duration::from_secs(1);

/// Longest wait while messages are in the queues: all deliveries of a failing message take half an hour. Source:
/// `docs/operations.md`, "Figures to keep in mind".
const LONGEST: Duration = Duration::from_mins(40);

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

/// A loaded lane. All its orders have settled. Records and logs are not read yet.
pub(crate) struct Loaded {
    run: LaneRun,
    lane: Arc<HttpLane>,
    workload: Arc<Workload>,
    clocked: Clocked,
    from: OffsetDateTime,
    depths: Option<Depths>,
    to_the_end: bool,
    undecodable: u64,
    dead_letters: Option<DeadLetterCounts>,
    sockets: u32,
    listened: bool,
    took: Duration,
    errors: Vec<String>,
    notices: Vec<String>,
}

pub(crate) struct Measured {
    pub(crate) lane: Lane,
    pub(crate) workload: Arc<Workload>,
    pub(crate) clocked: Clocked,
    pub(crate) depths: Option<Depths>,
    /// Whether the run waited for each accepted order.
    pub(crate) to_the_end: bool,
    pub(crate) undecodable: u64,
    pub(crate) dead_letters: Option<DeadLetterCounts>,
    pub(crate) reconciliation: Option<Reconciliation>,
    pub(crate) functions: Vec<FunctionUsage>,
    pub(crate) sockets: u32,
    pub(crate) listened: bool,
    pub(crate) took: Duration,
    /// Whether the stack has the index of orders by owner, the default.
    pub(crate) lists_orders: bool,
    pub(crate) errors: Vec<String>,
    /// Gaps in the measurement that are not errors.
    pub(crate) notices: Vec<String>,
}

/// A lane with open sockets, ready to be loaded.
pub(crate) struct Ready {
    run: LaneRun,
    lane: Arc<HttpLane>,
    workload: Arc<Workload>,
    undecodable: Vec<Duration>,
    owner_sockets: Option<OwnerSockets>,
    /// `None` if they cannot be read.
    depths: Option<Depths>,
    /// Messages in the dead-letter queues and in the lane's queues before the first order.
    before: [Option<u64>; 2],
    errors: Vec<String>,
}

impl LaneRun {
    /// Opens the sockets.
    ///
    /// # Errors
    /// A socket does not open: nothing was sent.
    pub(crate) async fn prepare(self) -> anyhow::Result<Ready> {
        let lane = Arc::new(HttpLane {
            lane: self.lane,
            workload: Arc::clone(&self.workload),
            owners: self.owners.requests(&self.requests),
            ids: OrderIds::new(),
        });
        let owner_sockets = match &self.websocket_url {
            Some(url) if self.lane.has_callback && self.confirm.has_callbacks() => {
                Some(OwnerSockets::open(url, &self.owners.tokens, self.requests.network()).await?)
            }
            _ => None,
        };
        let (workload, undecodable) = self.split();
        let depths = queued(&self).map(|deployed| Depths::new(deployed.clone(), self.lane));
        Ok(Ready {
            run: self,
            lane,
            workload,
            undecodable,
            owner_sockets,
            depths,
            before: [None; 2],
            errors: Vec::new(),
        })
    }

    fn polls_at_once(&self) -> u32 {
        polls::AT_ONCE.min(self.max_in_flight)
    }

    /// The workload for the API, and the due times of undecodable messages for the queue. The API would refuse them.
    /// Without a queue they stay in the workload.
    fn split(&self) -> (Arc<Workload>, Vec<Duration>) {
        let is_undecodable = |arrival: &Arrival| arrival.content == Content::Undecodable;
        let goes_over_the_api = self.lane.queues.is_empty() || self.deployed.is_none();
        if goes_over_the_api || !self.workload.arrivals.iter().any(is_undecodable) {
            return (Arc::clone(&self.workload), Vec::new());
        }
        let mut workload = Workload::clone(&self.workload);
        let due = workload.arrivals.extract_if(.., |arrival| is_undecodable(arrival)).map(Arrival::at).collect();
        (Arc::new(workload), due)
    }
}

impl Ready {
    pub(crate) fn lane(&self) -> Lane {
        self.run.lane
    }

    pub(crate) fn order_ids(&self) -> OrderIds {
        self.lane.ids
    }

    pub(crate) fn tally(&self) -> Tally {
        Tally {
            is_polled: self.run.lane.answer == Answer::Receipt && self.run.confirm.has_polls(),
            ..Tally::new(&self.workload)
        }
    }

    pub(crate) async fn look(mut self) -> Self {
        let dead_letters = dead_letters(&self.run, &mut self.errors).await;
        self.before = [dead_letters, depth(self.depths.as_ref()).await];
        self
    }

    /// Loads the lane and waits for the outcomes. `disturb` runs concurrently.
    pub(crate) async fn load(self, clocked: Clocked, disturb: impl Future<Output = anyhow::Result<()>>) -> Loaded {
        let Self { run, lane, workload, undecodable, owner_sockets, depths, before, mut errors } = self;
        let [dead_letters_before, queued_before] = before;
        let from = OffsetDateTime::now_utc();
        let mut background = JoinSet::new();
        if let Some(depths) = &depths {
            background.spawn(depths.clone().sample(clocked.clone()));
        }
        let sockets = if owner_sockets.is_some() { run.owners.count() } else { 0 };
        let listening = owner_sockets.map(|owner_sockets| owner_sockets.listen(lane.ids, &clocked));
        let (accepted, to_poll) = mpsc::unbounded_channel();
        if clocked.tally().is_polled {
            background.spawn(polls::poll(Arc::clone(&lane), clocked.clone(), to_poll, run.polls_at_once()));
        }

        let interrupted = run.interruption.wait();
        let sending = send_all(&workload, Arc::clone(&lane), &clocked, run.max_in_flight, accepted, interrupted);
        let injecting = async {
            match &run.deployed {
                Some(deployed) => send_undecodable(&undecodable, deployed, run.lane, &clocked, &run.interruption).await,
                None => (0, None),
            }
        };
        let ((), (undecodable, not_injected), disturbed) = tokio::join!(sending, injecting, disturb);
        errors.extend(disturbed.err().into_iter().chain(not_injected).map(|error| format!("{error:#}")));
        let foreign = queued_before.unwrap_or(0) + undecodable;
        let to_the_end = settle(&run, &lane, &clocked, foreign, listening.is_some(), depths.as_ref()).await;
        let took = clocked.elapsed();
        background.shutdown().await;

        if let Some(lost) = listening.as_ref().map(Listening::lost).filter(|lost| !lost.is_empty()) {
            errors.push(format!(
                "WebSockets closed {} times during the run. The first reason: {}",
                lost.len(),
                lost[0]
            ));
        }
        let mut notices = Vec::new();
        if let Some(depths) = &depths {
            depths.report_unread(&mut errors, &mut notices);
        }
        let dead_letters_after = dead_letters(&run, &mut errors).await;
        Loaded {
            dead_letters: dead_letters_before
                .zip(dead_letters_after)
                .map(|(before, after)| DeadLetterCounts { before, after }),
            listened: listening.is_some(),
            run,
            lane,
            workload,
            clocked,
            from,
            depths,
            to_the_end,
            undecodable,
            sockets,
            took,
            errors,
            notices,
        }
    }
}

impl Loaded {
    /// Accepted orders that may still get an outcome.
    pub(crate) fn on_their_way(&self) -> Vec<OrderKey> {
        let Some(subjects) = self.run.owners.subjects.as_ref().filter(|_| !self.to_the_end) else { return Vec::new() };
        let key = |number| self.lane.ids.key(number, self.run.workload.turns, subjects);
        self.clocked.tally().open_orders().into_iter().map(key).collect()
    }

    pub(crate) fn lane(&self) -> Lane {
        self.run.lane
    }

    pub(crate) fn counts(&self) -> Counts {
        self.clocked.tally().counts(self.to_the_end)
    }

    /// Compares the counts with the orders table and reads Lambda's reports.
    pub(crate) async fn examine(self) -> Measured {
        let Self { run, lane, workload, clocked, from, to_the_end, mut errors, .. } = self;
        errors.extend(clocked.tally().contradictions());
        let reconciliation = reconciled(&run, &lane, &clocked, to_the_end, &mut errors).await;
        let functions = reported(&run, &clocked, from, &mut errors).await;
        let lists_orders = run.deployed.as_ref().is_none_or(|deployed| deployed.lists_orders);
        Measured {
            lane: run.lane,
            workload,
            clocked,
            depths: self.depths,
            to_the_end,
            undecodable: self.undecodable,
            dead_letters: self.dead_letters,
            reconciliation,
            functions,
            sockets: self.sockets,
            listened: self.listened,
            took: self.took,
            lists_orders,
            errors,
            notices: self.notices,
        }
    }
}

/// Waits until each accepted order has an outcome, or for the grace period after the last one. Returns whether it
/// waited to the end. `foreign` messages belong to no order of the run: undecodable ones stay until their deliveries
/// are used up.
async fn settle(
    run: &LaneRun,
    lane: &Arc<HttpLane>,
    clocked: &Clocked,
    foreign: u64,
    listens: bool,
    depths: Option<&Depths>,
) -> bool {
    let began = Instant::now();
    let mut last_in_queue = Instant::now();
    let mut searched = Instant::now();
    loop {
        if run.interruption.has_come() {
            return false;
        }
        let waiting = depth(depths).await.is_some_and(|depth| depth > foreign);
        let (open, polled_for, last_news) = {
            let tally = clocked.tally();
            (tally.open, tally.polled_for, clocked.at(tally.last_news))
        };
        // Once each order has its outcome, messages are repeats or belong to others.
        if waiting && open > 0 {
            last_in_queue = Instant::now();
        }
        let quiet = last_news.max(began).max(last_in_queue).elapsed();
        if open == 0 && polled_for == 0 && (!waiting || quiet >= run.grace) {
            if listens {
                run.interruption.sleep(LINGER).await;
            }
            return true;
        }
        if quiet >= run.grace || began.elapsed() >= LONGEST {
            search(run, lane, clocked, usize::MAX).await;
            // Orders that are still in a queue are not lost.
            return quiet >= run.grace && !run.interruption.has_come();
        }
        let overdue = last_news.max(began).max(searched).elapsed() >= OVERDUE;
        if overdue && open > 0 && !run.confirm.has_polls() {
            search(run, lane, clocked, SEARCHED_AT_ONCE).await;
            searched = Instant::now();
        }
        run.interruption.sleep(LOOK).await;
    }
}

/// Polls at most `most` orders without an outcome, until a signal.
async fn search(run: &LaneRun, lane: &Arc<HttpLane>, clocked: &Clocked, most: usize) {
    let mut orders = clocked.tally().open_orders();
    orders.truncate(most);
    tokio::select! {
        () = polls::search(lane, clocked, orders, run.polls_at_once()) => {}
        () = run.interruption.wait() => {}
    }
}

/// The stack, if the lane has queues and they can be read.
fn queued(run: &LaneRun) -> Option<&Deployed> {
    run.deployed.as_ref().filter(|_| !run.lane.queues.is_empty())
}

async fn depth(depths: Option<&Depths>) -> Option<u64> {
    depths?.ask().await
}

async fn dead_letters(run: &LaneRun, errors: &mut Vec<String>) -> Option<u64> {
    let deployed = queued(run)?;
    match deployed.depth(deployed.queues(run.lane).iter().map(|queue| &queue.dead_letter_url)).await {
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
        errors.push("The counts were not compared with the orders table: a token has no readable subject".to_owned());
        return None;
    };
    let orders = clocked.tally().orders.clone();
    match reconcile(&deployed.orders, lane, subjects, &orders, to_the_end).await {
        Ok(found) => {
            errors.extend(found.mismatches.iter().cloned());
            let more = found.differences - found.mismatches.len() as u64;
            errors.extend((more > 0).then(|| format!("and {more} more orders differ from the orders table")));
            Some(found)
        }
        Err(error) => {
            errors.push(format!("{error:#}"));
            None
        }
    }
}

async fn reported(
    run: &LaneRun,
    clocked: &Clocked,
    from: OffsetDateTime,
    errors: &mut Vec<String>,
) -> Vec<FunctionUsage> {
    let Some(deployed) = &run.deployed else { return Vec::new() };
    let window = Window { from, is_emulator: run.is_emulator };
    match usage::functions(run.lane, deployed, clocked, window, &run.interruption, errors).await {
        Ok(functions) => functions,
        Err(error) => {
            errors.push(format!("{error:#}"));
            Vec::new()
        }
    }
}
