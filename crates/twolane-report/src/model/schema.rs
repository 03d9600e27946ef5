//! Tests that `schema/report.schema.json` matches the types here.

use super::{Report, SCHEMA_VERSION};
use crate::{PriceTable, complete, judge, sample, version_1};
use jsonschema::Validator;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// Reports that must stay readable.
const VERSION_1: &str = include_str!("../../tests/reports/version-1.json");
const VERSION_2: &str = include_str!("../../tests/reports/version-2.json");

/// Version 1.
const SCHEMA_1: &str = include_str!("../../tests/reports/version-1.schema.json");

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("it is JSON")
}

fn schema() -> Value {
    json(include_str!("../../schema/report.schema.json"))
}

static VALIDATOR: LazyLock<Validator> =
    LazyLock::new(|| jsonschema::draft202012::new(&schema()).expect("it is a schema"));

fn complaints(report: &Value) -> Vec<String> {
    complaints_by(&VALIDATOR, report)
}

fn complaints_by(validator: &Validator, report: &Value) -> Vec<String> {
    validator.iter_errors(report).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn completed() -> Value {
    let mut report = sample::report();
    complete(&mut report, &PriceTable::embedded());
    judge(&mut report, &["*.lost==0".parse().expect("a promise")]);
    serde_json::to_value(report).expect("a report is JSON")
}

#[test]
fn a_completed_report_matches_the_schema() {
    assert_eq!(complaints(&completed()), Vec::<String>::new());
}

#[test]
fn a_report_with_null_fields_matches_the_schema() {
    let mut report = sample::report();
    report.run.git_commit = None;
    report.run.target.region = None;
    report.lanes.truncate(1);
    let latencies = &mut report.lanes[0].latencies;
    (latencies.acknowledge, report.lanes[0].reconciliation) = (None, None);

    assert_eq!(complaints(&serde_json::to_value(report).expect("a report is JSON")), Vec::<String>::new());
}

#[test]
fn the_schema_has_the_current_version() {
    assert_eq!(schema()["properties"]["schemaVersion"]["const"], json!(SCHEMA_VERSION));
}

/// Older reports of this version lack these fields.
const ADDED_LATER: [&str; 8] =
    ["notSent", "resent", "cancelled", "publishUnits", "promises", "otherOwners", "scheduleHash", "fairQueueUnits"];

#[test]
fn the_schema_requires_all_fields_except_those_added_later_and_allows_no_other() {
    let report = completed();

    for place in objects(&report, "") {
        let fields = |report: &Value| report.pointer(&place).and_then(Value::as_object).expect("an object").clone();
        let mut more = report.clone();
        *more.pointer_mut(&place).expect("it is there") = Value::Object(with(fields(&report), "unknownField"));
        assert!(!complaints(&more).is_empty(), "{place} may have unknown fields");

        for field in fields(&report).keys() {
            let mut less = report.clone();
            less.pointer_mut(&place).and_then(Value::as_object_mut).expect("an object").remove(field);
            let may_be_missing = ADDED_LATER.contains(&field.as_str());
            assert_eq!(complaints(&less).is_empty(), may_be_missing, "without {place}/{field}");
        }
    }
}

fn with(mut fields: Map<String, Value>, name: &str) -> Map<String, Value> {
    fields.insert(name.to_owned(), json!(1));
    fields
}

/// Pointers to all objects with fixed fields: keys of others depend on the run.
fn objects(value: &Value, place: &str) -> Vec<String> {
    match value {
        Value::Object(_) if ["/scenarioSettings", "/attempts", "/limits"].iter().any(|end| place.ends_with(end)) => {
            Vec::new()
        }
        Value::Object(fields) => {
            let inside = fields.iter().flat_map(|(name, value)| objects(value, &format!("{place}/{name}")));
            inside.chain([place.to_owned()]).collect()
        }
        // The first item stands for all.
        Value::Array(items) => items.first().map(|item| objects(item, &format!("{place}/0"))).unwrap_or_default(),
        _ => Vec::new(),
    }
}

#[test]
fn golden_reports_stay_readable() {
    let golden = json(VERSION_2);
    assert_eq!(complaints(&golden), Vec::<String>::new());

    let report: Report = serde_json::from_str(VERSION_2).expect("the golden report can be read");

    assert_eq!(serde_json::to_value(&report).expect("a report is JSON"), golden);
}

#[test]
fn a_report_of_version_1_is_upgraded() {
    let schema = jsonschema::draft202012::new(&json(SCHEMA_1)).expect("it is a schema");
    let mut report = json(VERSION_1);
    assert_eq!(complaints_by(&schema, &report), Vec::<String>::new());

    version_1::upgrade(&mut report).expect("it has limits");

    assert_eq!(read(&report), json(VERSION_2));
}

#[test]
fn figures_that_older_reports_of_this_version_lack_are_unknown() {
    let mut report = json(VERSION_2);
    report.as_object_mut().expect("an object").remove("promises");
    report["run"]["generator"].as_object_mut().expect("an object").remove("resent");
    for lane in report["lanes"].as_array_mut().expect("lanes") {
        for (part, field) in [("counts", "notSent"), ("counts", "cancelled"), ("usage", "publishUnits")] {
            lane[part].as_object_mut().expect("an object").remove(field);
        }
        lane.as_object_mut().expect("an object").remove("otherOwners");
    }

    assert_eq!(complaints(&report), Vec::<String>::new());
    assert_eq!(read(&report), json(VERSION_2));
}

fn read(report: &Value) -> Value {
    let report: Report = serde_json::from_value(report.clone()).expect("a report");
    serde_json::to_value(report).expect("a report is JSON")
}

#[test]
fn an_upgraded_report_leaves_unknown_limits_unknown() {
    let mut report = json(VERSION_1);
    report["run"]["limits"] = json!({"workerMaximumConcurrency": null, "syncReservedConcurrency": 7});
    report["pricing"]["crossover"] = Value::Null;

    version_1::upgrade(&mut report).expect("it has limits");

    assert_eq!(report["lanes"][0]["limits"], json!({"create-order": 7}));
    assert_eq!(report["lanes"][1]["limits"], json!({"process-orders": null}));
    assert_eq!(report["pricing"]["crossovers"], json!([]));
    assert_eq!(complaints(&read(&report)), Vec::<String>::new());
}

#[test]
fn names_the_known_lanes_when_a_report_has_another_one() {
    let report = VERSION_2.replacen("\"lane\": \"sync\"", "\"lane\": \"nowhere\"", 1);

    let error = serde_json::from_str::<Report>(&report).expect_err("there is no such lane").to_string();

    assert!(error.contains("unknown lane nowhere; this program knows sync, async, bus"), "{error}");
}
