//! One notification to all sockets of an owner.

use crate::{SendError, WebSocketSender};
use futures_util::{StreamExt, stream};
use orders::{ConnectionId, ConnectionRepository, Notification, NotificationReport, Notifier, NotifyError, Owner};
use orders_api::ServerFrame;

/// Sockets told at once. One owner seldom has more, and a post takes milliseconds.
const CONCURRENCY: usize = 16;

/// Tells owners over their WebSockets.
#[derive(Clone, Debug)]
pub struct WebSocketNotifier<C> {
    connections: C,
    sender: WebSocketSender,
}

/// How it went with one socket.
enum Delivery {
    Told,
    Gone,
    Dropped,
}

impl<C: ConnectionRepository + Sync> WebSocketNotifier<C> {
    /// Looks sockets up in `connections` and tells them through `sender`.
    #[must_use]
    pub fn new(connections: C, sender: WebSocketSender) -> Self {
        Self { connections, sender }
    }

    async fn tell(&self, owner: &Owner, connection: ConnectionId, frame: &ServerFrame) -> Delivery {
        match self.sender.send(&connection, frame).await {
            Ok(()) => Delivery::Told,
            Err(SendError::Gone) => {
                // A row that cannot be removed now is removed by its time to live.
                if let Err(error) = self.connections.remove(owner, &connection).await {
                    tracing::warn!(
                        connection.id = %connection,
                        error = &error as &dyn std::error::Error,
                        "Failed to forget gone connection {connection}"
                    );
                }
                Delivery::Gone
            }
            Err(error @ SendError::Undelivered(_)) => {
                tracing::warn!(
                    connection.id = %connection,
                    error = &error as &dyn std::error::Error,
                    "Dropped a notification to connection {connection}"
                );
                Delivery::Dropped
            }
        }
    }
}

impl<C: ConnectionRepository + Sync> Notifier for WebSocketNotifier<C> {
    async fn notify(&self, owner: &Owner, notification: &Notification) -> Result<NotificationReport, NotifyError> {
        let frame = ServerFrame::from(notification);
        let connections = self.connections.list(owner).await?;
        let report = stream::iter(connections)
            .map(|connection| self.tell(owner, connection, &frame))
            .buffer_unordered(CONCURRENCY)
            .fold(NotificationReport::default(), |mut report, delivery| async move {
                match delivery {
                    Delivery::Told => report.told += 1,
                    Delivery::Gone => report.gone += 1,
                    Delivery::Dropped => report.dropped += 1,
                }
                report
            })
            .await;
        Ok(report)
    }
}
