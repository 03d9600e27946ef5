//! What one message comes to.

use crate::Backoff;

/// What is to become of a message once its handler is through with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disposition {
    /// It is dealt with: the queue deletes it.
    Done,
    /// It comes again when the queue's visibility timeout ends.
    Retry,
    /// It comes again after a back-off, so that what it needs may recover meanwhile.
    RetryAfter(Backoff),
    /// It can never be dealt with: it comes again at once, until the queue's `maxReceiveCount` has moved it to the
    /// dead-letter queue. Waiting would only put off the alarm.
    Poison,
}
