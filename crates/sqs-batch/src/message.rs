use aws_lambda_events::event::sqs::SqsMessage;
use std::{ops::Deref, time::Duration};
use tokio::time::Instant;

/// One delivery of one message. Dereferences to its [`SqsMessage`].
#[derive(Clone, Debug)]
pub struct Message {
    inner: SqsMessage,
    receive_count: u32,
    stop: Instant,
}

impl Message {
    pub(crate) fn new(inner: SqsMessage, receive_count: u32, stop: Instant) -> Self {
        Self { inner, receive_count, stop }
    }

    /// Deliveries so far, including this one: 1 or more, by SQS's approximate count.
    #[must_use]
    pub fn receive_count(&self) -> u32 {
        self.receive_count
    }

    /// Time left until the handler is stopped and the message fails.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.stop.saturating_duration_since(Instant::now())
    }

    /// The message itself.
    #[must_use]
    pub fn into_inner(self) -> SqsMessage {
        self.inner
    }
}

impl Deref for Message {
    type Target = SqsMessage;

    fn deref(&self) -> &SqsMessage {
        &self.inner
    }
}
