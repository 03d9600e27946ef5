//! Durations of invocations, as sums of their requests' assumed times. Also their write units.

use crate::flow::{Counter, Stage};
use crate::settings::{Key, PlanSettings};
use lanes::Lane;

/// Of a batch of a stage's messages, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct BatchDuration {
    pub(crate) first: f64,
    /// For each further message. Messages run concurrently, but transactions on one item run in sequence.
    pub(crate) further: f64,
}

/// A request is a batch of one.
pub(crate) fn duration(stage: &Stage, settings: &PlanSettings) -> BatchDuration {
    let publish = if stage.publishes > 0 { settings[Key::PublishMs] } else { 0.0 };
    let callback = if stage.calls_back { settings[Key::CallbackMs] } else { 0.0 };
    let database = requests(stage) * settings[Key::DatabaseMs];
    let serial = stage.counter.map_or(0.0, |counter| counter_share(counter, settings)) * settings[Key::DatabaseMs];
    BatchDuration { first: (settings[Key::OverheadMs] + database + publish + callback) / 1e3, further: serial / 1e3 }
}

#[expect(clippy::cast_precision_loss, reason = "three at most")]
fn requests(stage: &Stage) -> f64 {
    stage.database_requests as f64
}

/// The part of all orders that change the most popular item.
pub(crate) fn counter_share(counter: Counter, settings: &PlanSettings) -> f64 {
    match counter {
        Counter::Sku => settings[Key::HottestSkuPercent] / 100.0,
        Counter::Owner => settings[Key::HottestOwnerPercent] / 100.0,
        Counter::Day => 1.0,
    }
}

/// Items that share the counter. A day has one for each 1 000 of its shipments, up to 8. Source: `Calendar::counters`
/// in `crates/shipments`.
pub(crate) fn counter_items(counter: Counter, settings: &PlanSettings) -> f64 {
    let items = settings[Key::CountersPerItem];
    match counter {
        Counter::Sku | Counter::Owner => items,
        Counter::Day => (settings[Key::ShipmentsPerDay] / 1000.0).floor().clamp(1.0, 8.0).max(items),
    }
}

impl BatchDuration {
    /// The duration in seconds.
    pub(crate) fn of(self, messages: f64) -> f64 {
        // Avoids divisions by zero.
        (self.first + (messages - 1.0) * self.further).max(1e-4)
    }

    pub(crate) fn slowest(self, other: Self) -> Self {
        Self { first: self.first.max(other.first), further: self.further.max(other.further) }
    }
}

/// Concurrency of one invocation per second: its duration in seconds, but at least the inverse of an environment's
/// highest rate.
pub(crate) fn concurrency_units(seconds: f64, settings: &PlanSettings) -> f64 {
    seconds.max(1.0 / settings[Key::RequestsPerEnvironment])
}

#[expect(clippy::cast_precision_loss, reason = "a handful")]
pub(crate) fn write_units(stage: &Stage, settings: &PlanSettings) -> f64 {
    let items = stage.transaction_items as f64 + stage.items_per_sku as f64 * settings[Key::SkusPerOrder];
    stage.record_writes as f64 * settings[Key::OrderKilobytes].ceil()
        + stage.small_writes as f64
        + TRANSACTION_UNITS * items
}

#[expect(clippy::cast_precision_loss, reason = "two at most")]
pub(crate) fn index_units(lane: Lane) -> f64 {
    lane.index_writes as f64
}

/// Write units of an item of up to 1 KB. Source: Amazon DynamoDB Developer Guide, "DynamoDB read and write operations".
pub(crate) const TRANSACTION_UNITS: f64 = 2.0;
