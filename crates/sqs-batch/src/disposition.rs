//! The result of handling one message.

use crate::Backoff;

/// What SQS does with a message after its handler returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disposition {
    /// The message is handled: SQS deletes it.
    Done,
    /// SQS redelivers the message after the queue's visibility timeout.
    Retry,
    /// SQS redelivers the message after a back-off, which gives a dependency time to recover.
    RetryAfter(Backoff),
    /// The message can never be handled. SQS redelivers it at once, until `maxReceiveCount` moves it to the dead-letter
    /// queue. Waiting would only delay the alarm.
    Poison,
}
