//! The batch.

use crate::{
    Disposition, Message, SqsBatch, Unchanged, UnidentifiedFailure, VisibilityChange, VisibilityTimeout, delivery,
    failure,
};
use aws_lambda_events::event::sqs::SqsBatchResponse;
use futures_util::{FutureExt, StreamExt, stream};
use std::{
    future::Future,
    panic::AssertUnwindSafe,
    time::{Duration, SystemTime},
};
use tokio::time::{Instant, timeout_at};

/// Messages handled at once unless said otherwise: the largest batch of a standard queue without a batching window.
/// Source: AWS Lambda Developer Guide, "Using Lambda with Amazon SQS".
const CONCURRENCY: usize = 10;

/// Time kept back from the invocation's deadline unless said otherwise: half of it to change visibility timeouts, half
/// to answer.
const MARGIN: Duration = Duration::from_secs(1);

/// A deadline further away counts as this far: no invocation lasts so long, and no clock overflows.
const FAR_AWAY: Duration = Duration::from_hours(24);

/// Handles batches, message by message.
#[derive(Clone, Debug)]
pub struct BatchHandler<V = Unchanged> {
    concurrency: usize,
    margin: Duration,
    visibility: V,
}

impl Default for BatchHandler {
    fn default() -> Self {
        Self { concurrency: CONCURRENCY, margin: MARGIN, visibility: Unchanged }
    }
}

impl BatchHandler {
    /// Ten messages at once, ready a second before the deadline; messages come again after their queue's visibility
    /// timeout, whatever their handler asks for.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl<V: VisibilityTimeout> BatchHandler<V> {
    /// Handles so many messages at once, at least one.
    #[must_use]
    pub fn concurrency(self, messages: usize) -> Self {
        Self { concurrency: messages.max(1), ..self }
    }

    /// Stops handlers that long before the invocation's deadline: half of it is for one request to SQS, half for the
    /// answer. It must be shorter than the function's timeout, or no message is ever begun.
    #[must_use]
    pub fn margin(self, margin: Duration) -> Self {
        Self { margin, ..self }
    }

    /// Lets messages come again when their handler says, through `visibility`.
    #[must_use]
    pub fn visibility<W: VisibilityTimeout>(self, visibility: W) -> BatchHandler<W> {
        BatchHandler { concurrency: self.concurrency, margin: self.margin, visibility }
    }

    /// Handles every message of a batch, and answers with those that must come again: those whose handler says so,
    /// panics, or is not done in time, and records that are not messages (they are poison).
    ///
    /// `deadline` is that of the invocation. A handler is ended where it awaits; one that blocks its thread cannot be.
    /// A message that the batch holds twice is handled twice, one after the other, and reported once.
    ///
    /// # Errors
    /// [`UnidentifiedFailure`]: the whole batch must come again, each message after the queue's visibility timeout.
    pub async fn handle<H, F>(
        &self,
        batch: SqsBatch,
        deadline: SystemTime,
        handler: H,
    ) -> Result<SqsBatchResponse, UnidentifiedFailure>
    where
        H: Fn(Message) -> F,
        F: Future<Output = Disposition>,
    {
        let left = deadline.duration_since(SystemTime::now()).unwrap_or_default().min(FAR_AWAY);
        let margin = self.margin.min(left);
        let stop = Instant::now() + left.saturating_sub(margin);
        let mut failures = stream::iter(batch.into_sequences())
            .map(|sequence| delivery::in_order(sequence, stop, &handler))
            .buffer_unordered(self.concurrency)
            .flat_map(stream::iter)
            .collect()
            .await;

        failure::once_each(&mut failures);
        let response = failure::response(&failures)?;
        self.change(&failure::changes(failures), stop + margin / 2).await;
        Ok(response)
    }

    /// Whatever comes of it, the batch is answered.
    async fn change(&self, changes: &[VisibilityChange], stop: Instant) {
        if changes.is_empty() {
            return;
        }
        let guarded = AssertUnwindSafe(async { timeout_at(stop, self.visibility.change(changes)).await });
        let trouble = match guarded.catch_unwind().await {
            Ok(Ok(())) => return,
            Ok(Err(_elapsed)) => "there was no time left to change it",
            Err(_panic) => "changing it panicked",
        };
        for VisibilityChange { message_id: id, .. } in changes {
            tracing::warn!(
                message.id = id,
                "Message {id} may come again after its queue's visibility timeout: {trouble}"
            );
        }
    }
}
