use crate::{SendError, WebSocketSender};
use futures_util::{StreamExt, stream, stream::FuturesUnordered};
use orders::{
    Connection, ConnectionId, ConnectionRepository, ErrorChain, Notification, NotificationReport, Notifier,
    NotifyError, Owner, RepositoryError, Timestamp,
};
use orders_api::ServerFrame;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::{Instant, timeout_at};

/// Sockets notified concurrently: more than one owner usually has, so a slow socket does not delay others. With ten
/// frames of a batch for each, it stays within a function's 1 024 file descriptors.
/// Source: AWS Lambda Developer Guide, "Lambda quotas".
const CONCURRENCY: usize = 64;

/// Notifies all sockets of an owner.
#[derive(Clone, Debug)]
pub struct WebSocketNotifier<C> {
    connections: C,
    sender: WebSocketSender,
    time_limit: Duration,
}

impl<C: ConnectionRepository + Sync> WebSocketNotifier<C> {
    /// One call of [`Notifier::notify`] takes at most `time_limit`: frames not sent by then are dropped.
    #[must_use]
    pub fn new(connections: C, sender: WebSocketSender, time_limit: Duration) -> Self {
        Self { connections, sender, time_limit }
    }

    /// Sends all frames concurrently.
    async fn notify_socket(&self, connection: Connection, frames: &[ServerFrame], stop: Instant) -> NotificationReport {
        let mut report = NotificationReport::default();
        if connection.is_expired(now()) {
            self.end(&connection, stop).await;
            report.expired = frames.len();
            return report;
        }
        let mut sending: FuturesUnordered<_> =
            frames.iter().map(|frame| self.send(&connection.id, frame, stop)).collect();
        while let Some(sent) = sending.next().await {
            match sent {
                Ok(()) => report.sent += 1,
                Err(SendError::Gone) => report.gone += 1,
                Err(error @ SendError::Undelivered(_)) => {
                    let (id, error) = (&connection.id, ErrorChain(&error));
                    tracing::warn!(connection.id = %id, %error, "Dropped a notification to connection {id}");
                    report.dropped += 1;
                }
            }
        }
        if report.gone > 0 {
            self.forget(&connection, stop).await;
        }
        report
    }

    async fn send(&self, id: &ConnectionId, frame: &ServerFrame, stop: Instant) -> Result<(), SendError> {
        timeout_at(stop, self.sender.send(id, frame)).await.map_err(|elapsed| SendError::Undelivered(elapsed.into()))?
    }

    /// Removes the row of a socket that is gone. API Gateway reports a socket that is just opening as gone, too, so
    /// such a row stays. If the removal fails, the row's time to live removes it.
    async fn forget(&self, connection: &Connection, stop: Instant) {
        if connection.is_established(now()) {
            self.remove(connection, stop).await;
        }
    }

    /// Closes a socket after its session ended, then removes its row. If closing fails, the row stays, and the next
    /// notification tries again.
    async fn end(&self, connection: &Connection, stop: Instant) {
        let id = &connection.id;
        match timeout_at(stop, self.sender.close(id)).await {
            Ok(Ok(()) | Err(SendError::Gone)) => self.remove(connection, stop).await,
            Ok(Err(error)) => {
                let error = ErrorChain(&error);
                tracing::warn!(connection.id = %id, %error, "Failed to close expired connection {id}");
            }
            Err(_elapsed) => tracing::warn!(connection.id = %id, "Ran out of time to close connection {id}"),
        }
    }

    async fn remove(&self, connection: &Connection, stop: Instant) {
        let id = &connection.id;
        if let Ok(Err(error)) = timeout_at(stop, self.connections.remove(&connection.owner, id)).await {
            let error = ErrorChain(&error);
            tracing::warn!(connection.id = %id, %error, "Failed to forget connection {id}");
        }
    }
}

impl<C: ConnectionRepository + Sync> Notifier for WebSocketNotifier<C> {
    async fn notify(&self, owner: &Owner, notifications: &[Notification]) -> Result<NotificationReport, NotifyError> {
        let stop = Instant::now() + self.time_limit;
        let connections = timeout_at(stop, self.connections.list(owner))
            .await
            .map_err(|elapsed| RepositoryError::Unavailable(elapsed.into()))??;
        let frames: Vec<_> = notifications.iter().map(ServerFrame::from).collect();
        let mut reports = stream::iter(connections)
            .map(|connection| self.notify_socket(connection, &frames, stop))
            .buffer_unordered(CONCURRENCY);
        let mut total = NotificationReport::default();
        while let Some(report) = reports.next().await {
            total += report;
        }
        Ok(total)
    }
}

/// Limited to the range of [`Timestamp`].
fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let epoch = Timestamp::from_unix_ms(0).expect("1970 is in range");
    epoch.plus(since_epoch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_apigatewaymanagement::{
        Client,
        config::{BehaviorVersion, Config, Credentials, HttpClient, Region, retry::RetryConfig},
    };
    use aws_smithy_http_client::test_util::{NeverClient, infallible_client_fn};
    use orders::{
        ConnectionId,
        fakes::{self, InMemoryConnections},
    };
    use std::sync::{Arc, Mutex};

    const TIME_LIMIT: Duration = Duration::from_secs(4);

    /// A management API that answers with the status at the end of the connection id, and its requests.
    fn management_api() -> (Client, Arc<Mutex<Vec<String>>>) {
        let taken = Arc::new(Mutex::new(Vec::new()));
        let posts = Arc::clone(&taken);
        let http_client = infallible_client_fn(move |request| {
            let connection = request.uri().path().rsplit('/').next().unwrap_or_default();
            let status = connection.rsplit('-').next().and_then(|status| status.parse().ok()).expect("a status");
            if request.method() == "DELETE" {
                posts.lock().expect("no test panicked").push(format!("closed {connection}"));
            } else if status == 200 {
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
        (client(http_client), taken)
    }

    fn client(http_client: impl HttpClient + 'static) -> Client {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
            .endpoint_url("https://klmnopqrst.execute-api.eu-central-1.amazonaws.com/live")
            .retry_config(RetryConfig::disabled())
            .http_client(http_client)
            .build();
        Client::from_conf(config)
    }

    async fn connections(ids: &[&str], connected_at: Timestamp) -> InMemoryConnections {
        let connections = InMemoryConnections::default();
        for id in ids {
            let id = ConnectionId::parse(id).expect("visible ASCII");
            let expires_at = now().plus(Duration::from_hours(1));
            let connection = Connection { owner: fakes::owner("alice"), id, connected_at, expires_at };
            connections.add(&connection).await.expect("in memory");
        }
        connections
    }

    fn notifier<C: ConnectionRepository + Sync>(client: Client, connections: C) -> WebSocketNotifier<C> {
        let sender = WebSocketSender::new(client, "https://api.example.com/live/orders");
        WebSocketNotifier::new(connections, sender, TIME_LIMIT)
    }

    fn notification() -> [Notification; 1] {
        [Notification::Failed { order_id: fakes::order_id().to_string(), reason: "it failed".into() }]
    }

    #[tokio::test]
    async fn notifies_every_open_socket_and_forgets_only_those_that_are_gone() {
        let (client, taken) = management_api();
        let open = connections(&["a-200", "b-410", "c-200", "d-500", "e-403", "f-429"], fakes::moment(0)).await;
        let notifier = notifier(client, open);

        let report = notifier.notify(&fakes::owner("alice"), &notification()).await.expect("connections are in memory");

        assert_eq!(report, NotificationReport { sent: 2, gone: 1, expired: 0, dropped: 3 });
        let left = notifier.connections.list(&fakes::owner("alice")).await.expect("in memory");
        let left: Vec<_> = left.iter().map(|connection| connection.id.as_str()).collect();
        assert_eq!(left, ["a-200", "c-200", "d-500", "e-403", "f-429"]);
        let taken = taken.lock().expect("no test panicked");
        assert_eq!(taken.len(), 2);
        assert!(taken[0].contains("order.failed"), "{taken:?}");
    }

    #[tokio::test]
    async fn looks_up_once_and_sends_every_notification_to_every_socket() {
        let (client, taken) = management_api();
        let open = Recording(connections(&["a-200", "b-410", "c-200"], fakes::moment(0)).await, Arc::default());
        let notifier = notifier(client, open.clone());
        let confirmed = [Notification::Confirmed(fakes::order()), notification()[0].clone()];

        let report = notifier.notify(&fakes::owner("alice"), &confirmed).await.expect("connections are in memory");

        assert_eq!(report, NotificationReport { sent: 4, gone: 2, ..NotificationReport::default() });
        let count = |kind| taken.lock().expect("no test panicked").iter().filter(|frame| frame.contains(kind)).count();
        assert_eq!((count("order.confirmed"), count("order.failed")), (2, 2));
        let calls = open.1.lock().expect("no test panicked").clone();
        assert_eq!(calls, ["list", "remove b-410"]);
    }

    #[tokio::test]
    async fn does_not_notify_sockets_of_other_owners() {
        let (client, taken) = management_api();
        let open = connections(&["a-200"], fakes::moment(0)).await;
        let notifier = notifier(client, open);

        let report = notifier.notify(&fakes::owner("bob"), &notification()).await.expect("connections are in memory");

        assert_eq!(report, NotificationReport::default());
        assert!(taken.lock().expect("no test panicked").is_empty());
    }

    #[tokio::test]
    async fn closes_and_forgets_expired_sockets_instead_of_notifying_them() {
        let (client, taken) = management_api();
        let open = connections(&["a-200"], fakes::moment(0)).await;
        for id in ["b-200", "c-410", "d-500"] {
            let id = ConnectionId::parse(id).expect("visible ASCII");
            let over = Connection::open(fakes::owner("alice"), id, fakes::moment(0), fakes::moment(60));
            open.add(&over).await.expect("in memory");
        }
        let notifier = notifier(client, open);

        let report = notifier.notify(&fakes::owner("alice"), &notification()).await.expect("connections are in memory");

        assert_eq!(report, NotificationReport { sent: 1, expired: 3, ..NotificationReport::default() });
        let left = notifier.connections.list(&fakes::owner("alice")).await.expect("in memory");
        let left: Vec<_> = left.iter().map(|connection| connection.id.as_str()).collect();
        assert_eq!(left, ["a-200", "d-500"], "a socket that could not be closed is tried again");
        let mut taken = taken.lock().expect("no test panicked").clone();
        taken.retain(|taken| taken.starts_with("closed"));
        taken.sort();
        assert_eq!(taken, ["closed b-200", "closed c-410", "closed d-500"]);
    }

    #[tokio::test]
    async fn does_not_forget_a_socket_that_is_just_opening() {
        let (client, _) = management_api();
        let notifier = notifier(client, connections(&["a-410"], now()).await);

        let report = notifier.notify(&fakes::owner("alice"), &notification()).await.expect("connections are in memory");

        assert_eq!(report, NotificationReport { gone: 1, ..NotificationReport::default() });
        assert_eq!(notifier.connections.all().len(), 1);
    }

    #[derive(Clone)]
    struct Recording(InMemoryConnections, Arc<Mutex<Vec<String>>>);

    impl ConnectionRepository for Recording {
        async fn add(&self, connection: &Connection) -> Result<(), RepositoryError> {
            self.0.add(connection).await
        }

        async fn remove(&self, owner: &Owner, id: &ConnectionId) -> Result<(), RepositoryError> {
            self.1.lock().expect("no test panicked").push(format!("remove {id}"));
            self.0.remove(owner, id).await
        }

        async fn list(&self, owner: &Owner) -> Result<Vec<Connection>, RepositoryError> {
            self.1.lock().expect("no test panicked").push("list".to_owned());
            self.0.list(owner).await
        }
    }

    /// A repository that never answers.
    #[derive(Clone)]
    struct Hanging;

    impl ConnectionRepository for Hanging {
        async fn add(&self, _: &Connection) -> Result<(), RepositoryError> {
            std::future::pending().await
        }

        async fn remove(&self, _: &Owner, _: &ConnectionId) -> Result<(), RepositoryError> {
            std::future::pending().await
        }

        async fn list(&self, _: &Owner) -> Result<Vec<Connection>, RepositoryError> {
            std::future::pending().await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn times_out_if_the_look_up_hangs() {
        let (client, _) = management_api();

        let notified = notifier(client, Hanging).notify(&fakes::owner("alice"), &notification()).await;

        assert!(matches!(notified, Err(NotifyError::Connections(RepositoryError::Unavailable(_)))), "{notified:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn drops_sockets_that_hang() {
        let open = connections(&["a-hangs", "b-hangs"], fakes::moment(0)).await;
        let notifier = notifier(client(NeverClient::new()), open);

        let report = notifier.notify(&fakes::owner("alice"), &notification()).await.expect("connections are in memory");

        assert_eq!(report, NotificationReport { dropped: 2, ..NotificationReport::default() });
    }
}
