//! README's picture and table of a burst, both from `docs/burst/report.json`.

use crate::{repository, twolane};
use serde_json::Value;
use std::fs;

/// One lane's figure as text.
type Cell = fn(&Value) -> String;

/// Set to write both instead of comparing.
const UPDATE: &str = "UPDATE_DOCS";

/// Around the table in README.md.
const MARKS: [&str; 2] = ["<!-- of docs/burst/report.json -->\n", "<!-- end -->\n"];

#[test]
fn the_readme_has_the_figures_of_the_burst() {
    let path = repository().join("README.md");
    let readme = fs::read_to_string(&path).expect("README is there");
    let (before, rest) = readme.split_once(MARKS[0]).expect("README has the table");
    let (_, after) = rest.split_once(MARKS[1]).expect("the table has an end");
    let report = fs::read_to_string(repository().join("docs/burst/report.json")).expect("the report is there");

    let table = table(&serde_json::from_str(&report).expect("the report is JSON"));

    let expected = format!("{before}{}{table}{}{after}", MARKS[0], MARKS[1]);
    if std::env::var_os(UPDATE).is_some() {
        fs::write(&path, &expected).expect("README can be written");
    }
    assert_eq!(fs::read_to_string(&path).expect("README is there"), expected, "{UPDATE}=1 writes it");
}

#[test]
fn the_picture_of_the_burst_is_that_of_its_report() {
    let folder = repository().join("docs/burst");
    let report = folder.join("report.json");
    let mut twolane = twolane(&["report", report.to_str().expect("a path is text"), "--picture", "burst.svg"]);

    let (code, _, stderr) = twolane.run();

    assert_eq!((code, stderr.as_str()), (0, ""));
    let drawn = fs::read_to_string(twolane.folder.0.join("burst.svg")).expect("it is drawn");
    let path = folder.join("burst.svg");
    if std::env::var_os(UPDATE).is_some() {
        fs::write(&path, &drawn).expect("the picture can be written");
    }
    assert_eq!(fs::read_to_string(&path).expect("the picture is there"), drawn, "{UPDATE}=1 writes it");
}

/// One column per lane.
fn table(report: &Value) -> String {
    let lanes = report["lanes"].as_array().expect("a report has lanes");
    let names = lanes.iter().map(|lane| lane["lane"].as_str().expect("a lane has a name"));
    let head = names.fold("| |".to_owned(), |line, name| format!("{line} {name} |"));
    let rows: [(&str, Cell); 6] = [
        ("orders refused", refused),
        ("accepted orders lost", |lane| lane["counts"]["lost"].to_string()),
        ("acknowledged, p50", |lane| milliseconds(&lane["latencies"]["acknowledge"])),
        ("done, p50", done),
        ("executions that wrote at the same time, at most", writers),
        ("cost of a million orders, list prices", |lane| {
            format!("${:.2}", number(&lane["cost"]["usdPerMillionOrders"]))
        }),
    ];
    let rows = rows
        .map(|(label, cell)| lanes.iter().fold(format!("| {label} |"), |row, lane| format!("{row} {} |", cell(lane))));
    format!("{head}\n|---|{}\n{}\n", "---|".repeat(lanes.len()), rows.join("\n"))
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

fn refused(lane: &Value) -> String {
    let refused: f64 = lane["counts"]["refused"].as_object().expect("refusals by kind").values().map(number).sum();
    format!("{:.0} %", refused / number(&lane["counts"]["sent"]) * 100.0)
}

/// In the sync lane, the answer is the outcome.
fn done(lane: &Value) -> String {
    let callback = &lane["latencies"]["doneByCallback"];
    milliseconds(if callback.is_null() { &lane["latencies"]["acknowledge"] } else { callback })
}

fn milliseconds(latency: &Value) -> String {
    let p50 = number(&latency["p50Ms"]);
    if p50 < 1000.0 { format!("{p50:.0} ms") } else { format!("{:.1} s", p50 / 1000.0) }
}

fn writers(lane: &Value) -> String {
    let functions = lane["usage"]["functions"].as_array().expect("functions by name");
    let writer =
        functions.iter().find(|function| lane["limits"].get(function["name"].as_str().unwrap_or_default()).is_some());
    writer.expect("the function of the limit")["mostAtOnce"].to_string()
}
