//! The use case of every lane: store an order once. An id names one order of its owner, in all lanes.

use crate::{
    Lane, Order, OrderContent, OrderId, OrderRepository, Outcome, Owner, RepositoryError, StoreOutcome, Timestamp,
};
use thiserror::Error;

/// A request to place an order.
#[derive(Clone, Debug)]
pub struct PlaceOrder {
    /// Its id; a repeat has the same.
    pub id: OrderId,
    /// The authenticated owner.
    pub owner: Owner,
    /// The lane of this request.
    pub lane: Lane,
    /// What is ordered.
    pub content: OrderContent,
    /// When it was accepted.
    pub placed_at: Timestamp,
    /// The moment of confirmation.
    pub now: Timestamp,
    /// Deliveries so far, including this one.
    pub attempts: u32,
}

impl From<PlaceOrder> for Order {
    fn from(request: PlaceOrder) -> Self {
        Self {
            id: request.id,
            owner: request.owner,
            lane: request.lane,
            placed_at: request.placed_at,
            attempts: request.attempts,
            fingerprint: request.content.fingerprint(),
            outcome: Outcome::Confirmed { content: request.content, confirmed_at: request.now, last_vote: None },
        }
    }
}

/// The result of [`place_order`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placement {
    /// The order is stored now, for the first time.
    Placed,
    /// The same order was stored before, and has this state now: confirmed, failed, or not decided yet.
    Repeated(Order),
}

/// Why an order was not placed.
#[derive(Debug, Error)]
pub enum PlaceOrderError {
    /// The owner used the id for a different order, which is unchanged.
    #[error("the order id was used before for a different order")]
    Conflict,
    /// An order with the id was rejected for this reason. So is a corrected order under the id.
    #[error("an order with this id was rejected before: {0}")]
    RejectedBefore(String),
    /// The bus lane cancelled the same order; it stays cancelled.
    #[error("the order was cancelled before: {}", .0.reason().unwrap_or_default())]
    CancelledBefore(Box<Order>),
    /// Whether the order is stored is unknown. A repeat is safe.
    #[error("failed to store the order")]
    Repository(#[from] RepositoryError),
}

/// Stores an order once, however often it is called.
///
/// # Errors
/// See [`PlaceOrderError`].
pub async fn place_order<R: OrderRepository>(repository: &R, order: &Order) -> Result<Placement, PlaceOrderError> {
    let StoreOutcome::Exists(stored) = repository.store(order).await? else { return Ok(Placement::Placed) };
    match stored.outcome {
        Outcome::Rejected { reason } => Err(PlaceOrderError::RejectedBefore(reason)),
        _ if stored.fingerprint != order.fingerprint => Err(PlaceOrderError::Conflict),
        Outcome::Cancelled { .. } => Err(PlaceOrderError::CancelledBefore(Box::new(stored))),
        _ => Ok(Placement::Repeated(stored)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::{self, InMemoryOrders, Unavailable};

    fn other_content() -> Order {
        PlaceOrder { content: fakes::content("SKU-2"), ..fakes::place_order_request() }.into()
    }

    #[tokio::test]
    async fn stores_an_order_the_first_time() {
        let orders = InMemoryOrders::default();

        let placement = place_order(&orders, &fakes::order()).await.expect("the id is free");

        assert_eq!(placement, Placement::Placed);
        assert_eq!(orders.all(), [fakes::order()]);
    }

    #[tokio::test]
    async fn answers_a_repeat_with_the_order_as_it_was_stored() {
        let orders = InMemoryOrders::default();
        place_order(&orders, &fakes::order()).await.expect("the id is free");
        let later =
            PlaceOrder { now: fakes::moment(60), lane: Lane::Async, attempts: 3, ..fakes::place_order_request() };

        let second = place_order(&orders, &later.into()).await.expect("a repeat is not an error");

        assert_eq!(second, Placement::Repeated(fakes::order()));
        assert_eq!(orders.all(), [fakes::order()]);
    }

    #[tokio::test]
    async fn refuses_a_different_order_with_the_same_id() {
        let orders = InMemoryOrders::default();
        place_order(&orders, &fakes::order()).await.expect("the id is free");
        let before = orders.all();

        let error = place_order(&orders, &other_content()).await;

        assert!(matches!(error, Err(PlaceOrderError::Conflict)), "{error:?}");
        assert_eq!(orders.all(), before);
    }

    #[tokio::test]
    async fn separates_the_ids_of_different_owners() {
        let orders = InMemoryOrders::default();
        place_order(&orders, &fakes::order()).await.expect("the id is free");

        let other =
            PlaceOrder { owner: fakes::owner("bob"), content: fakes::content("SKU-2"), ..fakes::place_order_request() };
        let placement = place_order(&orders, &other.into()).await;

        assert!(matches!(placement, Ok(Placement::Placed)), "{placement:?}");
    }

    #[tokio::test]
    async fn confirms_an_order_that_had_failed() {
        let orders = InMemoryOrders::default();
        orders.insert(fakes::failed());

        let placement = place_order(&orders, &fakes::order()).await;

        assert!(matches!(placement, Ok(Placement::Placed)), "{placement:?}");
        assert_eq!(orders.all()[0].status(), crate::Status::Confirmed);
    }

    #[tokio::test]
    async fn does_not_let_a_different_order_replace_one_that_failed() {
        let orders = InMemoryOrders::default();
        orders.insert(fakes::failed());

        let error = place_order(&orders, &other_content()).await;

        assert!(matches!(error, Err(PlaceOrderError::Conflict)), "{error:?}");
        assert_eq!(orders.all(), [fakes::failed()]);
    }

    #[tokio::test]
    async fn does_not_let_a_corrected_order_replace_one_that_was_rejected() {
        let orders = InMemoryOrders::default();
        let rejected = Order {
            fingerprint: crate::Fingerprint::of_bytes(b"{}"),
            outcome: Outcome::Rejected { reason: "/items: is required".into() },
            ..fakes::failed()
        };
        orders.insert(rejected.clone());

        let error = place_order(&orders, &fakes::order()).await;

        assert!(matches!(error, Err(PlaceOrderError::RejectedBefore(reason)) if reason == "/items: is required"));
        assert_eq!(orders.all(), [rejected]);
    }

    #[tokio::test]
    async fn answers_a_repeat_of_a_placed_order_with_its_present_state() {
        let orders = InMemoryOrders::default();
        orders.insert(fakes::placed());

        let placement = place_order(&orders, &fakes::order()).await.expect("a repeat is not an error");

        assert_eq!(placement, Placement::Repeated(fakes::placed()));
        assert_eq!(orders.all(), [fakes::placed()]);
    }

    #[tokio::test]
    async fn refuses_to_place_an_order_that_the_bus_lane_cancelled() {
        let orders = InMemoryOrders::default();
        let cancelled = fakes::cancelled("SKU-1: 2 ordered, 1 left");
        orders.insert(cancelled.clone());

        let same = place_order(&orders, &fakes::order()).await.expect_err("it is cancelled for good");
        let other = place_order(&orders, &other_content()).await.expect_err("the id is used");

        assert_eq!(same.to_string(), "the order was cancelled before: SKU-1: 2 ordered, 1 left");
        assert!(matches!(other, PlaceOrderError::Conflict), "{other:?}");
        assert_eq!(orders.all(), [cancelled]);
    }

    #[tokio::test]
    async fn reports_that_the_repository_does_not_answer() {
        let error = place_order(&Unavailable, &fakes::order()).await;

        assert!(matches!(error, Err(PlaceOrderError::Repository(error)) if error.is_retryable()));
    }
}
