//! One order's timeline, for charts and reports.

use crate::money::Money;
use crate::order_file::PlannedOrder;
use lanes::Lane;
use orders_api::{OrderView, Problem, ServerFrame, StepView};
use serde_json::{Map, Value};
use std::time::Duration;
use time::OffsetDateTime;

/// From the first request to the end. Times count from that request.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// What was placed.
    pub order: PlannedOrder,
    /// If the order is valid.
    pub total: Option<Money>,
    /// Its lane.
    pub lane: Lane,
    /// Time of the first request.
    pub sent_at: OffsetDateTime,
    /// Repeated requests.
    pub repeats: Vec<Repeat>,
    /// Of the last answer to the PUT.
    pub http_status: Option<u16>,
    /// In a lane that answers with a receipt.
    pub acknowledged: Option<Acknowledgement>,
    /// The end.
    pub end: End,
}

/// A repeated request.
#[derive(Clone, Debug)]
pub struct Repeat {
    /// When it failed.
    pub at: Duration,
    /// Why.
    pub why: String,
    /// Until the next request.
    pub wait: Duration,
}

/// An accepted order.
#[derive(Clone, Debug)]
pub struct Acknowledgement {
    /// The answer's arrival.
    pub at: Duration,
    /// From SQS or SNS.
    pub message_id: Option<String>,
}

/// An order's end.
#[derive(Clone, Debug)]
pub struct End {
    /// Its time.
    pub at: Duration,
    /// The outcome.
    pub outcome: ObservedOutcome,
    /// How the client learned it.
    pub by: DoneBy,
}

/// How the client learned an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoneBy {
    /// The HTTP answer to the order.
    Answer,
    /// An unasked WebSocket frame.
    Callback,
    /// A poll, or the answer to a renewed subscription.
    Fetch,
    /// Not learned.
    Nothing,
}

/// An order's outcome, as far as the client knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedOutcome {
    /// The status.
    pub status: ObservedStatus,
    /// Unless confirmed.
    pub reason: Option<String>,
    /// If sent.
    pub problem: Option<Problem>,
    /// As far as known. Empty in a lane without steps.
    pub steps: Vec<StepView>,
}

/// An order's status, as the client sees it: an outcome, or `Error` or `Unanswered` if the client learned none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObservedStatus {
    /// Stored.
    Confirmed,
    /// A step refused or failed, the deadline passed, or SNS did not take `order.placed`. Final.
    Cancelled,
    /// Rejected. Final.
    Rejected,
    /// Not recorded in the last delivery; a redrive may still confirm it.
    Failed,
    /// An error that does not settle the order.
    Error,
    /// No outcome in time.
    Unanswered,
}

impl ObservedStatus {
    /// In records and reports.
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

    /// Whether it is final.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Confirmed | Self::Cancelled | Self::Rejected)
    }
}

impl ObservedOutcome {
    /// Stored.
    #[must_use]
    pub fn confirmed() -> Self {
        Self { status: ObservedStatus::Confirmed, reason: None, problem: None, steps: Vec::new() }
    }

    /// Any other status.
    #[must_use]
    pub fn because(status: ObservedStatus, reason: impl Into<String>) -> Self {
        Self { status, reason: Some(reason.into()), problem: None, steps: Vec::new() }
    }

    fn with_steps(mut self, view: &OrderView) -> Self {
        self.steps = view.steps.clone().unwrap_or_default();
        self
    }

    /// The outcome in the record for the order with this content. `None` if there is none yet.
    ///
    /// A record of a different order rejects this one: an id belongs to one order.
    #[must_use]
    pub fn of_record(view: &OrderView, content: &Map<String, Value>) -> Option<Self> {
        let reason = || view.reason.clone().unwrap_or_default();
        match view.status.as_str() {
            "CONFIRMED" if is_order(view, content) => Some(Self::confirmed().with_steps(view)),
            "CANCELLED" if is_order(view, content) => {
                Some(Self::because(ObservedStatus::Cancelled, reason()).with_steps(view))
            }
            "CONFIRMED" | "CANCELLED" => {
                let reason = "the order id was used before for a different order";
                Some(Self::because(ObservedStatus::Rejected, reason))
            }
            "REJECTED" => Some(Self::because(ObservedStatus::Rejected, reason())),
            "FAILED" => Some(Self::because(ObservedStatus::Failed, reason())),
            _ => None,
        }
    }
}

/// The outcome in a frame for the order with this content, and how it was learned. `None` if pending, or for a late
/// repeat about a different order with the same id.
#[must_use]
pub fn outcome_of_frame(frame: &ServerFrame, content: &Map<String, Value>) -> Option<(ObservedOutcome, DoneBy)> {
    let with_steps_of = |outcome: ObservedOutcome, view: Option<&OrderView>| match view {
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
            Some((with_steps_of(ObservedOutcome::confirmed(), order.as_deref()), DoneBy::Callback))
        }
        ServerFrame::Cancelled { order, reason, .. } => {
            let outcome = ObservedOutcome::because(ObservedStatus::Cancelled, reason.as_str());
            Some((with_steps_of(outcome, order.as_deref()), DoneBy::Callback))
        }
        ServerFrame::Rejected { reason, .. } => {
            Some((ObservedOutcome::because(ObservedStatus::Rejected, reason.as_str()), DoneBy::Callback))
        }
        ServerFrame::Failed { reason, .. } => {
            Some((ObservedOutcome::because(ObservedStatus::Failed, reason.as_str()), DoneBy::Callback))
        }
        ServerFrame::Status { order: Some(view), .. } => {
            ObservedOutcome::of_record(view, content).map(|outcome| (outcome, DoneBy::Fetch))
        }
        // Pending or too large for a frame: the client polls.
        ServerFrame::Status { .. } | ServerFrame::Error { .. } | ServerFrame::Pong => None,
    }
}

/// In lower case.
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

/// Whether the record has the content that was sent.
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
    fn the_record_of_a_different_order_rejects_this_one() {
        let same = ObservedOutcome::of_record(&record("CONFIRMED"), &content(1)).expect("an outcome");
        let different = ObservedOutcome::of_record(&record("CONFIRMED"), &content(2)).expect("an outcome");

        assert_eq!(same, ObservedOutcome::confirmed());
        assert_eq!(different.status, ObservedStatus::Rejected);
    }

    #[test]
    fn a_record_with_an_unknown_status_has_no_outcome() {
        assert_eq!(ObservedOutcome::of_record(&record("SHIPPED"), &content(1)), None);
    }

    #[test]
    fn the_callback_of_a_different_order_with_the_same_id_is_ignored() {
        let order = Some(Box::new(record("CONFIRMED")));
        let frame = ServerFrame::Confirmed { order_id: "x".into(), order, order_url: None };

        assert_eq!(outcome_of_frame(&frame, &content(1)), Some((ObservedOutcome::confirmed(), DoneBy::Callback)));
        assert_eq!(outcome_of_frame(&frame, &content(2)), None);
    }

    /// In the bus lane.
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
        let fetched = ObservedOutcome::of_record(&voted("CANCELLED"), &content(1)).expect("an outcome");
        let order = Some(Box::new(voted("CANCELLED")));
        let frame = ServerFrame::Cancelled { order_id: "x".into(), reason: "why".into(), order, order_url: None };

        assert_eq!((fetched.status, fetched.reason.as_deref()), (ObservedStatus::Cancelled, Some("why")));
        assert_eq!(fetched.steps.len(), 3);
        assert_eq!(outcome_of_frame(&frame, &content(1)), Some((fetched, DoneBy::Callback)));
        assert_eq!(outcome_of_frame(&frame, &content(2)), None);
        assert_eq!(
            ObservedOutcome::of_record(&voted("CANCELLED"), &content(2)).map(|outcome| outcome.status),
            Some(ObservedStatus::Rejected)
        );
        assert_eq!(ObservedOutcome::of_record(&voted("PLACED"), &content(1)), None);
    }

    #[test]
    fn a_pending_order_has_no_outcome() {
        let status = "PENDING".into();
        let frame = ServerFrame::Status { order_id: "x".into(), status, order: None, order_url: None };

        assert_eq!(outcome_of_frame(&frame, &content(1)), None);
    }
}
