//! `twolane compare` as a pipeline's gate: promises, repeated runs, a baseline, and files.

use crate::compare::{compare, measured, number, stored};
use crate::server::{Reply, Request, Server, answer};
use crate::{confirmed, queued};
use serde_json::{Value, json};
use std::fs;

/// Refuses every tenth order and stores the rest.
fn refusing_a_tenth(request: &Request) -> Reply {
    if number(request).is_multiple_of(10) { answer(429, "") } else { stored(request) }
}

const FIFTY: [&str; 6] = ["--only", "sync", "--rate", "100", "--orders", "50"];

#[test]
fn a_promise_just_kept_passes_and_one_just_broken_fails() {
    let server = Server::start(|request, _| refusing_a_tenth(request));
    for (promise, kept) in [
        ("sync.refused<=10%", true),
        ("sync.refused<10%", false),
        ("*.refused.throttled<6", true),
        ("*.refused.throttled<5", false),
        ("sync.confirmed==45", true),
        ("sync.confirmed==46", false),
        ("sync.done.p50>=0.001ms", true),
        ("sync.done.p50<=0.001ms", false),
    ] {
        let (code, report) = measured(compare(&server, &[&FIFTY[..], &["--require", promise]].concat()));

        let judgement = &report["promises"][0];
        assert_eq!((code, &judgement["kept"]), (if kept { 0 } else { 3 }, &json!(kept)), "{judgement}");
        assert_eq!((&judgement["promise"], &judgement["lane"]), (&json!(promise), &json!("sync")));
    }
}

#[test]
fn prints_each_promise_with_its_figure() {
    let server = Server::start(|request, _| refusing_a_tenth(request));
    let mut command = crate::twolane(&["compare", "--output", "out", "--api-url", &server.api_url, "--warm-up", "0"]);
    let promises = ["--require", "sync.refused<1%", "--require", "*.lost == 0"];
    command.command.args(FIFTY).args(["--max-lag", "600000"]).args(promises);

    let (code, shown, stderr) = command.run();

    let shown = shown.replace('\u{a0}', " ");
    assert_eq!(code, 3, "{stderr}");
    let line = |promise: &str| {
        let line = shown.lines().find(|line| line.starts_with(promise)).unwrap_or_else(|| panic!("{shown}"));
        line.split_whitespace().collect::<Vec<_>>()
    };
    assert_eq!(line("sync.refused<1%"), ["sync.refused<1%", "sync", "10.00", "%", "FAIL"]);
    assert_eq!(line("*.lost==0"), ["*.lost==0", "sync", "0", "pass"]);
}

#[test]
fn rejects_wrong_usage_before_it_sends_anything() {
    let server = Server::start(|request, _| stored(request));
    for (arguments, message) in [
        (&["--require", "sync.lots==0"][..], "  sync.lots==0\n       ^^^^\n"),
        (&["--only", "sync", "--require", "bus.lost==0"], "bus.lost==0 is about the bus lane, which is not measured"),
        (&["--abort-on-fail"], "--abort-on-fail needs a promise: pass --require"),
        (&["--baseline", "none.json"], "A baseline needs several runs on each side: pass --repeat 3"),
        (&["--save-baseline", "b.json", "--repeat", "2"], "pass --repeat 3 or more"),
        (&["--baseline", "none.json", "--repeat", "3"], "Failed to read none.json"),
        (&["--junit", "none/junit.xml"], "Failed to write none/junit.xml"),
        (&["--summary", "."], ". is a folder"),
        (&["--noise", "0%"], "more than 0%"),
    ] {
        let (code, stdout, stderr) = compare(&server, arguments).run();

        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains(message), "{arguments:?}: {stderr}");
    }
    assert!(server.requests().is_empty());
}

#[test]
fn aborts_while_orders_are_due_when_too_many_are_refused() {
    let server = Server::start(|request, _| refusing_a_tenth(request));
    let promise = ["--require", "sync.refused<2", "--abort-on-fail"];
    let command = compare(&server, &[&["--only", "sync", "--rate", "50", "--duration", "3600"][..], &promise].concat());

    let (code, report) = measured(command);

    let counts = &report["lanes"][0]["counts"];
    assert_eq!((code, &report["run"]["interrupted"]), (3, &json!(true)), "{counts}");
    assert!(counts["refused"]["throttled"].as_u64() >= Some(2), "{counts}");
    assert_eq!(report["promises"][0]["kept"], false);
}

#[test]
fn aborts_before_the_next_lane_when_a_lane_lost_an_order() {
    let server = Server::start(|request, _| match request.method.as_str() {
        "GET" => answer(200, json!({"orderId": request.id(), "status": "PENDING"}).to_string()),
        _ => answer(202, queued()),
    });
    let promise = ["--require", "*.lost==0", "--abort-on-fail", "--lanes", "async,sync"];
    let command = compare(&server, &[&["--rate", "50", "--orders", "5", "--grace", "1"][..], &promise].concat());

    let (code, report) = measured(command);

    let lost = &report["lanes"][0]["counts"]["lost"];
    assert_eq!((code, report["lanes"].as_array().map(Vec::len), lost), (3, Some(1), &json!(5)), "{report}");
    assert!(!server.requests().iter().any(|request| request.path.contains("/sync/")));
}

/// Reports of three runs, and their baseline.
fn baseline(server: &Server) -> (Vec<Value>, Value) {
    let mut command = compare(server, &[&FIFTY[..], &["--repeat", "3", "--save-baseline", "base.json"]].concat());

    let (code, stdout, stderr) = command.run();

    assert_eq!(code, 0, "{stderr}");
    let reports = stdout.lines().map(|line| serde_json::from_str(line).expect("a report")).collect();
    for number in 1..=3 {
        assert!(stderr.contains(&format!("Run {number} of 3\n")), "{stderr}");
        assert!(stderr.contains(&format!("Report: out/report-{number}.json and out/report-{number}.html")), "{stderr}");
    }
    let baseline = fs::read_to_string(command.folder.0.join("base.json")).expect("the baseline is there");
    (reports, serde_json::from_str(&baseline).expect("it is JSON"))
}

/// The baseline with this acknowledgement time in each run.
fn with_time(baseline: &Value, milliseconds: f64) -> String {
    let mut baseline = baseline.clone();
    for run in baseline.as_array_mut().expect("runs") {
        for percentile in ["p50Ms", "p99Ms"] {
            run["lanes"][0]["latencies"]["acknowledge"][percentile] = json!(milliseconds);
        }
    }
    baseline.to_string()
}

#[test]
fn compares_repeated_runs_with_a_saved_baseline() {
    let server = Server::start(|request, _| stored(request));
    let (reports, saved) = baseline(&server);
    assert_eq!(saved, json!(reports));

    // Answers take more than 1 ns and less than a day.
    for (before, expected, trend) in [(1e-6, 4, "regression"), (1e8, 0, "improvement")] {
        let files = ["--baseline", "base.json", "--summary", "s.md", "--junit", "j.xml"];
        let mut command = compare(&server, &[&FIFTY[..], &["--repeat", "3"], &files].concat());
        command.folder.write("base.json", &with_time(&saved, before));

        let (code, stdout, stderr) = command.run();

        let lines: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!((code, lines.len()), (expected, 4), "{stderr}");
        assert_eq!(lines[0]["run"]["seed"], reports[0]["run"]["seed"], "the seed is not the baseline's");
        assert_eq!(
            (&lines[3]["changes"][0]["metric"], &lines[3]["changes"][0]["trend"]),
            (&json!("done.p50"), &json!(trend))
        );
        let [summary, junit] =
            ["s.md", "j.xml"].map(|file| fs::read_to_string(command.folder.0.join(file)).expect("it is there"));
        assert!(summary.contains("| sync done.p50 |"), "{summary}");
        assert_eq!(junit.contains("<failure "), expected == 4, "{junit}");
    }
}

#[test]
fn rejects_a_baseline_with_other_conditions() {
    let server = Server::start(|request, sockets| {
        if request.path.contains("/sync/") {
            return stored(request);
        }
        sockets.push(&confirmed(request.id()));
        answer(202, queued())
    });
    let (_, saved) = baseline(&server);
    let sent = server.requests().len();
    for (arguments, message) in [
        (&["--only", "sync", "--rate", "50", "--orders", "50"][..], "orders per second: 100 in the baseline, 50 now"),
        (&["--only", "sync", "--rate", "100", "--orders", "49"], "orders: 50 in the baseline, 49 now"),
        (&["--only", "async", "--rate", "100", "--orders", "50"], "lanes: sync in the baseline, async now"),
        (&["--only", "sync", "--rate", "100", "--orders", "50", "--seed", "1"], "seed: "),
    ] {
        let mut command = compare(&server, &[arguments, &["--repeat", "3", "--baseline", "base.json"]].concat());
        command.folder.write("base.json", &saved.to_string());

        let (code, stdout, stderr) = command.run();

        assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
        assert!(stderr.contains("base.json cannot be compared with this run:") && stderr.contains(message), "{stderr}");
    }
    assert_eq!(server.requests().len(), sent, "it sent orders");
}

#[test]
fn shows_the_spread_of_each_figure_over_repeated_runs() {
    let server = Server::start(|request, _| stored(request));
    let mut command = crate::twolane(&["compare", "--output", "out", "--api-url", &server.api_url, "--warm-up", "0"]);
    command.command.args(FIFTY).args(["--max-lag", "600000", "--repeat", "2", "--require", "sync.confirmed==50"]);
    command.command.args(["--summary", "s.md", "--junit", "j.xml"]);
    command.folder.write("s.md", "From an earlier step.\n");

    let (code, shown, stderr) = command.run();

    assert_eq!(code, 0, "{stderr}");
    let row = shown.lines().find(|line| line.starts_with("confirmed")).unwrap_or_else(|| panic!("{shown}"));
    assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["confirmed", "50", "50", "50"]);
    assert!(shown.contains("least") && shown.contains("median") && shown.contains("pass"), "{shown}");
    let summary = fs::read_to_string(command.folder.0.join("s.md")).expect("it is there");
    assert!(summary.starts_with("From an earlier step.\n## Twolane: steady, 2 runs\n"), "{summary}");
    let junit = fs::read_to_string(command.folder.0.join("j.xml")).expect("it is there");
    assert!(junit.contains("name=\"sync.confirmed==50 (sync)\"/>"), "{junit}");
}

#[test]
fn does_not_save_runs_with_errors_as_a_baseline() {
    // Too slow for the load: no time is valid.
    let server = Server::start(|request, _| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        stored(request)
    });
    let arguments = ["--only", "sync", "--rate", "200", "--orders", "100", "--max-in-flight", "1"];
    let mut command = compare(&server, &[&arguments[..], &["--repeat", "3", "--save-baseline", "base.json"]].concat());

    let (code, _, stderr) = command.run();

    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("base.json is not written: a baseline needs complete runs without errors"), "{stderr}");
    assert!(!command.folder.0.join("base.json").exists());
}
