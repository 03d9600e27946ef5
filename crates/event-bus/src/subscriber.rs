//! Events from a queue that is subscribed to a topic.

use crate::{Event, PublishError};
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsMessage};
use shared_kernel::{ErrorChain, RepositoryError};
use sqs_batch::{Backoff, BatchHandler, Disposition, Message, SqsBatch, UnidentifiedFailure, VisibilityTimeout};
use std::{future::Future, time::SystemTime};
use thiserror::Error;

/// Reads batches of events.
#[derive(Debug)]
pub struct Subscriber<V> {
    /// Lifts the work on one message to a batch.
    pub batches: BatchHandler<V>,
    /// Deliveries after which the queue moves a message to its dead-letter queue.
    pub max_receive_count: u32,
    /// When an event is redelivered after a passing failure.
    pub backoff: Backoff,
}

/// One delivery of one event.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// What was published.
    pub event: Event,
    /// Deliveries so far, this one included: 1 and more.
    pub receive_count: u32,
    /// Whether the queue moves the event to its dead-letter queue when this delivery fails.
    pub is_last: bool,
}

/// Why an event could not be handled. It is redelivered.
#[derive(Debug, Error)]
pub enum HandleError {
    /// The service's table failed.
    #[error("failed to read or write what the service keeps")]
    Repository(#[from] RepositoryError),
    /// The service's own event was perhaps not published.
    #[error("failed to publish an event")]
    Publish(#[from] PublishError),
    /// The event came before what it refers to.
    #[error("the event came before {0}")]
    TooEarly(&'static str),
}

impl HandleError {
    /// Whether the event may well be handled in a moment, without a fix.
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
    /// Runs `handle` on every event of a batch, concurrently, and answers with the messages to redeliver.
    ///
    /// An event that `handle` fails is redelivered: after a back-off if the failure may pass, else after the queue's visibility
    /// timeout. A message that is not an event moves to the dead-letter queue at once.
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
        let is_last = receive_count >= self.max_receive_count;
        // Boxed: with a table and a topic below it, the type would be deeper than the compiler's recursion limit.
        let Err(error) = Box::pin(handle(Delivery { event, receive_count, is_last })).await else {
            tracing::info!(order.id = %id, event.r#type = event_type, "Handled {event_type} of order {id}");
            return Disposition::Done;
        };
        let retryable = error.is_retryable();
        let error = ErrorChain(&error);
        if is_last {
            tracing::error!(order.id = %id, event.r#type = event_type, message.id = message_id, %error,
                "{event_type} of order {id} failed its last delivery");
            // Its receive count moves the message to the dead-letter queue: the sooner, the better.
            return Disposition::RetryAfter(Backoff::NONE);
        }
        tracing::warn!(order.id = %id, event.r#type = event_type, message.id = message_id, %error,
            "{event_type} of order {id} is redelivered");
        if retryable { Disposition::RetryAfter(self.backoff) } else { Disposition::Retry }
    }
}
