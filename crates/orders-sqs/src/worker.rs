//! One batch: every order is written first, then every owner is notified.

use crate::{QueueSettings, read_order};
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsMessage};
use futures_util::{FutureExt, StreamExt, stream};
use lambda_support::{clock, metrics};
use orders::{ErrorChain, Notification, Notifier, Owner, Processed, QueuedOrder, RepositoryError};
use sqs_batch::{Backoff, BatchHandler, Disposition, Message, SqsBatch, UnidentifiedFailure, VisibilityTimeout};
use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

/// Works on batches of an orders queue.
#[derive(Debug)]
pub struct Worker<N, V> {
    /// The function's name, for its metrics.
    pub function: &'static str,
    /// Lifts the work on one message to a batch.
    pub batches: BatchHandler<V>,
    /// Notifies owners of the outcomes.
    pub notifier: N,
    /// Longest call of the notifier, which is kept back from the invocation's deadline. It must be shorter than the
    /// function's timeout, or no message is ever begun.
    pub notifying: Duration,
    /// How the queue delivers.
    pub queue: QueueSettings,
}

/// Metric: frames that a socket should have taken and did not, and notifications for sockets that could not be looked up.
const DROPPED: &str = "NotificationsDropped";

/// What owners are to be notified of, by owner, once the batch is written.
type Outbox = Mutex<HashMap<Owner, Vec<Notification>>>;

impl<N: Notifier, V: VisibilityTimeout> Worker<N, V> {
    /// Runs `process` on every order of a batch, then notifies each owner once of all that became of theirs.
    ///
    /// An owner's sockets are looked up when all of the batch is written. A socket that subscribed before one of these
    /// writes is found; one that subscribes after it reads the outcome. So no subscription falls between its read and the
    /// look-up. A frame can still be lost: see `docs/decisions/0026-notify-after-the-batch-is-written.md`. The price is
    /// that a notification waits for the slowest write of its batch, which a deadline bounds.
    ///
    /// # Errors
    /// [`UnidentifiedFailure`]: the whole batch must be redelivered.
    pub async fn handle<P, F>(
        &self,
        batch: SqsBatch,
        deadline: SystemTime,
        process: P,
    ) -> Result<SqsBatchResponse, UnidentifiedFailure>
    where
        P: Fn(QueuedOrder) -> F,
        F: Future<Output = Processed>,
    {
        let outbox = Outbox::default();
        let settle = |message: Message| {
            let (process, outbox) = (&process, &outbox);
            async move { self.settle(&message, message.receive_count(), process, outbox).await }
        };
        let response = self.batches.handle(batch, deadline - self.notifying, settle).await;
        self.notify(outbox.into_inner().unwrap_or_else(PoisonError::into_inner)).await;
        response
    }

    /// Processes the order in one message, puts its notification into the outbox, and logs the result.
    async fn settle<P, F>(&self, message: &SqsMessage, receive_count: u32, process: &P, outbox: &Outbox) -> Disposition
    where
        P: Fn(QueuedOrder) -> F,
        F: Future<Output = Processed>,
    {
        let message_id = message.message_id.as_deref().unwrap_or("(none)");
        let order = match read_order(message, receive_count, &self.queue, clock::now()) {
            Ok(order) => order,
            Err(error) => {
                tracing::warn!(message.id = message_id, %error, "Message {message_id} is not an order");
                return Disposition::Poison;
            }
        };
        let (owner, id) = (order.owner.clone(), order.id.map_or("(malformed)".to_owned(), |id| id.to_string()));
        let (notification, disposition) = match process(order).await {
            Processed::Settled(notification) => {
                tracing::info!(order.id = %id, "Settled order {id}: {}", outcome(&notification));
                (notification, Disposition::Done)
            }
            Processed::Retry(error) => return self.retry(message_id, &id, &error),
            Processed::GaveUp { error, unrecorded, notification } => {
                let error = ErrorChain(&error);
                tracing::error!(order.id = %id, message.id = message_id, %error, "Order {id} failed its last delivery");
                if let Some(error) = unrecorded {
                    let error = ErrorChain(&error);
                    tracing::error!(order.id = %id, %error, "Failed to record that order {id} failed");
                }
                // Its receive count moves the message to the dead-letter queue: the sooner, the better.
                (notification, Disposition::RetryAfter(Backoff::NONE))
            }
        };
        outbox.lock().unwrap_or_else(PoisonError::into_inner).entry(owner).or_default().push(notification);
        disposition
    }

    fn retry(&self, message_id: &str, id: &str, error: &RepositoryError) -> Disposition {
        let disposition =
            if error.is_retryable() { Disposition::RetryAfter(self.queue.backoff) } else { Disposition::Retry };
        let error = ErrorChain(error);
        tracing::warn!(order.id = id, message.id = message_id, %error, "Message {message_id} is redelivered");
        disposition
    }

    /// Notifies all owners at once. Whatever happens here changes nothing about orders or messages.
    async fn notify(&self, outbox: HashMap<Owner, Vec<Notification>>) {
        let notify_owner = async |(owner, notifications): (Owner, Vec<Notification>)| {
            let notified = AssertUnwindSafe(self.notifier.notify(&owner, &notifications)).catch_unwind().await;
            let error = match &notified {
                Ok(Ok(report)) => return metrics::count(self.function, DROPPED, report.dropped),
                Ok(Err(error)) => ErrorChain(error).to_string(),
                Err(_panic) => "the notifier panicked".to_owned(),
            };
            for notification in &notifications {
                let id = notification.order_id();
                tracing::warn!(order.id = %id, error, "Failed to notify the owner of order {id}");
            }
            metrics::count(self.function, DROPPED, notifications.len());
        };
        stream::iter(outbox).for_each_concurrent(None, notify_owner).await;
    }
}

fn outcome(notification: &Notification) -> &'static str {
    match notification {
        Notification::Confirmed(_) => "Confirmed",
        Notification::Rejected { .. } => "Rejected",
        Notification::Failed { .. } => "Failed",
    }
}

#[cfg(test)]
mod tests;
