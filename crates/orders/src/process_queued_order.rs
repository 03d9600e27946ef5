//! The use case of the async lane: one delivery of one message.

use crate::{
    Fingerprint, Lane, Notification, NotificationReport, Notifier, NotifyError, Order, OrderContent, OrderId,
    OrderRepository, Outcome, Owner, PlaceOrder, PlaceOrderError, Placement, RepositoryError, StoreOutcome, Timestamp,
    Violations, place_order, place_order::replay,
};
use std::{
    future::{Future, poll_fn},
    pin::pin,
    time::Duration,
};
use thiserror::Error;

/// One delivery of an order by the queue.
#[derive(Clone, Debug)]
pub struct QueuedOrder {
    /// Whose order, as authenticated when it was queued.
    pub owner: Owner,
    /// The order id as the caller gave it; it may be malformed.
    pub order_id: String,
    /// What is ordered, or why that cannot be said.
    pub content: Result<OrderContent, Refusal>,
    /// When the queue accepted it.
    pub placed_at: Timestamp,
    /// How long after that it may still be done; `None` for ever.
    pub max_age: Option<Duration>,
    /// The present moment.
    pub now: Timestamp,
    /// Deliveries so far, this one included.
    pub attempts: u32,
    /// Whether the queue gives up after this delivery.
    pub last_attempt: bool,
}

/// A body that is not an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong with it.
    pub violations: Violations,
    /// What tells it from other bodies.
    pub fingerprint: Fingerprint,
}

/// A delivery that is dealt with: the queue may forget the message.
#[derive(Debug)]
pub struct Processed {
    /// What became of the order.
    pub settlement: Settlement,
    /// Who was told, or why nobody was. It changes nothing about the order.
    pub notified: Result<NotificationReport, NotifyError>,
}

/// What became of a queued order, for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// It is stored now, or was before.
    Confirmed,
    /// It is refused.
    Rejected,
}

/// A delivery that must be repeated: the queue has to keep the message.
#[derive(Debug, Error)]
#[error("failed to settle the order")]
pub struct ProcessError {
    /// Why.
    #[source]
    pub source: RepositoryError,
    /// On the last delivery, who was told that the order failed.
    pub notified: Option<Result<NotificationReport, NotifyError>>,
}

impl ProcessError {
    /// Whether the next delivery may well succeed without anybody mending anything.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.source.is_retryable()
    }

    /// Whether there is no next delivery.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.notified.is_some()
    }
}

/// Why an order that failed did, in words for its owner: the cause itself is for the log.
const FAILED_REASON: &str =
    "the order could not be stored after several deliveries and was set aside; it may be confirmed later";

/// Brings one delivery to an outcome: stores or refuses the order, then tells its owner.
///
/// The order is written first and told after, so a socket's trouble never costs an order or writes one twice. When
/// the repository fails on the last delivery, the order is recorded as failed if that much is possible, its owner is
/// told, and the error is still returned, so that the queue moves the message to its dead-letter queue.
///
/// # Errors
/// [`ProcessError`] when the message must be kept.
pub async fn process_queued_order<R: OrderRepository, N: Notifier>(
    repository: &R,
    notifier: &N,
    queued: QueuedOrder,
) -> Result<Processed, ProcessError> {
    let (owner, last_attempt) = (queued.owner.clone(), queued.last_attempt);
    let failed = FailedOrder::from(&queued);
    let settled = match beside(settle(repository, queued), notifier.prepare(&owner)).await {
        Err(error) if last_attempt => match failed.record(repository).await {
            Some(settled) => Ok(settled),
            None => Err((error, Some(notifier.notify(&owner, &failed.notification()).await))),
        },
        settled => settled.map_err(|error| (error, None)),
    };

    match settled {
        Ok((settlement, notification)) => {
            Ok(Processed { settlement, notified: notifier.notify(&owner, &notification).await })
        }
        Err((source, report)) => Err(ProcessError { source, notified: report }),
    }
}

/// Does the work, and what is useful beside it as long as the work takes.
async fn beside<T>(work: impl Future<Output = T>, useful: impl Future<Output = ()>) -> T {
    let (mut work, mut useful, mut is_done) = (pin!(work), pin!(useful), false);
    poll_fn(|context| {
        let worked = work.as_mut().poll(context);
        is_done = is_done || worked.is_pending() && useful.as_mut().poll(context).is_ready();
        worked
    })
    .await
}

type Settled = (Settlement, Notification);

/// Stores or refuses the order.
async fn settle<R: OrderRepository>(repository: &R, queued: QueuedOrder) -> Result<Settled, RepositoryError> {
    let Ok(id) = OrderId::parse(&queued.order_id) else {
        let reason = format!("the order id {}", crate::InvalidOrderId);
        let violations = queued.content.err().map(|refusal| refusal.violations).unwrap_or_default();
        return Ok(rejected(queued.order_id, reason, violations));
    };
    match &queued.content {
        Err(refusal) => {
            let reason = refusal.violations.to_string();
            // An id that is taken stays with its first order; the refusal is told all the same.
            repository.store(&queued.rejected_order(id, refusal.fingerprint, &reason)).await?;
            Ok(rejected(queued.order_id.clone(), reason, refusal.violations.clone()))
        }
        Ok(content) => match queued.expiry() {
            Some(reason) => {
                let expired = queued.rejected_order(id, content.fingerprint(), &reason);
                let outcome = repository.store(&expired).await?;
                Ok(expired_or_settled(&expired, outcome, queued.order_id, reason))
            }
            None => confirm(repository, id, content, &queued).await,
        },
    }
}

async fn confirm<R: OrderRepository>(
    repository: &R,
    id: OrderId,
    content: &OrderContent,
    queued: &QueuedOrder,
) -> Result<Settled, RepositoryError> {
    let wish = PlaceOrder {
        id,
        owner: queued.owner.clone(),
        lane: Lane::Async,
        content: content.clone(),
        placed_at: queued.placed_at,
        now: queued.now,
        attempts: queued.attempts,
    };
    match place_order(repository, wish).await {
        Ok(Placement::Placed(order) | Placement::Replayed(order)) => Ok(confirmed(order)),
        Err(PlaceOrderError::Repository(error)) => Err(error),
        Err(refusal) => Ok(rejected(queued.order_id.clone(), refusal.to_string(), Violations::default())),
    }
}

/// What an expired order comes to: an earlier delivery may have settled it in time.
fn expired_or_settled(expired: &Order, outcome: StoreOutcome, order_id: String, reason: String) -> Settled {
    let reason = match outcome {
        StoreOutcome::Stored => reason,
        StoreOutcome::Exists(stored) => match replay(expired, stored) {
            Ok(Placement::Placed(stored) | Placement::Replayed(stored)) => return confirmed(stored),
            // Told again, in the words of the first time.
            Err(PlaceOrderError::RejectedBefore(reason)) => reason,
            Err(refusal) => refusal.to_string(),
        },
    };
    rejected(order_id, reason, Violations::default())
}

impl QueuedOrder {
    /// Why it is too late for the order, in words for its owner; `None` when it is not.
    fn expiry(&self) -> Option<String> {
        let max_age = self.max_age?;
        (self.now > self.placed_at.plus(max_age))
            .then(|| format!("the order expired: it waited longer than {} s to be processed", max_age.as_secs()))
    }

    /// The record of its refusal.
    fn rejected_order(&self, id: OrderId, fingerprint: Fingerprint, reason: &str) -> Order {
        self.order(id, fingerprint, Outcome::Rejected { reason: reason.to_owned() })
    }

    fn order(&self, id: OrderId, fingerprint: Fingerprint, outcome: Outcome) -> Order {
        Order {
            id,
            owner: self.owner.clone(),
            lane: Lane::Async,
            placed_at: self.placed_at,
            attempts: self.attempts,
            fingerprint,
            outcome,
        }
    }
}

fn confirmed(order: Order) -> Settled {
    (Settlement::Confirmed, Notification::Confirmed(order))
}

fn rejected(order_id: String, reason: String, violations: Violations) -> Settled {
    (Settlement::Rejected, Notification::Rejected { order_id, reason, violations })
}

/// What is left of an order when its last delivery fails.
struct FailedOrder {
    order_id: String,
    order: Option<Order>,
}

impl FailedOrder {
    fn from(queued: &QueuedOrder) -> Self {
        let fingerprint = match &queued.content {
            Ok(content) => content.fingerprint(),
            Err(refusal) => refusal.fingerprint,
        };
        let outcome = Outcome::Failed { reason: FAILED_REASON.to_owned() };
        let order = OrderId::parse(&queued.order_id).ok().map(|id| queued.order(id, fingerprint, outcome));
        Self { order_id: queued.order_id.clone(), order }
    }

    fn notification(&self) -> Notification {
        Notification::Failed { order_id: self.order_id.clone(), reason: FAILED_REASON.to_owned() }
    }

    /// Records the failure as well as it can be. Answers how the order stands when it turns out to be settled: a
    /// write whose answer was lost did succeed.
    async fn record<R: OrderRepository>(&self, repository: &R) -> Option<Settled> {
        let order = self.order.as_ref()?;
        let Ok(StoreOutcome::Exists(stored)) = repository.store(order).await else { return None };
        Some(match replay(order, stored) {
            Ok(Placement::Placed(stored) | Placement::Replayed(stored)) => confirmed(stored),
            Err(refusal) => rejected(self.order_id.clone(), refusal.to_string(), Violations::default()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Status,
        fakes::{self, Flaky, InMemoryOrders, RecordingNotifier, Unavailable},
    };

    #[tokio::test]
    async fn confirms_an_order_and_tells_its_owner() {
        let (orders, notifier) = (InMemoryOrders::default(), RecordingNotifier::default());

        let processed = process_queued_order(&orders, &notifier, fakes::queued()).await.expect("nothing is wrong");

        assert_eq!(processed.settlement, Settlement::Confirmed);
        assert_eq!(orders.all()[0].status(), Status::Confirmed);
        assert_eq!(notifier.told(), [Notification::Confirmed(orders.all()[0].clone())]);
    }

    #[tokio::test]
    async fn settles_orders_where_nobody_is_told() {
        let (orders, nobody) = (InMemoryOrders::default(), None::<RecordingNotifier>);

        let confirmed = process_queued_order(&orders, &nobody, fakes::queued()).await.expect("nothing is wrong");
        let last = QueuedOrder { last_attempt: true, ..fakes::queued() };
        let failed = process_queued_order(&Unavailable, &nobody, last).await.expect_err("the database is down");

        assert_eq!(orders.all()[0].status(), Status::Confirmed);
        for notified in [confirmed.notified, failed.notified.expect("it was the last delivery")] {
            assert_eq!(notified.expect("no look-up failed"), NotificationReport::default());
        }
    }

    #[tokio::test]
    async fn a_notifier_that_there_is_tells() {
        let (orders, notifier) = (InMemoryOrders::default(), Some(RecordingNotifier::default()));

        process_queued_order(&orders, &notifier, fakes::queued()).await.expect("nothing is wrong");

        assert_eq!(notifier.expect("it is there").told().len(), 1);
    }

    #[tokio::test]
    async fn tells_the_owner_again_when_the_message_comes_again() {
        let (orders, notifier) = (InMemoryOrders::default(), RecordingNotifier::default());
        for attempts in 1..=2 {
            let queued = QueuedOrder { attempts, ..fakes::queued() };
            process_queued_order(&orders, &notifier, queued).await.expect("nothing is wrong");
        }

        assert_eq!(orders.all().len(), 1);
        assert_eq!(notifier.told()[0], notifier.told()[1]);
    }

    #[tokio::test]
    async fn records_and_tells_a_refusal() {
        let (orders, notifier) = (InMemoryOrders::default(), RecordingNotifier::default());

        let processed = process_queued_order(&orders, &notifier, fakes::refused()).await.expect("a refusal is final");

        assert_eq!(processed.settlement, Settlement::Rejected);
        assert_eq!(orders.all()[0].status(), Status::Rejected);
        assert!(matches!(&notifier.told()[..], [Notification::Rejected { violations, .. }] if !violations.is_empty()));
    }

    #[tokio::test]
    async fn leaves_the_first_order_alone_when_a_body_under_its_id_is_refused() {
        let (orders, notifier) = (InMemoryOrders::default(), RecordingNotifier::default());
        process_queued_order(&orders, &notifier, fakes::queued()).await.expect("nothing is wrong");
        let before = orders.all();

        let processed = process_queued_order(&orders, &notifier, fakes::refused()).await.expect("a refusal is final");

        assert_eq!(processed.settlement, Settlement::Rejected);
        assert_eq!(orders.all(), before);
    }

    #[tokio::test]
    async fn refuses_a_different_order_with_the_same_id() {
        let (orders, notifier) = (InMemoryOrders::default(), RecordingNotifier::default());
        process_queued_order(&orders, &notifier, fakes::queued()).await.expect("nothing is wrong");
        let before = orders.all();
        let different = QueuedOrder { content: Ok(fakes::content("SKU-2")), ..fakes::queued() };

        let processed = process_queued_order(&orders, &notifier, different).await.expect("a conflict is final");

        assert_eq!(processed.settlement, Settlement::Rejected);
        assert_eq!(orders.all(), before);
        assert!(
            matches!(&notifier.told()[1], Notification::Rejected { reason, .. } if reason.contains("different order"))
        );
    }

    #[tokio::test]
    async fn tells_but_does_not_record_a_malformed_id() {
        let (orders, notifier) = (InMemoryOrders::default(), RecordingNotifier::default());
        let queued = QueuedOrder { order_id: "order-1".into(), ..fakes::queued() };

        let processed = process_queued_order(&orders, &notifier, queued).await.expect("a refusal is final");

        assert_eq!(processed.settlement, Settlement::Rejected);
        assert!(orders.all().is_empty());
        assert!(matches!(&notifier.told()[..], [Notification::Rejected { order_id, .. }] if order_id == "order-1"));
    }

    #[tokio::test]
    async fn keeps_the_message_and_tells_nobody_while_there_are_deliveries_left() {
        let notifier = RecordingNotifier::default();

        let error =
            process_queued_order(&Unavailable, &notifier, fakes::queued()).await.expect_err("nothing is stored");

        assert!(error.notified.is_none());
        assert!(notifier.told().is_empty());
    }

    #[tokio::test]
    async fn records_and_tells_a_failure_on_the_last_delivery_and_keeps_the_message() {
        let (orders, notifier) = (Flaky::failing_first(1), RecordingNotifier::default());
        let queued = QueuedOrder { last_attempt: true, attempts: 5, ..fakes::queued() };

        process_queued_order(&orders, &notifier, queued).await.expect_err("the order is not stored");

        assert_eq!(orders.inner().all()[0].status(), Status::Failed);
        assert!(matches!(&notifier.told()[..], [Notification::Failed { .. }]));
    }

    #[tokio::test]
    async fn tells_a_failure_that_cannot_even_be_recorded() {
        let notifier = RecordingNotifier::default();
        let queued = QueuedOrder { last_attempt: true, ..fakes::queued() };

        process_queued_order(&Unavailable, &notifier, queued).await.expect_err("the order is not stored");

        assert!(matches!(&notifier.told()[..], [Notification::Failed { .. }]));
    }

    #[tokio::test]
    async fn confirms_on_the_last_delivery_when_only_the_answer_to_the_write_was_lost() {
        let (orders, notifier) = (Flaky::losing_first(1), RecordingNotifier::default());
        let queued = QueuedOrder { last_attempt: true, ..fakes::queued() };

        let processed = process_queued_order(&orders, &notifier, queued).await.expect("the order is stored");

        assert_eq!(processed.settlement, Settlement::Confirmed);
        assert_eq!(orders.inner().all()[0].status(), Status::Confirmed);
        assert!(matches!(&notifier.told()[..], [Notification::Confirmed(_)]));
    }

    /// A delivery so much later than the order was placed, of an order that may wait a minute.
    fn after(seconds: u64) -> QueuedOrder {
        let queued = fakes::queued();
        let now = queued.placed_at.plus(Duration::from_secs(seconds));
        QueuedOrder { now, max_age: Some(Duration::from_mins(1)), ..queued }
    }

    #[tokio::test]
    async fn rejects_an_order_that_waited_too_long_and_tells_its_owner() {
        let (orders, notifier) = (InMemoryOrders::default(), RecordingNotifier::default());

        let processed = process_queued_order(&orders, &notifier, after(61)).await.expect("a refusal is final");

        assert_eq!(processed.settlement, Settlement::Rejected);
        assert_eq!(orders.all()[0].status(), Status::Rejected);
        let told = notifier.told();
        let [Notification::Rejected { reason, .. }] = &told[..] else { panic!("{told:?}") };
        assert_eq!(reason, "the order expired: it waited longer than 60 s to be processed");
    }

    #[tokio::test]
    async fn confirms_an_order_that_waited_just_long_enough() {
        let (orders, notifier) = (InMemoryOrders::default(), RecordingNotifier::default());

        let processed = process_queued_order(&orders, &notifier, after(60)).await.expect("nothing is wrong");

        assert_eq!(processed.settlement, Settlement::Confirmed);
    }

    #[tokio::test]
    async fn does_not_expire_an_order_that_an_earlier_delivery_confirmed() {
        let (orders, notifier) = (InMemoryOrders::default(), RecordingNotifier::default());
        process_queued_order(&orders, &notifier, after(1)).await.expect("nothing is wrong");
        let before = orders.all();

        let processed = process_queued_order(&orders, &notifier, after(61)).await.expect("nothing is wrong");

        assert_eq!(processed.settlement, Settlement::Confirmed);
        assert_eq!(orders.all(), before);
    }

    #[tokio::test]
    async fn tells_an_expired_order_in_the_same_words_when_its_message_comes_again() {
        let (orders, notifier) = (InMemoryOrders::default(), RecordingNotifier::default());
        for seconds in [61, 90] {
            process_queued_order(&orders, &notifier, after(seconds)).await.expect("a refusal is final");
        }

        assert_eq!(orders.all().len(), 1);
        assert_eq!(notifier.told()[0], notifier.told()[1]);
    }

    #[tokio::test]
    async fn an_order_that_failed_expires_when_it_is_redriven_too_late() {
        let (orders, notifier) = (InMemoryOrders::default(), RecordingNotifier::default());
        orders.insert(fakes::failed());

        let processed = process_queued_order(&orders, &notifier, after(61)).await.expect("a refusal is final");

        assert_eq!(processed.settlement, Settlement::Rejected);
        assert_eq!(orders.all()[0].status(), Status::Rejected);
    }

    #[tokio::test]
    async fn leaves_a_different_order_alone_when_one_under_its_id_expires() {
        let (orders, notifier) = (InMemoryOrders::default(), RecordingNotifier::default());
        process_queued_order(&orders, &notifier, fakes::queued()).await.expect("nothing is wrong");
        let before = orders.all();
        let different = QueuedOrder { content: Ok(fakes::content("SKU-2")), ..after(61) };

        process_queued_order(&orders, &notifier, different).await.expect("a conflict is final");

        assert_eq!(orders.all(), before);
        assert!(
            matches!(&notifier.told()[1], Notification::Rejected { reason, .. } if reason.contains("different order"))
        );
    }

    #[tokio::test]
    async fn a_redriven_message_turns_failed_into_confirmed() {
        let (orders, notifier) = (InMemoryOrders::default(), RecordingNotifier::default());
        orders.insert(fakes::failed());

        let processed = process_queued_order(&orders, &notifier, fakes::queued()).await.expect("nothing is wrong");

        assert_eq!(processed.settlement, Settlement::Confirmed);
        assert_eq!(orders.all()[0].status(), Status::Confirmed);
    }
}
