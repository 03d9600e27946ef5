//! The shape of `report.json`.
//!
//! A promise to whoever reads reports: fields are camelCase, and all of them are always there, `null` where a figure does
//! not apply or is not known. Every name of a quantity ends in its unit. What an older reader would misunderstand
//! changes [`SCHEMA_VERSION`]. For other programs, `schema/report.schema.json` says the same.

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
pub use lane::{Counts, DeadLetters, FunctionUsage, LaneReport, Reconciliation, Refused, TimelineSecond, Usage};
pub use latency::{Latencies, Latency};
pub use run::{Arrivals, ArrivalsKind, Confirm, Generator, Run, ScheduleLag, Target, TargetKind};

use serde::{Deserialize, Serialize};

/// Version of the shape, raised when a reader of the older one would go wrong.
pub const SCHEMA_VERSION: u32 = 2;

/// One run of `twolane compare`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// [`SCHEMA_VERSION`] of the program that wrote it.
    pub schema_version: u32,
    /// Where, when and how it was measured.
    pub run: Run,
    /// The lanes, in the order in which they ran.
    pub lanes: Vec<LaneReport>,
    /// The price table behind the lanes' costs, and where one lane becomes the cheaper one.
    pub pricing: Option<Pricing>,
    /// What the figures say, one sentence each. Written by [`complete`](crate::complete).
    pub verdict: Vec<String>,
    /// Whether each lane keeps the promises that were required. Written by [`judge`](crate::judge).
    #[serde(default)]
    pub promises: Vec<Judgement>,
    /// What went wrong with the run itself; a figure of a run with errors is not to be relied on.
    pub errors: Vec<String>,
}

impl Report {
    /// Whether its figures can be relied on.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.errors.is_empty()
    }

    /// Whether an accepted order was lost in any lane.
    #[must_use]
    pub fn lost_orders(&self) -> bool {
        self.lanes.iter().any(|lane| lane.counts.lost > 0)
    }

    /// Whether every promise is kept that was required of it.
    #[must_use]
    pub fn keeps_promises(&self) -> bool {
        self.promises.iter().all(|promise| promise.kept)
    }
}
