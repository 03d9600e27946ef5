//! Where, when and how a run was measured.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A run's metadata.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// Not part of a URL or path.
    pub id: String,
    /// RFC 3339, UTC, milliseconds.
    pub started_at: String,
    /// RFC 3339, UTC, milliseconds.
    pub finished_at: String,
    /// Version of `twolane` that measured.
    pub twolane_version: String,
    /// Of the working tree that `twolane` ran in.
    pub git_commit: Option<String>,
    /// `steady`, `burst`, `outage`, …
    pub scenario: String,
    /// By name: `concurrency` → `5`, `poisonPercent` → `1`.
    pub scenario_settings: BTreeMap<String, String>,
    /// Whether the lanes were loaded concurrently.
    pub parallel: bool,
    /// How outcomes after a receipt were learned.
    pub confirm: Confirm,
    /// Equal seeds make equal schedules.
    pub seed: u64,
    /// The same for each lane.
    pub arrivals: Arrivals,
    /// Each has a separate token and socket.
    pub owners: u64,
    /// Load that is not counted.
    pub warm_up_seconds: f64,
    /// How long an accepted order may lack an outcome before it is lost.
    pub grace_seconds: f64,
    /// The stack.
    pub target: Target,
    /// Ended before its schedule: figures cover what was sent.
    pub interrupted: bool,
    /// How well it kept the schedule.
    pub generator: Generator,
}

/// How outcomes were learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Confirm {
    /// By callback.
    Callback,
    /// By poll.
    Poll,
    /// With separate latencies.
    Both,
}

/// Fixed before the first request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Arrivals {
    /// Arrival distribution.
    pub kind: ArrivalsKind,
    /// Mean per lane, without warm-up.
    pub rate_per_second: f64,
    /// From the first to the last arrival, without warm-up.
    pub duration_seconds: f64,
    /// Per lane, without warm-up.
    pub orders: u64,
    /// FNV-1a hash of all due times, with warm-up. `null` in older reports.
    #[serde(default)]
    pub schedule_hash: Option<String>,
}

/// Distribution of arrivals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ArrivalsKind {
    /// Evenly spaced.
    Constant,
    /// Independent arrivals.
    Poisson,
    /// A low rate, then a high one.
    Burst,
    /// A rate that changes linearly.
    Ramp,
    /// A rate that changes in steps.
    Steps,
    /// The phases of a scenario file.
    Phases,
    /// The timestamps of a file.
    Replay,
}

/// The measured stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// What runs the stack.
    pub kind: TargetKind,
    /// URL of the REST API.
    pub api_url: String,
    /// AWS region, for the prices.
    pub region: Option<String>,
}

/// What runs a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TargetKind {
    /// You can compare behaviour; times and costs differ from AWS.
    Emulator,
    /// AWS itself.
    Aws,
}

/// How well the generator kept the schedule. Latencies include the send delay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Generator {
    /// Send delays.
    pub schedule_lag: ScheduleLag,
    /// Per lane.
    pub in_flight_bound: u64,
    /// Requests sent again because the server had just closed their connection, in all lanes, with warm-up and polls.
    /// `null` in older reports.
    #[serde(default)]
    pub resent: Option<u64>,
    /// Whether the send delay kept its limit and every request could be sent. If not, there are no latencies. Older
    /// reports call it `honest`.
    #[serde(alias = "honest")]
    pub on_schedule: bool,
    /// Why `on_schedule` is false.
    pub reason: Option<String>,
}

/// From the due time to the send time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleLag {
    /// Median.
    pub p50_ms: f64,
    /// 99th percentile.
    pub p99_ms: f64,
    /// Longest.
    pub max_ms: f64,
}
