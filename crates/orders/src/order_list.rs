use crate::{Currency, Lane, Order, OrderContent, OrderId, Outcome, Owner, RepositoryError, Status, Timestamp};
use std::future::Future;

/// Lists orders, newest first.
pub trait OrderIndex {
    /// One page of an owner's orders.
    ///
    /// An implementation MUST list them by descending `placed_at`. Orders of the same millisecond MUST keep a stable
    /// order among themselves, so that pages neither repeat nor skip an order. One exception: a FAILED order that is
    /// sent again gets a new `placed_at`, and moves to the top. An order MAY be missing for a moment after it was
    /// stored or changed.
    fn list(&self, wanted: &OrderListQuery) -> impl Future<Output = Result<OrderPage, RepositoryError>> + Send;
}

/// Selects a part of an owner's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderListQuery {
    /// The orders' owner.
    pub owner: Owner,
    /// Only orders accepted then or later.
    pub since: Option<Timestamp>,
    /// Only orders behind this one.
    pub after: Option<ListPosition>,
    /// Most orders in the page.
    pub limit: PageLimit,
}

/// An order's position in its owner's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListPosition {
    /// When the API accepted the order.
    pub placed_at: Timestamp,
    /// The order's id.
    pub id: OrderId,
}

/// Most orders in a page: 1 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageLimit(u8);

impl PageLimit {
    /// The highest limit.
    pub const MAX: u8 = 100;
    /// The limit of a request without one.
    pub const DEFAULT: Self = Self(20);

    /// Reads a whole number from 1 to 100.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().filter(|limit| (1..=Self::MAX).contains(limit)).map(Self)
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u8 {
        self.0
    }
}

/// A page of an owner's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderPage {
    /// The orders, newest first.
    pub orders: Vec<OrderSummary>,
    /// Whether orders follow the last one.
    pub has_more: bool,
}

impl OrderPage {
    /// Where the next page begins; `None` on the last page.
    #[must_use]
    pub fn next(&self) -> Option<ListPosition> {
        self.orders.last().filter(|_| self.has_more).map(|last| ListPosition { placed_at: last.placed_at, id: last.id })
    }
}

/// An order as the list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderSummary {
    /// Its id.
    pub id: OrderId,
    /// The lane of the first request.
    pub lane: Lane,
    /// Its status.
    pub status: Status,
    /// When the API accepted it.
    pub placed_at: Timestamp,
    /// When it was confirmed or cancelled.
    pub decided_at: Option<Timestamp>,
    /// The sum over all items in minor units; `None` if rejected or failed.
    pub total: Option<(Currency, u64)>,
}

impl From<&Order> for OrderSummary {
    fn from(order: &Order) -> Self {
        let total = |content: &OrderContent| (content.currency(), content.total_minor_units());
        Self {
            id: order.id,
            lane: order.lane,
            status: order.status(),
            placed_at: order.placed_at,
            decided_at: match &order.outcome {
                Outcome::Confirmed { confirmed_at, .. } => Some(*confirmed_at),
                Outcome::Cancelled { cancellation, .. } => Some(cancellation.cancelled_at),
                Outcome::Placed { .. } | Outcome::Rejected { .. } | Outcome::Failed { .. } => None,
            },
            total: order.content().map(total),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_1_to_100_orders() {
        for (text, limit) in [("1", Some(1)), ("100", Some(100)), ("0", None), ("101", None), ("300", None)] {
            assert_eq!(PageLimit::parse(text).map(PageLimit::get), limit, "{text}");
        }
        for text in ["", " 1", "1.0", "-1", "ten", "1e1"] {
            assert_eq!(PageLimit::parse(text), None, "{text:?}");
        }
    }
}
