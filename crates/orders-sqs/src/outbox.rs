//! What owners are to be notified of, once a batch is written.

use futures_util::{FutureExt, StreamExt, stream};
use lambda_support::metrics;
use orders::{ErrorChain, Notification, Notifier, Owner};
use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{Mutex, PoisonError},
};

/// Metric: frames that a socket should have taken and did not, and notifications for sockets that could not be looked up.
const DROPPED: &str = "NotificationsDropped";

/// Collects the notifications of one batch while it is written.
///
/// An owner's sockets are looked up when all of the batch is written. A socket that subscribed before one of these writes is
/// found; one that subscribes after it reads the outcome. So no subscription falls between its read and the look-up. A frame
/// can still be lost: see `docs/decisions/0026-notify-after-the-batch-is-written.md`. The price is that a notification waits
/// for the slowest write of its batch, which a deadline bounds.
#[derive(Debug, Default)]
pub struct Outbox(Mutex<HashMap<Owner, Vec<Notification>>>);

impl Outbox {
    /// Adds a notification. Call it once the write is done that the notification is about.
    pub fn push(&self, owner: Owner, notification: Notification) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(owner).or_default().push(notification);
    }

    /// Every notification, by owner.
    pub(crate) fn into_inner(self) -> HashMap<Owner, Vec<Notification>> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notifies each owner once of all their orders, and all owners concurrently. Whatever happens here changes nothing about
    /// orders or messages: what is not sent is logged, and counted as a metric of `function`.
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
