//! The use case of the lanes with a queue.

use crate::{
    Fingerprint, InvalidOrderId, Lane, Notification, Order, OrderContent, OrderId, OrderRepository, Outcome, Owner,
    PlaceOrderError, Placement, RepositoryError, Settled, Timestamp, Violations, Votes, place_order,
};
use std::time::Duration;

/// One delivery of an order by the queue.
#[derive(Clone, Debug)]
pub struct QueuedOrder {
    /// The lane of the queue.
    pub lane: Lane,
    /// The owner, as authenticated when the order was queued.
    pub owner: Owner,
    /// The order id as the caller gave it.
    pub given_id: String,
    /// The parsed id, unless it is malformed.
    pub id: Result<OrderId, InvalidOrderId>,
    /// What is ordered, or why the body is not an order.
    pub content: Result<OrderContent, InvalidBody>,
    /// When the API accepted it.
    pub placed_at: Timestamp,
    /// How long after `placed_at` it may still be confirmed; `None` for ever.
    pub max_age: Option<Duration>,
    /// The present moment.
    pub now: Timestamp,
    /// Deliveries so far, including this one.
    pub attempts: u32,
    /// Whether the message moves to the dead-letter queue if this delivery fails.
    pub last_attempt: bool,
}

/// A body that is not an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidBody {
    /// The rules that it breaks.
    pub violations: Violations,
    /// Distinguishes it from other bodies.
    pub fingerprint: Fingerprint,
}

/// What happens to the message, and the owner's notification.
#[derive(Debug)]
pub enum Processed {
    /// The order is stored or rejected. Do as [`Settled`] says, then delete the message.
    Settled(Settled),
    /// The database failed. Keep the message.
    Retry(RepositoryError),
    /// The database failed on the last delivery. Notify the owner, and keep the message.
    Failed {
        /// Why the order was not stored.
        error: RepositoryError,
        /// Why the failure could not be recorded; `None` if it is recorded.
        unrecorded: Option<RepositoryError>,
        /// The order failed.
        notification: Notification,
    },
}

/// What the owner of a failed order reads. The log has the cause.
const FAILED_REASON: &str =
    "the order could not be stored after several deliveries and was set aside; it may be confirmed later";

/// Stores or rejects one order, in the bus lane as placed, in other lanes as confirmed. If the database fails on the
/// last delivery, records it as failed, if possible.
///
/// The caller sends the returned notification with [`Notifier::notify`](crate::Notifier::notify), after the write that
/// it reports: a socket's failure neither loses an order nor writes it twice.
pub async fn process_queued_order<R: OrderRepository>(repository: &R, queued: QueuedOrder) -> Processed {
    let expiry = queued.expiry();
    let QueuedOrder { lane, owner, given_id, id, content, placed_at, now, attempts, last_attempt, .. } = queued;
    let id = match id {
        Ok(id) => id,
        Err(error) => {
            let violations = content.err().map(|refusal| refusal.violations).unwrap_or_default();
            return rejected(given_id, format!("the order id {error}"), violations);
        }
    };
    let (fingerprint, outcome, violations) = match (content, expiry) {
        (Err(InvalidBody { violations, fingerprint }), _) => {
            (fingerprint, Outcome::Rejected { reason: violations.to_string() }, violations)
        }
        (Ok(content), Some(reason)) => (content.fingerprint(), Outcome::Rejected { reason }, Violations::default()),
        (Ok(content), None) => (content.fingerprint(), accepted(lane, content, now), Violations::default()),
    };
    let order = Order { id, owner, lane, placed_at, attempts, fingerprint, outcome };

    match place_order(repository, &order).await {
        Err(PlaceOrderError::Repository(error)) if last_attempt => record_failure(repository, order, error).await,
        Err(PlaceOrderError::Repository(error)) => Processed::Retry(error),
        placed => settled(order, placed, violations),
    }
}

fn accepted(lane: Lane, content: OrderContent, now: Timestamp) -> Outcome {
    if lane.has_votes() {
        Outcome::Placed { content, votes: Votes::default() }
    } else {
        Outcome::Confirmed { content, confirmed_at: now, last_vote: None }
    }
}

/// Records an order as failed after its last delivery.
async fn record_failure<R: OrderRepository>(repository: &R, order: Order, error: RepositoryError) -> Processed {
    let failed = Order { outcome: Outcome::Failed { reason: FAILED_REASON.to_owned() }, ..order };
    let unrecorded = match place_order(repository, &failed).await {
        Ok(Placement::Placed) => None,
        Err(PlaceOrderError::Repository(error)) => Some(error),
        // An earlier write succeeded, and its answer was lost.
        settled_before => return settled(failed, settled_before, Violations::default()),
    };
    let notification = Notification::Failed { order_id: failed.id.to_string(), reason: FAILED_REASON.to_owned() };
    Processed::Failed { error, unrecorded, notification }
}

/// `violations` are those of the body.
fn settled(order: Order, placed: Result<Placement, PlaceOrderError>, violations: Violations) -> Processed {
    let lane = order.lane;
    let reason = match (placed, &order.outcome) {
        (Ok(Placement::Repeated(stored)), _) => return Processed::Settled(Settled::standing(stored, lane)),
        (Err(PlaceOrderError::CancelledBefore(stored)), _) => {
            return Processed::Settled(Settled::standing(*stored, lane));
        }
        (Ok(Placement::Placed), Outcome::Rejected { reason }) => reason.clone(),
        (Ok(Placement::Placed), _) => return Processed::Settled(Settled::standing(order, lane)),
        // A malformed body is the reason, even for a used id.
        (Err(_), Outcome::Rejected { reason }) if !violations.is_empty() => reason.clone(),
        // An earlier delivery of the message expired: the reason is the same.
        (Err(PlaceOrderError::RejectedBefore(reason)), Outcome::Rejected { .. }) => reason,
        (Err(refusal), _) => refusal.to_string(),
    };
    rejected(order.id.to_string(), reason, violations)
}

fn rejected(order_id: String, reason: String, violations: Violations) -> Processed {
    let notify = Some(Notification::Rejected { order_id, reason, violations });
    Processed::Settled(Settled { publish: None, notify })
}

impl QueuedOrder {
    /// The reason, for the owner; `None` if the order has not expired.
    fn expiry(&self) -> Option<String> {
        let max_age = self.max_age?;
        (self.now > self.placed_at.plus(max_age))
            .then(|| format!("the order expired: it waited longer than {} s to be processed", max_age.as_secs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Status, Violation,
        fakes::{self, Flaky, InMemoryOrders, Refusing, Unavailable},
    };

    /// The notification of a delivery after which the message is deleted.
    async fn settle<R: OrderRepository>(orders: &R, queued: QueuedOrder) -> Notification {
        match process_queued_order(orders, queued).await {
            Processed::Settled(Settled { publish: None, notify: Some(notification) }) => notification,
            other => panic!("the message must be deleted, and its owner notified: {other:?}"),
        }
    }

    fn last_delivery() -> QueuedOrder {
        QueuedOrder { last_attempt: true, attempts: 5, ..fakes::queued() }
    }

    /// The order expires after a minute.
    fn after(seconds: u64) -> QueuedOrder {
        let queued = fakes::queued();
        let now = queued.placed_at.plus(Duration::from_secs(seconds));
        QueuedOrder { now, max_age: Some(Duration::from_mins(1)), ..queued }
    }

    fn different_order(queued: QueuedOrder) -> QueuedOrder {
        QueuedOrder { content: Ok(fakes::content("SKU-2")), ..queued }
    }

    #[tokio::test]
    async fn confirms_an_order_and_notifies_its_owner() {
        let orders = InMemoryOrders::default();

        let notification = settle(&orders, fakes::queued()).await;

        assert_eq!(orders.all()[0].status(), Status::Confirmed);
        assert_eq!(notification, Notification::Confirmed(orders.all()[0].clone()));
    }

    #[tokio::test]
    async fn notifies_the_owner_again_when_the_message_is_redelivered() {
        let orders = InMemoryOrders::default();

        let first = settle(&orders, fakes::queued()).await;
        let second = settle(&orders, QueuedOrder { attempts: 2, ..fakes::queued() }).await;

        assert_eq!(orders.all().len(), 1);
        assert_eq!(first, second);
    }

    #[tokio::test]
    async fn records_a_rejection_and_notifies_the_owner_of_the_violations() {
        let orders = InMemoryOrders::default();

        let notification = settle(&orders, fakes::refused()).await;

        assert_eq!(orders.all()[0].status(), Status::Rejected);
        assert!(matches!(notification, Notification::Rejected { violations, .. } if !violations.is_empty()));
    }

    #[tokio::test]
    async fn does_not_change_the_first_order_if_a_body_under_its_id_is_rejected() {
        let orders = InMemoryOrders::default();
        settle(&orders, fakes::queued()).await;
        let before = orders.all();

        let notification = settle(&orders, fakes::refused()).await;

        assert_eq!(orders.all(), before);
        let Notification::Rejected { reason, violations, .. } = notification else { panic!("{notification:?}") };
        assert_eq!(reason, "/items: must hold 1 to 100 items");
        assert!(!violations.is_empty());
    }

    #[tokio::test]
    async fn rejects_a_redelivered_body_for_the_same_reason() {
        let orders = InMemoryOrders::default();

        let first = settle(&orders, fakes::refused()).await;
        let second = settle(&orders, fakes::refused()).await;

        assert_eq!(first, second);
    }

    #[tokio::test]
    async fn rejects_a_different_order_with_the_same_id() {
        let orders = InMemoryOrders::default();
        settle(&orders, fakes::queued()).await;
        let before = orders.all();

        let notification = settle(&orders, different_order(fakes::queued())).await;

        assert_eq!(orders.all(), before);
        assert!(matches!(notification, Notification::Rejected { reason, .. } if reason.contains("different order")));
    }

    #[tokio::test]
    async fn rejects_but_does_not_record_a_malformed_id() {
        let orders = InMemoryOrders::default();
        let queued = QueuedOrder { given_id: "order-1".into(), id: OrderId::parse("order-1"), ..fakes::refused() };

        let notification = settle(&orders, queued).await;

        assert!(orders.all().is_empty());
        let Notification::Rejected { order_id, reason, violations } = notification else { panic!("{notification:?}") };
        assert_eq!(order_id, "order-1");
        assert_eq!(reason, "the order id must be a UUID such as 5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b");
        assert_eq!(violations, Violations::from(Violation::new("/items", "must hold 1 to 100 items")));
    }

    #[tokio::test]
    async fn every_notification_has_the_id_in_lower_case() {
        let given_id = || fakes::order_id().to_string().to_uppercase();
        let orders = InMemoryOrders::default();

        let refused = settle(&orders, QueuedOrder { given_id: given_id(), ..fakes::refused() }).await;
        let different = settle(&orders, QueuedOrder { given_id: given_id(), ..fakes::queued() }).await;
        let failed = process_queued_order(&Unavailable, QueuedOrder { given_id: given_id(), ..last_delivery() }).await;

        let Processed::Failed { notification: failed, .. } = failed else { panic!("{failed:?}") };
        for notification in [refused, different, failed] {
            assert_eq!(notification.order_id(), fakes::order_id().to_string(), "{notification:?}");
        }
    }

    #[tokio::test]
    async fn keeps_the_message_while_there_are_deliveries_left() {
        let unavailable = process_queued_order(&Unavailable, fakes::queued()).await;
        let refusing = process_queued_order(&Refusing, fakes::queued()).await;

        assert!(matches!(unavailable, Processed::Retry(error) if error.is_retryable()));
        assert!(matches!(refusing, Processed::Retry(error) if !error.is_retryable()));
    }

    #[tokio::test]
    async fn records_a_failure_on_the_last_delivery_and_keeps_the_message() {
        let orders = Flaky::failing_first(1);

        let processed = process_queued_order(&orders, last_delivery()).await;

        assert_eq!(orders.inner().all()[0].status(), Status::Failed);
        let Processed::Failed { unrecorded: None, notification, .. } = processed else { panic!("{processed:?}") };
        assert!(matches!(notification, Notification::Failed { .. }));
    }

    #[tokio::test]
    async fn reports_a_failure_that_cannot_be_recorded() {
        let processed = process_queued_order(&Unavailable, last_delivery()).await;

        let Processed::Failed { unrecorded: Some(_), notification, .. } = processed else { panic!("{processed:?}") };
        assert!(matches!(notification, Notification::Failed { .. }));
    }

    #[tokio::test]
    async fn confirms_on_the_last_delivery_when_only_the_answer_to_the_write_was_lost() {
        let orders = Flaky::losing_first(1);

        let notification = settle(&orders, last_delivery()).await;

        assert_eq!(orders.inner().all()[0].status(), Status::Confirmed);
        assert!(matches!(notification, Notification::Confirmed(_)));
    }

    #[tokio::test]
    async fn rejects_an_order_that_waited_too_long() {
        let orders = InMemoryOrders::default();

        let notification = settle(&orders, after(61)).await;

        assert_eq!(orders.all()[0].status(), Status::Rejected);
        let Notification::Rejected { reason, .. } = notification else { panic!("{notification:?}") };
        assert_eq!(reason, "the order expired: it waited longer than 60 s to be processed");
    }

    #[tokio::test]
    async fn confirms_an_order_that_waited_exactly_its_maximum_age() {
        let notification = settle(&InMemoryOrders::default(), after(60)).await;

        assert!(matches!(notification, Notification::Confirmed(_)));
    }

    #[tokio::test]
    async fn does_not_expire_an_order_that_an_earlier_delivery_confirmed() {
        let orders = InMemoryOrders::default();
        settle(&orders, after(1)).await;
        let before = orders.all();

        let notification = settle(&orders, after(61)).await;

        assert_eq!(notification, Notification::Confirmed(before[0].clone()));
        assert_eq!(orders.all(), before);
    }

    #[tokio::test]
    async fn expires_a_redelivered_order_for_the_same_reason() {
        let orders = InMemoryOrders::default();

        let first = settle(&orders, after(61)).await;
        let second = settle(&orders, after(90)).await;

        assert_eq!(orders.all().len(), 1);
        assert_eq!(first, second);
    }

    #[tokio::test]
    async fn an_order_that_failed_expires_when_it_is_redriven_too_late() {
        let orders = InMemoryOrders::default();
        orders.insert(fakes::failed());

        let notification = settle(&orders, after(61)).await;

        assert!(matches!(notification, Notification::Rejected { .. }));
        assert_eq!(orders.all()[0].status(), Status::Rejected);
    }

    #[tokio::test]
    async fn does_not_change_a_different_order_if_one_under_its_id_expires() {
        let orders = InMemoryOrders::default();
        settle(&orders, fakes::queued()).await;
        let before = orders.all();

        let notification = settle(&orders, different_order(after(61))).await;

        assert_eq!(orders.all(), before);
        assert!(matches!(notification, Notification::Rejected { reason, .. } if reason.contains("different order")));
    }

    #[tokio::test]
    async fn does_not_notify_the_owner_of_a_placed_order_before_its_decision() {
        let orders = InMemoryOrders::default();
        orders.insert(fakes::placed());

        let processed = process_queued_order(&orders, fakes::queued()).await;

        assert!(matches!(processed, Processed::Settled(settled) if settled == Settled::default()));
    }

    #[tokio::test]
    async fn notifies_the_owner_of_an_order_that_the_bus_lane_cancelled() {
        let orders = InMemoryOrders::default();
        orders.insert(fakes::cancelled("no"));

        assert_eq!(settle(&orders, fakes::queued()).await, Notification::Cancelled(fakes::cancelled("no")));
    }

    #[tokio::test]
    async fn a_redriven_message_turns_failed_into_confirmed() {
        let orders = InMemoryOrders::default();
        orders.insert(fakes::failed());

        let notification = settle(&orders, fakes::queued()).await;

        assert!(matches!(notification, Notification::Confirmed(_)));
        assert_eq!(orders.all()[0].status(), Status::Confirmed);
    }
}
