//! When failed messages come again, if not after their queue's visibility timeout.

use std::{future::Future, sync::LazyLock, time::Duration};

/// One message that comes again at a time of its own.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VisibilityChange {
    /// Which message, for logs.
    pub message_id: String,
    /// Which delivery of it. Whoever has it may delete the message, so it stays out of logs.
    pub receipt_handle: String,
    /// From now until it comes again: whole seconds, 0 to 11 hours.
    pub visibility_timeout: Duration,
}

/// Leaves the receipt handle out.
impl std::fmt::Debug for VisibilityChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VisibilityChange")
            .field("message_id", &self.message_id)
            .field("visibility_timeout", &self.visibility_timeout)
            .finish_non_exhaustive()
    }
}

/// Changes the visibility timeouts of messages.
pub trait VisibilityTimeout {
    /// Makes each message visible again after its own time. Best effort: a message whose timeout is not changed comes
    /// again when that of its queue ends, so an implementation logs what fails, and fails nothing. It MUST be safe to
    /// end it midway.
    fn change(&self, changes: &[VisibilityChange]) -> impl Future<Output = ()>;
}

/// Leaves every message to the visibility timeout of its queue.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unchanged;

impl VisibilityTimeout for Unchanged {
    async fn change(&self, _: &[VisibilityChange]) {}
}

/// Is made when the first message needs it. Most functions that start never meet one, and making an SDK client is a good part
/// of a start.
impl<V: VisibilityTimeout, F: FnOnce() -> V> VisibilityTimeout for LazyLock<V, F> {
    async fn change(&self, changes: &[VisibilityChange]) {
        V::change(self, changes).await;
    }
}

#[cfg(feature = "aws-sdk-sqs")]
mod sdk {
    use super::{VisibilityChange, VisibilityTimeout};
    use aws_sdk_sqs::{Client, types::ChangeMessageVisibilityBatchRequestEntry};
    use futures_util::{StreamExt, stream};
    use std::{error::Error as StdError, iter};

    /// Entries in one request. Source: Amazon SQS API Reference, `ChangeMessageVisibilityBatch`.
    const ENTRIES: usize = 10;

    /// Requests at once: enough for the largest batch that Lambda hands over without a batching window, and few enough
    /// that a batch of 10 000 does not open a thousand connections.
    const REQUESTS: usize = 10;

    /// Changes visibility timeouts by `ChangeMessageVisibilityBatch`. The function needs the permission
    /// `sqs:ChangeMessageVisibility` on the queue.
    #[derive(Clone, Debug)]
    pub struct SqsVisibility {
        client: Client,
        queue_url: String,
    }

    impl SqsVisibility {
        /// For messages of the queue with that URL.
        #[must_use]
        pub fn new(client: Client, queue_url: impl Into<String>) -> Self {
            Self { client, queue_url: queue_url.into() }
        }

        async fn change_some(&self, changes: &[VisibilityChange]) {
            let entries = changes.iter().enumerate().map(|(index, change)| {
                let seconds = i32::try_from(change.visibility_timeout.as_secs()).unwrap_or(i32::MAX);
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(index.to_string())
                    .receipt_handle(&change.receipt_handle)
                    .visibility_timeout(seconds)
                    .build()
                    .expect("id and receipt handle are set")
            });
            let request = self.client.change_message_visibility_batch().queue_url(&self.queue_url);
            match request.set_entries(Some(entries.collect())).send().await {
                Ok(answer) => {
                    for failed in answer.failed() {
                        let change = failed.id().parse().ok().and_then(|index: usize| changes.get(index));
                        // Its code and not its message, which may quote the receipt handle.
                        warn_unchanged(change, failed.code());
                    }
                }
                Err(error) => {
                    let error = with_causes(&error);
                    for change in changes {
                        warn_unchanged(Some(change), &error);
                    }
                }
            }
        }
    }

    impl VisibilityTimeout for SqsVisibility {
        async fn change(&self, changes: &[VisibilityChange]) {
            stream::iter(changes.chunks(ENTRIES)).for_each_concurrent(REQUESTS, |some| self.change_some(some)).await;
        }
    }

    fn warn_unchanged(change: Option<&VisibilityChange>, error: &str) {
        let id = change.map_or("(unknown)", |change| change.message_id.as_str());
        tracing::warn!(
            message.id = id,
            error,
            "Message {id} comes again after its queue's visibility timeout: its own was refused"
        );
    }

    fn with_causes(error: &(dyn StdError + 'static)) -> String {
        let causes = iter::successors(Some(error), |&error| error.source());
        causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }
}

#[cfg(feature = "aws-sdk-sqs")]
pub use sdk::SqsVisibility;
