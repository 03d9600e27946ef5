//! `twolane compare` changes the stack, measures each lane, and restores the stack.

use crate::{
    Load,
    figures::Figures,
    test_bed::{DELIVERY_WAIT, TestBed},
};
use fault_endpoint::{Call, Fault, Rule, When};
use serde_json::Value;
use std::{env, path::PathBuf, process::Stdio, time::Duration};
use testkit::{command_line, eventually::eventually, order_bodies::new_id, outputs::output};
use tokio::process::{Child, Command};

/// Of each lane.
const CONCURRENCY: i32 = 5;

/// Simultaneous orders, per concurrent invocation.
const OVERLOAD: i32 = 20;

/// Of each write, so that a burst meets busy functions.
const WRITE: Duration = Duration::from_millis(250);

fn is_write(call: &Call) -> bool {
    call.writes("CONFIRMED")
}

/// For reports and saved settings.
pub(super) fn folder() -> PathBuf {
    let folder = env::temp_dir().join(format!("twolane-compare-{}", new_id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Of two lanes, with its files in a folder.
fn compare(folder: &std::path::Path, more: &[&str]) -> Command {
    compare_lanes("sync,async", folder, &[&["--warm-up", "0"], more].concat())
}

pub(super) fn compare_lanes(lanes: &str, folder: &std::path::Path, more: &[&str]) -> Command {
    let mut command = command_line::command(&["compare", "--owners", "2", "--max-lag", "600000"]);
    command
        .args(["--lanes", lanes])
        .arg("--output")
        .arg(folder)
        .arg("--settings-file")
        .arg(folder.join("settings.json"))
        .args(more);
    command
}

/// What a comparison changes in the stack.
#[derive(Debug, PartialEq)]
struct ComparedSettings {
    reserved: Option<i32>,
    maximum: Option<i32>,
    batch: Option<i32>,
    state: Option<String>,
    /// Of each function.
    endpoints: [Option<String>; 2],
}

async fn endpoint(bed: &TestBed, function: &str) -> Option<String> {
    let configuration = bed.lambda.get_function_configuration().function_name(output(function)).send().await.unwrap();
    configuration.environment()?.variables()?.get("AWS_ENDPOINT_URL_DYNAMODB").cloned()
}

async fn settings(bed: &TestBed) -> ComparedSettings {
    let function = output("CreateOrderFunctionName");
    let reserved = bed.lambda.get_function_concurrency().function_name(function).send().await.unwrap();
    let sources = bed.lambda.list_event_source_mappings().function_name(output("ProcessOrdersFunctionName"));
    let sources = sources.send().await.unwrap();
    let source = &sources.event_source_mappings()[0];
    ComparedSettings {
        reserved: reserved.reserved_concurrent_executions(),
        maximum: source.scaling_config().and_then(aws_sdk_lambda::types::ScalingConfig::maximum_concurrency),
        batch: source.batch_size(),
        state: source.state().map(str::to_owned),
        endpoints: [endpoint(bed, "CreateOrderFunctionName").await, endpoint(bed, "ProcessOrdersFunctionName").await],
    }
}

pub(super) fn count(report: &Value, lane: usize, name: &str) -> u64 {
    report["lanes"][lane]["counts"][name].as_u64().unwrap()
}

pub(super) fn refused(report: &Value, lane: usize) -> u64 {
    let classes = report["lanes"][lane]["counts"]["refused"].as_object().unwrap();
    classes.values().filter_map(Value::as_u64).sum()
}

pub(crate) async fn a_burst_is_refused_by_the_sync_lane_and_levelled_by_the_async_lane(
    bed: &TestBed,
    _: Load,
) -> Figures {
    let (folder, before) = (folder(), settings(bed).await);
    bed.endpoint.inject(Rule::new(is_write, When::Always, Fault::Slow(WRITE)));
    let _ = bed.endpoint.most_writers();
    let (concurrency, peak) = (CONCURRENCY.to_string(), (CONCURRENCY * OVERLOAD).to_string());
    let load = ["--scenario", "burst", "--rate", "1", "--peak", &peak, "--duration", "6"];

    let ran = compare(&folder, &load).args(["--concurrency", &concurrency, "--yes", "--json"]).output().await.unwrap();

    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{}{errors}", String::from_utf8_lossy(&ran.stdout));
    let report: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let count = |lane, name: &str| count(&report, lane, name);
    let refused = |lane| refused(&report, lane);
    let (sent, writers) = (count(0, "sent"), bed.endpoint.most_writers());
    assert_eq!(sent, count(1, "sent"), "both lanes get the same load");
    assert!(refused(0) > 0, "{report}");
    assert_eq!(count(0, "accepted") + refused(0), sent, "{report}");
    assert_eq!((refused(1), count(1, "lost"), count(1, "confirmed")), (0, 0, sent), "{report}");
    assert!((1..=CONCURRENCY as usize).contains(&writers), "{writers} writers at once");
    for lane in [0, 1] {
        let found = &report["lanes"][lane]["reconciliation"];
        assert_eq!(found["mismatches"], serde_json::json!([]), "{report}");
        assert_eq!(found["stored"], count(lane, "confirmed"), "{report}");
    }
    let verdict = report["verdict"].to_string();
    for (lane, function) in [(0, "create-order"), (1, "process-orders")] {
        let functions = report["lanes"][lane]["usage"]["functions"].as_array().unwrap();
        let function = functions.iter().find(|usage| usage["name"] == function).unwrap();
        let most = function["mostAtOnce"].as_u64().unwrap();
        assert!((1..=CONCURRENCY as u64).contains(&most), "{function}");
        let expected = format!("at most {most} invocations of the {} lane ran concurrently", ["sync", "async"][lane]);
        assert!(verdict.replace('\u{a0}', " ").contains(&expected), "{expected}: {verdict}");
    }
    for expected in [
        format!("accepted all {sent}"),
        format!("refused {}", refused(0)),
        "With at most 5 workers at once".to_owned(),
        "The async lane lost none".to_owned(),
    ] {
        assert!(verdict.replace('\u{a0}', " ").contains(&expected), "{expected}: {verdict}");
    }
    assert_eq!(settings(bed).await, before);
    assert!(errors.contains("reserved concurrency 5"), "it must name its changes: {errors}");
    std::fs::remove_dir_all(folder).unwrap();
    Figures::default()
        .with("sent down each lane", sent)
        .with("refused by sync", refused(0))
        .with("refused by async", refused(1))
        .with("lost by async", count(1, "lost"))
        .with("writers at once", writers)
}

/// Supplies of a comparison's orders: units in stock, and money in the accounts of its two owners.
async fn supplies() -> [String; 3] {
    [
        command_line::twolane(&["stock", "show", "SKU-1", "SKU-2", "--json"]).await,
        command_line::twolane(&["account", "show", "compare-1", "EUR", "--json"]).await,
        command_line::twolane(&["account", "show", "compare-2", "EUR", "--json"]).await,
    ]
}

pub(crate) async fn every_lane_is_compared_and_stock_and_accounts_are_restored(_: &TestBed, _: Load) -> Figures {
    let (folder, before) = (folder(), supplies().await);
    // For an emulator on a busy machine: the bus lane answers 503 when SNS does not answer in time.
    let load = ["--warm-up", "0", "--orders", "10", "--rate", "2", "--yes", "--json"];

    let ran = compare_lanes("sync,async,bus", &folder, &load).output().await.unwrap();

    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{}{errors}", String::from_utf8_lossy(&ran.stdout));
    let report: Value = serde_json::from_slice(&ran.stdout).unwrap();
    for lane in 0..3 {
        assert_eq!((count(&report, lane, "confirmed"), count(&report, lane, "lost")), (10, 0), "{report}");
        assert_eq!(report["lanes"][lane]["reconciliation"]["mismatches"], serde_json::json!([]), "{report}");
    }
    let usage = &report["lanes"][2]["usage"];
    // An order of SKU-1 and SKU-2 takes 6 for its record, 2 for its entry in the index and 3 for holds that become
    // final. Items in transactions take twice 7.
    assert_eq!((&usage["publishUnits"], &usage["writeUnits"]), (&(10 * 6).into(), &(10.0 * 25.0).into()), "{usage}");
    assert_eq!(supplies().await, before);
    std::fs::remove_dir_all(folder).unwrap();
    Figures::default().with("confirmed down each lane", 10).with("numbers left changed", 0)
}

pub(crate) async fn a_sample_of_a_scenario_file_keeps_its_promises(bed: &TestBed, _: Load) -> Figures {
    let (folder, before) = (folder(), settings(bed).await);
    // Options shorten the file's load.
    let sample = ["--scenario-file", "samples/scenarios/database-outage.toml", "--rate", "3", "--duration", "9"];

    let ran = compare(&folder, &sample).args(["--outage", "3", "--yes", "--json"]).output().await.unwrap();

    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{}{errors}", String::from_utf8_lossy(&ran.stdout));
    let report: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let promises = report["promises"].as_array().unwrap();
    let promises: Vec<_> = promises.iter().map(|promise| promise["promise"].as_str().unwrap()).collect();
    assert_eq!(promises, ["*.lost==0", "*.lost==0", "async.refused==0"], "{report}");
    assert!(refused(&report, 0) > 0, "the sync lane must refuse requests during the outage: {report}");
    assert_eq!(count(&report, 1, "confirmed"), count(&report, 1, "sent"), "{report}");
    assert_eq!(settings(bed).await, before);
    std::fs::remove_dir_all(folder).unwrap();
    Figures::default().with("refused by sync", refused(&report, 0)).with("refused by async", refused(&report, 1))
}

const LONG_BURST: [&str; 6] = ["--scenario", "burst", "--rate", "1", "--duration", "3600"];

/// Starts a comparison. Returns when the stack is changed.
async fn started(bed: &TestBed, folder: &std::path::Path, before: &ComparedSettings, load: &[&str]) -> Child {
    let mut command = compare(folder, load);
    let child = command.arg("--yes").stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap();
    eventually(DELIVERY_WAIT, "the stack is changed", async || (settings(bed).await != *before).then_some(())).await;
    child
}

async fn signal(child: &Child, name: &str) {
    let id = child.id().unwrap().to_string();
    assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().await.unwrap().success());
}

pub(crate) async fn a_throttled_database_refuses_orders_in_the_sync_lane_and_delays_them_in_the_async_lane(
    bed: &TestBed,
    _: Load,
) -> Figures {
    let (folder, before) = (folder(), settings(bed).await);
    let load = ["--scenario", "throttled-db", "--writes-per-second", "6", "--rate", "10", "--duration", "5"];

    let ran = compare(&folder, &load).args(["--yes", "--json"]).output().await.unwrap();

    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{}{errors}", String::from_utf8_lossy(&ran.stdout));
    let report: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let sent = count(&report, 0, "sent");
    assert_eq!(count(&report, 0, "accepted") + refused(&report, 0), sent, "{report}");
    assert!(refused(&report, 0) > 0, "{report}");
    assert_eq!((refused(&report, 1), count(&report, 1, "lost")), (0, 0), "{report}");
    // A dead letter met the limit in all five deliveries, and its owner was notified.
    let (confirmed, failed) = (count(&report, 1, "confirmed"), count(&report, 1, "failed"));
    assert_eq!(confirmed + failed, sent, "{report}");
    assert!(
        confirmed > count(&report, 0, "confirmed"),
        "the queue must confirm more orders than the sync lane: {report}"
    );
    let dead = |when: &str| report["lanes"][1]["deadLetters"][when].as_u64().unwrap();
    assert_eq!(dead("after") - dead("before"), failed, "{report}");
    assert_eq!(settings(bed).await, before);
    std::fs::remove_dir_all(folder).unwrap();
    Figures::default()
        .with("sent down each lane", sent)
        .with("refused by sync", refused(&report, 0))
        .with("lost by async", count(&report, 1, "lost"))
        .with("dead letters of async", failed)
}

pub(crate) async fn an_interrupted_comparison_restores_the_stack(bed: &TestBed, _: Load) -> Figures {
    let before = settings(bed).await;
    let outage = ["--scenario", "outage", "--rate", "1", "--duration", "6", "--outage", "3600", "--parallel"];
    let slow = ["--scenario", "slow-db", "--rate", "1", "--duration", "3600"];
    let throttled = ["--scenario", "throttled-db", "--rate", "1", "--duration", "3600"];
    for (load, name, code) in [
        (&LONG_BURST[..], "INT", 130),
        (&LONG_BURST, "TERM", 143),
        (&LONG_BURST, "HUP", 129),
        (&outage, "INT", 130),
        (&slow, "INT", 130),
        (&throttled, "INT", 130),
    ] {
        let folder = folder();
        let mut child = started(bed, &folder, &before, load).await;

        signal(&child, name).await;

        assert_eq!(child.wait().await.unwrap().code(), Some(code), "{load:?}");
        assert_eq!(settings(bed).await, before, "{load:?} after SIG{name}");
        assert!(!folder.join("settings.json").exists());
        std::fs::remove_dir_all(folder).unwrap();
    }
    Figures::default().with("scenarios", "burst outage slow-db throttled-db").with("settings left changed", 0)
}

pub(crate) async fn a_running_comparison_is_not_disturbed_by_others(bed: &TestBed, _: Load) -> Figures {
    let (folder, before) = (folder(), settings(bed).await);
    let mut child = started(bed, &folder, &before, &LONG_BURST).await;
    // Settings change one after the other.
    let during = eventually(DELIVERY_WAIT, "all is changed", async || {
        let now = settings(bed).await;
        (now.reserved != before.reserved && now.batch != before.batch && now.state == before.state).then_some(now)
    })
    .await;

    let restored = compare(&folder, &["--restore"]).output().await.unwrap();
    let second = compare(&folder, &["--scenario", "burst", "--yes"]).output().await.unwrap();

    for refused in [restored, second] {
        let error = String::from_utf8_lossy(&refused.stderr);
        assert!(refused.status.code() == Some(2) && error.contains("measuring this stack"), "{error}");
    }
    assert_eq!(settings(bed).await, during);
    signal(&child, "INT").await;
    child.wait().await.unwrap();
    assert_eq!(settings(bed).await, before);
    std::fs::remove_dir_all(folder).unwrap();
    Figures::default().with("settings changed by others", 0)
}

pub(crate) async fn a_killed_comparison_is_undone_by_restore(bed: &TestBed, _: Load) -> Figures {
    let (folder, before) = (folder(), settings(bed).await);
    let mut child = started(bed, &folder, &before, &LONG_BURST).await;
    signal(&child, "KILL").await;
    child.wait().await.unwrap();
    assert_ne!(settings(bed).await, before, "a killed comparison cannot restore the stack");

    let next = compare(&folder, &["--scenario", "burst", "--yes"]).output().await.unwrap();
    let restored = compare(&folder, &["--restore"]).output().await.unwrap();
    let again = compare(&folder, &["--restore"]).output().await.unwrap();

    let error = String::from_utf8_lossy(&next.stderr);
    assert!(next.status.code() == Some(2) && error.contains("twolane compare --restore"), "{error}");
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    assert_eq!(settings(bed).await, before);
    let nothing = String::from_utf8_lossy(&again.stderr);
    assert!(again.status.success() && nothing.contains("Nothing to restore"), "{nothing}");
    std::fs::remove_dir_all(folder).unwrap();
    Figures::default().with("settings left changed", 0)
}
