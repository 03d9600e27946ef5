use crate::{Outbox, QueueSettings, read_order};
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsMessage};
use lambda_support::clock;
use orders::{ErrorChain, Notification, Notifier, Processed, QueuedOrder, RepositoryError};
use sqs_batch::{Backoff, BatchHandler, Disposition, Message, SqsBatch, UnidentifiedFailure, VisibilityTimeout};
use std::time::{Duration, SystemTime};

/// Handles batches of an orders queue: every order is written first, then every owner is notified.
#[derive(Debug)]
pub struct Worker<N, V> {
    /// The function's name, for its metrics.
    pub function: &'static str,
    /// Handles the messages of a batch.
    pub batches: BatchHandler<V>,
    /// Notifies owners of the outcomes.
    pub notifier: N,
    /// Longest duration of one notifier call, reserved before the invocation's deadline. It must be shorter than the
    /// function's timeout.
    pub notifying: Duration,
    /// How the queue delivers its messages.
    pub queue: QueueSettings,
}

impl<N: Notifier, V: VisibilityTimeout> Worker<N, V> {
    /// Runs `process` on every order of a batch, then notifies each owner once.
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
        outbox.send(&self.notifier, self.function).await;
        response
    }

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
            Processed::Settled(settled) => {
                tracing::info!(order.id = %id, "Settled order {id}: {}", outcome(settled.notify.as_ref()));
                (settled.notify, Disposition::Done)
            }
            Processed::Retry(error) => return self.retry(message_id, &id, &error),
            Processed::Failed { error, unrecorded, notification } => {
                let error = ErrorChain(&error);
                tracing::error!(order.id = %id, message.id = message_id, %error, "Order {id} failed its last delivery");
                if let Some(error) = unrecorded {
                    let error = ErrorChain(&error);
                    tracing::error!(order.id = %id, %error, "Failed to record that order {id} failed");
                }
                // Without a delay, the message moves to the dead-letter queue at once.
                (Some(notification), Disposition::RetryAfter(Backoff::NONE))
            }
        };
        if let Some(notification) = notification {
            outbox.push(owner, notification);
        }
        disposition
    }

    fn retry(&self, message_id: &str, id: &str, error: &RepositoryError) -> Disposition {
        let disposition =
            if error.is_retryable() { Disposition::RetryAfter(self.queue.backoff) } else { Disposition::Retry };
        let error = ErrorChain(error);
        tracing::warn!(order.id = id, message.id = message_id, %error, "Message {message_id} is redelivered");
        disposition
    }
}

fn outcome(notification: Option<&Notification>) -> &'static str {
    match notification {
        // Bus lane: the owner is notified after the decision.
        None => "Placed",
        Some(Notification::Confirmed(_)) => "Confirmed",
        Some(Notification::Cancelled(_)) => "Cancelled",
        Some(Notification::Rejected { .. }) => "Rejected",
        Some(Notification::Failed { .. }) => "Failed",
    }
}

#[cfg(test)]
mod tests;
