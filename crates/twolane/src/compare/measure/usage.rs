//! What AWS bills for a lane's orders, from what was counted and from Lambda's own reports.

use super::tally::Tally;
use crate::aws;
use crate::cli::Lane;
use crate::compare::deployed::{Deployed, Function};
use crate::compare::report::model::{FunctionUsage, Usage};
use anyhow::Context;
use serde::Deserialize;
use std::time::Duration;
use time::OffsetDateTime;

/// When a lane ran.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) from: OffsetDateTime,
    pub(crate) to: OffsetDateTime,
}

/// The functions that a lane's orders make work.
fn functions_of(lane: Lane) -> &'static [&'static str] {
    match lane {
        Lane::Sync => &["create-order"],
        Lane::Async => &["process-orders", "get-order"],
    }
}

/// The usage of everything that was sent, warm-up included, as Lambda's reports are.
pub(crate) fn counted(lane: Lane, tally: &Tally, functions: Vec<FunctionUsage>, sockets: u32, open: Duration) -> Usage {
    let sum = |of: fn(&super::tally::OrderState) -> u64| tally.orders.iter().map(of).sum::<u64>();
    let accepted = sum(|order| u64::from(order.accepted));
    let callbacks = sum(|order| u64::from(order.callbacks));
    let invocations = functions.iter().find(|function| function.name == "process-orders");
    // A batch is one receive and one delete; where the batches are not known, each order is one, which is the dearest.
    let batches = invocations.map_or(accepted, |function| function.invocations);
    let (message_units, lookups) = match lane {
        Lane::Sync => (0, 0),
        Lane::Async => (accepted + 2 * batches, batches),
    };
    Usage {
        orders: tally.done,
        order_requests: sum(|order| u64::from(order.sent)),
        status_requests: tally.status_requests,
        message_units,
        functions,
        // One write for each time that an order comes to the database, a repeated one too.
        write_units: float(accepted),
        // The status service reads consistently: one unit each. The worker looks up a batch's sockets, consistently too.
        read_units: float(tally.status_requests + lookups),
        websocket_messages: callbacks,
        connection_minutes: f64::from(sockets) * open.as_secs_f64() / 60.0,
    }
}

/// What Lambda reported of the lane's functions in that time.
///
/// # Errors
/// The logs cannot be read.
pub(crate) async fn functions(
    lane: Lane,
    deployed: &Deployed,
    window: Window,
    is_emulator: bool,
) -> anyhow::Result<Vec<FunctionUsage>> {
    let mut usages = Vec::new();
    for function in deployed.functions.iter().filter(|function| functions_of(lane).contains(&function.name)) {
        let usage = of_function(deployed, function, window, is_emulator).await;
        let usage = usage.with_context(|| format!("Failed to read the log of {}", function.deployed_name))?;
        if usage.invocations > 0 {
            usages.push(usage);
        }
    }
    Ok(usages)
}

async fn of_function(
    deployed: &Deployed,
    function: &Function,
    window: Window,
    is_emulator: bool,
) -> anyhow::Result<FunctionUsage> {
    let group = deployed.controls.log_group(&function.deployed_name).await?;
    let milliseconds = |at: OffsetDateTime| i64::try_from(at.unix_timestamp_nanos() / 1_000_000);
    let mut usage =
        FunctionUsage { name: function.name.to_owned(), invocations: 0, gb_seconds: 0.0, representative: !is_emulator };
    let mut pages = deployed
        .logs
        .filter_log_events()
        .log_group_name(group)
        .start_time(milliseconds(window.from)?)
        .end_time(milliseconds(window.to)?)
        // Either word is in each report, whatever the format of the log.
        .filter_pattern("?REPORT ?\"platform.report\"")
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| aws::describe(&error))?;
        for report in page.events().iter().filter_map(|event| Billed::read(event.message()?)) {
            usage.invocations += 1;
            usage.gb_seconds += report.gb_seconds();
        }
    }
    Ok(usage)
}

/// What one invocation is billed.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Billed {
    milliseconds: f64,
    megabytes: f64,
}

impl Billed {
    /// Reads a report, as text or as JSON. Source: AWS Lambda Developer Guide, "Lambda function logs".
    fn read(line: &str) -> Option<Self> {
        if let Some(report) = line.strip_prefix("REPORT RequestId:") {
            let field = |name: &str| {
                let after = report.split_once(name)?.1.trim_start();
                after.split_whitespace().next()?.parse().ok()
            };
            return Some(Self { milliseconds: field("Billed Duration:")?, megabytes: field("Memory Size:")? });
        }
        let event: Event = serde_json::from_str(line).ok()?;
        let metrics = (event.r#type == "platform.report").then_some(event.record)?.metrics;
        Some(Self { milliseconds: metrics.billed_duration_ms, megabytes: metrics.memory_size_mb })
    }

    fn gb_seconds(self) -> f64 {
        self.milliseconds / 1000.0 * self.megabytes / 1024.0
    }
}

#[derive(Deserialize)]
struct Event {
    r#type: String,
    record: Record,
}

#[derive(Deserialize)]
struct Record {
    metrics: Metrics,
}

#[derive(Deserialize)]
struct Metrics {
    #[serde(rename = "billedDurationMs")]
    billed_duration_ms: f64,
    #[serde(rename = "memorySizeMB")]
    memory_size_mb: f64,
}

#[expect(clippy::cast_precision_loss, reason = "units of a run are far below 2^53")]
fn float(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_reports_of_both_formats() {
        let text = "REPORT RequestId: 6f747f00\tDuration: 12.34 ms\tBilled Duration: 13 ms\tMemory Size: 256 MB\tMax Memory Used: 30 MB\t";
        let json = r#"{"time":"2026-01-01T00:00:00.000Z","type":"platform.report","record":{"requestId":"6f","metrics":{"durationMs":12.34,"billedDurationMs":13,"memorySizeMB":256,"maxMemoryUsedMB":30},"status":"success"}}"#;

        for line in [text, json] {
            let billed = Billed::read(line).expect("it is a report");
            assert_eq!(billed, Billed { milliseconds: 13.0, megabytes: 256.0 }, "{line}");
            assert!((billed.gb_seconds() - 0.00325).abs() < 1e-9);
        }
    }

    #[test]
    fn other_lines_are_no_reports() {
        for line in
            ["", "REPORT RequestId: x", "{}", r#"{"type":"platform.start","record":{}}"#, r#"{"message":"REPORT"}"#]
        {
            assert_eq!(Billed::read(line), None, "{line}");
        }
    }
}
