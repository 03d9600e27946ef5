//! Promises: bounds on figures, such as `async.done.p99<2s`.

mod metric;
mod parse;
#[cfg(test)]
mod tests;

pub use parse::PromiseError;

use crate::model::{Counts, Judgement, LaneReport, Report, Unit};
use crate::words::{count, float, usd};
use lanes::Lane;
use metric::{METRICS, Metric, Source, percentile_names};
use std::cmp::Ordering;
use std::fmt::{self, Display};

/// Limits in millionths compare with the number as typed.
const MILLION: u64 = 1_000_000;

/// A bound on a figure of one or each lane. Parse with [`str::parse`]; it displays as that text.
#[derive(Clone, Debug)]
pub struct Promise {
    text: String,
    /// `None`: each lane.
    lane: Option<Lane>,
    metric: &'static Metric,
    percentile: Option<&'static str>,
    operator: Operator,
    /// Milliseconds, per cent, dollars or a number, by metric and `is_share`.
    limit_millionths: u64,
    is_share: bool,
}

impl Display for Promise {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Less,
    AtMost,
    More,
    AtLeast,
    Equal,
}

impl Operator {
    const ALL: [Self; 5] = [Self::Less, Self::AtMost, Self::More, Self::AtLeast, Self::Equal];

    fn symbol(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
            Self::Equal => "==",
        }
    }

    /// For a figure with this ordering to the limit.
    fn holds(self, figure: Ordering) -> bool {
        match self {
            Self::Less => figure.is_lt(),
            Self::AtMost => figure.is_le(),
            Self::More => figure.is_gt(),
            Self::AtLeast => figure.is_ge(),
            Self::Equal => figure.is_eq(),
        }
    }

    /// Whether a growing figure with this ordering can never be within the limit.
    fn is_past(self, figure: Ordering) -> bool {
        match self {
            Self::Less => figure.is_ge(),
            Self::AtMost | Self::Equal => figure.is_gt(),
            Self::More | Self::AtLeast => false,
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Value {
    Count(u64),
    /// `whole` is above 0.
    Share {
        part: u64,
        whole: u64,
    },
    Milliseconds(f64),
    Usd(f64),
}

impl Value {
    /// Exact for counts and shares.
    #[expect(clippy::cast_precision_loss, reason = "the limit is compared as the nearest number, as the figure is")]
    fn compared_with(self, limit_millionths: u64) -> Ordering {
        let limit = u128::from(limit_millionths);
        match self {
            Self::Count(count) => (u128::from(count) * u128::from(MILLION)).cmp(&limit),
            Self::Share { part, whole } => {
                (u128::from(part) * 100 * u128::from(MILLION)).cmp(&(limit * u128::from(whole)))
            }
            Self::Milliseconds(figure) | Self::Usd(figure) => {
                figure.total_cmp(&(limit_millionths as f64 / MILLION as f64))
            }
        }
    }

    fn number(self) -> f64 {
        match self {
            Self::Count(count) => float(count),
            Self::Share { part, whole } => float(part) * 100.0 / float(whole),
            Self::Milliseconds(figure) | Self::Usd(figure) => figure,
        }
    }
}

impl Promise {
    /// `None`: each lane.
    #[must_use]
    pub fn lane(&self) -> Option<Lane> {
        self.lane
    }

    /// Whether the lane keeps it.
    #[must_use]
    pub fn judge(&self, lane: &LaneReport) -> Judgement {
        let value = self.metric.value(lane, self.percentile, self.is_share);
        self.judgement(lane.lane, value)
    }

    /// Whether the lane can no longer keep it: a count, which only grows, is past the limit. A share is of all
    /// `requests` of the run to the lane. Times, backlog, dead letters and costs are judged at the end.
    #[must_use]
    pub fn is_broken_for_good(&self, lane: Lane, so_far: &Counts, requests: u64) -> bool {
        let Source::Share(part, _) = self.metric.source else { return false };
        let part = part(so_far);
        let value = if self.is_share { Value::Share { part, whole: requests } } else { Value::Count(part) };
        self.lane.is_none_or(|of| of == lane) && self.operator.is_past(value.compared_with(self.limit_millionths))
    }

    fn judgement(&self, lane: Lane, value: Option<Value>) -> Judgement {
        Judgement {
            promise: self.text.clone(),
            lane,
            figure: value.map(Value::number),
            unit: match self.metric.source {
                Source::Share(..) if self.is_share => Unit::Percent,
                Source::Share(..) | Source::Number(_) => Unit::Count,
                Source::Times(_) => Unit::Milliseconds,
                Source::Usd(_) => Unit::Usd,
            },
            kept: value.is_some_and(|value| self.operator.holds(value.compared_with(self.limit_millionths))),
        }
    }
}

/// Judges these promises in a completed report. A promise about a lane that it lacks is broken.
pub fn judge(report: &mut Report, promises: &[Promise]) {
    let lanes = &report.lanes;
    let of = |promise: &Promise| match promise.lane {
        None => lanes.iter().map(|lane| promise.judge(lane)).collect(),
        Some(of) => match lanes.iter().find(|lane| lane.lane == of) {
            Some(lane) => vec![promise.judge(lane)],
            None => vec![promise.judgement(of, None)],
        },
    };
    report.promises = promises.iter().flat_map(of).collect();
}

/// One promise about one lane in all runs.
pub(crate) struct Together {
    /// As written.
    pub(crate) promise: String,
    pub(crate) lane: Lane,
    /// As text; minimum and maximum of several runs.
    pub(crate) figures: String,
    /// In every run.
    pub(crate) kept: bool,
}

impl Together {
    /// Promise, lane, figure and result.
    pub(crate) fn cells(self) -> Vec<String> {
        let kept = if self.kept { "pass" } else { "FAIL" };
        vec![self.promise, self.lane.name.to_owned(), self.figures, kept.to_owned()]
    }
}

/// In the order of the first run.
pub(crate) fn together(runs: &[Report]) -> Vec<Together> {
    let all = || runs.iter().flat_map(|run| &run.promises);
    let mut together: Vec<Together> = Vec::new();
    for Judgement { promise, lane, .. } in all() {
        if together.iter().any(|seen| seen.promise == *promise && seen.lane == *lane) {
            continue;
        }
        let same: Vec<_> = all().filter(|other| other.promise == *promise && other.lane == *lane).collect();
        together.push(Together {
            promise: promise.clone(),
            lane,
            figures: range(&same),
            kept: same.iter().all(|judgement| judgement.kept),
        });
    }
    together
}

/// Minimum and maximum. Unmeasured figures are less than any number.
fn range(judgements: &[&Judgement]) -> String {
    let by_figure =
        |one: &&&Judgement, other: &&&Judgement| one.figure.partial_cmp(&other.figure).unwrap_or(Ordering::Equal);
    let [least, most] = [judgements.iter().min_by(by_figure), judgements.iter().max_by(by_figure)]
        .map(|judgement| judgement.map(|judgement| shown(judgement)).unwrap_or_default());
    if least == most { least } else { format!("{least} to {most}") }
}

fn shown(judgement: &Judgement) -> String {
    let Some(figure) = judgement.figure else { return "not measured".to_owned() };
    match judgement.unit {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was a count before")]
        Unit::Count => count(figure as u64),
        Unit::Percent => format!("{figure:.2}\u{a0}%"),
        Unit::Milliseconds => format!("{figure:.1}\u{a0}ms"),
        Unit::Usd => usd(figure),
    }
}

/// For `--help`.
#[must_use]
pub fn metrics_help() -> String {
    let names: Vec<_> = METRICS.iter().map(Metric::shown_name).collect();
    let width = names.iter().map(String::len).max().unwrap_or(0);
    let line = |(metric, name): (&Metric, &String)| {
        format!("  {name:<width$}  {} ({})\n", metric.meaning, metric.shown_value())
    };
    let lines: String = METRICS.iter().zip(&names).map(line).collect();
    format!("{lines}P is {}.", percentile_names().collect::<Vec<_>>().join(", "))
}
