//! The WebSocket API.

use crate::{api_client::set_up_tls, eventually::DEADLINE, stack::output};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    sync::{RwLock, RwLockReadGuard},
    time::{Instant, timeout_at},
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

/// Held for reading while a socket is open, for writing by a test that must know every open socket.
pub static SOCKETS: RwLock<()> = RwLock::const_new(());

/// An open socket that remembers every frame it was sent.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    frames: Vec<Value>,
    _open: Option<RwLockReadGuard<'static, ()>>,
}

impl Socket {
    /// Opens a socket beside those of other tests.
    pub async fn open() -> Self {
        let open = SOCKETS.read().await;
        Self { _open: Some(open), ..Self::open_alone().await }
    }

    /// Opens a socket; the caller holds [`SOCKETS`].
    pub async fn open_alone() -> Self {
        set_up_tls();
        let (stream, _) = connect_async(output("WebSocketUrl")).await.expect("the WebSocket API takes a connection");
        Self { stream, frames: Vec::new(), _open: None }
    }

    /// Sends a frame.
    pub async fn send(&mut self, text: &str) {
        self.stream.send(Message::text(text)).await.expect("the socket is open");
    }

    /// Asks how an order stands; the answer.
    pub async fn subscribe(&mut self, id: &str) -> Value {
        self.send(&json!({"action": "subscribe", "orderId": id}).to_string()).await;
        self.frame(&format!("order.status of {id}"), |frame| frame["type"] == "order.status" && frame["orderId"] == id)
            .await
    }

    /// What this socket is told has become of an order.
    pub async fn outcome(&mut self, id: &str) -> Value {
        self.frame(&format!("the outcome of {id}"), |frame| {
            let kind = frame["type"].as_str().unwrap_or_default();
            frame["orderId"] == id && ["order.confirmed", "order.rejected", "order.failed"].contains(&kind)
        })
        .await
    }

    /// The first frame not taken yet for which that holds.
    pub async fn frame(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + DEADLINE;
        loop {
            if let Some(at) = self.frames.iter().position(&wanted) {
                return self.frames.remove(at);
            }
            let next = timeout_at(end, self.stream.next()).await;
            match next.unwrap_or_else(|_| panic!("waited {DEADLINE:?} in vain for {what}")) {
                Some(Ok(Message::Text(text))) => {
                    self.frames.push(serde_json::from_str(&text).expect("every frame is JSON"));
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => panic!("the socket was closed before {what}"),
                Some(Ok(_)) => {}
            }
        }
    }

    /// Closes the socket in good order.
    pub async fn close(mut self) {
        self.stream.close(None).await.expect("the socket is open");
        while let Some(Ok(_)) = self.stream.next().await {}
    }
}
