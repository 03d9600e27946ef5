//! Reports with different pages: a stored one, and changed ones for other outcomes of a run.

use serde_json::{Value, json};

/// Name, charts on its page, and report.
pub(crate) fn reports() -> [(&'static str, usize, Value); 5] {
    [
        ("both-lanes", 5, golden()),
        ("one-lane", 4, one_lane()),
        ("no-orders", 0, no_orders()),
        ("everything-wrong", 5, everything_wrong()),
        ("an-hour", 5, an_hour()),
    ]
}

fn golden() -> Value {
    serde_json::from_str(include_str!("../../crates/twolane-report/tests/reports/version-1.json")).unwrap()
}

fn lanes(report: &mut Value) -> &mut Vec<Value> {
    report["lanes"].as_array_mut().unwrap()
}

fn one_lane() -> Value {
    let mut report = golden();
    lanes(&mut report).truncate(1);
    report
}

fn no_orders() -> Value {
    let mut report = golden();
    for lane in lanes(&mut report) {
        for name in ["sent", "accepted", "confirmed", "duplicateCallbacks"] {
            lane["counts"][name] = json!(0);
        }
        lane["counts"]["attempts"] = json!({});
        for class in lane["counts"]["refused"].as_object_mut().unwrap().values_mut() {
            *class = json!(0);
        }
        lane["latencies"] = json!({"acknowledge": null, "doneByCallback": null, "doneByPoll": null});
        lane["timeline"] = json!([]);
        lane["usage"]["orders"] = json!(0);
    }
    report
}

/// Every notice, every outcome, and long words.
fn everything_wrong() -> Value {
    let endless = "Unbreakable&<b>".repeat(20);
    let mut report = golden();
    report["errors"] = json!(["The socket of owner 3 broke and came back 12 s later.", endless]);
    let run = &mut report["run"];
    run["interrupted"] = json!(true);
    run["scenario"] = json!(endless);
    run["scenarioSettings"]["endless"] = json!(endless);
    run["gitCommit"] = Value::Null;
    run["generator"]["honest"] = json!(false);
    run["generator"]["reason"] = json!("the p99 send delay is 812 ms");
    let queued = &mut report["lanes"][1];
    let outcomes =
        [("confirmed", 1100), ("rejected", 350), ("failed", 249), ("lost", 1), ("unsettled", 200), ("repeated", 100)];
    for (outcome, orders) in outcomes {
        queued["counts"][outcome] = json!(orders);
    }
    queued["counts"]["notSent"] = json!(150);
    queued["deadLetters"]["after"] = json!(249);
    queued["reconciliation"]["mismatches"] = json!(["3 orders are confirmed and not stored"]);
    report
}

/// A long run with large numbers.
fn an_hour() -> Value {
    let mut report = golden();
    for lane in lanes(&mut report) {
        let seconds = (0..3600_u64).map(|second| {
            let backlog = 250_000_u64.saturating_sub(second.abs_diff(1800) * 139);
            json!({
                "second": second, "arrivals": 12_345, "acknowledged": 12_000 + second % 300, "refused": second % 7,
                "completed": 11_900 - second % 300, "backlog": backlog, "queueDepth": backlog / 2,
            })
        });
        lane["timeline"] = seconds.collect();
        lane["latencies"]["acknowledge"]["minMs"] = json!(0.4);
        lane["latencies"]["acknowledge"]["maxMs"] = json!(1_900_000.0);
    }
    report
}
