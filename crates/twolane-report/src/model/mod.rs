//! The shape of `report.json`, which `schema/report.schema.json` describes for other programs.
//!
//! Fields are camelCase and always present, `null` where a figure does not apply or is unknown. Names of quantities end
//! in their unit.

pub(crate) mod by_name;
mod cost;
mod judgement;
mod lane;
mod latency;
mod run;
#[cfg(test)]
mod schema;

pub use cost::{CapacityBreakEven, CostPart, Crossover, LaneCost, Pricing};
pub use judgement::{Judgement, Unit};
pub use lane::{Counts, DeadLetterCounts, FunctionUsage, LaneReport, Reconciliation, Refused, TimelineSecond, Usage};
pub use latency::{Latencies, Latency};
pub use run::{Arrivals, ArrivalsKind, Confirm, Generator, Run, ScheduleLag, Target, TargetKind};

use serde::{Deserialize, Serialize};

/// A change that an older reader would misunderstand raises it.
pub const SCHEMA_VERSION: u32 = 2;

/// One run of `twolane compare`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// [`SCHEMA_VERSION`] of the writer.
    pub schema_version: u32,
    /// Where, when and how it was measured.
    pub run: Run,
    /// In the order in which they ran.
    pub lanes: Vec<LaneReport>,
    /// Prices and crossovers.
    pub pricing: Option<Pricing>,
    /// One sentence each. Set by [`complete`](crate::complete).
    pub verdict: Vec<String>,
    /// Set by [`judge`](crate::judge).
    #[serde(default)]
    pub promises: Vec<Judgement>,
    /// Of the run itself. With errors, do not rely on the figures.
    pub errors: Vec<String>,
}

impl Report {
    /// Whether the run has no errors.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.errors.is_empty()
    }

    /// Whether any lane lost an accepted order.
    #[must_use]
    pub fn lost_orders(&self) -> bool {
        self.lanes.iter().any(|lane| lane.counts.lost > 0)
    }

    /// Whether all promises are kept.
    #[must_use]
    pub fn keeps_promises(&self) -> bool {
        self.promises.iter().all(|promise| promise.kept)
    }
}
