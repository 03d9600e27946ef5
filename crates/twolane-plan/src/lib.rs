//! A model of each lane under a load on AWS: its first limit, its refusals, its delays and its costs.
//!
//! [`plan`] is a fluid model in small steps, without a clock, a network or randomness: the same input gives the same
//! result, bit by bit. The limits are those that AWS documents. Nothing was measured on AWS.

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
mod stage_messages;
mod text;

pub use changes::{Outlook, SettingChange};
pub use cost::{Api, Architecture, Cost};
pub use delays::Delays;
pub use limits::{Limit, LimitTable};
pub use load::{Load, RateProfile};
pub use needs::Need;
pub use page::page;
pub use settings::{Key, PlanSettings, SETTINGS, Setting, SettingSource};
pub use text::{settings_text, text};

use lanes::Lane;
use serde::{Serialize, Serializer};
use simulation::{Second, Simulation};
use twolane_report::PriceTable;

/// What to plan.
#[derive(Clone, Debug)]
pub struct PlanInput {
    /// Each takes the whole load and has the whole account to itself.
    pub lanes: Vec<Lane>,
    /// When orders arrive.
    pub load: Load,
    /// Parameters of the stack, limits and assumptions.
    pub settings: PlanSettings,
    /// AWS's limits.
    pub limits: LimitTable,
    /// Prices of AWS's services.
    pub prices: PriceTable,
    /// How clients learn the outcome after a receipt.
    pub confirm: Confirm,
    /// Kind of API.
    pub api: Api,
    /// The functions' architecture.
    pub architecture: Architecture,
    /// Whether the orders table has the index by owner.
    pub lists_orders: bool,
    /// Maximum p99 of the time until an outcome, in seconds.
    pub max_delay_seconds: f64,
}

/// How clients learn an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Confirm {
    /// Over the WebSocket.
    Callback,
    /// By polling.
    Poll,
}

/// Refused requests, by status of the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusals {
    /// 429: a rate limit of the API.
    pub throttled: f64,
    /// 500: the function was throttled.
    pub function_throttled: f64,
    /// 503: the table or the topic was over its limit.
    pub dependency_over_limit: f64,
}

impl Refusals {
    /// All statuses together.
    #[must_use]
    pub fn total(self) -> f64 {
        self.throttled + self.function_throttled + self.dependency_over_limit
    }
}

/// The computed plan.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// What the figures are based on, as a sentence.
    pub basis: &'static str,
    /// The load.
    pub load: Load,
    /// How clients learn outcomes.
    pub confirm: Confirm,
    /// Kind of API.
    pub api: Api,
    /// The functions' architecture.
    pub architecture: Architecture,
    /// Whether the orders table has the index by owner.
    pub lists_orders: bool,
    /// Maximum p99 of the time until an outcome, in seconds.
    pub max_delay_seconds: f64,
    /// Every setting.
    pub settings: PlanSettings,
    /// AWS's limits.
    pub limits: LimitTable,
    /// Date of the prices: `YYYY-MM-DD`.
    pub prices_as_of: String,
    /// What the model leaves out.
    pub left_out: &'static [&'static str],
    /// Each lane.
    pub lanes: Vec<LanePlan>,
}

/// The plan of one lane.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LanePlan {
    /// The lane.
    #[serde(serialize_with = "lane_name")]
    pub lane: Lane,
    /// Whether every order is accepted, done and called back in time.
    pub passes: bool,
    /// The orders by outcome.
    pub orders: OrderCounts,
    /// Limits that the load reached, in order of time.
    pub limited_by: Vec<Bound>,
    /// What the peak needs, in the order of an order's path.
    pub needs: Vec<Need>,
    /// Accepted orders without an outcome.
    pub backlog: Backlog,
    /// Until a client knows the outcome. In a lane that answers with it: until the answer.
    pub delays: Option<Delays>,
    /// Most concurrent invocations, by function.
    pub concurrency: Vec<Use>,
    /// Highest write capacity used, in units a second, by table.
    pub write_units: Vec<Use>,
    /// `null` if no order has an outcome.
    pub cost: Option<Cost>,
    /// Changes that make the lane pass.
    pub changes: Vec<SettingChange>,
    /// `null` without changes.
    pub with_changes: Option<Outlook>,
    /// Over time, in at most 300 spans.
    pub series: Vec<Span>,
}

/// Orders by outcome. `arrived = refused + confirmed + cancelled + failed + waiting`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderCounts {
    /// Requests, one for each order.
    pub arrived: f64,
    /// Requests not accepted.
    pub refused: Refusals,
    /// Confirmed orders.
    pub confirmed: f64,
    /// Cancelled at the deadline, or because no day has a shipment left.
    pub cancelled: f64,
    /// Because no day has a shipment left; included in `cancelled`.
    pub without_a_day: f64,
    /// With a message that failed all its deliveries.
    pub failed: f64,
    /// Without an outcome when the simulation ended, twelve hours after the load.
    pub waiting: f64,
    /// Without a callback, for lack of a socket or a request. Their owners must poll.
    pub not_called_back: f64,
}

/// A limit that the load reached.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Bound {
    /// Its setting's name.
    pub setting: &'static str,
    /// Such as a queue; empty if there is only one place.
    pub at: String,
    /// The first second at the limit.
    pub first_second: u64,
    /// Seconds at the limit.
    pub seconds: f64,
}

/// Accepted orders without an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Backlog {
    /// The highest number.
    pub peak: f64,
    /// Time of the peak, in seconds.
    pub peak_second: u64,
    /// Seconds from the last arrival until all orders have an outcome; `null` if more than twelve hours.
    pub drain_seconds: Option<u64>,
}

/// The highest use of one resource.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Use {
    /// A function or table.
    pub name: &'static str,
    /// The highest use.
    pub most: f64,
}

/// Mean rates of some seconds, and the state at their end.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Span {
    /// The first second.
    pub second: u64,
    /// Length in seconds.
    pub seconds: u64,
    /// Arriving orders per second.
    pub arrivals: f64,
    /// Refused orders per second.
    pub refused: f64,
    /// Outcomes per second.
    pub completed: f64,
    /// Accepted orders without an outcome, at the end.
    pub backlog: f64,
    /// Concurrent invocations, at the end.
    pub concurrency: f64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn lane_name<S: Serializer>(lane: &Lane, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(lane.name)
}

/// Maximum number of spans in a lane's series.
const SPANS: usize = 300;

const ROUNDING: f64 = 1e-6;

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

/// Computes the plan.
#[must_use]
pub fn plan(input: &PlanInput) -> Plan {
    Plan {
        basis: "A model of limits that AWS documents, not measured on AWS. Durations are assumptions.",
        load: input.load.clone(),
        confirm: input.confirm,
        api: input.api,
        architecture: input.architecture,
        lists_orders: input.lists_orders,
        max_delay_seconds: input.max_delay_seconds,
        settings: input.settings.clone(),
        limits: input.limits.clone(),
        prices_as_of: input.prices.as_of().to_owned(),
        left_out: LEFT_OUT,
        lanes: input.lanes.iter().map(|lane| lane_plan(lane, input)).collect(),
    }
}

fn lane_plan(lane: Lane, input: &PlanInput) -> LanePlan {
    let settings = &input.settings;
    let simulation = simulation::simulate(lane, &input.load, settings, input.confirm);
    let delays = delays::delays(lane, &simulation.seconds, settings);
    let needs = needs::needs(lane, &input.load, settings, input.confirm);
    let passes = passes(&simulation, delays, input.max_delay_seconds);
    let (changes, with_changes) = if passes { (Vec::new(), None) } else { changes::changes(lane, input) };
    LanePlan {
        lane,
        passes,
        orders: orders(&simulation),
        limited_by: simulation.bounds.clone(),
        needs,
        backlog: backlog(&simulation, input.load.duration_seconds),
        delays,
        concurrency: simulation
            .concurrency
            .iter()
            .filter(|(_, most)| *most > 0.0)
            .map(|(name, most)| Use { name, most: *most })
            .collect(),
        write_units: simulation.write_units.iter().map(|(name, most)| Use { name, most: *most }).collect(),
        cost: cost::cost(lane, &simulation, input),
        changes,
        with_changes,
        series: series(&simulation.seconds),
    }
}

fn passes(simulation: &Simulation, delays: Option<Delays>, max_delay_seconds: f64) -> bool {
    let orders = orders(simulation);
    let missed = orders.refused.total() + orders.cancelled + orders.failed + orders.not_called_back + orders.waiting;
    let is_late = delays.is_none_or(|delays| delays.p99 > max_delay_seconds);
    // Half an order may be left when a simulation ends.
    missed <= orders.arrived * ROUNDING + 0.5 && !is_late
}

fn orders(simulation: &Simulation) -> OrderCounts {
    let cancelled = simulation.too_late + simulation.without_a_day;
    OrderCounts {
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

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts, at least 0 and far below 2^53")]
fn whole(amount: f64) -> u64 {
    amount.round() as u64
}
