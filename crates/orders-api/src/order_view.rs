use orders::{Item, Lane, Order, OrderContent, Outcome, Step, Votes};
use serde::{Deserialize, Serialize};

/// An order as clients see it. One that was rejected or failed lacks the request's fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderView {
    /// A UUID in lower case.
    pub order_id: String,
    /// `CONFIRMED`, `REJECTED` or `FAILED`; in the bus lane also `PLACED` or `CANCELLED`.
    pub status: String,
    /// `sync`, `async` or `bus`: the lane of the first request.
    pub lane: String,
    /// ISO 4217 code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// 1 to 100 items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<ItemView>>,
    /// At most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The sum over all items, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_minor: Option<u64>,
    /// When it was accepted: RFC 3339, UTC, milliseconds.
    pub placed_at: String,
    /// When it was stored, or in the bus lane when the last step held. Formatted as `placed_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<String>,
    /// When it was cancelled. Formatted as `placed_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled_at: Option<String>,
    /// Deliveries it took.
    pub attempts: u32,
    /// Why it was cancelled or rejected, or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The state of all steps, in the order of [`Step::ALL`]; bus lane only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<StepView>>,
}

/// The state of one step, as the order service knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepView {
    /// `stock`, `payment` or `shipment`.
    pub step: String,
    /// While the order is placed: `PENDING`, `HELD`, `REFUSED` or `FAILED`. Once confirmed: `DONE`. Once cancelled:
    /// `REFUSED` or `FAILED` if the step voted so, else `UNDONE`.
    pub state: String,
    /// Why the step does not hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl StepView {
    /// `None` if no step votes on the order.
    fn all(order: &Order) -> Option<Vec<Self>> {
        let all = |state: &dyn Fn(Step) -> Self| Some(Step::ALL.into_iter().map(state).collect());
        match &order.outcome {
            Outcome::Placed { votes, .. } => {
                all(&|step| Self::voted(step, votes).unwrap_or(Self::new(step, "PENDING")))
            }
            Outcome::Confirmed { .. } if order.lane == Lane::Bus => all(&|step| Self::new(step, "DONE")),
            Outcome::Cancelled { cancellation, .. } => all(&|step| {
                let voted = Self::voted(step, &cancellation.votes).filter(|view| view.reason.is_some());
                voted.unwrap_or(Self::new(step, "UNDONE"))
            }),
            Outcome::Confirmed { .. } | Outcome::Rejected { .. } | Outcome::Failed { .. } => None,
        }
    }

    fn voted(step: Step, votes: &Votes) -> Option<Self> {
        let vote = votes.of(step)?;
        Some(Self { reason: vote.reason().map(str::to_owned), ..Self::new(step, vote.name()) })
    }

    fn new(step: Step, state: &str) -> Self {
        Self { step: step.name().to_owned(), state: state.to_owned(), reason: None }
    }
}

/// One line of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemView {
    /// Stock-keeping unit.
    pub sku: String,
    /// Units, 1 to 10 000.
    pub quantity: u32,
    /// In minor units of the currency.
    pub unit_price_minor: u32,
}

impl From<&Item> for ItemView {
    fn from(item: &Item) -> Self {
        Self {
            sku: item.sku.as_str().to_owned(),
            quantity: item.quantity.units(),
            unit_price_minor: item.unit_price.minor_units(),
        }
    }
}

impl From<&Order> for OrderView {
    fn from(order: &Order) -> Self {
        let (confirmed_at, cancelled_at) = match &order.outcome {
            Outcome::Confirmed { confirmed_at, .. } => (Some(confirmed_at), None),
            Outcome::Cancelled { cancellation, .. } => (None, Some(&cancellation.cancelled_at)),
            Outcome::Placed { .. } | Outcome::Rejected { .. } | Outcome::Failed { .. } => (None, None),
        };
        let content = order.content();
        Self {
            order_id: order.id.to_string(),
            status: order.status().name().to_owned(),
            lane: order.lane.name().to_owned(),
            currency: content.map(|content| content.currency().code().to_owned()),
            items: content.map(|content| content.items().iter().map(ItemView::from).collect()),
            note: content.and_then(OrderContent::note).map(|note| note.as_str().to_owned()),
            total_minor: content.map(OrderContent::total_minor_units),
            placed_at: order.placed_at.to_string(),
            confirmed_at: confirmed_at.map(ToString::to_string),
            cancelled_at: cancelled_at.map(ToString::to_string),
            attempts: order.attempts,
            reason: order.reason().map(str::to_owned),
            steps: StepView::all(order),
        }
    }
}

/// The status service's answer while an order has no record: it may be queued, or was never accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PendingView {
    /// The requested id, in lower case.
    pub order_id: String,
    /// Always `PENDING`.
    pub status: String,
}

impl PendingView {
    /// The status of an order without a record.
    pub const STATUS: &str = "PENDING";

    /// The answer for `order_id`.
    #[must_use]
    pub fn new(order_id: impl Into<String>) -> Self {
        Self { order_id: order_id.into(), status: Self::STATUS.to_owned() }
    }
}

/// The async lane's answer. API Gateway writes it, and clients read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueuedView {
    /// Always `QUEUED`.
    pub status: String,
    /// The id that SQS gave the message.
    pub message_id: String,
}

/// The bus lane's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubmittedView {
    /// Always `SUBMITTED`.
    pub status: String,
    /// The id that SNS gave the message.
    pub message_id: String,
}

impl SubmittedView {
    /// The answer for the message `message_id`.
    #[must_use]
    pub fn new(message_id: impl Into<String>) -> Self {
        Self { status: "SUBMITTED".to_owned(), message_id: message_id.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use orders::{Cancellation, Decider, Vote, fakes};
    use serde_json::{Value, json};

    fn view(order: &Order) -> Value {
        serde_json::to_value(OrderView::from(order)).expect("a view is JSON")
    }

    /// Stock held, payment failed, shipment did not vote.
    fn votes() -> Votes {
        [(Step::Stock, Vote::Held), (Step::Payment, Vote::Failed("no answer".into()))].into_iter().collect()
    }

    #[test]
    fn shows_a_confirmed_order_with_everything_that_was_ordered() {
        let order = Order { outcome: fakes::order().outcome, ..fakes::failed() };

        assert_eq!(
            view(&order),
            json!({
                "orderId": "5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b",
                "status": "CONFIRMED",
                "lane": "async",
                "currency": "EUR",
                "items": [{"sku": "SKU-1", "quantity": 2, "unitPriceMinor": 1999}],
                "totalMinor": 3998,
                "placedAt": "2026-01-01T00:00:00.000Z",
                "confirmedAt": "2026-01-01T00:00:01.000Z",
                "attempts": 5,
            })
        );
    }

    #[test]
    fn shows_why_an_order_failed() {
        assert_eq!(
            view(&fakes::failed()),
            json!({
                "orderId": "5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b",
                "status": "FAILED",
                "lane": "async",
                "placedAt": "2026-01-01T00:00:00.000Z",
                "attempts": 5,
                "reason": "the database was not available",
            })
        );
    }
    #[test]
    fn shows_a_placed_order_with_the_votes_so_far() {
        let order =
            Order { outcome: Outcome::Placed { content: fakes::content("SKU-1"), votes: votes() }, ..fakes::placed() };

        assert_eq!(
            view(&order),
            json!({
                "orderId": "5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b",
                "status": "PLACED",
                "lane": "bus",
                "currency": "EUR",
                "items": [{"sku": "SKU-1", "quantity": 2, "unitPriceMinor": 1999}],
                "totalMinor": 3998,
                "placedAt": "2026-01-01T00:00:00.000Z",
                "attempts": 1,
                "steps": [
                    {"step": "stock", "state": "HELD"},
                    {"step": "payment", "state": "FAILED", "reason": "no answer"},
                    {"step": "shipment", "state": "PENDING"},
                ],
            })
        );
    }

    #[test]
    fn shows_every_step_of_a_confirmed_order_as_done() {
        let view = view(&fakes::confirmed_by_steps());

        assert_eq!((&view["status"], &view["confirmedAt"]), (&json!("CONFIRMED"), &json!("2026-01-01T00:00:02.000Z")));
        let states: Vec<_> = view["steps"].as_array().into_iter().flatten().map(|step| &step["state"]).collect();
        assert_eq!(states, ["DONE", "DONE", "DONE"]);
    }

    #[test]
    fn shows_why_and_when_an_order_was_cancelled() {
        let cancellation = Cancellation {
            votes: votes(),
            decided_by: Decider::Step(Step::Payment),
            reason: "no answer".into(),
            cancelled_at: fakes::moment(2),
        };
        let (content, cancellation) = (fakes::content("SKU-1"), Box::new(cancellation));

        let view = view(&Order { outcome: Outcome::Cancelled { content, cancellation }, ..fakes::placed() });

        assert_eq!((&view["status"], &view["cancelledAt"]), (&json!("CANCELLED"), &json!("2026-01-01T00:00:02.000Z")));
        assert_eq!((&view["reason"], &view["totalMinor"]), (&json!("no answer"), &json!(3998)));
        assert_eq!(
            view["steps"],
            json!([
                {"step": "stock", "state": "UNDONE"},
                {"step": "payment", "state": "FAILED", "reason": "no answer"},
                {"step": "shipment", "state": "UNDONE"},
            ])
        );
    }
}
