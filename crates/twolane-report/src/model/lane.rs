//! The figures of one lane.

use super::{LaneCost, Latencies, Latency, by_name};
use lanes::{Answer, FunctionSpec, Lane};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One lane. The warm-up is included only in `timeline`, `deadLetters`, `reconciliation` and `usage`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LaneReport {
    /// The lane.
    #[serde(with = "by_name")]
    pub lane: Lane,
    /// Maximum concurrency of each function during the run; `null` for no limit, or if unknown.
    pub limits: BTreeMap<String, Option<u64>>,
    /// Orders by outcome.
    pub counts: Counts,
    /// Latencies.
    pub latencies: Latencies,
    /// Latencies of all owners except the noisy one; `null` without a noisy owner.
    #[serde(default)]
    pub other_owners: Option<Latencies>,
    /// One entry per second from the first arrival to the last outcome.
    pub timeline: Vec<TimelineSecond>,
    /// Depths of the dead-letter queues, if they could be read.
    pub dead_letters: Option<DeadLetters>,
    /// The comparison with the orders table, if it could be read.
    pub reconciliation: Option<Reconciliation>,
    /// What AWS bills.
    pub usage: Usage,
    /// Cost of the usage. Set by [`complete`](crate::complete).
    pub cost: Option<LaneCost>,
}

impl LaneReport {
    /// Times from the due time until the caller first learned the outcome.
    pub(crate) fn done(&self) -> Option<&Latency> {
        self.done_of(&self.latencies)
    }

    /// The same for all owners except the noisy one.
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

    /// The lane's functions with a concurrency limit, and the limit.
    pub(crate) fn limited(&self) -> impl Iterator<Item = (&'static FunctionSpec, u64)> {
        self.lane.functions.iter().filter_map(|function| Some((function, (*self.limits.get(function.name)?)?)))
    }
}

/// Orders by outcome. `sent = accepted + refused`, and `accepted = confirmed + cancelled + rejected + failed + lost +
/// unsettled + repeated`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Requests sent, one per order unless the scenario sends duplicates.
    pub sent: u64,
    /// Requests that could not leave the generator's machine; not included in `sent`. `null` in reports of versions
    /// that counted them as refused.
    #[serde(default)]
    pub not_sent: Option<u64>,
    /// Answered 200, 201 or 202.
    pub accepted: u64,
    /// Not accepted, by class.
    pub refused: Refused,
    /// Stored.
    pub confirmed: u64,
    /// Cancelled: a step refused or failed, or the deadline passed. `null` in reports of versions without a lane with
    /// steps.
    #[serde(default)]
    pub cancelled: Option<u64>,
    /// Rejected by the worker.
    pub rejected: u64,
    /// Not recorded in the last delivery.
    pub failed: u64,
    /// Accepted, but without an outcome when the grace period ended.
    pub lost: u64,
    /// Accepted, but without an outcome when the run was interrupted.
    pub unsettled: u64,
    /// Requests accepted beyond the first for an order.
    pub repeated: u64,
    /// Orders with an outcome although no request was accepted: the answer was lost.
    pub done_unacknowledged: u64,
    /// Accepted orders with an outcome from a poll, not from a callback. `null` if no sockets were open.
    pub without_callback: Option<u64>,
    /// Undecodable messages, put straight into the queue; not included in `sent`.
    pub undecodable: u64,
    /// Callbacks that repeat the order's previous callback.
    pub duplicate_callbacks: u64,
    /// Number of orders by number of deliveries.
    pub attempts: BTreeMap<u64, u64>,
}

/// Requests that were not accepted.
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
    /// No answer: timeout or a broken connection.
    pub no_answer: u64,
}

impl Refused {
    /// The sum of all classes.
    #[must_use]
    pub fn total(self) -> u64 {
        self.throttled + self.unavailable + self.server_error + self.client_error + self.no_answer
    }
}

/// One second of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TimelineSecond {
    /// Seconds since the first arrival, from 0.
    pub second: u64,
    /// Orders due in this second.
    pub arrivals: u64,
    /// Orders acknowledged in this second.
    pub acknowledged: u64,
    /// Requests refused in this second.
    pub refused: u64,
    /// Outcomes that arrived in this second.
    pub completed: u64,
    /// Backlog at the end of this second: requests in progress if the answer is the outcome, else accepted orders
    /// without an outcome.
    pub backlog: u64,
    /// Approximate number of messages in the lane's queues, visible and in flight, as reported by SQS. Timer queues do
    /// not count.
    pub queue_depth: Option<u64>,
}

/// Messages in the lane's dead-letter queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetters {
    /// Before the first order.
    pub before: u64,
    /// After the grace period.
    pub after: u64,
}

/// The lane's counts compared with the orders table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reconciliation {
    /// Orders looked up.
    pub checked: u64,
    /// Orders found, with any status.
    pub stored: u64,
    /// Orders with a record that differs from the measurement.
    pub differences: u64,
    /// The first differences, each an error of the run.
    pub mismatches: Vec<String>,
}

/// What AWS bills for all of the lane's orders. Includes the warm-up, as Lambda's reports do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Orders with an outcome.
    pub orders: u64,
    /// REST API requests that placed orders, refused ones included.
    pub order_requests: u64,
    /// Those of them that API Gateway throttled (429) and does not charge.
    pub throttled_requests: u64,
    /// REST API requests to the status service from a caller that polls. Polls because a callback is overdue do not count.
    pub status_requests: u64,
    /// SNS requests in units of 64 KB. `null` in reports of versions without a lane with topics.
    #[serde(default)]
    pub publish_units: Option<u64>,
    /// SQS requests in units of 64 KB: sends, receives, deletes and changes of visibility.
    pub message_units: u64,
    /// Those of fair queues among them: messages with a group. `null` in reports of versions without this count.
    #[serde(default)]
    pub fair_queue_units: Option<u64>,
    /// Functions that ran.
    pub functions: Vec<FunctionUsage>,
    /// DynamoDB write request units: a write in a transaction counts twice.
    pub write_units: f64,
    /// DynamoDB read request units.
    pub read_units: f64,
    /// WebSocket messages in units of 32 KB, both directions.
    pub websocket_messages: u64,
    /// Minutes that sockets were open, summed.
    pub connection_minutes: f64,
}

/// The usage of one function.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionUsage {
    /// Name of its folder: `create-order`, `process-orders`, `get-order`, `manage-connections`, `authorize-request`.
    pub name: String,
    /// Invocations.
    pub invocations: u64,
    /// Billed duration × memory, in GB-seconds.
    pub gb_seconds: f64,
    /// Most concurrent invocations, computed from the start and end times in Lambda's reports.
    pub most_at_once: u64,
    /// Whether Lambda measured the duration (REPORT lines on AWS), not an emulator or an estimate.
    pub representative: bool,
}
