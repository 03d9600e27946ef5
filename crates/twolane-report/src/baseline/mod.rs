//! Compares runs with a baseline: whether a lane is slower or dearer.
//!
//! A run is one value of each metric: its orders share minute, machine and queues. A test of independent orders would
//! find a difference between any two runs. See `docs/decisions/0035-compare-runs-not-orders.md`.

mod interval;
#[cfg(test)]
mod tests;

use crate::figures::percentiles;
use crate::model::{LaneReport, Report, Run, by_name};
use lanes::{Answer, Lane};
use serde::Serialize;
use serde_json::Value;

/// Minimum of runs on each side. With two, intervals are too wide to find a change.
pub const LEAST_RUNS: usize = 3;

/// Probability of any reported change although nothing changed. It is divided among the metrics (Bonferroni).
const FALSE_ALARMS: f64 = 0.05;

/// One lane's change of one metric.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// The lane.
    #[serde(with = "by_name")]
    pub lane: Lane,
    /// As in promises: `done.p99`.
    pub metric: String,
    /// Geometric mean of the new runs over that of the baseline. Above 1 is slower or dearer.
    pub ratio: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// Their meaning.
    pub trend: Trend,
}

impl Change {
    /// Lane and metric, ratio, interval and trend.
    pub(crate) fn cells(&self) -> Vec<String> {
        let name = format!("{} {}", self.lane.name, self.metric);
        let interval = format!("{:.2}× to {:.2}×", self.low, self.high);
        vec![name, format!("{:.2}×", self.ratio), interval, self.trend.words().to_owned()]
    }
}

/// What a change means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Trend {
    /// Significant, and worse by more than the noise.
    Regression,
    /// Significant, and better by more than the noise.
    Improvement,
    /// Not more than the noise.
    WithinNoise,
    /// More than the noise, but perhaps chance: more runs are needed.
    Unclear,
}

impl Trend {
    /// For reports.
    fn words(self) -> &'static str {
        match self {
            Self::Regression => "REGRESSION",
            Self::Improvement => "improvement",
            Self::WithinNoise => "within noise",
            Self::Unclear => "unclear: needs more runs",
        }
    }
}

/// Changes of all lanes' times and costs. Needs at least [`LEAST_RUNS`] runs on each side. `noise` is the relative
/// change that counts as none: 0.1 = 10 %. Leaves out metrics that a run lacks.
#[must_use]
pub fn changes(before: &[Report], after: &[Report], noise: f64) -> Vec<Change> {
    let lanes = after.first().into_iter().flat_map(|report| &report.lanes);
    let compared: Vec<_> = lanes
        .flat_map(|lane| metrics(lane).into_iter().map(move |(metric, _)| (lane.lane, metric)))
        .filter_map(|(lane, metric)| {
            let [before, after] = [before, after].map(|runs| values(runs, lane, &metric));
            Some((lane, metric, before?, after?))
        })
        .collect();
    let confidence = 1.0 - FALSE_ALARMS / number(compared.len());
    let change = |(lane, metric, before, after): (Lane, String, Vec<f64>, Vec<f64>)| {
        let interval::Interval { ratio, low, high } = interval::ratio(&before, &after, confidence);
        let is_within = ratio <= 1.0 + noise && ratio >= 1.0 / (1.0 + noise);
        let trend = if is_within {
            Trend::WithinNoise
        } else if low > 1.0 {
            Trend::Regression
        } else if high < 1.0 {
            Trend::Improvement
        } else {
            Trend::Unclear
        };
        Change { lane, metric, ratio, low, high, trend }
    };
    compared.into_iter().map(change).collect()
}

/// Metrics that every baseline run has and a new run lacks, such as `sync done.p99`: the lane stopped working.
#[must_use]
pub fn missing(before: &[Report], after: &[Report]) -> Vec<String> {
    let lanes = before.first().into_iter().flat_map(|report| &report.lanes);
    let metrics = lanes.flat_map(|lane| metrics(lane).into_iter().map(move |(metric, _)| (lane.lane, metric)));
    let is_missing = |(lane, metric): &(Lane, String)| {
        values(before, lane, metric).is_some() && values(after, lane, metric).is_none()
    };
    metrics.filter(is_missing).map(|(lane, metric)| format!("{} {metric}", lane.name)).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a few metrics")]
fn number(metrics: usize) -> f64 {
    metrics as f64
}

/// In each run. `None` if a run lacks it or has 0.
fn values(runs: &[Report], lane: Lane, metric: &str) -> Option<Vec<f64>> {
    let value = |run: &Report| {
        let lane = run.lanes.iter().find(|measured| measured.lane == lane)?;
        let value = metrics(lane).into_iter().find(|(name, _)| name == metric)?.1?;
        (value > 0.0).then_some(value)
    };
    runs.iter().map(value).collect()
}

/// With the names that promises use.
fn metrics(lane: &LaneReport) -> Vec<(String, Option<f64>)> {
    let mut times = vec![("done", lane.done())];
    // If the answer is the outcome, both times are equal.
    if lane.lane.answer == Answer::Receipt {
        times.push(("acknowledge", lane.latencies.acknowledge.as_ref()));
    }
    let named = |(name, latency)| {
        let compared =
            percentiles(latency).into_iter().filter(|(_, percentile, _)| ["p50", "p99"].contains(percentile));
        compared.map(move |(_, percentile, value)| (format!("{name}.{percentile}"), value))
    };
    let cost = lane.cost.as_ref().map(|cost| cost.usd_per_million_orders);
    times.into_iter().flat_map(named).chain([("cost".to_owned(), cost)]).collect()
}

/// Shared by comparable runs: name, and JSON pointer in the run.
const CONDITIONS: [(&str, &str); 13] = [
    ("place", "/target/kind"),
    ("region", "/target/region"),
    ("scenario", "/scenario"),
    ("scenario settings", "/scenarioSettings"),
    ("parallel lanes", "/parallel"),
    ("outcomes learned by", "/confirm"),
    ("hash of due times", "/arrivals/scheduleHash"),
    ("orders per second", "/arrivals/ratePerSecond"),
    ("seconds", "/arrivals/durationSeconds"),
    ("orders", "/arrivals/orders"),
    ("seed", "/seed"),
    ("owners", "/owners"),
    ("warm-up seconds", "/warmUpSeconds"),
];

/// Why a run of these lanes cannot be compared with the baseline; empty if it can.
///
/// # Panics
/// Never: a run has only string keys.
#[must_use]
pub fn differences(baseline: &Report, run: &Run, lanes: &[Lane]) -> Vec<String> {
    let [before, after] = [&baseline.run, run]
        .map(|run| serde_json::to_value(run).expect("a run has only string keys, so it is always JSON"));
    let names = |lanes: Vec<Lane>| lanes.iter().map(|lane| lane.name).collect::<Vec<_>>().join(", ");
    let compared_lanes = ("lanes", names(baseline.lanes.iter().map(|lane| lane.lane).collect()), names(lanes.to_vec()));
    let conditions =
        CONDITIONS.map(|(name, pointer)| (name, text(before.pointer(pointer)), text(after.pointer(pointer))));
    let differing = conditions.into_iter().chain([compared_lanes]).filter(|(_, before, after)| before != after);
    differing.map(|(name, before, after)| format!("{name}: {before} in the baseline, {after} now")).collect()
}

/// To six decimals: the last bit may differ after parsing.
fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::Number(number)) if number.is_f64() => {
            let rounded = format!("{:.6}", number.as_f64().unwrap_or_default());
            rounded.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => "nothing".to_owned(),
    }
}
