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

/// Messages handled concurrently by default: the largest batch of a standard queue without a batching window.
/// Source: AWS Lambda Developer Guide, "Using Lambda with Amazon SQS".
const CONCURRENCY: usize = 10;

/// Half to change visibility timeouts, half to respond.
const MARGIN: Duration = Duration::from_secs(1);

/// Keeps the clock from overflowing. No invocation lasts that long.
const FAR_AWAY: Duration = Duration::from_hours(24);

/// Handles batches, message by message, within the invocation's deadline.
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
    /// Handles ten messages concurrently and stops handlers one second before the deadline. Without
    /// [`BatchHandler::visibility`], every failed message waits for the queue's visibility timeout.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl<V: VisibilityTimeout> BatchHandler<V> {
    /// Handles up to `messages` messages concurrently, at least one.
    #[must_use]
    pub fn concurrency(self, messages: usize) -> Self {
        Self { concurrency: messages.max(1), ..self }
    }

    /// Stops handlers this long before the invocation's deadline: half of it is for one request to SQS, half for the
    /// response. It must be shorter than the function's timeout, or no message is ever handled.
    #[must_use]
    pub fn margin(self, margin: Duration) -> Self {
        Self { margin, ..self }
    }

    /// Redelivers messages when their disposition says, through `visibility`.
    #[must_use]
    pub fn visibility<W: VisibilityTimeout>(self, visibility: W) -> BatchHandler<W> {
        BatchHandler { concurrency: self.concurrency, margin: self.margin, visibility }
    }

    /// Handles every message of a batch, and returns those that SQS must redeliver. Their handler says so, panics or is
    /// not done in time, or the record is not a message, which counts as poison.
    ///
    /// `deadline` is the invocation's. A handler can be stopped only at an `await`. A message that the batch holds
    /// twice is handled twice, one after the other, and reported once.
    ///
    /// # Errors
    /// [`UnidentifiedFailure`]: the whole batch must be redelivered, each message after the queue's visibility timeout.
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

    /// A failure, a panic or a timeout is only logged: the batch gets its response either way.
    async fn change(&self, changes: &[VisibilityChange], stop: Instant) {
        if changes.is_empty() {
            return;
        }
        let guarded = AssertUnwindSafe(async { timeout_at(stop, self.visibility.change(changes)).await });
        let problem = match guarded.catch_unwind().await {
            Ok(Ok(())) => return,
            Ok(Err(_elapsed)) => "no time was left to change it",
            Err(_panic) => "changing it panicked",
        };
        for VisibilityChange { message_id: id, .. } in changes {
            tracing::warn!(message.id = id, "Message {id} may wait for its queue's visibility timeout: {problem}");
        }
    }
}
