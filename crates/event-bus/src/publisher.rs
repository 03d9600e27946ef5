use crate::Event;
use std::{error::Error as StdError, future::Future};
use thiserror::Error;

/// Publishes events to one topic.
pub trait EventPublisher {
    /// Publishes one event, and returns the topic's message id. After `Ok`, every subscription receives it at least
    /// once. After an error it was perhaps published: publish it again.
    fn publish(&self, event: &Event) -> impl Future<Output = Result<String, PublishError>> + Send;
}

/// Why an event was perhaps not published.
#[derive(Debug, Error)]
pub enum PublishError {
    /// The topic is over a limit, or did not answer in time.
    #[error("the topic is not available")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
    /// The topic refuses the event: a permission is missing or a name is wrong.
    #[error("the topic refused the event")]
    Refused(#[source] Box<dyn StdError + Send + Sync>),
}

impl PublishError {
    /// Whether the same request may succeed in a moment, without a fix.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}
