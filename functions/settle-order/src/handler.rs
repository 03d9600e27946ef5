use aws_lambda_events::event::sqs::SqsBatchResponse;
use event_bus::{Delivery, Event, EventKind, EventPublisher, HandleError, OrderedItems, Subscriber};
use lambda_runtime::LambdaEvent;
use lambda_support::clock;
use orders::{
    Ballot, Deadline, ErrorChain, InvalidBody, ItemDraft, Lane, Notification, Notifier, Order, OrderContent,
    OrderDraft, OrderRepository, Outcome, Processed, QueuedOrder, SettleError, Settled, SettlementRepository, Status,
    UNPUBLISHED_REASON, cancel_unpublished, count_vote, pass_deadline, process_queued_order,
};
use orders_sqs::Outbox;
use sqs_batch::{SqsBatch, UnidentifiedFailure, VisibilityTimeout};
use std::time::Duration;
use thiserror::Error;

/// Settles events, publishes the results, and notifies owners.
#[derive(Debug)]
pub(crate) struct Handler<R, P, N, V> {
    pub(crate) orders: R,
    /// Publishes orders and decisions to the steps.
    pub(crate) events: P,
    pub(crate) notifier: N,
    /// Longest duration of one notifier call, reserved before the deadline.
    pub(crate) notifying: Duration,
    /// The delay of the deadline queue.
    pub(crate) order_deadline: Duration,
    /// Submissions, outcomes and deadlines.
    pub(crate) queues: [Queue<V>; 3],
}

#[derive(Debug)]
pub(crate) struct Queue<V> {
    pub(crate) url: String,
    pub(crate) subscriber: Subscriber<V>,
}

/// Why a whole batch must be redelivered.
#[derive(Debug, Error)]
pub(crate) enum BatchError {
    #[error(transparent)]
    Unidentified(#[from] UnidentifiedFailure),
    /// An error of the deployment.
    #[error("the batch is from {0:?}, which is not a queue of this function")]
    UnknownQueue(String),
}

impl<V> Queue<V> {
    /// Its name is the last part of both URL and ARN.
    fn has_arn(&self, arn: &str) -> bool {
        arn.rsplit(':').next() == self.url.rsplit('/').next()
    }
}

impl<R, P, N, V> Handler<R, P, N, V>
where
    R: OrderRepository + SettlementRepository,
    P: EventPublisher,
    N: Notifier,
    V: VisibilityTimeout,
{
    /// Handles one batch, and returns the messages that must be redelivered.
    ///
    /// # Errors
    /// See [`BatchError`].
    pub(crate) async fn handle(&self, event: LambdaEvent<SqsBatch>) -> Result<SqsBatchResponse, BatchError> {
        let arn = event.payload.event_source_arn().unwrap_or_default();
        let queue = self.queues.iter().find(|queue| queue.has_arn(arn));
        let queue = queue.ok_or_else(|| BatchError::UnknownQueue(arn.to_owned()))?;
        let outbox = Outbox::default();
        let deadline = event.context.deadline() - self.notifying;
        let response =
            queue.subscriber.handle(event.payload, deadline, |delivery| self.settle(delivery, &outbox)).await;
        outbox.send(&self.notifier, "settle-order").await;
        Ok(response?)
    }

    /// The owner is notified even if the resulting event is not published: the write is done.
    async fn settle(&self, delivery: Delivery, outbox: &Outbox) -> Result<(), HandleError> {
        let (owner, last_attempt) = (delivery.event.owner.clone(), delivery.last_attempt);
        let occurred_at = delivery.event.occurred_at;
        let settled = match delivery.event.kind.clone() {
            EventKind::Submitted { order, note } => self.submit(delivery, order, note, outbox).await?,
            EventKind::Voted(step, vote) => {
                let Event { owner, order_id: id, fingerprint, .. } = delivery.event;
                let ballot = Ballot { owner, id, fingerprint, step, vote, now: clock::now(), last_attempt };
                count_vote(&self.orders, &ballot).await.map_err(handle_error)?
            }
            // From the deadline queue, with a delay: the deadline has passed.
            EventKind::Placed(_) => {
                let Event { owner, order_id: id, fingerprint, .. } = delivery.event;
                let deadline =
                    Deadline { owner, id, fingerprint, allowed: self.order_deadline, now: clock::now(), last_attempt };
                pass_deadline(&self.orders, &deadline).await.map_err(handle_error)?
            }
            // No queue of this function subscribes to these.
            EventKind::Confirmed | EventKind::Cancelled { .. } => Settled::default(),
        };
        if let Some(notification) = settled.notify {
            outbox.push(owner.clone(), notification);
        }
        if let Some((order, event)) = settled.publish.as_ref().and_then(|order| Some((order, event_of(order)?))) {
            let is_decision = order.status() != Status::Placed;
            // The function may die before it publishes, and no delivery follows.
            if is_decision && last_attempt {
                self.mark_unpublished(order).await;
            }
            let published = self.events.publish(&event).await;
            // The deadline may come before the next delivery.
            if published.is_err() && is_decision && !last_attempt {
                self.mark_unpublished(order).await;
            }
            // A repeat, which occurred later, leaves the order to its first submission.
            if published.is_err() && !is_decision && last_attempt && order.placed_at == occurred_at {
                self.cancel_unpublished(order, outbox).await;
            }
            published?;
            let (id, status) = (order.id, order.status());
            tracing::info!(order.id = %id, "Published order {id} as {status}");
        }
        Ok(())
    }

    /// If this fails, too, the order stays placed until its dead letter is redriven.
    async fn cancel_unpublished(&self, order: &Order, outbox: &Outbox) {
        let id = order.id;
        let notification = match cancel_unpublished(&self.orders, order, clock::now()).await {
            Ok(None) => return,
            Ok(Some(notification)) => {
                tracing::error!(order.id = %id, "Cancelled order {id}, which could not be published");
                notification
            }
            Err(error) => {
                let error = ErrorChain(&error);
                tracing::error!(order.id = %id, %error, "Failed to cancel order {id}, which could not be published");
                Notification::Failed { order_id: id.to_string(), reason: UNPUBLISHED_REASON.to_owned() }
            }
        };
        outbox.push(order.owner.clone(), notification);
    }

    /// Marks a decision that was perhaps not published. The next vote or the deadline then publishes it, even if
    /// redeliveries run out.
    async fn mark_unpublished(&self, order: &Order) {
        if let Err(error) = self.orders.mark_unpublished(order).await {
            let (id, error) = (order.id, ErrorChain(&error));
            tracing::warn!(order.id = %id, %error, "Failed to mark the decision on order {id}");
        }
    }

    /// If the last delivery fails, the order is recorded as failed and its owner notified.
    async fn submit(
        &self,
        delivery: Delivery,
        order: OrderedItems,
        note: Option<String>,
        outbox: &Outbox,
    ) -> Result<Settled, HandleError> {
        let Delivery { event, receive_count, last_attempt, .. } = delivery;
        let (id, owner, fingerprint) = (event.order_id, event.owner.clone(), event.fingerprint);
        let queued = QueuedOrder {
            lane: Lane::Bus,
            owner: event.owner,
            given_id: id.to_string(),
            id: Ok(id),
            content: content(&order, note).map_err(|violations| InvalidBody { violations, fingerprint }),
            placed_at: event.occurred_at,
            max_age: None,
            now: clock::now(),
            attempts: receive_count,
            last_attempt,
        };
        match process_queued_order(&self.orders, queued).await {
            Processed::Settled(settled) => Ok(settled),
            Processed::Retry(error) => Err(error.into()),
            Processed::Failed { error, unrecorded, notification } => {
                if let Some(error) = unrecorded {
                    let error = ErrorChain(&error);
                    tracing::error!(order.id = %id, %error, "Failed to record that order {id} failed");
                }
                outbox.push(owner, notification);
                Err(error.into())
            }
        }
    }
}

/// Checked against the rules of this service.
fn content(order: &OrderedItems, note: Option<String>) -> Result<OrderContent, orders::Violations> {
    OrderContent::parse(OrderDraft {
        currency: Some(order.currency.code().to_owned()),
        items: Some(order.items.iter().map(ItemDraft::from).collect()),
        note,
    })
}

/// `None` for an order that is not published to the steps.
fn event_of(order: &Order) -> Option<Event> {
    let (occurred_at, kind) = match &order.outcome {
        Outcome::Placed { content, .. } => {
            let items = OrderedItems { currency: content.currency(), items: content.items().to_vec() };
            (order.placed_at, EventKind::Placed(items))
        }
        Outcome::Confirmed { confirmed_at, .. } => (*confirmed_at, EventKind::Confirmed),
        Outcome::Cancelled { cancellation, .. } => {
            (cancellation.cancelled_at, EventKind::Cancelled { reason: cancellation.reason.clone() })
        }
        Outcome::Rejected { .. } | Outcome::Failed { .. } => return None,
    };
    let Order { id: order_id, owner, fingerprint, .. } = order.clone();
    Some(Event { order_id, owner, fingerprint, occurred_at, kind })
}

fn handle_error(error: SettleError) -> HandleError {
    match error {
        SettleError::NotRecorded => HandleError::TooEarly("its order was recorded"),
        SettleError::Repository(error) => HandleError::Repository(error),
    }
}

#[cfg(test)]
mod tests;
