//! `twolane report`: shows stored reports.

use crate::{Twolane, repository, twolane};
use serde_json::{Value, json};
use std::fs;

/// In version 1 of the schema.
const GOLDEN: &str = include_str!("../../../twolane-report/tests/reports/version-1.json");

/// The same in the current version.
const PRESENT: &str = include_str!("../../../twolane-report/tests/reports/version-2.json");

fn golden() -> Value {
    serde_json::from_str(GOLDEN).expect("the golden report is JSON")
}

/// `twolane report` in a folder with those files.
fn report(files: &[(&str, &str)], arguments: &[&str]) -> Twolane {
    let twolane = twolane(&[&["report"], arguments].concat());
    for (name, text) in files {
        twolane.folder.write(name, text);
    }
    twolane
}

/// With plain instead of no-break spaces.
fn spaced(text: &str) -> String {
    text.replace('\u{a0}', " ")
}

#[test]
fn shows_the_lanes_and_the_verdict_of_one_run() {
    let (code, shown, stderr) = report(&[("a.json", GOLDEN)], &["a.json"]).run();

    let shown = spaced(&shown);
    assert_eq!((code, stderr.as_str()), (0, ""));
    for part in
        ["Run 5f0c1b0e · burst · http://127.0.0.1:4566", "refused: throttled (429)", "· Measured on an emulator"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let row = shown.lines().find(|line| line.starts_with("acknowledged, p99 ")).expect("a row");
    assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["acknowledged,", "p99", "793", "ms", "109", "ms"]);
}

#[test]
fn compares_several_runs_with_the_first() {
    let mut second = golden();
    second["lanes"][0]["latencies"]["acknowledge"]["p50Ms"] = json!(29.554);
    let files = [("before.json", GOLDEN), ("after.json", &second.to_string())];

    let (code, shown, _) = report(&files, &["before.json", "after.json"]).run();

    assert_eq!(code, 0);
    assert!(shown.contains("The sync lane") && shown.contains("The async lane"), "{shown}");
    let row = shown.lines().find(|line| line.starts_with("acknowledged, p50")).expect("a row");
    assert!(row.ends_with("(2.0×)"), "{row}");
}

#[test]
fn json_of_one_report_is_the_report() {
    let present: Value = serde_json::from_str(PRESENT).expect("the golden report is JSON");
    for written in [PRESENT, GOLDEN] {
        let (code, shown, stderr) = report(&[("a.json", written)], &["a.json", "--json"]).run();

        assert_eq!((code, stderr.as_str()), (0, ""));
        assert_eq!(shown.lines().count(), 1);
        assert_eq!(serde_json::from_str::<Value>(&shown).expect("JSON"), present);
    }
}

#[test]
fn json_of_several_reports_has_their_figures_and_ratios() {
    let files = [("a.json", GOLDEN), ("b.json", GOLDEN)];

    let (code, shown, _) = report(&files, &["a.json", "b.json", "--json"]).run();

    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!((code, shown["runs"].as_array().map(Vec::len)), (0, Some(2)));
    assert_eq!(shown["runs"][1]["file"], "b.json");
    let figure = &shown["runs"][1]["lanes"]["async"]["latencies.acknowledge.p99Ms"];
    assert_eq!((&figure["ratio"], figure["value"].as_f64().is_some()), (&json!(1.0), true));
}

#[test]
fn recomputes_costs_and_verdict_with_other_prices() {
    let prices =
        fs::read_to_string(repository().join("crates/twolane-report/prices/us-east-1.toml")).expect("the prices");
    let prices = prices
        .replace("region = \"us-east-1\"", "region = \"eu-north-9\"")
        .replace("rest_requests_per_million = 3.50", "rest_requests_per_million = 35.0");
    let files = [("a.json", GOLDEN), ("p.toml", &prices)];

    let (code, shown, _) = report(&files, &["a.json", "--prices", "p.toml", "--json"]).run();

    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!((code, &shown["pricing"]["region"]), (0, &json!("eu-north-9")));
    let cost = |report: &Value| report["lanes"][0]["cost"]["usdPerMillionOrders"].as_f64().expect("a cost");
    assert!(cost(&shown) > 5.0 * cost(&golden()), "{shown}");
    assert!(shown["verdict"].to_string().contains("eu-north-9"), "{shown}");
}

#[test]
fn writes_the_page_of_a_stored_report() {
    let mut twolane = report(&[("a.json", GOLDEN)], &["a.json", "--html", "page.html"]);

    let (code, shown, stderr) = twolane.run();

    let page = fs::read_to_string(twolane.folder.0.join("page.html")).expect("the page was written");
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(shown.contains("Run 5f0c1b0e"), "{shown}");
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"), "{page}");
    assert_eq!(fs::read_dir(&twolane.folder.0).expect("a folder").count(), 2);
}

#[test]
fn writes_a_page_of_one_report_only_and_never_overwrites_it() {
    let files = [("a.json", GOLDEN), ("b.json", GOLDEN)];

    let (several, shown, why) = report(&files, &["a.json", "b.json", "--html", "page.html"]).run();
    assert_eq!((several, shown.as_str()), (2, ""));
    assert!(why.contains("error: --html takes one report, and 2 are named"), "{why}");

    let mut over = report(&files, &["a.json", "--html", "a.json"]);
    let (code, _, why) = over.run();
    assert_eq!(code, 2);
    assert!(why.contains("--html would overwrite the report a.json"), "{why}");
    assert_eq!(fs::read_to_string(over.folder.0.join("a.json")).expect("it is there"), GOLDEN);
}

#[test]
fn reports_a_page_that_cannot_be_written() {
    let (code, shown, why) = report(&[("a.json", GOLDEN)], &["a.json", "--html", "none/page.html"]).run();

    assert_eq!((code, shown.as_str()), (2, ""));
    assert!(why.contains("error: Failed to write none/page.html: No such file"), "{why}");
}

#[test]
fn names_a_file_that_is_not_a_report() {
    let mut lacking = golden();
    lacking["run"].as_object_mut().expect("an object").remove("seed");
    let mut newer = golden();
    newer["schemaVersion"] = json!(3);
    let mut limitless = golden();
    limitless["run"].as_object_mut().expect("an object").remove("limits");
    let mut crossing = golden();
    crossing["pricing"]["crossover"] = json!("somewhere");
    let [lacking, newer, limitless, crossing] = [lacking, newer, limitless, crossing].map(|report| report.to_string());
    let cases = [
        ("empty.json", "", "empty.json is not a report: EOF while parsing"),
        ("broken.json", "{\"schemaVersion\": 1,", "broken.json is not a report: EOF while parsing"),
        ("other.json", "{\"name\": \"x\"}", "other.json is not a report: missing field `schemaVersion`"),
        ("lacking.json", &lacking, "lacking.json is not a report of version 1: missing field `seed`"),
        ("list.json", "[1]", "list.json is not a report: it is not an object"),
        ("bare.json", "{\"schemaVersion\": 1}", "bare.json is not a report of version 1: missing field `limits`"),
        ("limitless.json", &limitless, "limitless.json is not a report of version 1: missing field `limits`"),
        ("crossing.json", &crossing, "crossing.json is not a report of version 1: invalid type: string \"somewhere\""),
        ("newer.json", &newer, "newer.json is a report of version 3, but this program reads versions 1 and 2"),
    ];
    for (name, text, words) in cases {
        let (code, shown, why) = report(&[("a.json", GOLDEN), (name, text)], &["a.json", name]).run();

        assert_eq!((code, shown.as_str()), (2, ""), "{name}");
        assert!(why.contains(&format!("error: {words}")), "{name}: {why}");
    }
}

#[test]
fn reads_files_saved_by_editors_on_windows() {
    let prices =
        fs::read_to_string(repository().join("crates/twolane-report/prices/us-east-1.toml")).expect("the prices");
    let [saved, prices] = [GOLDEN, &prices].map(|text| format!("\u{feff}{}", text.replace('\n', "\r\n")));
    let files = [("a.json", saved.as_str()), ("p.toml", &prices)];

    let (code, shown, stderr) = report(&files, &["a.json", "--prices", "p.toml"]).run();

    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(shown.contains("Run 5f0c1b0e"), "{shown}");
}

#[test]
fn names_a_file_that_cannot_be_read() {
    let (missing, _, why) = report(&[], &["none.json"]).run();
    assert!(why.contains("error: Failed to read none.json: No such file"), "{why}");

    let (folder, _, why) = report(&[("folder/x", "")], &["folder"]).run();
    assert!(why.contains("error: Failed to read folder: "), "{why}");

    let (no_prices, _, why) = report(&[("a.json", GOLDEN)], &["a.json", "--prices", "none.toml"]).run();
    assert!(why.contains("none.toml"), "{why}");

    let (bad_prices, _, why) =
        report(&[("a.json", GOLDEN), ("p.toml", "region = 1")], &["a.json", "--prices", "p.toml"]).run();
    assert!(why.contains("p.toml"), "{why}");

    let (no_file, _, why) = report(&[], &[]).run();
    assert!(why.contains("<FILE>..."), "{why}");

    assert_eq!([missing, folder, no_prices, bad_prices, no_file], [2; 5]);
}

#[test]
fn checks_a_stored_report_against_promises() {
    for (promise, expected) in [("sync.refused<=46%", 0), ("sync.refused<46%", 3), ("bus.lost==0", 3)] {
        let (code, shown, stderr) = report(&[("a.json", GOLDEN)], &["a.json", "--json", "--require", promise]).run();

        let shown: Value = serde_json::from_str(&shown).expect("JSON");
        assert_eq!((code, &shown["promises"][0]["kept"]), (expected, &json!(expected == 0)), "{promise}: {stderr}");
    }
    for (pointer, value) in [("/run/interrupted", json!(true)), ("/errors", json!(["it failed"]))] {
        let mut unusable = golden();
        *unusable.pointer_mut(pointer).expect("it is there") = value;
        let files = [("a.json", unusable.to_string())];
        let files = [(files[0].0, files[0].1.as_str())];

        let (code, _, why) = report(&files, &["a.json", "--require", "*.lost==0"]).run();
        let (without, ..) = report(&files, &["a.json"]).run();

        assert_eq!((code, without), (1, 0), "{pointer}");
        assert!(why.contains("error: The run was interrupted or has errors"), "{why}");
    }
    let (code, shown, _) = report(&[("a.json", GOLDEN)], &["a.json", "--require", "*.lost==0"]).run();
    assert_eq!((code, shown.matches("pass").count()), (0, 2), "{shown}");
    let arguments = ["a.json", "a.json", "--require", "*.lost==0"];
    let (several, _, why) = report(&[("a.json", GOLDEN)], &arguments).run();
    assert_eq!(several, 2);
    assert!(why.contains("--require takes one report, and 2 are named"), "{why}");
}

#[test]
fn the_help_has_examples() {
    let (code, help, _) = report(&[], &["--help"]).run();

    assert_eq!(code, 0);
    for part in ["twolane report before.json after.json", "--html report.html", "Exit code:"] {
        assert!(help.contains(part), "{part}: {help}");
    }
}
