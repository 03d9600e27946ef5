//! The WebSocket API.

use crate::{api_client::set_up_tls, eventually::DEADLINE, outputs::output, stack::OWNER, tokens::token};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    sync::{RwLock, RwLockReadGuard},
    time::{Instant, timeout_at},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        self, Message,
        client::IntoClientRequest,
        handshake::client::{Request, Response},
    },
};

/// Read lock: a socket is open. Write lock: a test must know every open socket.
pub static SOCKETS: RwLock<()> = RwLock::const_new(());

/// The types of callbacks.
pub const OUTCOMES: [&str; 4] = ["order.confirmed", "order.cancelled", "order.rejected", "order.failed"];

/// Keeps every frame until a test takes it.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    frames: Vec<Value>,
    _open: Option<RwLockReadGuard<'static, ()>>,
}

impl Socket {
    /// A socket of [`OWNER`], concurrently with other tests.
    pub async fn open() -> Self {
        Self::open_as(OWNER).await
    }

    /// A socket of that user, concurrently with other tests.
    pub async fn open_as(subject: &str) -> Self {
        let open = SOCKETS.read().await;
        Self { _open: Some(open), ..Self::open_with(&token(subject)).await }
    }

    /// A socket of [`OWNER`]; the caller holds [`SOCKETS`].
    pub async fn open_alone() -> Self {
        Self::open_with(&token(OWNER)).await
    }

    /// A socket with that token; the caller holds [`SOCKETS`].
    pub async fn open_with(token: &str) -> Self {
        let opened = Self::try_open(handshake(&[("authorization", &format!("Bearer {token}"))])).await;
        opened.expect("the WebSocket API takes a connection").0
    }

    /// Opens a socket.
    ///
    /// # Errors
    /// The API refused it.
    pub async fn try_open(handshake: Request) -> tungstenite::Result<(Self, Response)> {
        set_up_tls();
        let (stream, response) = connect_async(handshake).await?;
        Ok((Self { stream, frames: Vec::new(), _open: None }, response))
    }

    /// Sends a frame.
    pub async fn send(&mut self, text: &str) {
        self.stream.send(Message::text(text)).await.expect("the socket is open");
    }

    /// Subscribes to an order. Returns the answer.
    pub async fn subscribe(&mut self, id: &str) -> Value {
        self.send(&json!({"action": "subscribe", "orderId": id}).to_string()).await;
        self.frame(&format!("order.status of {id}"), |frame| frame["type"] == "order.status" && frame["orderId"] == id)
            .await
    }

    /// Waits for an order's callback.
    pub async fn outcome(&mut self, id: &str) -> Value {
        self.frame(&format!("the outcome of {id}"), |frame| {
            let kind = frame["type"].as_str().unwrap_or_default();
            frame["orderId"] == id && OUTCOMES.contains(&kind)
        })
        .await
    }

    /// Takes the first frame that is `wanted`, or waits for it.
    pub async fn frame(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + DEADLINE;
        loop {
            if let Some(at) = self.frames.iter().position(&wanted) {
                return self.frames.remove(at);
            }
            let next = timeout_at(end, self.stream.next()).await;
            match next.unwrap_or_else(|_| panic!("timed out after {DEADLINE:?} waiting for {what}")) {
                Some(Ok(Message::Text(text))) => {
                    self.frames.push(serde_json::from_str(&text).expect("every frame is JSON"));
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => panic!("the socket was closed before {what}"),
                Some(Ok(_)) => {}
            }
        }
    }

    /// Frames not taken.
    pub fn untaken(&self) -> &[Value] {
        &self.frames
    }

    /// Waits until the other side closes the socket.
    pub async fn is_closed(&mut self) {
        let closed = async {
            while let Some(Ok(message)) = self.stream.next().await {
                match message {
                    Message::Close(_) => break,
                    Message::Text(text) => {
                        self.frames.push(serde_json::from_str(&text).expect("every frame is JSON"));
                    }
                    _ => {}
                }
            }
        };
        timeout_at(Instant::now() + DEADLINE, closed).await.expect("the socket is closed");
    }

    /// Sends a close frame, and waits for the end.
    pub async fn close(mut self) {
        self.stream.close(None).await.expect("the socket is open");
        while let Some(Ok(_)) = self.stream.next().await {}
    }
}

/// The handshake with those headers.
pub fn handshake(headers: &[(&'static str, &str)]) -> Request {
    handshake_at(output("WebSocketUrl"), headers)
}

/// The handshake with those headers, to that URL.
pub fn handshake_at(url: &str, headers: &[(&'static str, &str)]) -> Request {
    let mut request = url.into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    request
}
