//! What each lane would do with a load on AWS: what limits it first, what it refuses, how long orders wait, and what it costs.
//!
//! [`plan`] computes all of it before anything is deployed. It is a fluid model in small steps, without a clock, a
//! network or chance: the same question has the same answer, bit by bit. Limits are those that AWS documents, and nothing here was
//! measured on AWS.

mod backlog;
mod changes;
mod cost;
mod delays;
mod durations;
mod event_source;
mod flow;
mod limits;
mod load;
mod needs;
mod page;
mod resource;
mod settings;
mod simulation;
mod text;

pub use changes::{Change, Outlook};
pub use cost::{Api, Architecture, Cost};
pub use delays::Delays;
pub use limits::{Limit, LimitTable};
pub use load::{Arrivals, Load};
pub use needs::Need;
pub use page::page;
pub use settings::{Key, SETTINGS, Setting, Settings, Source};
pub use text::{settings_text, text};

use lanes::Lane;
use serde::{Serialize, Serializer};
use simulation::{Second, Simulation};
use twolane_report::PriceTable;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// The lanes, each of which takes the whole load with the whole account to itself.
    pub lanes: Vec<Lane>,
    /// When orders arrive.
    pub load: Load,
    /// Parameters of the stack, limits and assumptions.
    pub settings: Settings,
    /// Where the limits come from.
    pub limits: LimitTable,
    /// What things cost.
    pub prices: PriceTable,
    /// How clients learn of an outcome that their answer did not have.
    pub confirm: Confirm,
    /// Which kind of API takes the requests.
    pub api: Api,
    /// What the functions run on.
    pub architecture: Architecture,
    /// Whether the orders table has the index that lists an owner's orders.
    pub lists_orders: bool,
    /// Longest time until an outcome that 99 % of the orders may take, in seconds.
    pub max_delay_seconds: f64,
}

/// How clients learn of an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Confirm {
    /// Over the WebSocket.
    Callback,
    /// From the status service alone.
    Poll,
}

/// Requests that were not accepted, by the status of their answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusals {
    /// 429: a rate of the API.
    pub throttled: f64,
    /// 500: the function was throttled.
    pub function_throttled: f64,
    /// 503: the table or the topic was over its limit.
    pub dependency_over_limit: f64,
}

impl Refusals {
    /// Of all statuses.
    #[must_use]
    pub fn total(self) -> f64 {
        self.throttled + self.function_throttled + self.dependency_over_limit
    }
}

/// What would happen.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Where the figures come from, for readers.
    pub basis: &'static str,
    /// The load.
    pub load: Load,
    /// How clients learn of outcomes.
    pub confirm: Confirm,
    /// Which kind of API takes the requests.
    pub api: Api,
    /// What the functions run on.
    pub architecture: Architecture,
    /// Whether the orders table has the index that lists an owner's orders.
    pub lists_orders: bool,
    /// Longest time until an outcome that 99 % of the orders may take, in seconds.
    pub max_delay_seconds: f64,
    /// Every setting.
    pub settings: Settings,
    /// Where the limits come from.
    pub limits: LimitTable,
    /// Day on which the prices were looked up.
    pub prices_as_of: String,
    /// What is not in the model.
    pub left_out: &'static [&'static str],
    /// Each lane.
    pub lanes: Vec<LanePlan>,
}

/// What one lane would do.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LanePlan {
    /// Which one.
    #[serde(serialize_with = "lane_name")]
    pub lane: Lane,
    /// Whether every order is accepted, done and known in time.
    pub passes: bool,
    /// What became of the orders.
    pub orders: Orders,
    /// The limits that held something up, first to last.
    pub limited_by: Vec<Bound>,
    /// What the load needs at its peak, in the order of the path of an order.
    pub needs: Vec<Need>,
    /// Accepted orders without an outcome.
    pub backlog: Backlog,
    /// How long until a client knows the outcome; in a lane that answers with it, how long the answer takes.
    pub delays: Option<Delays>,
    /// Highest number of invocations at once, by function.
    pub concurrency: Vec<Use>,
    /// Highest use of write capacity, in units a second, by table.
    pub write_units: Vec<Use>,
    /// What it costs. `null` where no order got an outcome.
    pub cost: Option<Cost>,
    /// What to change so that the lane passes.
    pub changes: Vec<Change>,
    /// What would happen then. `null` without changes.
    pub with_changes: Option<Outlook>,
    /// The lane over time, in at most 300 spans.
    pub series: Vec<Span>,
}

/// What became of the orders. `arrived = refused + confirmed + cancelled + failed + waiting`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Orders {
    /// Requests, one for each order.
    pub arrived: f64,
    /// Not accepted.
    pub refused: Refusals,
    /// Done.
    pub confirmed: f64,
    /// Cancelled: at the deadline, or because no day has a shipment left.
    pub cancelled: f64,
    /// Of the cancelled ones, those without a day.
    pub without_a_day: f64,
    /// A message of theirs used up its deliveries.
    pub failed: f64,
    /// Without an outcome when the simulation ended, twelve hours after the load.
    pub waiting: f64,
    /// Owners got no callback for these, because a socket or a request was missing. They have to ask.
    pub not_called_back: f64,
}

/// A limit that held something up.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Bound {
    /// Name of its setting.
    pub setting: &'static str,
    /// Where, such as a queue.
    pub at: String,
    /// Second at which it first did.
    pub first_second: u64,
    /// Seconds for which it did.
    pub seconds: f64,
}

/// Accepted orders without an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Backlog {
    /// The most.
    pub peak: f64,
    /// When that was, in seconds.
    pub peak_second: u64,
    /// From the last arrival until all orders have an outcome, in seconds; `null` if that is more than twelve hours.
    pub drain_seconds: Option<u64>,
}

/// The use of one thing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Use {
    /// Of what.
    pub name: &'static str,
    /// How much at most.
    pub most: f64,
}

/// Some seconds together: means, and the state at their end.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Span {
    /// The first second.
    pub second: u64,
    /// How many seconds.
    pub seconds: u64,
    /// Orders that arrive a second.
    pub arrivals: f64,
    /// Orders that are refused a second.
    pub refused: f64,
    /// Orders that get their outcome a second.
    pub completed: f64,
    /// Accepted orders without an outcome, at the end.
    pub backlog: f64,
    /// Invocations at once, at the end.
    pub concurrency: f64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn lane_name<S: Serializer>(lane: &Lane, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(lane.name)
}

/// Spans of a lane's series.
const SPANS: usize = 300;

/// The part of the orders that is rounding.
const ROUNDING: f64 = 1e-6;

/// What is not in the model.
const LEFT_OUT: &[&str] = &[
    "chance: arrivals are even within a second, and every request takes its mean time",
    "cold starts, and the functions that run once per token or per socket",
    "conflicts of transactions on one item below that item's limit",
    "orders that are refused by stock or payment, which undo what they hold",
    "burst credit of tables, and provisioned capacity that scales by itself",
    "the limit of one owner's part of the index of orders, some 1 000 writes a second",
    "other loads of the same account",
    "tiers and discounts of prices, and what `twolane compare` leaves out of costs",
];

/// Says what would happen.
#[must_use]
pub fn plan(question: &Question) -> Plan {
    Plan {
        basis: "A model of limits that AWS documents, not measured on AWS. Durations are assumptions.",
        load: question.load.clone(),
        confirm: question.confirm,
        api: question.api,
        architecture: question.architecture,
        lists_orders: question.lists_orders,
        max_delay_seconds: question.max_delay_seconds,
        settings: question.settings.clone(),
        limits: question.limits.clone(),
        prices_as_of: question.prices.as_of().to_owned(),
        left_out: LEFT_OUT,
        lanes: question.lanes.iter().map(|lane| lane_plan(lane, question)).collect(),
    }
}

fn lane_plan(lane: Lane, question: &Question) -> LanePlan {
    let settings = &question.settings;
    let simulation = simulation::simulate(lane, &question.load, settings, question.confirm);
    let delays = delays::delays(lane, &simulation.seconds, settings);
    let needs = needs::needs(lane, &question.load, settings, question.confirm);
    let passes = passes(&simulation, delays, question.max_delay_seconds);
    let (changes, with_changes) = if passes { (Vec::new(), None) } else { changes::changes(lane, question) };
    LanePlan {
        lane,
        passes,
        orders: orders(&simulation),
        limited_by: simulation.bounds.clone(),
        needs,
        backlog: backlog(&simulation, question.load.duration_seconds),
        delays,
        concurrency: simulation
            .concurrency
            .iter()
            .filter(|(_, most)| *most > 0.0)
            .map(|(name, most)| Use { name, most: *most })
            .collect(),
        write_units: simulation.write_units.iter().map(|(name, most)| Use { name, most: *most }).collect(),
        cost: cost::cost(lane, &simulation, question),
        changes,
        with_changes,
        series: series(&simulation.seconds),
    }
}

/// Whether every order is accepted, done and known in time.
fn passes(simulation: &Simulation, delays: Option<Delays>, max_delay_seconds: f64) -> bool {
    let orders = orders(simulation);
    let missed = orders.refused.total() + orders.cancelled + orders.failed + orders.not_called_back + orders.waiting;
    let is_late = delays.is_none_or(|delays| delays.p99 > max_delay_seconds);
    // Less than half an order may be left when a simulation ends.
    missed <= orders.arrived * ROUNDING + 0.5 && !is_late
}

fn orders(simulation: &Simulation) -> Orders {
    let cancelled = simulation.too_late + simulation.without_a_day;
    Orders {
        arrived: simulation.arrived,
        refused: simulation.refused,
        confirmed: simulation.finished - cancelled - simulation.failed,
        cancelled,
        without_a_day: simulation.without_a_day,
        failed: simulation.failed,
        waiting: simulation.accepted - simulation.finished,
        not_called_back: simulation.not_called_back,
    }
}

fn backlog(simulation: &Simulation, load_seconds: f64) -> Backlog {
    let of = |second: &Second| second.accepted - second.finished;
    let mut peak = (0, 0.0);
    for (index, second) in (0..).zip(&simulation.seconds) {
        if of(second) > peak.1 {
            peak = (index, of(second));
        }
    }
    let has_drained = simulation.accepted - simulation.finished < 0.5;
    let drained = simulation.seconds.iter().rposition(|second| of(second) >= 0.5);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most a week of seconds")]
    let end = load_seconds as u64;
    let drain = drained.map_or(0, |last| (last as u64 + 2).saturating_sub(end));
    Backlog { peak: peak.1, peak_second: peak.0, drain_seconds: has_drained.then_some(drain) }
}

#[expect(clippy::cast_precision_loss, reason = "a span is far shorter than 2^53 seconds")]
fn series(seconds: &[Second]) -> Vec<Span> {
    let length = seconds.len().div_ceil(SPANS).max(1);
    let mut before = Second::default();
    let spans = (0_u64..).zip(seconds.chunks(length)).map(|(number, chunk)| {
        let last = *chunk.last().expect("a chunk has a second");
        let mean = |of: fn(&Second) -> f64| (of(&last) - of(&before)) / chunk.len() as f64;
        let span = Span {
            second: number * length as u64,
            seconds: chunk.len() as u64,
            arrivals: mean(|second| second.arrived),
            refused: mean(|second| second.refused),
            completed: mean(|second| second.finished),
            backlog: last.accepted - last.finished,
            concurrency: last.concurrency,
        };
        before = last;
        span
    });
    spans.collect()
}

/// A whole number of orders or of other things.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts, at least 0 and far below 2^53")]
fn whole(amount: f64) -> u64 {
    amount.round() as u64
}
