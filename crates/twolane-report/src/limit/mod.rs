//! The highest rate at which a lane keeps its promises.

mod picture;
mod search;

pub use picture::picture;
pub use search::{LimitSearch, Probe};

use crate::model::by_name;
use crate::words::and;
use lanes::Lane;
use serde::Serialize;

/// The search's result for one lane.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LaneLimit {
    /// The lane.
    #[serde(serialize_with = "by_name::serialize")]
    pub lane: Lane,
    /// The highest rate at which most runs kept every promise; `null` if none.
    pub kept: Option<Tried>,
    /// The next higher rate, at which most runs broke a promise; `null` if not found.
    pub broken: Option<Tried>,
    /// Confidence that the results at both rates are not chance. For n runs at the two rates it is 100 × (1 − 0.5ⁿ) if
    /// all runs at a rate agree, else less. `null` without both rates.
    pub confidence_percent: Option<f64>,
    /// In order.
    pub runs: Vec<Probe>,
    /// Why the search ended early; `null` if not.
    pub ended_early: Option<String>,
}

/// Runs at one rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tried {
    /// Orders per second.
    pub rate: f64,
    /// Runs at that rate.
    pub runs: u32,
    /// Those that kept every promise.
    pub kept: u32,
}

/// All lanes' limits as text.
#[must_use]
pub fn limits_text(limits: &[LaneLimit], promises: &[String]) -> String {
    let lines: Vec<_> = limits.iter().map(line).collect();
    format!("Highest rate at which every promise holds ({}):\n{}", and(promises), lines.join("\n"))
}

fn line(limit: &LaneLimit) -> String {
    let name = limit.lane.name;
    let of = |tried: &Tried, kept: u32| format!("{kept} of {} runs", tried.runs);
    let found = match (&limit.kept, &limit.broken) {
        (Some(kept), Some(broken)) => format!(
            "{:.1}/s ({}); broken at {:.1}/s ({}); confidence {:.0} %",
            kept.rate,
            of(kept, kept.kept),
            broken.rate,
            of(broken, broken.runs - broken.kept),
            limit.confidence_percent.unwrap_or_default()
        ),
        (Some(kept), None) => format!("at least {:.1}/s ({})", kept.rate, of(kept, kept.kept)),
        (None, Some(broken)) => format!("below {:.1}/s ({})", broken.rate, of(broken, broken.runs - broken.kept)),
        (None, None) => "not found".to_owned(),
    };
    let early = limit.ended_early.as_ref().map_or_else(String::new, |why| format!("\n         ended early: {why}"));
    format!("  {name:<6} {found}{early}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_limit_with_its_bracket() {
        let mut search = LimitSearch::new(10.0);
        while let Some(rate) = search.next_rate() {
            search.record(rate, rate <= 55.0);
        }
        let limit = search.limit(&lanes::LANES[0], None);

        let text = limits_text(&[limit], &["*.lost==0".to_owned()]);

        assert_eq!(
            text,
            "Highest rate at which every promise holds (*.lost==0):\n  sync   54.2/s (3 of 3 runs); broken at 56.6/s (3 of 3 runs); confidence 98 %"
        );
    }
}
