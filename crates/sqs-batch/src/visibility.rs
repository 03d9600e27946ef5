use std::{future::Future, sync::LazyLock, time::Duration};

/// A change of one message's visibility timeout.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VisibilityChange {
    /// The message id, for logs.
    pub message_id: String,
    /// Identifies the delivery. It can delete the message, so it stays out of logs.
    pub receipt_handle: String,
    /// Whole seconds from now, 0 to 11 hours.
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
    /// Makes each message visible again after its `visibility_timeout`. If a change fails, SQS redelivers the message
    /// after the queue's visibility timeout, so an implementation only logs it. It MUST be safe to cancel.
    fn change(&self, changes: &[VisibilityChange]) -> impl Future<Output = ()>;
}

/// Leaves every message to its queue's visibility timeout.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unchanged;

impl VisibilityTimeout for Unchanged {
    async fn change(&self, _: &[VisibilityChange]) {}
}

/// Initialized by the first message that needs it: most execution environments never do, and an SDK client is a large
/// part of a cold start.
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

    /// Per request. Source: Amazon SQS API Reference, `ChangeMessageVisibilityBatch`.
    const ENTRIES: usize = 10;

    /// Few enough that a batch of 10 000 messages does not open a thousand connections.
    const REQUESTS: usize = 10;

    /// Changes visibility timeouts through `ChangeMessageVisibilityBatch`. Needs the permission
    /// `sqs:ChangeMessageVisibility` on the queue.
    #[derive(Clone, Debug)]
    pub struct SqsVisibility {
        client: Client,
        queue_url: String,
    }

    impl SqsVisibility {
        /// For messages of the queue at `queue_url`.
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
                        // The message may quote the receipt handle.
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
            "Message {id} waits for its queue's visibility timeout: SQS did not change it"
        );
    }

    fn with_causes(error: &(dyn StdError + 'static)) -> String {
        let causes = iter::successors(Some(error), |&error| error.source());
        causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }
}

#[cfg(feature = "aws-sdk-sqs")]
pub use sdk::SqsVisibility;
