//! Metrics of promises: the table for parser, help and documentation.

use super::Value;
use crate::figures::percentiles;
use crate::model::{Counts, LaneReport, Latency};

/// A lane's figure, or a distribution with percentiles as figures.
#[derive(Debug)]
pub(super) struct Metric {
    /// After the lane and the dot.
    pub(super) name: &'static str,
    pub(super) meaning: &'static str,
    pub(super) source: Source,
}

/// A metric's source.
#[derive(Debug)]
pub(super) enum Source {
    /// A number or a share of a whole. It never decreases during a run.
    Share(fn(&Counts) -> u64, Whole),
    /// Not a share of anything.
    Number(fn(&LaneReport) -> Option<u64>),
    /// A percentile of them is the figure.
    Times(fn(&LaneReport) -> Option<&Latency>),
    /// For a million orders.
    Usd(fn(&LaneReport) -> Option<f64>),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Whole {
    Sent,
    Accepted,
}

impl Whole {
    fn of(self, counts: &Counts) -> u64 {
        match self {
            Self::Sent => counts.sent,
            Self::Accepted => counts.accepted,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Accepted => "accepted",
        }
    }
}

pub(super) static METRICS: [Metric; 23] = [
    Metric {
        name: "done",
        meaning: "time to an order's outcome, as the caller first learned it",
        source: Source::Times(LaneReport::done),
    },
    Metric {
        name: "acknowledge",
        meaning: "time to the answer of an accepted order",
        source: Source::Times(|lane| lane.latencies.acknowledge.as_ref()),
    },
    Metric {
        name: "doneByCallback",
        meaning: "time to the outcome, by callback",
        source: Source::Times(|lane| lane.latencies.done_by_callback.as_ref()),
    },
    Metric {
        name: "doneByPoll",
        meaning: "time to the outcome, by status poll",
        source: Source::Times(|lane| lane.latencies.done_by_poll.as_ref()),
    },
    Metric {
        name: "others.done",
        meaning: "time to the outcome, without the noisy owner",
        source: Source::Times(LaneReport::others_done),
    },
    Metric {
        name: "others.acknowledge",
        meaning: "time to the answer, without the noisy owner",
        source: Source::Times(|lane| lane.other_owners.as_ref()?.acknowledge.as_ref()),
    },
    Metric { name: "sent", meaning: "requests sent", source: Source::Number(|lane| Some(lane.counts.sent)) },
    share("accepted", "requests answered 200, 201 or 202", |counts| counts.accepted, Whole::Sent),
    share(
        "refused",
        "requests answered 4xx or 5xx, or without an answer",
        |counts| counts.refused.total(),
        Whole::Sent,
    ),
    share("refused.throttled", "requests answered 429", |counts| counts.refused.throttled, Whole::Sent),
    share("refused.unavailable", "requests answered 503", |counts| counts.refused.unavailable, Whole::Sent),
    share("refused.serverError", "requests answered by another 5xx", |counts| counts.refused.server_error, Whole::Sent),
    share("refused.clientError", "requests answered by another 4xx", |counts| counts.refused.client_error, Whole::Sent),
    share("refused.noAnswer", "requests without an answer", |counts| counts.refused.no_answer, Whole::Sent),
    share("confirmed", "orders confirmed", |counts| counts.confirmed, Whole::Accepted),
    share("cancelled", "orders cancelled", |counts| counts.cancelled.unwrap_or(0), Whole::Accepted),
    share("rejected", "orders rejected", |counts| counts.rejected, Whole::Accepted),
    share("failed", "orders that failed all deliveries", |counts| counts.failed, Whole::Accepted),
    share("lost", "orders without an outcome after the grace period", |counts| counts.lost, Whole::Accepted),
    share(
        "duplicateCallbacks",
        "callbacks that repeat the one before",
        |counts| counts.duplicate_callbacks,
        Whole::Accepted,
    ),
    Metric {
        name: "backlog",
        meaning: "orders waiting at the end of the worst second",
        source: Source::Number(|lane| lane.timeline.iter().map(|second| second.backlog).max()),
    },
    Metric {
        name: "deadLetters",
        meaning: "messages that the run added to the dead-letter queues",
        source: Source::Number(dead_letters),
    },
    Metric {
        name: "cost",
        meaning: "US dollars for a million orders",
        source: Source::Usd(|lane| lane.cost.as_ref().map(|cost| cost.usd_per_million_orders)),
    },
];

const fn share(name: &'static str, meaning: &'static str, part: fn(&Counts) -> u64, whole: Whole) -> Metric {
    Metric { name, meaning, source: Source::Share(part, whole) }
}

/// Without a queue, there are no dead letters.
fn dead_letters(lane: &LaneReport) -> Option<u64> {
    if lane.lane.queues.is_empty() {
        return Some(0);
    }
    lane.dead_letters.map(|dead_letters| dead_letters.after.saturating_sub(dead_letters.before))
}

/// Ascending.
pub(super) fn percentile_names() -> impl Iterator<Item = &'static str> {
    percentiles(None).into_iter().map(|(_, name, _)| name)
}

impl Metric {
    pub(super) fn has_percentiles(&self) -> bool {
        matches!(self.source, Source::Times(_))
    }

    /// In the documentation: `done.P` with percentiles.
    pub(super) fn shown_name(&self) -> String {
        if self.has_percentiles() { format!("{}.P", self.name) } else { self.name.to_owned() }
    }

    /// Unit of the promise's number.
    pub(super) fn shown_value(&self) -> String {
        match self.source {
            Source::Share(_, whole) => format!("number, or % of {}", whole.name()),
            Source::Number(_) => "number".to_owned(),
            Source::Times(_) => "ms or s".to_owned(),
            Source::Usd(_) => "dollars".to_owned(),
        }
    }

    /// A share if `as_share`. `None` if not measured.
    pub(super) fn value(&self, lane: &LaneReport, percentile: Option<&str>, as_share: bool) -> Option<Value> {
        match self.source {
            Source::Share(part, whole) if as_share => {
                let whole = whole.of(&lane.counts);
                (whole > 0).then(|| Value::Share { part: part(&lane.counts), whole })
            }
            Source::Share(part, _) => Some(Value::Count(part(&lane.counts))),
            Source::Number(number) => number(lane).map(Value::Count),
            Source::Times(times) => {
                let percentiles = percentiles(times(lane));
                let named = percentiles.into_iter().find(|(_, name, _)| Some(*name) == percentile);
                named.and_then(|(_, _, value)| value).map(Value::Milliseconds)
            }
            Source::Usd(usd) => usd(lane).map(Value::Usd),
        }
    }
}
