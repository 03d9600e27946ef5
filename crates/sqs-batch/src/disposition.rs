use crate::Backoff;

/// What SQS does with a message after its handler returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disposition {
    /// SQS deletes the message: it is handled.
    Done,
    /// SQS redelivers the message after the queue's visibility timeout.
    Retry,
    /// SQS redelivers the message after a back-off.
    RetryAfter(Backoff),
    /// The message can never be handled. SQS redelivers it at once, until `maxReceiveCount` moves it to the dead-letter
    /// queue.
    Poison,
}
