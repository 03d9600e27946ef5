//! Chooses the next rate to try.

use super::{LaneLimit, Tried};
use lanes::Lane;
use serde::Serialize;

/// Largest ratio of the bracket's ends: 5 %.
const PRECISION: f64 = 1.05;

/// At each end of the bracket.
const RUNS: u32 = 3;

/// Per search, if results contradict each other.
const MOST_RUNS: usize = 60;

/// In orders per second.
const LOWEST: f64 = 0.1;

/// In orders per second.
const HIGHEST: f64 = 1e6;

/// One run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Probe {
    /// Orders per second.
    pub rate: f64,
    /// Whether it kept every promise.
    pub kept: bool,
}

/// Searches the highest rate that keeps all promises. It doubles or halves the rate until it has a bracket. It halves
/// that on a logarithmic scale to 5 %, and tries both ends three times. The majority of a rate's runs decides. If an
/// end turns out wrong, the bracket widens again.
#[derive(Clone, Debug)]
pub struct LimitSearch {
    start: f64,
    runs: Vec<Probe>,
}

impl LimitSearch {
    /// `start` is in orders per second.
    #[must_use]
    pub fn new(start: f64) -> Self {
        Self { start: start.clamp(LOWEST, HIGHEST), runs: Vec::new() }
    }

    /// In orders per second. `None` when the search is over.
    #[must_use]
    pub fn next_rate(&self) -> Option<f64> {
        if self.runs.len() >= MOST_RUNS {
            return None;
        }
        match self.bracket() {
            (None, None) => Some(self.start),
            (Some(kept), None) => (kept.rate < HIGHEST).then(|| (kept.rate * 2.0).min(HIGHEST)),
            (None, Some(broken)) => (broken.rate > LOWEST).then(|| (broken.rate / 2.0).max(LOWEST)),
            (Some(kept), Some(broken)) if broken.rate / kept.rate > PRECISION => Some((kept.rate * broken.rate).sqrt()),
            (Some(kept), Some(broken)) => {
                [kept, broken].into_iter().find(|tried| tried.runs < RUNS).map(|tried| tried.rate)
            }
        }
    }

    /// Records a run's result.
    pub fn record(&mut self, rate: f64, kept: bool) {
        self.runs.push(Probe { rate, kept });
    }

    /// The result so far. `ended_early` says why the search stopped early, if so.
    #[must_use]
    pub fn limit(&self, lane: Lane, ended_early: Option<String>) -> LaneLimit {
        let (kept, broken) = self.bracket();
        LaneLimit {
            lane,
            kept,
            broken,
            confidence_percent: kept.zip(broken).map(|(kept, broken)| confidence_percent(kept, broken)),
            runs: self.runs.clone(),
            ended_early,
        }
    }

    /// The highest rate that most runs kept, below the lowest that most broke.
    fn bracket(&self) -> (Option<Tried>, Option<Tried>) {
        let tried = self.tried();
        let broken = tried.iter().find(|tried| tried.kept * 2 <= tried.runs).copied();
        let is_below = |tried: &&Tried| broken.is_none_or(|broken| tried.rate < broken.rate);
        (tried.iter().rev().find(is_below).copied(), broken)
    }

    /// Ascending.
    fn tried(&self) -> Vec<Tried> {
        let mut runs = self.runs.clone();
        runs.sort_by(|a, b| a.rate.total_cmp(&b.rate));
        let by_rate = runs.chunk_by(|a, b| a.rate.total_cmp(&b.rate).is_eq());
        let tried = by_rate.map(|runs| Tried {
            rate: runs[0].rate,
            runs: count(runs.len()),
            kept: count(runs.iter().filter(|run| run.kept).count()),
        });
        tried.collect()
    }
}

fn count(runs: usize) -> u32 {
    u32::try_from(runs).expect("a search has a limit of runs")
}

/// One minus the probability that fair coins agree at least as often at both rates.
fn confidence_percent(kept: Tried, broken: Tried) -> f64 {
    let by_chance = chance(kept.runs, kept.kept) * chance(broken.runs, broken.runs - broken.kept);
    100.0 * (1.0 - by_chance)
}

/// Probability of at least `agreeing` heads in `runs` throws: the binomial tail.
fn chance(runs: u32, agreeing: u32) -> f64 {
    let choose = |of: u32, some: u32| (0..some).fold(1.0, |all, at| all * f64::from(of - at) / f64::from(at + 1));
    (agreeing..=runs).map(|heads| choose(runs, heads)).sum::<f64>() / 2.0_f64.powf(f64::from(runs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(start: f64, mut keeps: impl FnMut(f64) -> bool) -> LaneLimit {
        let mut search = LimitSearch::new(start);
        while let Some(rate) = search.next_rate() {
            search.record(rate, keeps(rate));
        }
        search.limit(&lanes::LANES[0], None)
    }

    #[test]
    fn three_agreeing_runs_on_each_side_give_98_per_cent_confidence() {
        let limit = found(10.0, |rate| rate <= 100.0);

        assert_eq!(limit.confidence_percent, Some(100.0 * (1.0 - 1.0 / 64.0)));
    }

    #[test]
    fn a_run_that_fails_by_chance_does_not_decide() {
        let mut fails_once = Some(());
        let limit = found(10.0, |rate| rate <= 100.0 && (rate < 90.0 || fails_once.take().is_none()));

        let (kept, broken) = (limit.kept.expect("it has one"), limit.broken.expect("it has one"));
        assert!(kept.rate <= 100.0 && broken.rate > kept.rate, "{limit:?}");
        assert!(kept.kept * 2 > kept.runs && broken.kept * 2 <= broken.runs, "{limit:?}");
    }

    #[test]
    fn ends_if_all_runs_fail_or_all_pass() {
        assert_eq!((found(10.0, |_| false).kept, found(10.0, |_| true).broken), (None, None));
    }

    proptest! {
        #[test]
        fn finds_any_capacity_within_5_per_cent(start in 0.2..5_000.0_f64, capacity in 0.2..500_000.0_f64) {
            let limit = found(start, |rate| rate <= capacity);

            let (kept, broken) = (limit.kept.expect("it has one").rate, limit.broken.expect("it has one").rate);
            prop_assert!(kept <= capacity && capacity < broken && broken <= kept * PRECISION, "{kept} {capacity} {broken}");
        }

        #[test]
        fn ends_for_any_results(seed in any::<u64>()) {
            let mut random = seed;
            let limit = found(20.0, |_| { random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1); random >> 63 == 0 });

            prop_assert!(limit.runs.len() <= MOST_RUNS);
        }
    }
}
