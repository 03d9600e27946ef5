//! Where, when and how a run was measured.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The metadata of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// Id of the run; not part of a URL or path.
    pub id: String,
    /// RFC 3339, UTC, milliseconds.
    pub started_at: String,
    /// RFC 3339, UTC, milliseconds.
    pub finished_at: String,
    /// Version of `twolane` that measured.
    pub twolane_version: String,
    /// Commit of the working tree that `twolane` ran in.
    pub git_commit: Option<String>,
    /// Name of the scenario: `steady`, `burst`, `outage`, …
    pub scenario: String,
    /// What the scenario changed or mixed in, by name: `concurrency` → `5`, `poisonPercent` → `1`.
    pub scenario_settings: BTreeMap<String, String>,
    /// Whether the lanes were loaded concurrently.
    pub parallel: bool,
    /// How outcomes were learned if the answer was a receipt.
    pub confirm: Confirm,
    /// The same seed makes the same schedule.
    pub seed: u64,
    /// The schedule, the same for each lane.
    pub arrivals: Arrivals,
    /// Owners of the orders, each with a separate token and socket.
    pub owners: u64,
    /// Warm-up in seconds: load that is not counted.
    pub warm_up_seconds: f64,
    /// Grace period in seconds: how long an accepted order may stay without an outcome before it is lost.
    pub grace_seconds: f64,
    /// The stack.
    pub target: Target,
    /// Whether the run ended before its schedule: the figures cover what was sent until then.
    pub interrupted: bool,
    /// How well the generator kept the schedule.
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
    /// Both ways, with separate latencies.
    Both,
}

/// The arrival schedule, fixed before the first request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Arrivals {
    /// Arrival distribution.
    pub kind: ArrivalsKind,
    /// Mean orders per second per lane, warm-up left out.
    pub rate_per_second: f64,
    /// From the first to the last arrival, warm-up left out.
    pub duration_seconds: f64,
    /// Orders per lane, warm-up left out.
    pub orders: u64,
    /// FNV-1a hash of all due times, warm-up included: equal schedules have equal hashes. `null` in reports of versions
    /// without it.
    #[serde(default)]
    pub schedule_hash: Option<String>,
}

/// The arrival distribution of a schedule.
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
    /// An emulator: you can compare behaviour, but times and costs differ from AWS.
    Emulator,
    /// AWS itself.
    Aws,
}

/// How well the generator kept the schedule. Latencies start at the due time, so they include the send delay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Generator {
    /// Send delays.
    pub schedule_lag: ScheduleLag,
    /// Most concurrent requests per lane.
    pub in_flight_bound: u64,
    /// Requests sent again over a new connection, because the server had just closed the old one. Includes all lanes,
    /// the warm-up and polls. `null` in reports of versions that did not send again.
    #[serde(default)]
    pub resent: Option<u64>,
    /// Whether the send delay was within its limit and every request could be sent. If not, there are no latencies.
    pub honest: bool,
    /// Why `honest` is false.
    pub reason: Option<String>,
}

/// Send delay: from the due time to the actual send time.
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
