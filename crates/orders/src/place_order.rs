//! The use case of both lanes: store an order once.

use crate::{
    Lane, Order, OrderContent, OrderId, OrderRepository, Outcome, Owner, RepositoryError, StoreOutcome, Timestamp,
};
use thiserror::Error;

/// A wish to place an order.
#[derive(Clone, Debug)]
pub struct PlaceOrder {
    /// Which order of the owner; a repeat has the same id.
    pub id: OrderId,
    /// Whose order, as authenticated.
    pub owner: Owner,
    /// Which way it comes in.
    pub lane: Lane,
    /// What is ordered.
    pub content: OrderContent,
    /// When it was accepted.
    pub placed_at: Timestamp,
    /// The present moment, which becomes the moment of confirmation.
    pub now: Timestamp,
    /// Deliveries so far, this one included.
    pub attempts: u32,
}

/// What came of [`place_order`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placement {
    /// The order is stored now, for the first time.
    Placed(Order),
    /// The same order was stored before; this is it, as it was then.
    Replayed(Order),
}

/// Why an order was not placed.
#[derive(Debug, Error)]
pub enum PlaceOrderError {
    /// The owner used the id before for a different order, which stands untouched.
    #[error("the order id was used before for a different order")]
    Conflict,
    /// An order with the id was refused before, for this reason; it stays refused, corrected or not.
    #[error("an order with this id was rejected before: {0}")]
    RejectedBefore(String),
    /// The repository could not answer; whether the order is stored is not known. A repeat is safe.
    #[error("failed to store the order")]
    Repository(#[from] RepositoryError),
}

/// Stores an order, once however often it is called with the same wish.
///
/// # Errors
/// See [`PlaceOrderError`].
pub async fn place_order<R: OrderRepository>(repository: &R, wish: PlaceOrder) -> Result<Placement, PlaceOrderError> {
    let order = Order {
        id: wish.id,
        owner: wish.owner,
        lane: wish.lane,
        placed_at: wish.placed_at,
        attempts: wish.attempts,
        fingerprint: wish.content.fingerprint(),
        outcome: Outcome::Confirmed { content: wish.content, confirmed_at: wish.now },
    };
    match repository.store(&order).await? {
        StoreOutcome::Stored => Ok(Placement::Placed(order)),
        StoreOutcome::Exists(stored) => replay(&order, stored),
    }
}

/// Tells a repeat of the stored order from a different order with its id.
pub(crate) fn replay(order: &Order, stored: Order) -> Result<Placement, PlaceOrderError> {
    match stored.outcome {
        Outcome::Rejected { reason } => Err(PlaceOrderError::RejectedBefore(reason)),
        _ if stored.fingerprint == order.fingerprint => Ok(Placement::Replayed(stored)),
        _ => Err(PlaceOrderError::Conflict),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::{self, InMemoryOrders, Unavailable};

    #[tokio::test]
    async fn stores_an_order_the_first_time() {
        let orders = InMemoryOrders::default();

        let placement = place_order(&orders, fakes::wish()).await.expect("the id is free");

        let Placement::Placed(order) = placement else { panic!("{placement:?}") };
        assert_eq!(orders.all(), [order]);
    }

    #[tokio::test]
    async fn answers_a_repeat_with_the_order_as_it_was_stored() {
        let orders = InMemoryOrders::default();
        let first = place_order(&orders, fakes::wish()).await.expect("the id is free");
        let later = PlaceOrder { now: fakes::moment(60), lane: Lane::Async, attempts: 3, ..fakes::wish() };

        let second = place_order(&orders, later).await.expect("a repeat is no error");

        let (Placement::Placed(placed), Placement::Replayed(replayed)) = (first, second) else { panic!("wrong order") };
        assert_eq!(placed, replayed);
        assert_eq!(orders.all(), [placed]);
    }

    #[tokio::test]
    async fn refuses_a_different_order_with_the_same_id() {
        let orders = InMemoryOrders::default();
        place_order(&orders, fakes::wish()).await.expect("the id is free");
        let before = orders.all();

        let error = place_order(&orders, PlaceOrder { content: fakes::content("SKU-2"), ..fakes::wish() }).await;

        assert!(matches!(error, Err(PlaceOrderError::Conflict)), "{error:?}");
        assert_eq!(orders.all(), before);
    }

    #[tokio::test]
    async fn gives_every_owner_ids_of_their_own() {
        let orders = InMemoryOrders::default();
        place_order(&orders, fakes::wish()).await.expect("the id is free");

        let other = PlaceOrder { owner: fakes::owner("bob"), content: fakes::content("SKU-2"), ..fakes::wish() };
        let placement = place_order(&orders, other).await;

        assert!(matches!(placement, Ok(Placement::Placed(_))), "{placement:?}");
    }

    #[tokio::test]
    async fn confirms_an_order_that_had_failed() {
        let orders = InMemoryOrders::default();
        orders.insert(fakes::failed());

        let placement = place_order(&orders, fakes::wish()).await;

        assert!(matches!(placement, Ok(Placement::Placed(_))), "{placement:?}");
        assert_eq!(orders.all()[0].status(), crate::Status::Confirmed);
    }

    #[tokio::test]
    async fn does_not_let_a_different_order_replace_one_that_failed() {
        let orders = InMemoryOrders::default();
        orders.insert(fakes::failed());

        let error = place_order(&orders, PlaceOrder { content: fakes::content("SKU-2"), ..fakes::wish() }).await;

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

        let error = place_order(&orders, fakes::wish()).await;

        assert!(matches!(error, Err(PlaceOrderError::RejectedBefore(reason)) if reason == "/items: is required"));
        assert_eq!(orders.all(), [rejected]);
    }

    #[tokio::test]
    async fn says_when_the_repository_cannot_answer() {
        let error = place_order(&Unavailable, fakes::wish()).await;

        assert!(matches!(error, Err(PlaceOrderError::Repository(error)) if error.is_retryable()));
    }
}
