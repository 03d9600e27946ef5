//! Reports of version 1, which knew two lanes.

use crate::model::SCHEMA_VERSION;
use serde_json::{Map, Value, json};

/// Their version.
pub(crate) const VERSION: u32 = 1;

/// By lane: its one function, and the name of its limit in a run.
const LIMITS: [(&str, &str, &str); 2] =
    [("sync", "create-order", "syncReservedConcurrency"), ("async", "process-orders", "workerMaximumConcurrency")];

/// Makes a report of version 1 one of the present version. What is not as it should be stays: reading it will say so.
pub(crate) fn upgrade(report: &mut Value) {
    let limits = report.pointer_mut("/run").and_then(Value::as_object_mut).and_then(|run| run.remove("limits"));
    for lane in report["lanes"].as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        if let Some((_, function, limit)) = LIMITS.iter().find(|(name, ..)| lane.get("lane") == Some(&json!(name))) {
            let limit = limits.as_ref().map_or(&Value::Null, |limits| &limits[*limit]);
            lane.insert("limits".to_owned(), json!({ *function: limit }));
        }
    }
    if let Some(pricing) = report.pointer_mut("/pricing").and_then(Value::as_object_mut) {
        let crossover = pricing.remove("crossover");
        let crossovers = crossover.into_iter().filter_map(|mut crossover| {
            upgrade_crossover(crossover.as_object_mut()?);
            Some(crossover)
        });
        pricing.insert("crossovers".to_owned(), crossovers.collect());
    }
    report["schemaVersion"] = json!(SCHEMA_VERSION);
}

fn upgrade_crossover(crossover: &mut Map<String, Value>) {
    crossover.insert("direct".to_owned(), json!("sync"));
    crossover.insert("queued".to_owned(), json!("async"));
    if let Some(extra) = crossover.remove("asyncExtraUsdPerMillion") {
        crossover.insert("extraUsdPerMillion".to_owned(), extra);
    }
}
