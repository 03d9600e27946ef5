//! What happened to the orders of one lane.

use super::{LaneCost, Latencies, Latency, by_name};
use lanes::{Answer, FunctionSpec, Lane};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One lane. Warm-up is left out of everything but `timeline`, `deadLetters`, `reconciliation` and `usage`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LaneReport {
    /// Which one.
    #[serde(with = "by_name")]
    pub lane: Lane,
    /// By function, invocations that it could have at once while measured; `null` for no limit, or none that is known.
    pub limits: BTreeMap<String, Option<u64>>,
    /// What became of the orders.
    pub counts: Counts,
    /// How long it took.
    pub latencies: Latencies,
    /// How long it took for the orders of all owners but the noisy one; `null` where no owner is noisy.
    #[serde(default)]
    pub other_owners: Option<Latencies>,
    /// One entry per second from the first arrival to the last outcome.
    pub timeline: Vec<TimelineSecond>,
    /// Of the dead-letter queues, where they could be asked.
    pub dead_letters: Option<DeadLetters>,
    /// What the table says of it, where it could be asked.
    pub reconciliation: Option<Reconciliation>,
    /// What AWS bills, counted.
    pub usage: Usage,
    /// What that costs. Written by [`complete`](crate::complete).
    pub cost: Option<LaneCost>,
}

impl LaneReport {
    /// Times from the intended send time to the outcome, as the caller learned it first.
    pub(crate) fn done(&self) -> Option<&Latency> {
        self.done_of(&self.latencies)
    }

    /// The same of the orders of all owners but the noisy one.
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

    /// The lane's functions that have a limit, and how many invocations that is.
    pub(crate) fn limited(&self) -> impl Iterator<Item = (&'static FunctionSpec, u64)> {
        self.lane.functions.iter().filter_map(|function| Some((function, (*self.limits.get(function.name)?)?)))
    }
}

/// Orders by what became of them. `sent = accepted + refused`, and of the accepted ones
/// `accepted = confirmed + cancelled + rejected + failed + lost + unsettled + repeated`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Requests sent, one per order unless the scenario sends duplicates.
    pub sent: u64,
    /// Requests that could not leave the generator's machine, not among `sent`: they say nothing of the lane. `null` in reports from
    /// before they were counted, which have them among `refused`.
    #[serde(default)]
    pub not_sent: Option<u64>,
    /// Answered 200, 201 or 202.
    pub accepted: u64,
    /// Not accepted, by class.
    pub refused: Refused,
    /// Stored.
    pub confirmed: u64,
    /// Cancelled: a step refused or failed, or the deadline passed. `null` in reports from before there was a lane with steps.
    #[serde(default)]
    pub cancelled: Option<u64>,
    /// Refused by the worker.
    pub rejected: u64,
    /// Given up after the last delivery.
    pub failed: u64,
    /// Accepted, and without an outcome when the grace period ended.
    pub lost: u64,
    /// Accepted, and without an outcome when the run was interrupted.
    pub unsettled: u64,
    /// Requests accepted beyond the first for an order.
    pub repeated: u64,
    /// Orders of which no request was accepted, and which have an outcome all the same: the answer did not come.
    pub done_unacknowledged: u64,
    /// Accepted orders with an outcome that only the status service reported, where callbacks were listened for.
    pub without_callback: Option<u64>,
    /// Messages that nothing can decode, put straight into the queue; not among `sent`.
    pub undecodable: u64,
    /// Callbacks that repeat what the one before reported of the order.
    pub duplicate_callbacks: u64,
    /// Orders by the deliveries that they took.
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
    /// No answer at all: time-out or a broken connection.
    pub no_answer: u64,
}

impl Refused {
    /// Of all classes.
    #[must_use]
    pub fn total(self) -> u64 {
        self.throttled + self.unavailable + self.server_error + self.client_error + self.no_answer
    }
}

/// One second of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TimelineSecond {
    /// Since the first arrival, from 0.
    pub second: u64,
    /// Orders due in it.
    pub arrivals: u64,
    /// Orders whose acceptance came in it.
    pub acknowledged: u64,
    /// Requests whose refusal came in it.
    pub refused: u64,
    /// Outcomes that came in it.
    pub completed: u64,
    /// At its end: requests under way where the answer is the outcome, else accepted orders without an outcome.
    pub backlog: u64,
    /// Messages in the lane's queues, visible and in flight, as SQS says (approximately). Queues in which messages wait for a set
    /// time do not count.
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

/// The lane's sums against the orders table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reconciliation {
    /// Orders looked up.
    pub checked: u64,
    /// Orders found, whatever their status.
    pub stored: u64,
    /// Orders of which table and measurement differ.
    pub differences: u64,
    /// The first of them, each an error of the run.
    pub mismatches: Vec<String>,
}

/// What AWS bills, counted over all of the lane's orders: the warm-up's too, as Lambda's reports are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Orders with an outcome that it is for.
    pub orders: u64,
    /// REST API requests that placed orders, all refused ones too.
    pub order_requests: u64,
    /// Of those, the ones that API Gateway throttled (429), which it does not charge.
    pub throttled_requests: u64,
    /// REST API requests by which a caller that polls asked the status service.
    pub status_requests: u64,
    /// SNS requests in units of 64 KB. `null` in reports from before there was a lane with topics.
    #[serde(default)]
    pub publish_units: Option<u64>,
    /// SQS requests in units of 64 KB: sends, receives, deletes and changes of visibility.
    pub message_units: u64,
    /// Of those, the ones of fair queues: messages with a group. `null` in reports from before they were counted.
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

/// One function's part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionUsage {
    /// As its folder: `create-order`, `process-orders`, `get-order`, `manage-connections`, `authorize-request`.
    pub name: String,
    /// Invocations.
    pub invocations: u64,
    /// Billed duration × memory, in GB-seconds.
    pub gb_seconds: f64,
    /// Invocations that ran at the same moment at most, by when Lambda's reports say that each began and ended.
    pub most_at_once: u64,
    /// Whether the duration is Lambda's own (REPORT lines on AWS) rather than an emulator's or an estimate.
    pub representative: bool,
}
