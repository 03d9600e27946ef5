//! The shape as others read it: `schema/report.schema.json` must say what the types here write, no more and no less.

use super::{Report, SCHEMA_VERSION};
use crate::compare::cost::PriceTable;
use crate::compare::report::{complete, sample};
use jsonschema::Validator;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// A report of version 1 as it was once written; readers of that version must go on reading it.
const VERSION_1: &str = include_str!("../../../../tests/reports/version-1.json");

fn schema() -> Value {
    serde_json::from_str(include_str!("../../../../schema/report.schema.json")).expect("the schema is JSON")
}

static VALIDATOR: LazyLock<Validator> =
    LazyLock::new(|| jsonschema::draft202012::new(&schema()).expect("the schema is one"));

/// Where the report is not what the schema says.
fn complaints(report: &Value) -> Vec<String> {
    VALIDATOR.iter_errors(report).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn completed() -> Value {
    let mut report = sample::report();
    complete(&mut report, &PriceTable::embedded());
    serde_json::to_value(report).expect("a report is JSON")
}

#[test]
fn a_completed_report_is_what_the_schema_says() {
    assert_eq!(complaints(&completed()), Vec::<String>::new());
}

#[test]
fn a_report_of_nothing_is_what_the_schema_says() {
    let mut report = sample::report();
    report.run.git_commit = None;
    report.run.target.region = None;
    report.lanes.truncate(1);
    let latencies = &mut report.lanes[0].latencies;
    (latencies.acknowledge, report.lanes[0].reconciliation) = (None, None);

    assert_eq!(complaints(&serde_json::to_value(report).expect("a report is JSON")), Vec::<String>::new());
}

#[test]
fn the_schema_is_of_the_version_that_is_written() {
    assert_eq!(schema()["properties"]["schemaVersion"]["const"], json!(SCHEMA_VERSION));
}

#[test]
fn every_field_must_be_there_and_no_other() {
    let report = completed();

    for place in objects(&report, "") {
        let fields = |report: &Value| report.pointer(&place).and_then(Value::as_object).expect("an object").clone();
        let mut more = report.clone();
        *more.pointer_mut(&place).expect("it is there") = Value::Object(with(fields(&report), "unheardOf"));
        assert!(!complaints(&more).is_empty(), "{place} may have fields that nobody knows");

        for field in fields(&report).keys() {
            let mut less = report.clone();
            less.pointer_mut(&place).and_then(Value::as_object_mut).expect("an object").remove(field);
            assert!(!complaints(&less).is_empty(), "{place}/{field} may be left out");
        }
    }
}

fn with(mut fields: Map<String, Value>, name: &str) -> Map<String, Value> {
    fields.insert(name.to_owned(), json!(1));
    fields
}

/// Pointers to all objects with fixed fields; those with names of the run's own are none.
fn objects(value: &Value, place: &str) -> Vec<String> {
    match value {
        Value::Object(_) if place.ends_with("/scenarioSettings") || place.ends_with("/attempts") => Vec::new(),
        Value::Object(fields) => {
            let inside = fields.iter().flat_map(|(name, value)| objects(value, &format!("{place}/{name}")));
            inside.chain([place.to_owned()]).collect()
        }
        // One of a list stands for all.
        Value::Array(items) => items.first().map(|item| objects(item, &format!("{place}/0"))).unwrap_or_default(),
        _ => Vec::new(),
    }
}

#[test]
fn what_was_written_once_can_be_read_still() {
    let golden: Value = serde_json::from_str(VERSION_1).expect("the golden report is JSON");
    assert_eq!(complaints(&golden), Vec::<String>::new());

    let report: Report = serde_json::from_str(VERSION_1).expect("the golden report can be read");

    assert_eq!(serde_json::to_value(&report).expect("a report is JSON"), golden);
}
