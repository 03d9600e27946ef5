//! Computes what AWS bills for a lane's orders.

use super::clocked::Clocked;
use super::tally::{OrderState, OutcomeKind, Tally};
use crate::deployed::{Deployed, Function};
use crate::workload::Workload;
use anyhow::Context;
use lanes::{Invoker, Lane, OrderUsage, QueueKind, STATUS_SERVICE};
use serde::Deserialize;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::time::Instant;
use twolane_client::aws;
use twolane_client::signals::Interruption;
use twolane_report::model::{FunctionUsage, Usage};

/// Bytes per write unit. Source: Amazon DynamoDB Developer Guide, "Write request units".
const WRITE_UNIT: usize = 1024;

/// Bytes per billed SQS request. Source: Amazon SQS pricing.
const MESSAGE_UNIT: usize = 64 * 1024;

/// Bytes per billed SNS request. Source: Amazon SNS pricing.
const EVENT_UNIT: usize = 64 * 1024;

/// Write request units of an item of 1 KB in a transaction. Source: Amazon DynamoDB Developer Guide, "Managing complex workflows
/// with DynamoDB transactions", "Capacity management for transactions".
const TRANSACTION_UNITS: u64 = 2;

/// Bytes per billed WebSocket message. Source: Amazon API Gateway pricing.
const FRAME_UNIT: usize = 32 * 1024;

/// Bytes of a record, message or callback besides the order, rounded up: names, keys, hash, times, ids.
const BESIDES: usize = 600;

/// Longest wait for the reports of all invocations, and the interval between reads.
const LOGS_TIMEOUT: Duration = Duration::from_mins(2);
const LOGS_INTERVAL: Duration = Duration::from_secs(1);

/// Filter patterns of reports, one per log format. Source: AWS Lambda Developer Guide, "Lambda function logs".
const REPORT_PATTERNS: [&str; 2] = ["\"REPORT RequestId:\"", "\"platform.report\""];

/// Precision of the times in reports, in milliseconds: an invocation may seem to begin before the previous one ends.
const EDGE_MS: f64 = 2.0;

/// Start and place of a lane's run. All reports since then belong to that lane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) from: OffsetDateTime,
    /// An emulator's reports do not represent AWS's bill.
    pub(crate) is_emulator: bool,
}

/// The functions that a lane's orders invoke, each with its minimum number of invocations.
fn functions_of(lane: Lane, tally: &Tally) -> Vec<(&'static str, u64)> {
    let of_lane = lane.functions.iter().map(|function| match function.invoked_by {
        Invoker::Request => {
            let accepted: u64 = tally.orders.iter().map(|order| u64::from(order.accepted)).sum();
            (function.name, accepted + tally.invalid)
        }
        Invoker::Queue => (function.name, u64::from(tally.done > 0)),
    });
    of_lane.chain(tally.is_polled.then_some((STATUS_SERVICE.name, tally.status_requests))).collect()
}

/// The usage of everything sent, warm-up included, as in Lambda's reports.
pub(crate) fn counted(
    lane: Lane,
    tally: &Tally,
    workload: &Workload,
    functions: Vec<FunctionUsage>,
    sockets: u32,
    open: Duration,
    lists_orders: bool,
) -> Usage {
    let sum = |of: fn(&OrderState) -> u64| tally.orders.iter().map(of).sum::<u64>();
    let accepted = sum(|order| u64::from(order.accepted));
    // The size of each order.
    let mut sizes = vec![BESIDES; tally.orders.len()];
    for arrival in &workload.arrivals {
        sizes[arrival.order as usize] = BESIDES + workload.body(arrival.content).len();
    }
    let units = |unit: usize, of: &dyn Fn(&OrderState) -> u64| {
        tally.orders.iter().zip(&sizes).map(|(order, size)| of(order) * size.div_ceil(unit) as u64).sum::<u64>()
    };
    // A batch is one receive and one delete. If the number of batches is unknown, each message counts as a batch: the
    // upper bound.
    let workers: Vec<_> = lane.functions.iter().filter(|function| function.invoked_by == Invoker::Queue).collect();
    let known = functions.iter().filter(|function| workers.iter().any(|worker| worker.name == function.name));
    let known: Vec<u64> = known.map(|function| function.invocations).collect();
    // Timer queues deliver their messages after the run.
    let timers = lane.queues.iter().filter(|queue| queue.kind == QueueKind::Timer).count() as u64;
    let batches = if known.len() == workers.len() {
        known.iter().sum::<u64>() + sum(passed_on) * timers
    } else {
        tally.orders.iter().map(|order| taken(lane, order, |usage| usage.messages)).sum()
    };
    // A redelivery is one receive and one change of visibility.
    let redeliveries = sum(|order| u64::from(order.attempts.saturating_sub(1)));
    let sends = units(MESSAGE_UNIT, &|order| taken(lane, order, |usage| usage.messages));
    let message_units = if lane.queues.is_empty() { 0 } else { sends + 2 * (batches + redeliveries) };
    let lookups = if lane.has_callback { accepted } else { 0 };
    Usage {
        orders: tally.done,
        order_requests: sum(|order| u64::from(order.sent)),
        throttled_requests: tally.throttled,
        status_requests: tally.status_requests,
        publish_units: Some(units(EVENT_UNIT, &|order| taken(lane, order, |usage| usage.publishes))),
        message_units,
        fair_queue_units: Some(if lane.has_fair_queue() { message_units } else { 0 }),
        functions,
        // Every write counts, repeats included.
        write_units: float(
            units(WRITE_UNIT, &|order| taken(lane, order, |usage| usage.record_writes))
                + if lists_orders {
                    tally.orders.iter().filter(|order| order.accepted > 0).count() as u64 * lane.index_writes
                } else {
                    0
                }
                + step_write_units(lane, tally, workload),
        ),
        // The status service reads consistently: one unit each. So does the worker, which looks up each owner's sockets
        // once per batch: at most once per order.
        read_units: float(tally.status_requests + lookups),
        websocket_messages: units(FRAME_UNIT, &|order| u64::from(order.callbacks)),
        connection_minutes: f64::from(sockets) * open.as_secs_f64() / 60.0,
    }
}

/// Accepted requests that were passed on: the first, and each repeat before the decision.
fn passed_on(order: &OrderState) -> u64 {
    u64::from(order.accepted - order.late_repeats)
}

fn taken(lane: Lane, order: &OrderState, of: fn(&OrderUsage) -> u64) -> u64 {
    passed_on(order) * of(&lane.usage) + u64::from(order.late_repeats) * of(&lane.late_repeat)
}

/// Write units of the steps: holds and their final states.
fn step_write_units(lane: Lane, tally: &Tally, workload: &Workload) -> u64 {
    let bodies = workload.ordered_bodies();
    let mut skus = vec![0; tally.orders.len()];
    for arrival in &workload.arrivals {
        let ordered = Workload::ordered_in(&bodies, arrival.content);
        skus[arrival.order as usize] = ordered.map_or(0, |ordered| ordered.units().len() as u64);
    }
    let units = tally.orders.iter().zip(skus).map(|(order, skus)| {
        let items = taken(lane, order, |usage| usage.transaction_items)
            + taken(lane, order, |usage| usage.transaction_items_per_sku) * skus;
        // Holds are undone in transactions, too. A step that refused has none, so this is an upper bound.
        let undone = if order.outcome == Some(OutcomeKind::Cancelled) { items } else { 0 };
        taken(lane, order, |usage| usage.small_writes) + TRANSACTION_UNITS * (items + undone)
    });
    units.sum()
}

/// Lambda's reports on the lane's functions in that window. CloudWatch Logs has them later: reads until there are at
/// least the minimum number and no new ones arrive.
///
/// # Errors
/// The logs cannot be read. Missing reports are listed in `errors`.
pub(crate) async fn functions(
    lane: Lane,
    deployed: &Deployed,
    tally: &Clocked,
    window: Window,
    interruption: &Interruption,
    errors: &mut Vec<String>,
) -> anyhow::Result<Vec<FunctionUsage>> {
    let wanted = functions_of(lane, &tally.tally());
    let deadline = Instant::now() + LOGS_TIMEOUT;
    let mut usages = Vec::new();
    for (name, fewest) in wanted {
        let function = Function { name, deployed_name: deployed.function(name).to_owned() };
        let mut usage = of_function(deployed, &function, window).await?;
        loop {
            interruption.sleep(LOGS_INTERVAL).await;
            let before = std::mem::replace(&mut usage, of_function(deployed, &function, window).await?);
            let complete = usage.invocations >= fewest && usage.invocations == before.invocations;
            if complete || interruption.has_come() {
                break;
            }
            if Instant::now() >= deadline {
                errors.push(format!(
                    "CloudWatch Logs has {} reports of {} after {} s, for at least {fewest} invocations: the \
                     costs of Lambda are too low",
                    usage.invocations,
                    function.deployed_name,
                    LOGS_TIMEOUT.as_secs()
                ));
                break;
            }
        }
        if usage.invocations > 0 {
            usages.push(usage);
        }
    }
    Ok(usages)
}

async fn of_function(deployed: &Deployed, function: &Function, window: Window) -> anyhow::Result<FunctionUsage> {
    let reports = reports(deployed, function, window).await;
    let reports = reports.with_context(|| format!("Failed to read the log of {}", function.deployed_name))?;
    Ok(FunctionUsage {
        name: function.name.to_owned(),
        invocations: reports.len() as u64,
        gb_seconds: reports.iter().map(|(_, report)| report.gb_seconds()).sum(),
        most_at_once: most_at_once(&reports),
        representative: !window.is_emulator,
    })
}

/// Each with its timestamp in milliseconds.
async fn reports(
    deployed: &Deployed,
    function: &Function,
    window: Window,
) -> anyhow::Result<Vec<(f64, InvocationReport)>> {
    let group = deployed.controls.log_group(&function.deployed_name).await?;
    let milliseconds = |at: OffsetDateTime| i64::try_from(at.unix_timestamp_nanos() / 1_000_000);
    let from = milliseconds(window.from)?;
    let mut reports = Vec::new();
    // One request per pattern: some emulators lack alternatives.
    for pattern in REPORT_PATTERNS {
        let request = deployed.logs.filter_log_events().log_group_name(&group).start_time(from).filter_pattern(pattern);
        let mut pages = request.into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| aws::describe(&error))?;
            let read = page.events().iter().filter_map(|event| {
                #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are far below 2^53")]
                let at = event.timestamp()? as f64;
                Some((at, InvocationReport::read(event.message()?)?))
            });
            reports.extend(read);
        }
    }
    Ok(reports)
}

/// Largest number of concurrent invocations; each ended when its report was written. Overlaps below the reports'
/// precision do not count, so there may have been more.
fn most_at_once(reports: &[(f64, InvocationReport)]) -> u64 {
    let mut changes: Vec<(f64, i64)> = Vec::new();
    for (end, report) in reports {
        let began = end - report.milliseconds;
        changes.push((began + EDGE_MS.min(report.milliseconds / 2.0), 1));
        changes.push((*end, -1));
    }
    // At equal times, ends go before beginnings.
    changes.sort_by(|(a, change_a), (b, change_b)| a.total_cmp(b).then(change_a.cmp(change_b)));
    let mut now = 0;
    let most = changes
        .iter()
        .map(|(_, change)| {
            now += change;
            now
        })
        .max();
    most.map_or(0, |most| u64::try_from(most).unwrap_or(0)).max(u64::from(!reports.is_empty()))
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct InvocationReport {
    milliseconds: f64,
    billed_milliseconds: f64,
    megabytes: f64,
}

impl InvocationReport {
    /// Parses a report in text or JSON. Source: AWS Lambda Developer Guide, "Lambda function logs".
    fn read(line: &str) -> Option<Self> {
        if let Some(report) = line.strip_prefix("REPORT RequestId:") {
            let field = |name: &str| {
                let after = report.split_once(name)?.1.trim_start();
                after.split_whitespace().next()?.parse().ok()
            };
            return Some(Self {
                milliseconds: field("Duration:")?,
                billed_milliseconds: field("Billed Duration:")?,
                megabytes: field("Memory Size:")?,
            });
        }
        let event: Event = serde_json::from_str(line).ok()?;
        let metrics = (event.r#type == "platform.report").then_some(event.record)?.metrics;
        Some(Self {
            milliseconds: metrics.duration_ms,
            billed_milliseconds: metrics.billed_duration_ms,
            megabytes: metrics.memory_size_mb,
        })
    }

    fn gb_seconds(self) -> f64 {
        self.billed_milliseconds / 1000.0 * self.megabytes / 1024.0
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
    #[serde(rename = "durationMs")]
    duration_ms: f64,
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
    use super::super::tally::{By, Refusal, RequestResult};
    use super::*;
    use crate::workload::{Arrival, Content, SAMPLE};

    /// AWS's bill for one order of two SKUs, sent `before` times before its outcome and `after` times after it.
    fn billed(lane: &str, before: u8, after: u8) -> Usage {
        let lane = lanes::lane(lane).expect("it is in the table");
        let arrival = Arrival { at_us: 0, order: 0, content: Content::Order(0) };
        let bodies = vec![SAMPLE.into()];
        let workload = Workload { arrivals: vec![arrival], orders: 1, bodies, ..Workload::default() };
        let mut tally = Tally::new(&workload);
        let send = |tally: &mut Tally, result| {
            tally.sent(0, Duration::ZERO, Duration::ZERO);
            tally.request_ended(0, Duration::ZERO, result, Duration::ZERO);
        };
        for _ in 0..before {
            send(&mut tally, RequestResult::Queued);
        }
        tally.learned(0, OutcomeKind::Confirmed, Some(1), By::Callback, Duration::ZERO);
        for _ in 0..after {
            send(&mut tally, RequestResult::Queued);
        }
        counted(lane, &tally, &workload, Vec::new(), 0, Duration::ZERO, true)
    }

    #[test]
    fn a_repeat_of_a_decided_order_costs_no_step() {
        let (once, late) = (billed("bus", 1, 0), billed("bus", 1, 1));

        // 6 events. 11 messages, each sent, received and deleted. Write units: 6 for the record, 2 for its entry in the
        // index, 3 for final holds. The 5 + 2 items of the transactions count twice.
        assert_eq!((once.publish_units, once.message_units), (Some(6), 33));
        assert!((once.write_units - 25.0).abs() < 1e-9, "{}", once.write_units);
        // One more event, message and write. The write fails its condition.
        assert_eq!((late.publish_units, late.message_units, late.order_requests), (Some(7), 36, 2));
        assert!((late.write_units - 26.0).abs() < 1e-9, "{}", late.write_units);
    }

    #[test]
    fn a_repeat_while_the_steps_vote_is_passed_on_to_them_again() {
        let early = billed("bus", 2, 0);

        assert_eq!((early.publish_units, early.message_units), (Some(12), 66));
        assert!((early.write_units - 48.0).abs() < 1e-9, "{}", early.write_units);
    }

    #[test]
    fn a_repeat_down_the_async_lane_costs_a_message_and_a_write() {
        let late = billed("async", 1, 2);

        assert_eq!((late.publish_units, late.message_units), (Some(0), 9));
        assert!((late.write_units - 4.0).abs() < 1e-9, "{}", late.write_units);
    }

    #[test]
    fn a_refused_order_costs_a_request_and_the_invocation_that_refused_it() {
        let arrival = |order: u32| Arrival { at_us: 0, order, content: Content::Invalid };
        let workload = Workload { arrivals: vec![arrival(0), arrival(1)], orders: 2, ..Workload::default() };
        let mut tally = Tally::new(&workload);
        for (order, why) in [(0, Refusal::Invalid), (1, Refusal::Throttled)] {
            tally.sent(order, Duration::ZERO, Duration::ZERO);
            tally.request_ended(order, Duration::ZERO, RequestResult::Refused(why), Duration::ZERO);
        }
        let bus = lanes::lane("bus").expect("it is in the table");

        let usage = counted(bus, &tally, &workload, Vec::new(), 0, Duration::ZERO, true);

        assert_eq!((usage.order_requests, usage.throttled_requests, usage.publish_units), (2, 1, Some(0)));
        assert!(functions_of(bus, &tally).contains(&("publish-order", 1)), "the 400 is its answer");
    }

    #[test]
    fn reads_reports_of_both_formats() {
        let text = "REPORT RequestId: 6f747f00\tDuration: 12.34 ms\tBilled Duration: 13 ms\tMemory Size: 256 MB\tMax Memory Used: 30 MB\t";
        let json = r#"{"time":"2026-01-01T00:00:00.000Z","type":"platform.report","record":{"requestId":"6f","metrics":{"durationMs":12.34,"billedDurationMs":13,"memorySizeMB":256,"maxMemoryUsedMB":30},"status":"success"}}"#;

        for line in [text, json] {
            let report = InvocationReport::read(line).expect("it is a report");
            let read = InvocationReport { milliseconds: 12.34, billed_milliseconds: 13.0, megabytes: 256.0 };
            assert_eq!(report, read, "{line}");
            assert!((report.gb_seconds() - 0.00325).abs() < 1e-9);
        }
    }

    #[test]
    fn other_lines_are_not_reports() {
        for line in
            ["", "REPORT RequestId: x", "{}", r#"{"type":"platform.start","record":{}}"#, r#"{"message":"REPORT"}"#]
        {
            assert_eq!(InvocationReport::read(line), None, "{line}");
        }
    }

    #[test]
    fn consecutive_invocations_are_not_concurrent() {
        let report = |end: f64, milliseconds: f64| {
            (end, InvocationReport { milliseconds, billed_milliseconds: milliseconds, megabytes: 128.0 })
        };

        assert_eq!(most_at_once(&[]), 0);
        assert_eq!(most_at_once(&[report(100.0, 2.0)]), 1);
        // Ten concurrent invocations of 4 ms.
        assert_eq!(most_at_once(&[report(100.0, 4.0); 10]), 10);
        // Consecutive, rounded to milliseconds.
        assert_eq!(most_at_once(&[report(100.0, 50.0), report(149.0, 50.0), report(199.0, 50.0)]), 1);
        assert_eq!(most_at_once(&[report(100.0, 50.0), report(120.0, 50.0), report(300.0, 260.0)]), 3);
    }
}
