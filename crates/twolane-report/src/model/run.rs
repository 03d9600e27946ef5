//! Where, when and how a run was measured.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The metadata without which a figure means nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// Names the run; part of no URL or path.
    pub id: String,
    /// RFC 3339, UTC, milliseconds.
    pub started_at: String,
    /// RFC 3339, UTC, milliseconds.
    pub finished_at: String,
    /// Version of the `twolane` that measured.
    pub twolane_version: String,
    /// Commit of the working tree it ran in.
    pub git_commit: Option<String>,
    /// `steady`, `burst`, `outage`, … as typed.
    pub scenario: String,
    /// What the scenario changed or mixed in, by name: `concurrency` → `5`, `poisonPercent` → `1`.
    pub scenario_settings: BTreeMap<String, String>,
    /// Whether the lanes were loaded at the same time.
    pub parallel: bool,
    /// How outcomes were learned that no answer says.
    pub confirm: Confirm,
    /// The same seed makes the same schedule.
    pub seed: u64,
    /// The schedule, the same for each lane.
    pub arrivals: Arrivals,
    /// Owners of orders, each with a token and a socket of its own.
    pub owners: u64,
    /// Seconds of load before the figures begin.
    pub warm_up_seconds: f64,
    /// Seconds that an accepted order had after the last arrival before it counted as lost.
    pub grace_seconds: f64,
    /// The stack.
    pub target: Target,
    /// Whether it was ended before its schedule was: figures are of what was sent until then.
    pub interrupted: bool,
    /// How well the load itself was made.
    pub generator: Generator,
}

/// How outcomes were learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Confirm {
    /// Over the WebSocket.
    Callback,
    /// From the status service.
    Poll,
    /// Both ways, each with its own latency.
    Both,
}

/// The arrival schedule, fixed before the first request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Arrivals {
    /// Its law.
    pub kind: ArrivalsKind,
    /// Mean orders per second per lane, warm-up left out.
    pub rate_per_second: f64,
    /// From the first to the last arrival, warm-up left out.
    pub duration_seconds: f64,
    /// Orders per lane, warm-up left out.
    pub orders: u64,
    /// FNV-1a hash of all due times, the warm-up's too: equal schedules have the same one. `null` in reports from before it was
    /// computed.
    #[serde(default)]
    pub schedule_hash: Option<String>,
}

/// The law of an arrival schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ArrivalsKind {
    /// Evenly spaced.
    Constant,
    /// Independent arrivals.
    Poisson,
    /// A low rate, then a high one.
    Burst,
    /// A rate that changes evenly.
    Ramp,
    /// A rate that changes in steps.
    Steps,
    /// The phases of a scenario file.
    Phases,
    /// The timestamps of a file.
    Replay,
}

/// The stack that was measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// What runs it.
    pub kind: TargetKind,
    /// URL of its REST API.
    pub api_url: String,
    /// AWS region, for its prices.
    pub region: Option<String>,
}

/// What runs a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TargetKind {
    /// An emulator: behaviour may be compared, times and costs are not those of AWS.
    Emulator,
    /// AWS itself.
    Aws,
}

/// How well the load was made. Latency runs from the intended send time, so lag counts as the stack's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Generator {
    /// How late requests were sent.
    pub schedule_lag: ScheduleLag,
    /// Requests under way at once at most, per lane.
    pub in_flight_bound: u64,
    /// Requests that were sent again over a new connection, because the server had just closed the old one. Those of all lanes,
    /// of the warm-up and for the status of orders count. `null` in reports from before they were sent again.
    #[serde(default)]
    pub resent: Option<u64>,
    /// Whether the generator kept its schedule well enough, and could send everything, for the figures to stand.
    pub honest: bool,
    /// Why not.
    pub reason: Option<String>,
}

/// From the intended to the actual send time.
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
