//! The notifications of a batch, sent once the batch is written.

use futures_util::{FutureExt, StreamExt, stream};
use lambda_support::metrics;
use orders::{ErrorChain, Notification, Notifier, Owner};
use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{Mutex, PoisonError},
};

/// Metric: frames that an open socket did not take, and notifications that failed at the look-up of the sockets.
const DROPPED: &str = "NotificationsDropped";

/// Collects the notifications of one batch while it is written.
///
/// An owner's sockets are looked up after the whole batch is written. So the look-up finds a socket that subscribed
/// before a write, and a socket that subscribes later reads the outcome. A frame can still be lost: see
/// `docs/decisions/0026-notify-after-the-batch-is-written.md`. The cost: a notification waits for the slowest write of
/// its batch, which has a deadline.
#[derive(Debug, Default)]
pub struct Outbox(Mutex<HashMap<Owner, Vec<Notification>>>);

impl Outbox {
    /// Adds a notification. Call this after the write that it reports.
    pub fn push(&self, owner: Owner, notification: Notification) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(owner).or_default().push(notification);
    }

    /// Every notification, by owner.
    pub(crate) fn into_inner(self) -> HashMap<Owner, Vec<Notification>> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notifies all owners concurrently, each owner with one call for all their orders. A failure does not affect
    /// orders or messages: it is logged, and counted as a metric of `function`.
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
