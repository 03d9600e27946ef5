//! What the peak needs of each limit, if nothing upstream refuses a request. Closed forms, without a simulation.

use crate::Confirm;
use crate::durations::{TRANSACTION_UNITS, concurrency_units, counter_items, counter_share, duration, write_units};
use crate::event_source::batches_at_most;
use crate::flow::{Counter, Stage, flow};
use crate::load::Load;
use crate::resource::write_capacity;
use crate::settings::{Key, PlanSettings};
use crate::simulation::table_key;
use lanes::{Answer, Lane};
use serde::{Serialize, Serializer};

/// What the peak needs of one limit.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Need {
    /// The setting with the limit.
    #[serde(serialize_with = "name")]
    pub setting: Key,
    /// Such as a queue; empty if there is only one place.
    pub at: String,
    /// What is available.
    pub have: f64,
    /// What the peak needs.
    pub need: f64,
    /// What happens to orders above it.
    pub effect: &'static str,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn name<S: Serializer>(key: &Key, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(key.setting().name)
}

impl Need {
    fn new(setting: Key, at: impl Into<String>, have: f64, need: f64, effect: &'static str) -> Self {
        Self { setting, at: at.into(), have, need, effect }
    }

    /// `need` divided by `have`. Above 1 the setting is too low.
    #[must_use]
    pub fn load(&self) -> f64 {
        self.need / self.have
    }
}

const THROTTLED: &str = "answered 500, because the function is throttled";
const WAITS: &str = "messages wait in the queue";
const REDELIVERED: &str = "messages are redelivered, and fail after their last delivery";

/// In the order of an order's path.
pub(crate) fn needs(lane: Lane, load: &Load, settings: &PlanSettings, confirm: Confirm) -> Vec<Need> {
    let peak = load.peak_rate();
    let mut needs = requests(lane, peak, settings, confirm);
    needs.extend(concurrency(lane, peak, settings));
    needs.extend(tables(lane, peak, settings));
    needs.extend(counters(lane, peak, settings));
    let publishes: u64 = flow(lane).stages.iter().map(|stage| stage.publishes).sum();
    if publishes > 0 {
        let have = settings[Key::SnsPublishesPerSecond];
        let effect = "new orders are answered 503, other messages are redelivered";
        needs.push(Need::new(Key::SnsPublishesPerSecond, "", have, peak * small(publishes), effect));
    }
    needs.extend(days(lane, load, settings));
    needs
}

fn requests(lane: Lane, peak: f64, settings: &PlanSettings, confirm: Confirm) -> Vec<Need> {
    let answers_outcome = lane.answer == Answer::Outcome;
    let key = if answers_outcome { Key::SyncRateLimit } else { Key::ApiRateLimit };
    let mut needs = vec![Need::new(key, "", settings[key], peak, "answered 429")];
    let (mut all, sockets) = (peak, peak / settings[Key::OrdersPerSocket]);
    let mut effect = "answered 429";
    if !answers_outcome {
        match confirm {
            Confirm::Callback => {
                all += peak + sockets;
                effect = "answered 429, and callbacks are dropped after 5 s";
                let have = settings[Key::WebSocketConnectionsPerSecond];
                needs.push(Need::new(
                    Key::WebSocketConnectionsPerSecond,
                    "",
                    have,
                    sockets,
                    "clients without a socket must poll",
                ));
            }
            // At least one poll for each order.
            Confirm::Poll => all += peak,
        }
    }
    needs.push(Need::new(Key::ApiRequestsPerSecond, "", settings[Key::ApiRequestsPerSecond], all, effect));
    needs
}

fn concurrency(lane: Lane, peak: f64, settings: &PlanSettings) -> Vec<Need> {
    let stages = flow(lane).stages;
    let mut needs = Vec::new();
    let mut account = 0.0;
    if stages[0].function.is_some() {
        let units = peak * concurrency_units(duration(&stages[0], settings).of(1.0), settings);
        account += units;
        let reserved = settings[Key::ReservedConcurrentExecutions];
        if reserved > 0.0 {
            needs.push(Need::new(Key::ReservedConcurrentExecutions, "", reserved, units, THROTTLED));
        }
    }
    let mut queues = Vec::new();
    for queue in lane.queues {
        let in_queue = || stages.iter().filter(|stage| stage.queue == Some(queue.name));
        let batches = batches(in_queue(), peak, settings, settings[Key::BatchSize]);
        // More pollers would take smaller batches.
        account += self::batches(in_queue(), peak, settings, 1.0).min(batches_at_most(settings)).max(batches);
        let key =
            if settings[Key::ProvisionedPollers] > 0.0 { Key::ProvisionedPollers } else { Key::MaximumConcurrency };
        let per_setting = settings[key] / batches_at_most(settings);
        queues.push(Need::new(key, format!("queue {}", queue.name), settings[key], batches * per_setting, WAITS));
    }
    let effect = match (stages[0].function, lane.queues) {
        (None, _) => WAITS,
        (Some(_), []) => THROTTLED,
        (Some(_), _) => "new orders are answered 500, others wait",
    };
    needs.push(Need::new(Key::LambdaConcurrency, "", settings[Key::LambdaConcurrency], account, effect));
    needs.extend(queues);
    needs
}

/// One queue's concurrent batches of `size` messages.
fn batches<'a>(stages: impl Iterator<Item = &'a Stage>, peak: f64, settings: &PlanSettings, size: f64) -> f64 {
    let (mut messages, mut slowest) = (0.0, 0.0_f64);
    for stage in stages {
        messages += peak;
        slowest = slowest.max(duration(stage, settings).of(size));
    }
    messages / size * concurrency_units(slowest, settings)
}

fn tables(lane: Lane, peak: f64, settings: &PlanSettings) -> Vec<Need> {
    let stages = flow(lane).stages;
    let mut tables: Vec<(&'static str, f64)> = Vec::new();
    for stage in stages {
        let units = peak * write_units(stage, settings);
        match tables.iter_mut().find(|(name, _)| *name == stage.table) {
            Some((_, sum)) => *sum += units,
            None => tables.push((stage.table, units)),
        }
    }
    let have = write_capacity(settings);
    let effect = if lane.queues.is_empty() { "answered 503" } else { REDELIVERED };
    let need = |(name, need)| Need::new(table_key(settings, have), format!("table {name}"), have, need, effect);
    tables.into_iter().map(need).collect()
}

fn counters(lane: Lane, peak: f64, settings: &PlanSettings) -> Vec<Need> {
    let stages = flow(lane).stages.iter().filter_map(|stage| Some((stage, stage.counter?)));
    let per_counter = settings[Key::ItemWriteUnits];
    let need = |(stage, counter): (&Stage, Counter)| {
        let what = match counter {
            Counter::Sku => "the most popular SKU",
            Counter::Owner => "the owner with the most orders",
            Counter::Day => "one day's shipments",
        };
        let need = peak * counter_share(counter, settings) * TRANSACTION_UNITS / per_counter;
        let at = format!("{what}, table {}", stage.table);
        Need::new(Key::CountersPerItem, at, counter_items(counter, settings), need, REDELIVERED)
    };
    stages.map(need).collect()
}

/// Shipments per day, if the orders spread evenly over the days.
fn days(lane: Lane, load: &Load, settings: &PlanSettings) -> Option<Need> {
    let books = flow(lane).stages.iter().any(|stage| stage.counter == Some(Counter::Day));
    let days = settings[Key::ShipmentHorizonDays] + (load.duration_seconds / 86_400.0).floor();
    let need = load.orders() / days;
    books
        .then(|| Need::new(Key::ShipmentsPerDay, "", settings[Key::ShipmentsPerDay], need, "CANCELLED: no day is free"))
}

#[expect(clippy::cast_precision_loss, reason = "a handful")]
fn small(count: u64) -> f64 {
    count as f64
}
