//! The batch.

use crate::{Disposition, Message, SqsBatch, Unchanged, VisibilityChange, VisibilityTimeout, record::Record};
use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse};
use futures_util::{FutureExt, StreamExt, stream};
use std::{
    collections::HashSet,
    error::Error as StdError,
    fmt,
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

/// Handles batches, message by message.
#[derive(Clone, Debug)]
pub struct BatchHandler<V = Unchanged> {
    concurrency: usize,
    margin: Duration,
    visibility: V,
}

/// A message failed that SQS cannot be told about, because its record has no message id. Return it from the function:
/// a failed invocation brings the whole batch again, and nothing is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnidentifiedFailure;

impl fmt::Display for UnidentifiedFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record without messageId failed, so the whole batch has to come again")
    }
}

impl StdError for UnidentifiedFailure {}

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

    /// Stops handlers that long before the invocation's deadline. It is the time for one request to SQS and for the
    /// answer.
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
    ///
    /// # Errors
    /// [`UnidentifiedFailure`]: the whole batch must come again.
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
        let left = deadline.duration_since(SystemTime::now()).unwrap_or_default();
        let stop = Instant::now() + left.saturating_sub(self.margin);
        let mut failures: Vec<Failure> = stream::iter(batch.into_sequences())
            .map(|sequence| handle_in_order(sequence, stop, &handler))
            .buffer_unordered(self.concurrency)
            .flat_map(stream::iter)
            .collect()
            .await;

        // A message may be there twice: it is reported once.
        let mut reported = HashSet::new();
        failures.retain(|failure| failure.message_id.is_none() || reported.insert(failure.message_id.clone()));
        let response = response(&failures)?;
        let changes: Vec<_> = failures.into_iter().filter_map(Failure::into_change).collect();
        if !changes.is_empty() && timeout_at(stop + self.margin / 2, self.visibility.change(&changes)).await.is_err() {
            let count = changes.len();
            tracing::warn!("Ran out of time to say when {count} messages come again");
        }
        Ok(response)
    }
}

fn response(failures: &[Failure]) -> Result<SqsBatchResponse, UnidentifiedFailure> {
    let mut response = SqsBatchResponse::default();
    for failure in failures {
        let mut reported = BatchItemFailure::default();
        reported.item_identifier = failure.message_id.clone().ok_or(UnidentifiedFailure)?;
        response.batch_item_failures.push(reported);
    }
    Ok(response)
}

/// A message that must come again.
struct Failure {
    message_id: Option<String>,
    receipt_handle: Option<String>,
    /// From now on; after the queue's visibility timeout where there is none.
    after: Option<Duration>,
}

impl Failure {
    fn of(record: &Record, after: Option<Duration>) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Self { message_id: owned(record.message_id()), receipt_handle: owned(record.receipt_handle()), after }
    }

    fn into_change(self) -> Option<VisibilityChange> {
        let (message_id, receipt_handle) = (self.message_id?, self.receipt_handle?);
        Some(VisibilityChange { message_id, receipt_handle, visibility_timeout: self.after? })
    }
}

/// How it went with one record.
enum Outcome {
    Done,
    /// It comes again after that time, or after the queue's visibility timeout.
    Again(Option<Duration>),
}

/// Handles records one after the other; the first failure stops those behind it, which come again together with it.
async fn handle_in_order<H, F>(records: Vec<Record>, stop: Instant, handler: &H) -> Vec<Failure>
where
    H: Fn(Message) -> F,
    F: Future<Output = Disposition>,
{
    let mut failures = Vec::new();
    let mut stopped = None;
    for record in records {
        let failure = Failure::of(&record, None);
        let outcome = match stopped {
            Some(after) => Outcome::Again(after),
            None => handle_one(record, stop, handler).await,
        };
        if let Outcome::Again(after) = outcome {
            stopped = Some(after);
            failures.push(Failure { after, ..failure });
        }
    }
    failures
}

async fn handle_one<H, F>(record: Record, stop: Instant, handler: &H) -> Outcome
where
    H: Fn(Message) -> F,
    F: Future<Output = Disposition>,
{
    let id = record.message_id().unwrap_or("(none)").to_owned();
    let receive_count = record.receive_count();
    let message = match record.read() {
        Ok(message) => Message::new(message, receive_count, stop),
        Err(error) => {
            tracing::error!(message.id = id, %error, "Record {id} is not an SQS message");
            return Outcome::Again(Some(Duration::ZERO));
        }
    };
    if stop <= Instant::now() {
        tracing::warn!(message.id = id, "No time left to begin message {id}");
        return Outcome::Again(None);
    }
    // The handler is called inside the guarded future, so that a panic before its first await is caught too.
    let guarded = AssertUnwindSafe(async { handler(message).await }).catch_unwind();
    match timeout_at(stop, guarded).await {
        Ok(Ok(disposition)) => settle(disposition, &id, receive_count),
        Ok(Err(_panic)) => {
            tracing::error!(message.id = id, "The handler of message {id} panicked");
            Outcome::Again(None)
        }
        Err(_elapsed) => {
            tracing::warn!(message.id = id, "Ran out of time for message {id}");
            Outcome::Again(None)
        }
    }
}

fn settle(disposition: Disposition, id: &str, receive_count: u32) -> Outcome {
    match disposition {
        Disposition::Done => Outcome::Done,
        Disposition::Retry => Outcome::Again(None),
        Disposition::RetryAfter(backoff) => {
            let delay = backoff.delay(receive_count);
            let seconds = delay.as_secs();
            tracing::info!(
                message.id = id,
                receive_count,
                delay_s = seconds,
                "Message {id} comes again in {seconds} s"
            );
            Outcome::Again(Some(delay))
        }
        Disposition::Poison => {
            tracing::error!(message.id = id, receive_count, "Message {id} can never be done");
            Outcome::Again(Some(Duration::ZERO))
        }
    }
}
