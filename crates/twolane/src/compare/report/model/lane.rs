//! What happened to the orders of one lane.

use super::{LaneCost, Latencies};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One lane. Warm-up is left out of everything but `timeline`, `deadLetters`, `reconciliation` and `usage`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LaneReport {
    /// Which one.
    pub(crate) lane: LaneName,
    /// What became of the orders.
    pub(crate) counts: Counts,
    /// How long it took.
    pub(crate) latencies: Latencies,
    /// One entry per second from the first arrival to the last outcome.
    pub(crate) timeline: Vec<TimelineSecond>,
    /// Of the dead-letter queue, where it could be asked.
    pub(crate) dead_letters: Option<DeadLetters>,
    /// What the table says of it, where it could be asked.
    pub(crate) reconciliation: Option<Reconciliation>,
    /// What AWS bills, counted.
    pub(crate) usage: Usage,
    /// What that costs. Written by `report::complete`.
    pub(crate) cost: Option<LaneCost>,
}

/// Which way orders went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum LaneName {
    /// API Gateway → Lambda → DynamoDB.
    Sync,
    /// API Gateway → SQS → Lambda → DynamoDB → WebSocket.
    Async,
}

impl LaneName {
    /// As in URLs, records and on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Async => "async",
        }
    }
}

/// Orders by what became of them. `sent = accepted + refused`, and of the accepted ones
/// `accepted = confirmed + rejected + failed + lost + unsettled + repeated`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Counts {
    /// Requests sent, one per order unless the scenario sends duplicates.
    pub(crate) sent: u64,
    /// Answered 200, 201 or 202.
    pub(crate) accepted: u64,
    /// Not accepted, by class.
    pub(crate) refused: Refused,
    /// Stored.
    pub(crate) confirmed: u64,
    /// Refused by the worker.
    pub(crate) rejected: u64,
    /// Given up after the last delivery.
    pub(crate) failed: u64,
    /// Accepted, and without an outcome when the grace period ended.
    pub(crate) lost: u64,
    /// Accepted, and without an outcome when the run was interrupted.
    pub(crate) unsettled: u64,
    /// Requests accepted beyond the first for an order.
    pub(crate) repeated: u64,
    /// Orders of which no request was accepted, and which have an outcome all the same: the answer did not come.
    pub(crate) done_unacknowledged: u64,
    /// Accepted orders whose outcome no callback told, where callbacks were listened for: the status service told it.
    pub(crate) without_callback: Option<u64>,
    /// Messages that nothing can decode, put straight into the queue; not among `sent`.
    pub(crate) undecodable: u64,
    /// Callbacks that told of an order what the one before had told.
    pub(crate) duplicate_callbacks: u64,
    /// Orders by the deliveries that they took.
    pub(crate) attempts: BTreeMap<u64, u64>,
}

/// Requests that were not accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Refused {
    /// 429.
    pub(crate) throttled: u64,
    /// 503.
    pub(crate) unavailable: u64,
    /// Other 5xx.
    pub(crate) server_error: u64,
    /// Other 4xx.
    pub(crate) client_error: u64,
    /// No answer at all: time-out or a broken connection.
    pub(crate) no_answer: u64,
}

impl Refused {
    /// Of all classes.
    pub(crate) fn total(self) -> u64 {
        self.throttled + self.unavailable + self.server_error + self.client_error + self.no_answer
    }
}

/// One second of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TimelineSecond {
    /// Since the first arrival, from 0.
    pub(crate) second: u64,
    /// Orders due in it.
    pub(crate) arrivals: u64,
    /// Orders whose acceptance came in it.
    pub(crate) acknowledged: u64,
    /// Requests whose refusal came in it.
    pub(crate) refused: u64,
    /// Outcomes that came in it.
    pub(crate) completed: u64,
    /// At its end: async: accepted without an outcome; sync: requests under way.
    pub(crate) backlog: u64,
    /// Messages in the queue, visible and in flight, as SQS says (approximately).
    pub(crate) queue_depth: Option<u64>,
}

/// Messages in the dead-letter queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeadLetters {
    /// Before the first order.
    pub(crate) before: u64,
    /// After the grace period.
    pub(crate) after: u64,
}

/// The lane's sums against the orders table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reconciliation {
    /// Orders looked up.
    pub(crate) checked: u64,
    /// Orders found, whatever their status.
    pub(crate) stored: u64,
    /// Orders of which table and measurement differ.
    pub(crate) differences: u64,
    /// The first of them, each an error of the run.
    pub(crate) mismatches: Vec<String>,
}

/// What AWS bills, counted over all of the lane's orders: the warm-up's too, as Lambda's reports are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Usage {
    /// Orders with an outcome that it is for.
    pub(crate) orders: u64,
    /// REST API requests that placed orders, all refused ones too.
    pub(crate) order_requests: u64,
    /// Of those, the ones that API Gateway throttled (429), which it does not charge.
    pub(crate) throttled_requests: u64,
    /// REST API requests by which a caller that polls asked the status service.
    pub(crate) status_requests: u64,
    /// SQS requests in units of 64 KB: sends, receives, deletes and changes of visibility.
    pub(crate) message_units: u64,
    /// Functions that ran.
    pub(crate) functions: Vec<FunctionUsage>,
    /// DynamoDB write request units.
    pub(crate) write_units: f64,
    /// DynamoDB read request units.
    pub(crate) read_units: f64,
    /// WebSocket messages in units of 32 KB, both directions.
    pub(crate) websocket_messages: u64,
    /// Minutes that sockets were open, summed.
    pub(crate) connection_minutes: f64,
}

/// One function's part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FunctionUsage {
    /// As its folder: `create-order`, `process-orders`, `get-order`, `manage-connections`, `authorize-request`.
    pub(crate) name: String,
    /// Invocations.
    pub(crate) invocations: u64,
    /// Billed duration × memory, in GB-seconds.
    pub(crate) gb_seconds: f64,
    /// Invocations that ran at the same moment at most, by when Lambda's reports say that each began and ended.
    pub(crate) most_at_once: u64,
    /// Whether the duration is Lambda's own (REPORT lines on AWS) rather than an emulator's or an estimate.
    pub(crate) representative: bool,
}
