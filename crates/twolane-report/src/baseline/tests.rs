//! Comparisons of runs with known distributions.

use super::*;
use crate::sample;
use fastrand::Rng;

/// Of 20 comparisons, 19 must be right.
const TRIALS: u32 = 100;
const MOST_WRONG: u32 = TRIALS / 20;

/// As in `twolane compare` without options.
const ORDERS: usize = 600;

/// On each side.
const RUNS: usize = 5;

/// Standard normal. Source: G. E. P. Box and M. E. Muller, "A Note on the Generation of Random Normal Deviates" (1958).
fn normal(random: &mut Rng) -> f64 {
    (-2.0 * (1.0 - random.f64()).ln()).sqrt() * (std::f64::consts::TAU * random.f64()).cos()
}

/// Log-normal times, `slower` times as long, with the deviation `between` runs.
fn runs(slower: f64, between: f64, random: &mut Rng) -> Vec<Report> {
    let mut run = || {
        let mut report = sample::report();
        let machine = slower * (between * normal(random)).exp();
        for lane in &mut report.lanes {
            let latencies = &mut lane.latencies;
            for latency in [&mut latencies.acknowledge, &mut latencies.done_by_callback].into_iter().flatten() {
                let mut times: Vec<f64> = (0..ORDERS).map(|_| 50.0 * machine * (0.5 * normal(random)).exp()).collect();
                times.sort_by(f64::total_cmp);
                (latency.p50_ms, latency.p99_ms) = (times[ORDERS / 2 - 1], times[ORDERS * 99 / 100 - 1]);
            }
        }
        report
    };
    (0..RUNS).map(|_| run()).collect()
}

/// Comparisons in which any metric has one of those trends.
fn found(trends: &[Trend], slower: f64, between: f64, seed: u64) -> u32 {
    let mut random = Rng::with_seed(seed);
    let has_any = |_: &u32| {
        let [before, after] = [1.0, slower].map(|slower| runs(slower, between, &mut random));
        changes(&before, &after, 0.1).iter().any(|change| trends.contains(&change.trend))
    };
    u32::try_from((0..TRIALS).filter(has_any).count()).expect("few")
}

#[test]
fn a_regression_of_20_per_cent_is_found_in_19_of_20_comparisons() {
    for (between, seed) in [(0.0, 1), (0.02, 2), (0.04, 3)] {
        let found = found(&[Trend::Regression], 1.2, between, seed);

        assert!(found >= TRIALS - MOST_WRONG, "{found} of {TRIALS} with {between} between runs");
    }
}

#[test]
fn the_same_code_shows_no_change_in_19_of_20_comparisons() {
    for (between, seed) in [(0.0, 4), (0.04, 5), (0.15, 6)] {
        let found = found(&[Trend::Regression, Trend::Improvement], 1.0, between, seed);

        assert!(found <= MOST_WRONG, "{found} of {TRIALS} with {between} between runs");
    }
}

#[test]
fn an_improvement_of_20_per_cent_is_found_in_19_of_20_comparisons() {
    assert!(found(&[Trend::Improvement], 1.0 / 1.2, 0.02, 7) >= TRIALS - MOST_WRONG);
}

#[test]
fn a_change_within_the_noise_is_not_a_regression() {
    assert!(found(&[Trend::Regression], 1.05, 0.0, 8) <= MOST_WRONG);
}

#[test]
fn a_large_change_that_may_be_chance_is_unclear() {
    let medians = |medians: [f64; 3]| {
        medians.map(|median| {
            let mut report = sample::report();
            report.lanes.truncate(1);
            let latency = report.lanes[0].latencies.acknowledge.as_mut().expect("the sample has times");
            (latency.p50_ms, latency.p99_ms) = (median, 100.0);
            report
        })
    };

    let changes = changes(&medians([10.0, 30.0, 12.0]), &medians([14.0, 40.0, 16.0]), 0.1);

    let trends: Vec<_> = changes.iter().map(|change| (change.metric.as_str(), change.trend)).collect();
    assert_eq!(trends, [("done.p50", Trend::Unclear), ("done.p99", Trend::WithinNoise)]);
    assert!(changes[0].low < 1.0 && changes[0].high > 1.0, "{changes:?}");
}

#[test]
fn a_metric_that_a_run_lacks_is_left_out() {
    let mut random = Rng::with_seed(9);
    let [before, mut after] = [1.0, 1.0].map(|slower| runs(slower, 0.0, &mut random));
    (after[2].lanes[1].latencies.done_by_callback, after[2].lanes[1].latencies.done_by_poll) = (None, None);

    let changes = changes(&before, &after, 0.1);

    let names: Vec<_> = changes.iter().map(|change| format!("{} {}", change.lane.name, change.metric)).collect();
    assert_eq!(names, ["sync done.p50", "sync done.p99", "async acknowledge.p50", "async acknowledge.p99"]);
}

#[test]
fn runs_under_other_conditions_are_not_compared() {
    let report = sample::report();
    let lanes: Vec<Lane> = report.lanes.iter().map(|lane| lane.lane).collect();
    assert_eq!(differences(&report, &report.run, &lanes), Vec::<String>::new());
    let mut other = report.run.clone();
    other.target.kind = crate::model::TargetKind::Aws;
    other.arrivals.rate_per_second = 40.0;
    other.arrivals.schedule_hash = Some("0".to_owned());
    other.seed = 8;

    let differing = differences(&report, &other, &lanes[..1]);

    assert_eq!(
        differing,
        [
            "place: emulator in the baseline, aws now",
            "hash of due times: 27d0c4ea0ecbb9a2 in the baseline, 0 now",
            "orders per second: 33.333 in the baseline, 40 now",
            "seed: 7 in the baseline, 8 now",
            "lanes: sync, async in the baseline, sync now",
        ]
    );
}

#[test]
fn a_lane_that_stops_working_is_reported_as_missing() {
    let before = vec![sample::report(); LEAST_RUNS];
    let mut after = before.clone();
    assert_eq!(missing(&before, &after), Vec::<String>::new());

    after[1].lanes[0].latencies.acknowledge = None;

    assert_eq!(missing(&before, &after), ["sync done.p50", "sync done.p99"]);
}
