use futures_util::{FutureExt, StreamExt, stream};
use lambda_support::metrics;
use orders::{ErrorChain, Notification, Notifier, Owner};
use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{Mutex, PoisonError},
};

/// Frames that an open socket did not take, and notifications that failed at the look-up of the sockets.
const DROPPED: &str = "NotificationsDropped";

/// Collects the notifications of one batch, and sends them once the whole batch is written: see
/// `docs/decisions/0026-notify-after-the-batch-is-written.md`.
#[derive(Debug, Default)]
pub struct Outbox(Mutex<HashMap<Owner, Vec<Notification>>>);

impl Outbox {
    /// Call this after the write that the notification reports.
    pub fn push(&self, owner: Owner, notification: Notification) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(owner).or_default().push(notification);
    }

    pub(crate) fn into_inner(self) -> HashMap<Owner, Vec<Notification>> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notifies all owners concurrently, each with one call. A failure does not affect orders or messages: it is
    /// logged, and counted as a metric of `function`.
    pub async fn send<N: Notifier>(self, notifier: &N, function: &'static str) {
        let notify_owner = async |(owner, notifications): (Owner, Vec<Notification>)| {
            let outcome = AssertUnwindSafe(notifier.notify(&owner, &notifications)).catch_unwind().await;
            let error = match &outcome {
                Ok(Ok(report)) => return metrics::count(function, DROPPED, report.dropped),
                Ok(Err(error)) => ErrorChain(error).to_string(),
                Err(_panic) => "the notifier panicked".to_owned(),
            };
            for notification in &notifications {
                let id = notification.order_id();
                tracing::warn!(order.id = %id, error, "Failed to notify the owner of order {id}");
            }
            metrics::count(function, DROPPED, notifications.len());
        };
        stream::iter(self.into_inner()).for_each_concurrent(None, notify_owner).await;
    }
}
