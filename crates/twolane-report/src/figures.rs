//! Figures that reports compare, each with JSON key and label.

use super::model::{LaneReport, Latencies, Latency};
use super::words::{count, float, time, usd};

/// One lane's figure.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    /// Path in `report.json`, with dots.
    pub(crate) key: String,
    /// In reports.
    pub(crate) label: String,
    /// `None` if not measured.
    pub(crate) value: Option<f64>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Count,
    Milliseconds,
    Usd,
}

impl Figure {
    pub(crate) fn with_value(&self, value: Option<f64>) -> Self {
        Self { value, ..self.clone() }
    }

    pub(crate) fn shown(&self) -> String {
        let Some(value) = self.value else { return "–".to_owned() };
        match self.kind {
            Kind::Count => whole(value),
            Kind::Milliseconds => time(value),
            Kind::Usd => usd(value),
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was a count before it became a figure")]
fn whole(value: f64) -> String {
    count(value as u64)
}

pub(crate) fn figures(lane: &LaneReport) -> Vec<Figure> {
    let counts = &lane.counts;
    let retried = counts.attempts.iter().filter(|(attempts, _)| **attempts > 1).map(|(_, orders)| orders).sum();
    let backlog = lane.timeline.iter().map(|second| second.backlog).max();
    let counted = [
        ("counts.sent", "sent", Some(counts.sent)),
        ("counts.notSent", "not sent by the generator", counts.not_sent),
        ("counts.accepted", "accepted", Some(counts.accepted)),
        ("counts.refused.throttled", "refused: throttled (429)", Some(counts.refused.throttled)),
        ("counts.refused.unavailable", "refused: unavailable (503)", Some(counts.refused.unavailable)),
        ("counts.refused.serverError", "refused: other 5xx", Some(counts.refused.server_error)),
        ("counts.refused.clientError", "refused: other 4xx", Some(counts.refused.client_error)),
        ("counts.refused.noAnswer", "refused: no answer", Some(counts.refused.no_answer)),
        ("counts.confirmed", "confirmed", Some(counts.confirmed)),
        ("counts.cancelled", "cancelled", counts.cancelled),
        ("counts.rejected", "rejected", Some(counts.rejected)),
        ("counts.failed", "failed", Some(counts.failed)),
        ("counts.lost", "lost", Some(counts.lost)),
        ("counts.unsettled", "open when interrupted", Some(counts.unsettled)),
        ("counts.repeated", "accepted again", Some(counts.repeated)),
        ("counts.doneUnacknowledged", "done without an answer", Some(counts.done_unacknowledged)),
        ("counts.withoutCallback", "done without a callback", counts.without_callback),
        ("counts.undecodable", "undecodable messages", Some(counts.undecodable)),
        ("counts.duplicateCallbacks", "duplicate callbacks", Some(counts.duplicate_callbacks)),
        ("counts.retried", "retried orders", Some(retried)),
        ("timeline.peakBacklog", "backlog at its peak", backlog),
        ("deadLetters.after", "dead letters", lane.dead_letters.map(|letters| letters.after)),
    ];
    let mut figures: Vec<_> = counted
        .into_iter()
        .map(|(key, label, value)| figure(key.to_owned(), label.to_owned(), value.map(float), Kind::Count))
        .collect();
    figures.extend(times("latencies", "", Some(&lane.latencies)));
    figures.extend(times("otherOwners", "other owners: ", lane.other_owners.as_ref()));
    let usd = lane.cost.as_ref().map(|cost| cost.usd_per_million_orders);
    let label = "cost of a million orders".to_owned();
    figures.push(figure("cost.usdPerMillionOrders".to_owned(), label, usd, Kind::Usd));
    figures
}

/// Percentiles of a lane's times.
fn times(group: &str, of: &str, latencies: Option<&Latencies>) -> Vec<Figure> {
    let kinds = [
        ("acknowledge", "acknowledged", latencies.and_then(|all| all.acknowledge.as_ref())),
        ("doneByCallback", "done by callback", latencies.and_then(|all| all.done_by_callback.as_ref())),
        ("doneByPoll", "done by poll", latencies.and_then(|all| all.done_by_poll.as_ref())),
    ];
    let figures = kinds.into_iter().flat_map(|(key, label, latency)| {
        percentiles(latency).map(|(percentile, name, value)| {
            let (key, label) = (format!("{group}.{key}.{percentile}"), format!("{of}{label}, {name}"));
            figure(key, label, value, Kind::Milliseconds)
        })
    });
    figures.collect()
}

fn figure(key: String, label: String, value: Option<f64>, kind: Kind) -> Figure {
    Figure { key, label, value, kind }
}

/// Key, name and value of the reported percentiles.
pub(crate) fn percentiles(latency: Option<&Latency>) -> [(&'static str, &'static str, Option<f64>); 5] {
    [
        ("p50Ms", "p50", latency.map(|latency| latency.p50_ms)),
        ("p90Ms", "p90", latency.map(|latency| latency.p90_ms)),
        ("p99Ms", "p99", latency.map(|latency| latency.p99_ms)),
        ("p99_9Ms", "p99.9", latency.map(|latency| latency.p99_9_ms)),
        ("maxMs", "max", latency.map(|latency| latency.max_ms)),
    ]
}
