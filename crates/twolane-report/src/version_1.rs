//! Upgrades reports of version 1, which had two lanes.

use crate::model::SCHEMA_VERSION;
use serde::de::Error;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub(crate) const VERSION: u32 = 1;

/// Per lane: its only function, and its limit's field in a run.
const LIMITS: [(&str, &str, &str); 2] =
    [("sync", "create-order", "syncReservedConcurrency"), ("async", "process-orders", "workerMaximumConcurrency")];

/// Upgrades a report from version 1. Other faults are left to the parser.
///
/// # Errors
/// The limits are missing or malformed.
pub(crate) fn upgrade(report: &mut Value) -> serde_json::Result<()> {
    let run = report.get_mut("run").and_then(Value::as_object_mut);
    let limits = run.and_then(|run| run.remove("limits")).ok_or_else(|| Error::missing_field("limits"))?;
    let limits: BTreeMap<String, Option<u64>> = serde_json::from_value(limits)?;
    let lanes = report.get_mut("lanes").and_then(Value::as_array_mut);
    for lane in lanes.into_iter().flatten().filter_map(Value::as_object_mut) {
        if let Some((_, function, limit)) = LIMITS.iter().find(|(name, ..)| lane.get("lane") == Some(&json!(name))) {
            lane.insert("limits".to_owned(), json!({ *function: limits.get(*limit).copied().flatten() }));
        }
    }
    if let Some(pricing) = report.get_mut("pricing").and_then(Value::as_object_mut) {
        let mut crossover = pricing.remove("crossover").filter(|crossover| !crossover.is_null());
        if let Some(crossover) = crossover.as_mut().and_then(Value::as_object_mut) {
            upgrade_crossover(crossover);
        }
        pricing.insert("crossovers".to_owned(), crossover.into_iter().collect());
    }
    report["schemaVersion"] = json!(SCHEMA_VERSION);
    Ok(())
}

fn upgrade_crossover(crossover: &mut Map<String, Value>) {
    crossover.insert("direct".to_owned(), json!("sync"));
    crossover.insert("queued".to_owned(), json!("async"));
    if let Some(extra) = crossover.remove("asyncExtraUsdPerMillion") {
        crossover.insert("extraUsdPerMillion".to_owned(), extra);
    }
}
