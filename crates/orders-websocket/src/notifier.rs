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

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_apigatewaymanagement::{
        Client,
        config::{BehaviorVersion, Config, Credentials, Region, retry::RetryConfig},
    };
    use aws_smithy_http_client::test_util::infallible_client_fn;
    use orders::{
        Connection,
        fakes::{self, InMemoryConnections},
    };
    use std::sync::{Arc, Mutex};

    /// A management API that answers a post by the status in the connection id's name, and the posts it took.
    fn management_api() -> (Client, Arc<Mutex<Vec<String>>>) {
        let taken = Arc::new(Mutex::new(Vec::new()));
        let posts = Arc::clone(&taken);
        let http_client = infallible_client_fn(move |request| {
            let connection = request.uri().path().rsplit('/').next().unwrap_or_default();
            let status = connection.rsplit('-').next().and_then(|status| status.parse().ok()).expect("a status");
            if status == 200 {
                let body = request.body().bytes().expect("the body is in memory").to_vec();
                posts.lock().expect("no test panicked").push(String::from_utf8(body).expect("a frame is text"));
            }
            let error = match status {
                410 => "GoneException",
                403 => "ForbiddenException",
                _ => "",
            };
            http::Response::builder().status(status).header("x-amzn-errortype", error).body("{}").expect("a response")
        });
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
            .endpoint_url("https://klmnopqrst.execute-api.eu-central-1.amazonaws.com/live")
            .retry_config(RetryConfig::disabled())
            .http_client(http_client)
            .build();
        (Client::from_conf(config), taken)
    }

    async fn connections(ids: &[&str]) -> InMemoryConnections {
        let connections = InMemoryConnections::default();
        for id in ids {
            let id = ConnectionId::parse(id).expect("visible ASCII");
            let connection = Connection { owner: fakes::owner("alice"), id, connected_at: fakes::moment(0) };
            connections.add(&connection).await.expect("in memory");
        }
        connections
    }

    fn notification() -> Notification {
        Notification::Failed { order_id: fakes::order_id().to_string(), reason: "it failed".into() }
    }

    #[tokio::test]
    async fn tells_every_open_socket_and_forgets_those_that_are_gone_and_no_other() {
        let (client, taken) = management_api();
        let open = connections(&["a-200", "b-410", "c-200", "d-500", "e-403", "f-429"]).await;
        let notifier =
            WebSocketNotifier::new(open, WebSocketSender::new(client, "https://api.example.com/live/orders"));

        let report = notifier.notify(&fakes::owner("alice"), &notification()).await.expect("connections are in memory");

        assert_eq!(report, NotificationReport { told: 2, gone: 1, dropped: 3 });
        let left = notifier.connections.list(&fakes::owner("alice")).await.expect("in memory");
        let left: Vec<_> = left.iter().map(ConnectionId::as_str).collect();
        assert_eq!(left, ["a-200", "c-200", "d-500", "e-403", "f-429"]);
        let taken = taken.lock().expect("no test panicked");
        assert_eq!(taken.len(), 2);
        assert!(taken[0].contains("order.failed"), "{taken:?}");
    }

    #[tokio::test]
    async fn tells_nobody_elses_sockets() {
        let (client, taken) = management_api();
        let open = connections(&["a-200"]).await;
        let notifier =
            WebSocketNotifier::new(open, WebSocketSender::new(client, "https://api.example.com/live/orders"));

        let report = notifier.notify(&fakes::owner("bob"), &notification()).await.expect("connections are in memory");

        assert_eq!(report, NotificationReport::default());
        assert!(taken.lock().expect("no test panicked").is_empty());
    }
}
