use crate::{Disposition, Message, failure::Failure, record::Record};
use futures_util::FutureExt;
use std::{future::Future, panic::AssertUnwindSafe, time::Duration};
use tokio::time::{Instant, timeout_at};

/// Deliveries after which poison waits for the visibility timeout. AWS recommends a `maxReceiveCount` of at least five
/// ("Understanding SQS retries"), so twice that reaches the dead-letter queue. Without one, the message must not
/// circulate as fast as Lambda polls.
const POISON_DELIVERIES: u32 = 10;

/// What happens to a message after its delivery.
enum AfterDelivery {
    Delete,
    /// After this time, or after the queue's visibility timeout.
    Redeliver(Option<Duration>),
}

/// The first failure stops the records behind it: they are redelivered with it.
pub(crate) async fn in_order<H, F>(records: Vec<Record>, stop: Instant, handler: &H) -> Vec<Failure>
where
    H: Fn(Message) -> F,
    F: Future<Output = Disposition>,
{
    let mut records = records.into_iter();
    for record in records.by_ref() {
        if let AfterDelivery::Redeliver(after) = one(&record, stop, handler).await {
            let behind = records.map(|record| {
                let id = name(&record);
                tracing::info!(message.id = id, "Message {id} is redelivered with the message before it");
                Failure::new(&record, after)
            });
            return [Failure::new(&record, after)].into_iter().chain(behind).collect();
        }
    }
    Vec::new()
}

async fn one<H, F>(record: &Record, stop: Instant, handler: &H) -> AfterDelivery
where
    H: Fn(Message) -> F,
    F: Future<Output = Disposition>,
{
    let (id, receive_count) = (name(record), record.receive_count());
    let message = match record.read() {
        Ok(message) => Message::new(message, receive_count, stop),
        Err(fields) => {
            tracing::error!(message.id = id, receive_count, ?fields, "Record {id} is not an SQS message");
            return poison(receive_count);
        }
    };
    if stop <= Instant::now() {
        tracing::warn!(message.id = id, "No time left to start message {id}");
        return AfterDelivery::Redeliver(None);
    }
    // The handler is called and dropped inside the guard, which so catches panics before the first await and during the
    // drop, too.
    let guarded = AssertUnwindSafe(async { timeout_at(stop, handler(message)).await }).catch_unwind();
    match guarded.await {
        Ok(Ok(disposition)) => apply(disposition, id, receive_count),
        Ok(Err(_elapsed)) => {
            tracing::warn!(message.id = id, "Ran out of time for message {id}");
            AfterDelivery::Redeliver(None)
        }
        Err(_panic) => {
            tracing::error!(message.id = id, "The handler of message {id} panicked");
            AfterDelivery::Redeliver(None)
        }
    }
}

fn apply(disposition: Disposition, id: &str, receive_count: u32) -> AfterDelivery {
    match disposition {
        Disposition::Done => AfterDelivery::Delete,
        Disposition::Retry => AfterDelivery::Redeliver(None),
        Disposition::RetryAfter(backoff) => {
            let delay = backoff.delay(receive_count);
            let seconds = delay.as_secs();
            tracing::debug!(
                message.id = id,
                receive_count,
                delay_s = seconds,
                "Message {id} is redelivered in {seconds} s"
            );
            AfterDelivery::Redeliver(Some(delay))
        }
        Disposition::Poison => {
            tracing::error!(message.id = id, receive_count, "Message {id} can never be handled");
            poison(receive_count)
        }
    }
}

fn poison(receive_count: u32) -> AfterDelivery {
    AfterDelivery::Redeliver((receive_count <= POISON_DELIVERIES).then_some(Duration::ZERO))
}

fn name(record: &Record) -> &str {
    record.message_id().unwrap_or("(none)")
}
