//! Where, when and how a run was measured.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The metadata without which a figure means nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Run {
    /// Names the run; part of no URL or path.
    pub(crate) id: String,
    /// RFC 3339, UTC, milliseconds.
    pub(crate) started_at: String,
    /// RFC 3339, UTC, milliseconds.
    pub(crate) finished_at: String,
    /// Version of the `twolane` that measured.
    pub(crate) twolane_version: String,
    /// Commit of the working tree it ran in.
    pub(crate) git_commit: Option<String>,
    /// `steady`, `burst`, `outage`, … as typed.
    pub(crate) scenario: String,
    /// What the scenario changed or mixed in, by name: `concurrency` → `5`, `poisonPercent` → `1`.
    pub(crate) scenario_settings: BTreeMap<String, String>,
    /// Whether both lanes were loaded at the same time.
    pub(crate) parallel: bool,
    /// How the async lane's outcomes were learned.
    pub(crate) confirm: Confirm,
    /// The same seed makes the same schedule.
    pub(crate) seed: u64,
    /// The schedule, the same for each lane.
    pub(crate) arrivals: Arrivals,
    /// Owners of orders, each with a token and a socket of its own.
    pub(crate) owners: u64,
    /// Seconds of load before the figures begin.
    pub(crate) warm_up_seconds: f64,
    /// Seconds that an accepted order had after the last arrival before it counted as lost.
    pub(crate) grace_seconds: f64,
    /// The stack.
    pub(crate) target: Target,
    /// What the stack was limited to.
    pub(crate) limits: Limits,
    /// Whether it was ended before its schedule was: figures are of what was sent until then.
    pub(crate) interrupted: bool,
    /// How well the load itself was made.
    pub(crate) generator: Generator,
}

/// How outcomes were learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Confirm {
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
pub(crate) struct Arrivals {
    /// Its law.
    pub(crate) kind: ArrivalsKind,
    /// Mean orders per second per lane, warm-up left out.
    pub(crate) rate_per_second: f64,
    /// From the first to the last arrival, warm-up left out.
    pub(crate) duration_seconds: f64,
    /// Orders per lane, warm-up left out.
    pub(crate) orders: u64,
}

/// The law of an arrival schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ArrivalsKind {
    /// Evenly spaced.
    Constant,
    /// Independent arrivals.
    Poisson,
    /// A low rate, then a high one.
    Burst,
    /// The timestamps of a file.
    Replay,
}

/// The stack that was measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Target {
    /// What runs it.
    pub(crate) kind: TargetKind,
    /// URL of its REST API.
    pub(crate) api_url: String,
    /// AWS region, for its prices.
    pub(crate) region: Option<String>,
}

/// What runs a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum TargetKind {
    /// An emulator: behaviour may be compared, times and costs are not those of AWS.
    Emulator,
    /// AWS itself.
    Aws,
}

/// What the lanes were limited to while measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Limits {
    /// `MaximumConcurrency` of the async lane's event source.
    pub(crate) worker_maximum_concurrency: Option<u64>,
    /// Reserved concurrency of the sync lane's function.
    pub(crate) sync_reserved_concurrency: Option<u64>,
}

/// How well the load was made. Latency runs from the intended send time, so lag counts as the stack's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Generator {
    /// How late requests were sent.
    pub(crate) schedule_lag: ScheduleLag,
    /// Requests under way at once at most, per lane.
    pub(crate) in_flight_bound: u64,
    /// Whether the generator kept its schedule well enough for the figures to stand.
    pub(crate) honest: bool,
    /// Why not.
    pub(crate) reason: Option<String>,
}

/// From the intended to the actual send time.
#[expect(clippy::struct_field_names, reason = "names of quantities end in their unit")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScheduleLag {
    /// Median.
    pub(crate) p50_ms: f64,
    /// 99th percentile.
    pub(crate) p99_ms: f64,
    /// Longest.
    pub(crate) max_ms: f64,
}
