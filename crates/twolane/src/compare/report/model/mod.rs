//! The shape of `report.json`.
//!
//! A promise to whoever reads reports: fields are camelCase, and all of them are always there, `null` where a figure does
//! not apply or is not known. Every name of a quantity ends in its unit. What an older reader would misunderstand
//! changes [`SCHEMA_VERSION`]. For other programs, `schema/report.schema.json` says the same.

mod cost;
mod lane;
mod latency;
mod run;
#[cfg(test)]
mod schema;

pub(crate) use cost::{CapacityBreakEven, CostPart, Crossover, LaneCost, Pricing};
pub(crate) use lane::{
    Counts, DeadLetters, FunctionUsage, LaneName, LaneReport, Reconciliation, Refused, TimelineSecond, Usage,
};
pub(crate) use latency::{Latencies, Latency};
pub(crate) use run::{Arrivals, ArrivalsKind, Confirm, Generator, Limits, Run, ScheduleLag, Target, TargetKind};

use serde::{Deserialize, Serialize};

/// Version of the shape, raised when a reader of the older one would go wrong.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// One run of `twolane compare`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    /// [`SCHEMA_VERSION`] of the program that wrote it.
    pub(crate) schema_version: u32,
    /// Where, when and how it was measured.
    pub(crate) run: Run,
    /// One or two lanes, in the order in which they ran.
    pub(crate) lanes: Vec<LaneReport>,
    /// The price table behind the lanes' costs, and where one lane becomes the cheaper one.
    pub(crate) pricing: Option<Pricing>,
    /// What the figures say, one sentence each. Written by `report::complete`.
    pub(crate) verdict: Vec<String>,
    /// What went wrong with the run itself; a figure of a run with errors is not to be relied on.
    pub(crate) errors: Vec<String>,
}
