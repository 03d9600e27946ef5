//! A lane's figures.

use super::{LaneCost, Latencies, Latency, by_name};
use lanes::{Answer, FunctionSpec, Lane};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Only `timeline`, `deadLetters`, `reconciliation` and `usage` include the warm-up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LaneReport {
    /// The lane.
    #[serde(with = "by_name")]
    pub lane: Lane,
    /// Each function's maximum concurrency during the run; `null`: no limit, or unknown.
    pub limits: BTreeMap<String, Option<u64>>,
    /// Orders by outcome.
    pub counts: Counts,
    /// Latencies.
    pub latencies: Latencies,
    /// Of all owners except the noisy one; `null` without one.
    #[serde(default)]
    pub other_owners: Option<Latencies>,
    /// One entry per second, from the first arrival to the last outcome.
    pub timeline: Vec<TimelineSecond>,
    /// Depths of the dead-letter queues; `null` if they could not be read.
    pub dead_letters: Option<DeadLetterCounts>,
    /// Comparison with the orders table; `null` if it could not be read.
    pub reconciliation: Option<Reconciliation>,
    /// What AWS bills.
    pub usage: Usage,
    /// Of `usage`. Set by [`complete`](crate::complete).
    pub cost: Option<LaneCost>,
}

impl LaneReport {
    /// From the due time until the caller first learned the outcome.
    pub(crate) fn done(&self) -> Option<&Latency> {
        self.done_of(&self.latencies)
    }

    /// All owners except the noisy one.
    pub(crate) fn others_done(&self) -> Option<&Latency> {
        self.done_of(self.other_owners.as_ref()?)
    }

    fn done_of<'a>(&self, latencies: &'a Latencies) -> Option<&'a Latency> {
        let reported = latencies.done_by_callback.as_ref().or(latencies.done_by_poll.as_ref());
        match self.lane.answer {
            Answer::Outcome => reported.or(latencies.acknowledge.as_ref()),
            Answer::Receipt => reported,
        }
    }

    /// The lane's functions with a concurrency limit.
    pub(crate) fn limited(&self) -> impl Iterator<Item = (&'static FunctionSpec, u64)> {
        self.lane.functions.iter().filter_map(|function| Some((function, (*self.limits.get(function.name)?)?)))
    }
}

/// Orders by outcome. `sent = accepted + refused`, and `accepted = confirmed + cancelled + rejected + failed + lost +
/// unsettled + repeated`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// One per order, except in scenarios with duplicates.
    pub sent: u64,
    /// Requests that could not leave the generator's machine; not in `sent`. `null` in older reports,
    /// which count them as refused.
    #[serde(default)]
    pub not_sent: Option<u64>,
    /// 200, 201 or 202.
    pub accepted: u64,
    /// Answered 4xx or 5xx, or without an answer, by class.
    pub refused: Refused,
    /// Stored.
    pub confirmed: u64,
    /// A step refused or failed, the deadline passed, or SNS did not take `order.placed`. `null` in reports older than lanes with steps.
    #[serde(default)]
    pub cancelled: Option<u64>,
    /// Rejected by the worker.
    pub rejected: u64,
    /// Not recorded in the last delivery.
    pub failed: u64,
    /// Accepted, but without an outcome after the grace period.
    pub lost: u64,
    /// Accepted, but without an outcome at an interruption.
    pub unsettled: u64,
    /// Requests accepted beyond an order's first.
    pub repeated: u64,
    /// Orders with an outcome although no request was accepted: the answer was lost.
    pub done_unacknowledged: u64,
    /// Accepted orders with an outcome from a poll, not a callback. `null` without sockets.
    pub without_callback: Option<u64>,
    /// Undecodable messages put into the queue; not in `sent`.
    pub undecodable: u64,
    /// Callbacks that repeat an order's previous one.
    pub duplicate_callbacks: u64,
    /// Orders by number of deliveries.
    pub attempts: BTreeMap<u64, u64>,
}

/// Requests answered 4xx or 5xx, or without an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refused {
    /// 429.
    pub throttled: u64,
    /// 503.
    pub unavailable: u64,
    /// Other 5xx.
    pub server_error: u64,
    /// Other 4xx.
    pub client_error: u64,
    /// Timeout or broken connection.
    pub no_answer: u64,
}

impl Refused {
    /// The sum of all classes.
    #[must_use]
    pub fn total(self) -> u64 {
        self.throttled + self.unavailable + self.server_error + self.client_error + self.no_answer
    }
}

/// A second of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TimelineSecond {
    /// Since the first arrival, from 0.
    pub second: u64,
    /// Orders due.
    pub arrivals: u64,
    /// Orders acknowledged.
    pub acknowledged: u64,
    /// Requests refused.
    pub refused: u64,
    /// Outcomes.
    pub completed: u64,
    /// At the end: requests in progress if the answer is the outcome, else accepted orders without an outcome.
    pub backlog: u64,
    /// Approximate messages in the lane's queues except timer queues, visible and in flight, from SQS.
    pub queue_depth: Option<u64>,
}

/// In the lane's dead-letter queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetterCounts {
    /// Before the first order.
    pub before: u64,
    /// After the grace period.
    pub after: u64,
}

/// The lane's counts against the orders table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reconciliation {
    /// Orders looked up.
    pub checked: u64,
    /// With any status.
    pub stored: u64,
    /// Orders with a record that differs.
    pub differences: u64,
    /// The first ones; each is an error of the run.
    pub mismatches: Vec<String>,
}

/// What AWS bills for the lane's orders, with the warm-up, as in Lambda's reports.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Orders with an outcome.
    pub orders: u64,
    /// REST API requests that placed orders, also refused ones.
    pub order_requests: u64,
    /// Of those, throttled by API Gateway (429), which are free.
    pub throttled_requests: u64,
    /// REST API requests to the status service for polling, but not for overdue callbacks.
    pub status_requests: u64,
    /// SNS requests in units of 64 KB. `null` in reports older than lanes with topics.
    #[serde(default)]
    pub publish_units: Option<u64>,
    /// SQS requests in units of 64 KB: sends, receives, deletes and visibility changes.
    pub message_units: u64,
    /// Of those, messages with a group, in fair queues. `null` in older reports.
    #[serde(default)]
    pub fair_queue_units: Option<u64>,
    /// Functions that ran.
    pub functions: Vec<FunctionUsage>,
    /// DynamoDB write request units; twice per write in a transaction.
    pub write_units: f64,
    /// DynamoDB read request units.
    pub read_units: f64,
    /// In units of 32 KB, both directions.
    pub websocket_messages: u64,
    /// Minutes of open sockets.
    pub connection_minutes: f64,
}

/// One function's usage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionUsage {
    /// The folder's name: `create-order`, `process-orders`, `get-order`, `manage-connections`, `authorize-request`.
    pub name: String,
    /// Invocations.
    pub invocations: u64,
    /// Billed duration × memory.
    pub gb_seconds: f64,
    /// Most concurrent invocations, from the start and end times in Lambda's reports.
    pub most_at_once: u64,
    /// Whether Lambda measured the duration (REPORT lines on AWS), not an emulator or estimate.
    pub representative: bool,
}
