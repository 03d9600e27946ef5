//! Parsing and judging promises.

use super::*;
use crate::sample;

fn promise(text: &str) -> Promise {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn fault(text: &str) -> String {
    text.parse::<Promise>().expect_err("it is not a promise").to_string()
}

/// One promise about the sample.
fn judged(text: &str) -> Vec<Judgement> {
    let mut report = sample::report();
    judge(&mut report, &[promise(text)]);
    report.promises
}

fn is_kept(text: &str) -> bool {
    judged(text).iter().all(|judgement| judgement.kept)
}

#[test]
fn carets_mark_the_fault() {
    let lanes = lanes::names().collect::<Vec<_>>().join(", ");
    for (text, shown) in [
        ("", "expected a lane: LANES, or * for each\n  \n  ^"),
        ("asink.lost==0", "expected a lane: LANES, or * for each\n  asink.lost==0\n  ^^^^^"),
        ("async", "expected a dot and a metric, such as .lost or .done.p99\n  async\n       ^"),
        ("async.done<2s", "expected a percentile: p50, p90, p99, p99.9, max\n  async.done<2s\n            ^"),
        (
            "async.done.p98<2s",
            "expected a percentile: p50, p90, p99, p99.9, max\n  async.done.p98<2s\n             ^^^",
        ),
        ("*.lost=0", "expected an operator: <, <=, >, >=, ==\n  *.lost=0\n        ^"),
        ("*.lost", "expected an operator: <, <=, >, >=, ==\n  *.lost\n        ^"),
        ("*.lost < ", "expected a number with at most six decimals, such as 2 or 0.5\n  *.lost < \n           ^"),
        ("*.lost<-1", "expected a number with at most six decimals, such as 2 or 0.5\n  *.lost<-1\n         ^"),
        (
            "*.cost<1.2.3",
            "expected a number with at most six decimals, such as 2 or 0.5\n  *.cost<1.2.3\n         ^^^^^",
        ),
        ("async.done.p99 < 2", "expected ms or s after the number\n  async.done.p99 < 2\n                    ^"),
        ("async.done.p99<2m", "expected ms or s after the number\n  async.done.p99<2m\n                  ^"),
        ("sync.refused<1s", "expected % or nothing after the number\n  sync.refused<1s\n                ^"),
        ("bus.backlog<9%", "expected nothing after the number\n  bus.backlog<9%\n               ^"),
        ("sync.refused < 1 % é", "expected the end\n  sync.refused < 1 % é\n                     ^"),
        ("é.lost<1", "expected a lane: LANES, or * for each\n  é.lost<1\n  ^"),
    ] {
        assert_eq!(fault(text), shown.replace("LANES", &lanes), "{text}");
    }
}

#[test]
fn an_unknown_metric_lists_all_metrics() {
    let shown = fault("sync.refsed<1%");

    assert!(shown.starts_with("expected a metric: done.P, acknowledge.P,"), "{shown}");
    assert!(shown.ends_with("\n  sync.refsed<1%\n       ^^^^^^"), "{shown}");
}

#[test]
fn a_number_that_is_too_large_is_refused() {
    for number in ["18446744073709551615", "18446744073709551616", "99999999999999999999999"] {
        assert!(fault(&format!("*.done.p50<{number}s")).contains("expected a "), "{number}");
    }
}

#[test]
fn no_text_makes_the_parser_panic() {
    let mut random = fastrand::Rng::with_seed(7);
    let parts =
        ["sync", "*", ".", "done", "p99", "lost", "<", "=", ">", "1", ".5", "%", "ms", " ", "\u{a0}", "é", "\t"];
    for _ in 0..20_000 {
        let text: String = (0..random.usize(0..9)).map(|_| parts[random.usize(0..parts.len())]).collect();

        let shown = text.parse::<Promise>().map_or_else(|error| error.to_string(), |promise| promise.to_string());

        assert!(!shown.is_empty(), "{text}");
    }
}

#[test]
fn spaces_may_stand_between_the_parts() {
    assert_eq!(promise(" sync.refused  <= 0.5 % ").to_string(), "sync.refused<=0.5%");
}

#[test]
fn every_documented_metric_can_be_promised() {
    for metric in &METRICS {
        let (name, unit) = match metric.source {
            Source::Times(_) => (format!("{}.p99.9", metric.name), "ms"),
            _ => (metric.name.to_owned(), ""),
        };

        let judgements = judged(&format!("async.{name}>=0{unit}"));

        let is_measured = judgements[0].figure.is_some();
        // The sample has neither prices nor a noisy owner.
        let has_it = metric.name != "cost" && !metric.name.starts_with("others.");
        assert_eq!((judgements.len(), is_measured), (1, has_it), "{name}");
    }
}

/// Of the sample's 2000 orders of the sync lane, 1080 are accepted, 920 refused, none lost.
#[test]
fn counts_and_shares_are_compared_exactly() {
    for (just_met, just_missed) in [
        ("sync.refused<921", "sync.refused<920"),
        ("sync.refused<=920", "sync.refused<=919"),
        ("sync.refused>919", "sync.refused>920"),
        ("sync.refused>=920", "sync.refused>=921"),
        ("sync.refused==920", "sync.refused==919"),
        ("sync.refused<46.000001%", "sync.refused<46%"),
        ("sync.refused<=46%", "sync.refused<=45.999999%"),
        ("*.lost==0", "*.lost>0"),
        ("async.lost<=0%", "async.lost<0%"),
        ("*.deadLetters==0", "async.deadLetters>0"),
    ] {
        assert!(is_kept(just_met), "{just_met}: {:?}", judged(just_met));
        assert!(!is_kept(just_missed), "{just_missed}: {:?}", judged(just_missed));
    }
}

#[test]
fn times_are_compared_with_the_number_as_typed() {
    let mut report = sample::report();
    report.lanes[1].latencies.done_by_callback.as_mut().expect("measured").p99_ms = 2000.895;
    for (text, kept) in [
        ("async.done.p99<2.000896s", true),
        ("async.done.p99<2.000895s", false),
        ("async.done.p99<=2000.895ms", true),
        ("async.done.p99<=2000.894999ms", false),
        ("async.done.p99==2000.895ms", true),
    ] {
        judge(&mut report, &[promise(text)]);

        assert_eq!(report.promises[0].kept, kept, "{text}");
    }
}

#[test]
fn an_order_is_done_by_its_answer_its_callback_or_its_poll() {
    let mut report = sample::report();
    let figure = |report: &mut Report, text: &str| {
        judge(report, &[promise(text)]);
        report.promises[0].figure
    };
    let [acknowledge, callback, poll] = [
        report.lanes[0].latencies.acknowledge.as_ref().map(|latency| latency.p50_ms),
        report.lanes[1].latencies.done_by_callback.as_ref().map(|latency| latency.p50_ms),
        report.lanes[1].latencies.done_by_poll.as_ref().map(|latency| latency.p50_ms),
    ];

    assert_eq!(figure(&mut report, "sync.done.p50<1s"), acknowledge);
    assert_eq!(figure(&mut report, "async.done.p50<1s"), callback);
    report.lanes[1].latencies.done_by_callback = None;
    assert_eq!(figure(&mut report, "async.done.p50<1s"), poll);
}

#[test]
fn an_unmeasured_figure_breaks_the_promise() {
    for text in ["bus.lost==0", "sync.doneByPoll.p50>=0ms", "async.cost>=0"] {
        let judgements = judged(text);

        assert_eq!((judgements[0].figure, judgements[0].kept), (None, false), "{text}");
        assert_eq!(shown(&judgements[0]), "not measured");
    }
}

#[test]
fn a_star_means_each_lane_of_the_run() {
    let judgements = judged("*.refused<1%");

    let judged: Vec<_> = judgements.iter().map(|judgement| (judgement.lane.name, judgement.kept)).collect();
    assert_eq!(judged, [("sync", false), ("async", true)]);
}

#[test]
fn a_promise_is_broken_for_good_once_a_growing_count_is_past_it() {
    let sync = lanes::lane("sync").expect("it is in the table");
    let counts = |throttled| {
        let refused = crate::model::Refused { throttled, ..crate::model::Refused::default() };
        Counts { refused, ..Counts::default() }
    };
    let is_broken = |text: &str, throttled| promise(text).is_broken_for_good(sync, &counts(throttled), 1000);

    for (text, still_possible) in [
        ("sync.refused<10", 9),
        ("sync.refused<=10", 10),
        ("sync.refused==10", 10),
        ("*.refused.throttled<1%", 9),
        ("sync.refused<=1%", 10),
    ] {
        assert!(!is_broken(text, still_possible), "{text}");
        assert!(is_broken(text, still_possible + 1), "{text}");
    }
    for never in ["sync.refused>2000", "async.refused==0", "sync.accepted>1%", "sync.done.p50<1ms", "sync.backlog==0"] {
        assert!(!is_broken(never, 1000), "{never}");
    }
}

#[test]
fn several_runs_show_the_minimum_and_the_maximum() {
    let mut runs = [sample::report(), sample::report()];
    runs[1].lanes[0].counts.refused.throttled += 80;
    for run in &mut runs {
        judge(run, &[promise("sync.refused<=920")]);
    }

    let all = together(&runs);

    let figures = all[0].figures.replace('\u{a0}', " ");
    assert_eq!((all.len(), figures.as_str(), all[0].kept), (1, "920 to 1 000", false));
}

#[test]
fn the_documentation_has_the_table_of_metrics() {
    let documentation = include_str!("../../../../docs/measuring.md");

    let missing: String = METRICS
        .iter()
        .map(|metric| format!("| `{}` | {} | {} |\n", metric.shown_name(), metric.meaning, metric.shown_value()))
        .filter(|row| !documentation.contains(row.as_str()))
        .collect();

    assert_eq!(missing, "", "these rows belong in docs/measuring.md, section \"Gate a pipeline\"");
}
