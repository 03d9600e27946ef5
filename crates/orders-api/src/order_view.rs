//! Orders as clients see them.

use orders::{Item, Order, OrderContent, Outcome};
use serde::{Deserialize, Serialize};

/// An order: the request's fields where the order was confirmed, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderView {
    /// A UUID in lower case.
    pub order_id: String,
    /// `CONFIRMED`, `REJECTED` or `FAILED`.
    pub status: String,
    /// `sync` or `async`: which way it came in first.
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
    /// The sum over all items, in minor units of the currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_minor: Option<u64>,
    /// When it was accepted: RFC 3339, UTC, milliseconds.
    pub placed_at: String,
    /// When it was stored: RFC 3339, UTC, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<String>,
    /// Deliveries it took.
    pub attempts: u32,
    /// Why it was rejected or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One line of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemView {
    /// Stock-keeping unit.
    pub sku: String,
    /// Units, 1 to 10 000.
    pub quantity: u32,
    /// Price of one unit, in minor units of the currency.
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
        let (content, confirmed_at, reason) = match &order.outcome {
            Outcome::Confirmed { content, confirmed_at } => (Some(content), Some(confirmed_at), None),
            Outcome::Rejected { reason } | Outcome::Failed { reason } => (None, None, Some(reason)),
        };
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
            attempts: order.attempts,
            reason: reason.cloned(),
        }
    }
}

/// The answer of the status service while no record of an order exists: it may be queued, or never have been placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PendingView {
    /// The id asked for, in lower case.
    pub order_id: String,
    /// Always `PENDING`.
    pub status: String,
}

impl PendingView {
    /// The status of an order without a record.
    pub const STATUS: &str = "PENDING";

    /// The answer for that id.
    #[must_use]
    pub fn new(order_id: impl Into<String>) -> Self {
        Self { order_id: order_id.into(), status: Self::STATUS.to_owned() }
    }
}

/// The answer of the async lane: the order is in the queue. API Gateway writes it; clients read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueuedView {
    /// Always `QUEUED`.
    pub status: String,
    /// The id that SQS gave the message.
    pub message_id: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use orders::fakes;
    use serde_json::json;

    #[test]
    fn shows_a_confirmed_order_with_everything_that_was_ordered() {
        let order = Order {
            outcome: Outcome::Confirmed { content: fakes::content("SKU-1"), confirmed_at: fakes::moment(1) },
            ..fakes::failed()
        };

        assert_eq!(
            serde_json::to_value(OrderView::from(&order)).expect("a view is JSON"),
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
            serde_json::to_value(OrderView::from(&fakes::failed())).expect("a view is JSON"),
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
}
