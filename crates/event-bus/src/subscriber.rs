use crate::{Event, PublishError};
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsMessage};
use shared_kernel::{ErrorChain, RepositoryError, Timestamp};
use sqs_batch::{Backoff, BatchHandler, Disposition, Message, SqsBatch, UnidentifiedFailure, VisibilityTimeout};
use std::{future::Future, time::SystemTime};
use thiserror::Error;

/// Reads events from a queue that is subscribed to a topic.
#[derive(Debug)]
pub struct Subscriber<V> {
    /// Handles the messages of a batch.
    pub batches: BatchHandler<V>,
    /// Deliveries after which the queue moves a message to its dead-letter queue.
    pub max_receive_count: u32,
    /// The delay before an event is redelivered after a temporary failure.
    pub backoff: Backoff,
}

/// One delivery of one event.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The event.
    pub event: Event,
    /// When its queue received the event from the topic, or from a redrive. `None` if SQS did not say.
    pub sent_at: Option<Timestamp>,
    /// Deliveries so far, including this one: 1 or more.
    pub receive_count: u32,
    /// Whether the event moves to the dead-letter queue if this delivery fails.
    pub last_attempt: bool,
}

/// Why an event could not be handled. It is redelivered.
#[derive(Debug, Error)]
pub enum HandleError {
    /// The service's table failed.
    #[error("failed to read or write the service's table")]
    Repository(#[from] RepositoryError),
    /// The event that the service publishes was perhaps not published.
    #[error("failed to publish an event")]
    Publish(#[from] PublishError),
    /// The event arrived before something that it depends on.
    #[error("the event arrived before {0}")]
    TooEarly(&'static str),
}

impl HandleError {
    /// Whether the event may be handled in a moment, without a fix.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Repository(error) => error.is_retryable(),
            Self::Publish(error) => error.is_retryable(),
            Self::TooEarly(_) => true,
        }
    }
}

impl<V: VisibilityTimeout> Subscriber<V> {
    /// Runs `handle` on every event of a batch, concurrently, and returns the messages to redeliver.
    ///
    /// A failed event is redelivered: after a back-off if the failure is temporary, else after the queue's visibility
    /// timeout. A message that is not an event is redelivered at once, until it moves to the dead-letter queue.
    ///
    /// # Errors
    /// [`UnidentifiedFailure`]: the whole batch must be redelivered.
    pub async fn handle<H, F>(
        &self,
        batch: SqsBatch,
        deadline: SystemTime,
        handle: H,
    ) -> Result<SqsBatchResponse, UnidentifiedFailure>
    where
        H: Fn(Delivery) -> F,
        F: Future<Output = Result<(), HandleError>>,
    {
        let handle = &handle;
        self.batches
            .handle(batch, deadline, async |message: Message| {
                self.deliver(&message, message.receive_count(), handle).await
            })
            .await
    }

    async fn deliver<H, F>(&self, message: &SqsMessage, receive_count: u32, handle: &H) -> Disposition
    where
        H: Fn(Delivery) -> F,
        F: Future<Output = Result<(), HandleError>>,
    {
        let message_id = message.message_id.as_deref().unwrap_or("(none)");
        let event = match Event::from_json(message.body.as_deref().unwrap_or_default()) {
            Ok(event) => event,
            Err(error) => {
                tracing::error!(message.id = message_id, %error, "Message {message_id} is not an event");
                return Disposition::Poison;
            }
        };
        let (id, event_type) = (event.order_id, event.kind.name());
        let sent_at = sent_at(message);
        let last_attempt = receive_count >= self.max_receive_count;
        // Boxed, because the type is otherwise deeper than the compiler's recursion limit.
        let Err(error) = Box::pin(handle(Delivery { event, sent_at, receive_count, last_attempt })).await else {
            tracing::info!(order.id = %id, event.r#type = event_type, "Handled {event_type} of order {id}");
            return Disposition::Done;
        };
        let retryable = error.is_retryable();
        let error = ErrorChain(&error);
        if last_attempt {
            tracing::error!(order.id = %id, event.r#type = event_type, message.id = message_id, %error,
                "{event_type} of order {id} failed its last delivery");
            // Without a delay, the message moves to the dead-letter queue at once.
            return Disposition::RetryAfter(Backoff::NONE);
        }
        tracing::warn!(order.id = %id, event.r#type = event_type, message.id = message_id, %error,
            "{event_type} of order {id} is redelivered");
        if retryable { Disposition::RetryAfter(self.backoff) } else { Disposition::Retry }
    }
}

/// Source: Amazon SQS API Reference, `ReceiveMessage`, `SentTimestamp`: milliseconds since 1970.
fn sent_at(message: &SqsMessage) -> Option<Timestamp> {
    let unix_ms = message.attributes.get("SentTimestamp")?.parse().ok()?;
    Timestamp::from_unix_ms(unix_ms).ok()
}
