//! `twolane plan` predicts what `twolane compare --scenario burst` measures, for the same arrivals and limits.

use super::comparison::{compare_lanes, count, folder, refused};
use crate::{Load, figures::Figures, test_bed::TestBed};
use fault_endpoint::{Call, Fault, Rule, When};
use serde_json::Value;
use std::{fmt::Write, path::Path, time::Duration};
use testkit::command_line;

/// Of each request to the database. The emulator's own time is small in comparison.
const DATABASE: Duration = Duration::from_millis(500);

/// Of each lane.
const CONCURRENCY: &str = "2";

/// One a second, but eight in the middle third.
const PER_SECOND: [u64; 18] = [1, 1, 1, 1, 1, 1, 8, 8, 8, 8, 8, 8, 1, 1, 1, 1, 1, 1];

/// Of each function. Source: `MemorySize` in template.yaml.
const MEMORY_GB: f64 = 0.25;

/// Maximum relative error of the prediction.
const TOLERANCE: f64 = 0.15;

fn is_database(call: &Call) -> bool {
    ["PutItem", "UpdateItem", "GetItem", "Query"].contains(&call.operation.as_str())
}

/// Writes the arrivals to a file. As in the scenario, each second's orders arrive in its first 250 ms.
fn arrivals(folder: &Path) -> String {
    let mut lines = String::new();
    for (second, orders) in (0_u64..).zip(PER_SECOND) {
        for order in 0..orders {
            writeln!(lines, "{{\"at\":{}}}", second * 1000 + order * 250 / orders).unwrap();
        }
    }
    let file = folder.join("arrivals.jsonl");
    std::fs::write(&file, lines).unwrap();
    file.to_str().unwrap().to_owned()
}

/// A lane's plan. `other_ms`: duration of an invocation without its requests to the database, in milliseconds.
async fn planned(lane: &str, arrivals: &str, other_ms: f64) -> Value {
    let overhead = format!("OverheadMs={other_ms:.3}");
    let concurrency =
        ["ReservedConcurrentExecutions", "MaximumConcurrency"].map(|name| format!("{name}={CONCURRENCY}"));
    let database = format!("DatabaseMs={}", DATABASE.as_millis());
    let mut command = command_line::command(&["plan", "--lanes", lane, "--replay", arrivals, "--json"]);
    for setting in [&overhead, &concurrency[0], &concurrency[1], &database, "CallbackMs=0", "BatchSize=1"] {
        command.args(["--set", setting]);
    }
    let planned = command.output().await.unwrap();
    serde_json::from_slice::<Value>(&planned.stdout).unwrap()["lanes"][0].take()
}

fn mean_ms(report: &Value, lane: usize, function: &str) -> f64 {
    let functions = report["lanes"][lane]["usage"]["functions"].as_array().unwrap();
    let usage = functions.iter().find(|usage| usage["name"] == function).unwrap();
    usage["gbSeconds"].as_f64().unwrap() / MEMORY_GB / usage["invocations"].as_f64().unwrap() * 1000.0
}

#[track_caller]
fn predicts(what: &str, planned: f64, measured: f64) -> String {
    assert!((planned / measured - 1.0).abs() <= TOLERANCE, "{what}: planned {planned:.2}, measured {measured:.2}");
    format!("{planned:.2}/{measured:.2}")
}

#[expect(clippy::cast_precision_loss, reason = "a few orders")]
pub(crate) async fn a_plan_predicts_what_a_burst_does_to_each_lane(bed: &TestBed, _: Load) -> Figures {
    let folder = folder();
    let arrivals = arrivals(&folder);
    bed.endpoint.inject(Rule::new(is_database, When::Always, Fault::Slow(DATABASE)));
    let burst = ["--scenario", "burst", "--concurrency", CONCURRENCY, "--replay", &arrivals, "--parallel"];

    let ran = compare_lanes("sync,async", &folder, &burst).args(["--yes", "--json"]).output().await.unwrap();

    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{}{errors}", String::from_utf8_lossy(&ran.stdout));
    let report: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let database_ms = DATABASE.as_secs_f64() * 1000.0;
    let (sync_ms, async_ms) = (mean_ms(&report, 0, "create-order"), mean_ms(&report, 1, "process-orders"));
    // The async lane's function has two requests: it writes the order, and looks its owner's sockets up.
    let sync = planned("sync", &arrivals, sync_ms - database_ms).await;
    let asynchronous = planned("async", &arrivals, async_ms - 2.0 * database_ms).await;
    let share =
        sync["orders"]["refused"]["functionThrottled"].as_f64().unwrap() / sync["orders"]["arrived"].as_f64().unwrap();
    let refused_share = predicts("refused", share, refused(&report, 0) as f64 / count(&report, 0, "sent") as f64);
    assert_eq!((refused(&report, 1), asynchronous["orders"]["confirmed"].as_f64().map(f64::round)), (0, Some(60.0)));
    let timeline = report["lanes"][1]["timeline"].as_array().unwrap();
    let peak = timeline.iter().filter_map(|second| second["backlog"].as_f64()).fold(0.0, f64::max);
    let peak = predicts("backlog", asynchronous["backlog"]["peak"].as_f64().unwrap(), peak);
    let drained = timeline.iter().rposition(|second| second["completed"] != 0).unwrap() + 1;
    let drain = (drained - (PER_SECOND.len() - 1)) as f64;
    let drain = predicts("drain", asynchronous["backlog"]["drainSeconds"].as_f64().unwrap(), drain);
    std::fs::remove_dir_all(folder).unwrap();
    Figures::default()
        .with("refused share by sync, planned/measured", refused_share)
        .with("backlog of async", peak)
        .with("seconds until drained", drain)
        .with("ms of create-order and process-orders", format!("{sync_ms:.0} {async_ms:.0}"))
}
