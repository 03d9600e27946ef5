//! What happened to one order, and when: the measurement that charts and reports draw on.

use crate::money::Money;
use crate::order_file::PlannedOrder;
use lanes::Lane;
use orders_api::{OrderView, Problem, ServerFrame, StepView};
use serde_json::{Map, Value};
use std::time::Duration;
use time::OffsetDateTime;

/// One order's way, from its first request to its end. Times count from that first request.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// What was placed.
    pub order: PlannedOrder,
    /// What it costs, if it is valid.
    pub total: Option<Money>,
    /// Which way it went.
    pub lane: Lane,
    /// When the first request was sent.
    pub sent_at: OffsetDateTime,
    /// Requests that had to be repeated.
    pub repeats: Vec<Repeat>,
    /// The status of the last answer to the order itself.
    pub http_status: Option<u16>,
    /// When a lane that answers with a receipt accepted the order.
    pub acknowledged: Option<Acknowledgement>,
    /// How it ended.
    pub end: End,
}

/// A request that was repeated.
#[derive(Clone, Debug)]
pub struct Repeat {
    /// When it failed.
    pub at: Duration,
    /// Why.
    pub why: String,
    /// The wait before the next one.
    pub wait: Duration,
}

/// An order in the queue.
#[derive(Clone, Debug)]
pub struct Acknowledgement {
    /// When the answer came.
    pub at: Duration,
    /// The id that SQS or SNS gave the message.
    pub message_id: Option<String>,
}

/// The end of an order's way.
#[derive(Clone, Debug)]
pub struct End {
    /// When.
    pub at: Duration,
    /// What became of the order.
    pub outcome: Outcome,
    /// How that was learned.
    pub by: DoneBy,
}

/// How an outcome was learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoneBy {
    /// The HTTP answer to the order.
    Answer,
    /// A frame that the service sent of its own accord.
    Callback,
    /// By asking: the status service, or a subscription that was renewed.
    Fetch,
    /// It was not learned.
    Nothing,
}

/// What became of an order, as far as this client knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// In a word.
    pub status: Status,
    /// Why, unless it was confirmed.
    pub reason: Option<String>,
    /// The problem document, where one was sent.
    pub problem: Option<Problem>,
    /// The state of each step, in a lane with steps and as far as it is known.
    pub steps: Vec<StepView>,
}

/// What became of an order, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Stored.
    Confirmed,
    /// Placed, and cancelled for good: a step refused or failed, or the deadline passed.
    Cancelled,
    /// Refused for good.
    Rejected,
    /// Given up by the service after its last delivery; it may yet be confirmed.
    Failed,
    /// The request was answered with an error that says nothing of the order.
    Error,
    /// No outcome in time.
    Unanswered,
}

impl Status {
    /// As records and reports write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "CONFIRMED",
            Self::Cancelled => "CANCELLED",
            Self::Rejected => "REJECTED",
            Self::Failed => "FAILED",
            Self::Error => "ERROR",
            Self::Unanswered => "UNANSWERED",
        }
    }

    /// Whether the order will stay so.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Confirmed | Self::Cancelled | Self::Rejected)
    }
}

impl Outcome {
    /// Stored.
    #[must_use]
    pub fn confirmed() -> Self {
        Self { status: Status::Confirmed, reason: None, problem: None, steps: Vec::new() }
    }

    /// Anything else, and why.
    #[must_use]
    pub fn because(status: Status, reason: impl Into<String>) -> Self {
        Self { status, reason: Some(reason.into()), problem: None, steps: Vec::new() }
    }

    /// With the state of the order's steps.
    fn with_steps(mut self, view: &OrderView) -> Self {
        self.steps = view.steps.clone().unwrap_or_default();
        self
    }

    /// What a record with an order's id says about the order of this content. `None` where it says nothing yet.
    ///
    /// The record of a different order settles this one too: an id has one order, so this one is refused.
    #[must_use]
    pub fn of_record(view: &OrderView, content: &Map<String, Value>) -> Option<Self> {
        let reason = || view.reason.clone().unwrap_or_default();
        match view.status.as_str() {
            "CONFIRMED" if is_order(view, content) => Some(Self::confirmed().with_steps(view)),
            "CANCELLED" if is_order(view, content) => Some(Self::because(Status::Cancelled, reason()).with_steps(view)),
            "CONFIRMED" | "CANCELLED" => {
                let reason = "the order id was used before for a different order, which stands";
                Some(Self::because(Status::Rejected, reason))
            }
            "REJECTED" => Some(Self::because(Status::Rejected, reason())),
            "FAILED" => Some(Self::because(Status::Failed, reason())),
            _ => None,
        }
    }
}

/// What a frame with an order's id says about the order of this content, and how that was learned. `None` where it
/// says nothing: the order is pending, or the frame is a late repeat about a different order of the same id.
#[must_use]
pub fn outcome_of_frame(frame: &ServerFrame, content: &Map<String, Value>) -> Option<(Outcome, DoneBy)> {
    let with_steps_of = |outcome: Outcome, view: Option<&OrderView>| match view {
        Some(view) => outcome.with_steps(view),
        None => outcome,
    };
    match frame {
        ServerFrame::Confirmed { order: Some(view), .. } | ServerFrame::Cancelled { order: Some(view), .. }
            if !is_order(view, content) =>
        {
            None
        }
        ServerFrame::Confirmed { order, .. } => {
            Some((with_steps_of(Outcome::confirmed(), order.as_deref()), DoneBy::Callback))
        }
        ServerFrame::Cancelled { order, reason, .. } => {
            let outcome = Outcome::because(Status::Cancelled, reason.as_str());
            Some((with_steps_of(outcome, order.as_deref()), DoneBy::Callback))
        }
        ServerFrame::Rejected { reason, .. } => {
            Some((Outcome::because(Status::Rejected, reason.as_str()), DoneBy::Callback))
        }
        ServerFrame::Failed { reason, .. } => {
            Some((Outcome::because(Status::Failed, reason.as_str()), DoneBy::Callback))
        }
        ServerFrame::Status { order: Some(view), .. } => {
            Outcome::of_record(view, content).map(|outcome| (outcome, DoneBy::Fetch))
        }
        // Pending, or too large for a frame: then the status service is asked.
        ServerFrame::Status { .. } | ServerFrame::Error { .. } | ServerFrame::Pong => None,
    }
}

/// The order id of a frame, in lower case.
#[must_use]
pub fn order_id_of_frame(frame: &ServerFrame) -> Option<String> {
    match frame {
        ServerFrame::Confirmed { order_id, .. }
        | ServerFrame::Cancelled { order_id, .. }
        | ServerFrame::Rejected { order_id, .. }
        | ServerFrame::Failed { order_id, .. }
        | ServerFrame::Status { order_id, .. } => Some(order_id.to_lowercase()),
        ServerFrame::Error { .. } | ServerFrame::Pong => None,
    }
}

/// Whether a confirmed order is what was asked for.
fn is_order(view: &OrderView, content: &Map<String, Value>) -> bool {
    let record = serde_json::to_value(view).expect("a view has only string keys, so it is always JSON");
    ["currency", "items", "note"].iter().all(|field| record.get(field) == content.get(*field))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn content(quantity: u32) -> Map<String, Value> {
        let content = json!({"items": [{"unitPriceMinor": 1, "sku": "A", "quantity": quantity}], "currency": "EUR"});
        content.as_object().expect("an object").clone()
    }

    fn record(status: &str) -> OrderView {
        serde_json::from_value(json!({
            "orderId": "x", "status": status, "lane": "async", "currency": "EUR", "attempts": 1, "totalMinor": 1,
            "items": [{"sku": "A", "quantity": 1, "unitPriceMinor": 1}], "placedAt": "", "reason": "why",
        }))
        .expect("a record")
    }

    #[test]
    fn the_record_of_a_different_order_means_that_this_one_is_refused() {
        let same = Outcome::of_record(&record("CONFIRMED"), &content(1)).expect("an outcome");
        let different = Outcome::of_record(&record("CONFIRMED"), &content(2)).expect("an outcome");

        assert_eq!(same, Outcome::confirmed());
        assert_eq!(different.status, Status::Rejected);
    }

    #[test]
    fn a_record_of_an_unknown_status_says_nothing() {
        assert_eq!(Outcome::of_record(&record("SHIPPED"), &content(1)), None);
    }

    #[test]
    fn the_callback_of_a_different_order_with_the_same_id_says_nothing() {
        let order = Some(Box::new(record("CONFIRMED")));
        let frame = ServerFrame::Confirmed { order_id: "x".into(), order, order_url: None };

        assert_eq!(outcome_of_frame(&frame, &content(1)), Some((Outcome::confirmed(), DoneBy::Callback)));
        assert_eq!(outcome_of_frame(&frame, &content(2)), None);
    }

    /// A record of the bus lane.
    fn voted(status: &str) -> OrderView {
        let mut view = record(status);
        view.steps = serde_json::from_value(json!([
            {"step": "stock", "state": "REFUSED", "reason": "why"}, {"step": "payment", "state": "UNDONE"},
            {"step": "shipment", "state": "UNDONE"},
        ]))
        .expect("steps");
        view
    }

    #[test]
    fn a_cancelled_order_has_its_reason_and_its_steps() {
        let fetched = Outcome::of_record(&voted("CANCELLED"), &content(1)).expect("an outcome");
        let order = Some(Box::new(voted("CANCELLED")));
        let frame = ServerFrame::Cancelled { order_id: "x".into(), reason: "why".into(), order, order_url: None };

        assert_eq!((fetched.status, fetched.reason.as_deref()), (Status::Cancelled, Some("why")));
        assert_eq!(fetched.steps.len(), 3);
        assert_eq!(outcome_of_frame(&frame, &content(1)), Some((fetched, DoneBy::Callback)));
        assert_eq!(outcome_of_frame(&frame, &content(2)), None);
        assert_eq!(
            Outcome::of_record(&voted("CANCELLED"), &content(2)).map(|outcome| outcome.status),
            Some(Status::Rejected)
        );
        assert_eq!(Outcome::of_record(&voted("PLACED"), &content(1)), None);
    }

    #[test]
    fn a_pending_order_has_no_outcome() {
        let status = "PENDING".into();
        let frame = ServerFrame::Status { order_id: "x".into(), status, order: None, order_url: None };

        assert_eq!(outcome_of_frame(&frame, &content(1)), None);
    }
}
