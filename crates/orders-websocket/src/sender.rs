use aws_sdk_apigatewaymanagement::{
    Client,
    operation::{delete_connection::DeleteConnectionError, post_to_connection::PostToConnectionError},
    primitives::Blob,
};
use orders::ConnectionId;
use orders_api::ServerFrame;
use std::sync::{Arc, LazyLock};
use thiserror::Error;

/// Sends frames to sockets of one WebSocket API.
#[derive(Clone, Debug)]
pub struct WebSocketSender {
    client: Arc<LazyClient>,
    orders_url: String,
}

type LazyClient = LazyLock<Client, Box<dyn FnOnce() -> Client + Send>>;

/// Why a socket was not reached.
#[derive(Debug, Error)]
pub enum SendError {
    /// The socket is closed for good.
    #[error("the connection is gone")]
    Gone,
    /// The socket may be open, but was not reached, retries included.
    #[error("failed to reach the connection")]
    Undelivered(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl WebSocketSender {
    /// `client` has the API's management endpoint and the retry policy. `orders_url` is the status service's URL up to
    /// and including `/orders`, for orders too large for a frame.
    #[must_use]
    pub fn new(client: Client, orders_url: impl Into<String>) -> Self {
        Self::when_needed(move || client, orders_url)
    }

    /// Creates the client for the first frame: a client is a large part of a cold start.
    #[must_use]
    pub fn when_needed(make: impl FnOnce() -> Client + Send + 'static, orders_url: impl Into<String>) -> Self {
        Self { client: Arc::new(LazyLock::new(Box::new(make))), orders_url: orders_url.into() }
    }

    /// Sends one frame.
    ///
    /// # Errors
    /// See [`SendError`].
    pub async fn send(&self, connection: &ConnectionId, frame: &ServerFrame) -> Result<(), SendError> {
        let text = frame.to_text(&self.orders_url);
        let posted =
            self.client.post_to_connection().connection_id(connection.as_str()).data(Blob::new(text)).send().await;
        posted.map(|_| ()).map_err(|error| {
            if error.as_service_error().is_some_and(PostToConnectionError::is_gone_exception) {
                SendError::Gone
            } else {
                SendError::Undelivered(error.into())
            }
        })
    }

    /// Closes one socket.
    ///
    /// # Errors
    /// See [`SendError`].
    pub async fn close(&self, connection: &ConnectionId) -> Result<(), SendError> {
        let closed = self.client.delete_connection().connection_id(connection.as_str()).send().await;
        closed.map(|_| ()).map_err(|error| {
            if error.as_service_error().is_some_and(DeleteConnectionError::is_gone_exception) {
                SendError::Gone
            } else {
                SendError::Undelivered(error.into())
            }
        })
    }
}
