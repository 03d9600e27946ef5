//! A WebSocket that reconnects and subscribes again.

use crate::network::{Network, OpenError, Stream, is_loopback};
use crate::requests;
use crate::root_cause::{is_untrusted, root_cause};
use crate::stack::is_it_still_there;
use crate::token::Token;
use futures_util::{SinkExt, StreamExt};
use reqwest::Url;
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{self, Message},
};

/// For the opening handshake.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// API Gateway closes a socket that is idle for ten minutes. Source: Amazon API Gateway Developer Guide, quotas of
/// WebSocket APIs, "Idle Connection Timeout".
const PING_INTERVAL: Duration = Duration::from_mins(5);

/// Before the first reconnect. It doubles up to [`MAX_BACKOFF`].
const MIN_BACKOFF: Duration = Duration::from_millis(250);
const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// An open time that resets the back-off.
const STABLE_AFTER: Duration = Duration::from_secs(10);

/// Keeps a socket open. A stack that knows it answers [`PONG`].
const PING: &str = r#"{"action":"ping"}"#;

/// Type of the frame that answers [`PING`].
const PONG: &str = "pong";

/// Start of manage-connections' error detail for an unknown message.
const NOT_UNDERSTOOD: &str = "The frame was not understood";

/// API Gateway's error message if no route takes a message.
const FORBIDDEN: &str = "Forbidden";

/// Keeps an idle socket open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepAlive {
    /// The protocol's ping frame: shows whether the server answers, and invokes no function.
    PingFrame,
    /// Also the message `{"action":"ping"}`, which resets API Gateway's idle timeout and invokes a function. A stack
    /// that does not know it gets it once per connection.
    Message,
}

/// An event of a kept socket.
#[derive(Debug)]
pub enum SocketEvent {
    /// Open, with all subscriptions sent.
    Opened,
    /// A text frame.
    Frame {
        /// Its text.
        text: String,
        /// Its arrival.
        at: Instant,
    },
    /// Not opened, or closed.
    Lost {
        /// Why.
        why: String,
        /// What else to check.
        hint: Option<&'static str>,
        /// Until the next attempt; `None` if that cannot succeed. Then no event follows.
        retry_in: Option<Duration>,
        /// The last frame's arrival; `None` if the socket was not open.
        last_received_at: Option<OffsetDateTime>,
    },
}

/// A separate task keeps it open until it is closed or dropped.
pub struct Socket {
    events: mpsc::UnboundedReceiver<SocketEvent>,
    task: JoinHandle<()>,
}

impl Socket {
    /// Keeps a socket to that URL open with that token. Each time it opens, it subscribes to the orders in
    /// `subscriptions`.
    pub fn keep_open(
        url: Url,
        token: Token,
        network: Network,
        keep_alive: KeepAlive,
        subscriptions: impl Fn() -> Vec<String> + Send + Sync + 'static,
    ) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let kept = Kept { url, token, network, keep_alive };
        Self { events, task: tokio::spawn(kept.keep_open(subscriptions, sender)) }
    }

    /// The next event.
    ///
    /// # Panics
    /// Never: the task sends while this socket exists.
    pub async fn next(&mut self) -> SocketEvent {
        self.events.recv().await.expect("the task sends until this receiver is gone")
    }

    /// Closes the socket, with a closing handshake of at most one second.
    pub async fn close(mut self) {
        const TIMEOUT: Duration = Duration::from_secs(1);
        self.events.close();
        let _ = timeout(TIMEOUT, self.task).await;
    }
}

struct Kept {
    url: Url,
    token: Token,
    network: Network,
    keep_alive: KeepAlive,
}

impl Kept {
    /// Ends when the receiver of events is gone.
    async fn keep_open(self, subscriptions: impl Fn() -> Vec<String>, events: mpsc::UnboundedSender<SocketEvent>) {
        let mut backoff = MIN_BACKOFF;
        while !events.is_closed() {
            let opened = tokio::select! {
                opened = self.open() => opened,
                () = events.closed() => return,
            };
            let (why, hint, last_received_at) = match opened {
                Err(NotOpen { why, hint, for_good: true }) => {
                    let _ = events.send(SocketEvent::Lost { why, hint, retry_in: None, last_received_at: None });
                    return events.closed().await;
                }
                Err(NotOpen { why, hint, .. }) => (why, hint, None),
                Ok(mut stream) => {
                    let since = Instant::now();
                    let Closed { why, last_received_at } =
                        serve(&mut stream, self.keep_alive, subscriptions(), &events).await;
                    if since.elapsed() >= STABLE_AFTER {
                        backoff = MIN_BACKOFF;
                    }
                    (why, None, Some(last_received_at))
                }
            };
            let _ = events.send(SocketEvent::Lost { why, hint, retry_in: Some(backoff), last_received_at });
            tokio::select! {
                () = sleep(backoff) => {}
                () = events.closed() => return,
            }
            backoff = (backoff * 2).min(MAX_BACKOFF);
        }
    }

    async fn open(&self) -> Result<Stream, NotOpen> {
        let Self { url, token, .. } = self;
        let request = requests::handshake(url, token).map_err(|error| NotOpen::for_now(format!("{error:#}")))?;
        match timeout(OPEN_TIMEOUT, self.network.open_websocket(url, request)).await {
            Err(_) => Err(NotOpen::for_now("no answer in time")),
            Ok(Err(error)) => Err(not_open(&error, url, token)),
            Ok(Ok(stream)) => Ok(stream),
        }
    }
}

struct NotOpen {
    why: String,
    hint: Option<&'static str>,
    /// Whether further attempts would fail, too.
    for_good: bool,
}

impl NotOpen {
    fn for_now(why: impl Into<String>) -> Self {
        Self { why: why.into(), hint: None, for_good: false }
    }
}

fn not_open(error: &OpenError, url: &Url, token: &Token) -> NotOpen {
    let hint = Some(is_it_still_there(url));
    match error {
        OpenError::Handshake(tungstenite::Error::Http(response)) => {
            let answered = format!("the handshake was answered with HTTP {}", response.status());
            let refusal = token.complaint(OffsetDateTime::now_utc());
            let for_good = !token.is_renewed();
            // AWS also answers 403 for a missing API, as does the local cloud with an empty body.
            let is_empty = response.headers().get("content-length").is_some_and(|length| length == "0");
            match response.status().as_u16() {
                403 if is_empty || !is_loopback(url) => {
                    NotOpen { why: format!("{answered}: the stack no longer exists, or {refusal}"), hint, for_good }
                }
                401 | 403 => NotOpen { why: format!("{answered}: {refusal}"), hint: None, for_good },
                404 => NotOpen { hint, ..NotOpen::for_now(answered) },
                _ => NotOpen::for_now(answered),
            }
        }
        error if error.is_refused() => NotOpen { hint, ..NotOpen::for_now(root_cause(error)) },
        // Another attempt cannot change that.
        error if is_untrusted(error) => NotOpen { for_good: true, ..NotOpen::for_now(root_cause(error)) },
        OpenError::Handshake(error) => NotOpen::for_now(why(error)),
        OpenError::Connect(_) => NotOpen::for_now(root_cause(error)),
    }
}

fn why(error: &tungstenite::Error) -> String {
    match error {
        tungstenite::Error::Protocol(_) => error.to_string(),
        error => root_cause(error),
    }
}

struct Closed {
    why: String,
    /// The last frame's arrival.
    last_received_at: OffsetDateTime,
}

/// Forwards frames until the socket closes.
async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut WebSocketStream<S>,
    mut keep_alive: KeepAlive,
    subscriptions: Vec<String>,
    events: &mpsc::UnboundedSender<SocketEvent>,
) -> Closed {
    let mut last_received_at = OffsetDateTime::now_utc();
    for id in subscriptions {
        if let Err(error) = stream.send(Message::text(subscribe(&id))).await {
            return Closed { why: why(&error), last_received_at };
        }
    }
    let _ = events.send(SocketEvent::Opened);
    let mut ping = interval_at(Instant::now() + PING_INTERVAL, PING_INTERVAL);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut answered, mut awaits_pong) = (true, false);
    let why = loop {
        tokio::select! {
            () = events.closed() => {
                let _ = stream.close(None).await;
                break "closed here".to_owned();
            }
            _ = ping.tick() => {
                if !std::mem::take(&mut answered) {
                    break "the server no longer answers".to_owned();
                }
                if let Err(error) = stream.send(Message::Ping(Vec::new().into())).await {
                    break why(&error);
                }
                if keep_alive == KeepAlive::Message {
                    if let Err(error) = stream.send(Message::text(PING)).await {
                        break why(&error);
                    }
                    awaits_pong = true;
                }
            }
            message = stream.next() => {
                if let Some(Ok(_)) = message {
                    answered = true;
                    last_received_at = OffsetDateTime::now_utc();
                }
                match message {
                    Some(Err(error)) => break why(&error),
                    Some(Ok(Message::Text(text))) => {
                        if awaits_pong && let Some(answer) = PingAnswer::read(&text) {
                            awaits_pong = false;
                            if answer == PingAnswer::Unknown {
                                keep_alive = KeepAlive::PingFrame;
                            }
                            continue;
                        }
                        let _ = events.send(SocketEvent::Frame { text: text.as_str().to_owned(), at: Instant::now() });
                    }
                    Some(Ok(Message::Close(Some(frame)))) if !frame.reason.is_empty() => {
                        break format!("the server closed it: {}", frame.reason);
                    }
                    None | Some(Ok(Message::Close(_))) => break "the server closed it".to_owned(),
                    Some(Ok(_)) => {}
                }
            }
        }
    };
    Closed { why, last_received_at }
}

/// The answer to [`PING`].
#[derive(Debug, PartialEq, Eq)]
enum PingAnswer {
    Pong,
    /// An unknown message.
    Unknown,
}

impl PingAnswer {
    /// `None` for other frames, such as a temporary error or an expired token.
    fn read(text: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Frame {
            r#type: Option<String>,
            detail: Option<String>,
            message: Option<String>,
        }
        let Frame { r#type, detail, message } = serde_json::from_str(text).ok()?;
        match r#type.as_deref() {
            Some(PONG) => Some(Self::Pong),
            Some("error") if detail?.starts_with(NOT_UNDERSTOOD) => Some(Self::Unknown),
            // From API Gateway.
            None if message? == FORBIDDEN => Some(Self::Unknown),
            _ => None,
        }
    }
}

/// Asks for an order's current state and its outcome.
fn subscribe(order_id: &str) -> String {
    json!({"action": "subscribe", "orderId": order_id}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use orders_api::{ClientFrame, InvalidFrame};
    use tokio::io::{DuplexStream, duplex};
    use tokio_tungstenite::tungstenite::protocol::Role;

    const RESULT: &str = r#"{"type":"order.failed","orderId":"5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b","reason":"x"}"#;

    /// The server's end, and the client's events.
    async fn served(keep_alive: KeepAlive) -> (WebSocketStream<DuplexStream>, mpsc::UnboundedReceiver<SocketEvent>) {
        let (client, server) = duplex(4096);
        let (sender, mut events) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut client = WebSocketStream::from_raw_socket(client, Role::Client, None).await;
            serve(&mut client, keep_alive, Vec::new(), &sender).await;
        });
        assert!(matches!(events.recv().await, Some(SocketEvent::Opened)));
        (WebSocketStream::from_raw_socket(server, Role::Server, None).await, events)
    }

    /// Waits for the client's next ping frame. Returns the message that follows it, if any.
    async fn next_ping(server: &mut WebSocketStream<DuplexStream>) -> Option<String> {
        let is_ping = async |server: &mut WebSocketStream<DuplexStream>| match server.next().await {
            Some(Ok(Message::Ping(_))) => None,
            Some(Ok(Message::Text(text))) => Some(text.as_str().to_owned()),
            other => panic!("neither a ping frame nor a message: {other:?}"),
        };
        assert_eq!(is_ping(server).await, None, "the ping frame goes first");
        // It follows the ping frame at once.
        timeout(Duration::from_secs(1), is_ping(server)).await.ok().flatten()
    }

    async fn next_frame(events: &mut mpsc::UnboundedReceiver<SocketEvent>) -> String {
        match events.recv().await {
            Some(SocketEvent::Frame { text, .. }) => text,
            other => panic!("no frame: {other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn keeps_a_socket_open_by_messages_and_hides_their_answers() {
        let (mut server, mut events) = served(KeepAlive::Message).await;

        for _ in 0..2 {
            assert_eq!(next_ping(&mut server).await.as_deref(), Some(PING));
            server.send(Message::text(r#"{"type":"pong"}"#)).await.expect("the client reads");
        }
        server.send(Message::text(RESULT)).await.expect("the client reads");

        assert_eq!(next_frame(&mut events).await, RESULT);
    }

    #[tokio::test(start_paused = true)]
    async fn stops_the_messages_if_the_stack_does_not_know_them() {
        // As in manage-connections.
        let detail = format!("The frame was not understood: {}.", InvalidFrame::NotUnderstood);
        let not_understood = json!({"type": "error", "detail": detail}).to_string();
        for answer in [&not_understood, r#"{"message":"Forbidden","requestId":"r-1"}"#] {
            let (mut server, mut events) = served(KeepAlive::Message).await;

            assert_eq!(next_ping(&mut server).await.as_deref(), Some(PING));
            server.send(Message::text(RESULT)).await.expect("the client reads");
            server.send(Message::text(answer)).await.expect("the client reads");

            assert_eq!(next_ping(&mut server).await, None);
            server.send(Message::text(r#"{"type":"error","detail":"other"}"#)).await.expect("the client reads");
            assert_eq!(next_frame(&mut events).await, RESULT);
            assert!(next_frame(&mut events).await.contains("other"), "a frame that answers no ping is passed on");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn keeps_sending_messages_after_a_temporary_error_and_passes_the_error_on() {
        for answer in [
            r#"{"message":"Internal server error","connectionId":"c-1","requestId":"r-1"}"#,
            r#"{"message":"Too Many Requests","connectionId":"c-1","requestId":"r-1"}"#,
            r#"{"type":"error","detail":"The token has expired. Connect again with a new one."}"#,
            r#"{"type":"unheard-of"}"#,
        ] {
            let (mut server, mut events) = served(KeepAlive::Message).await;

            assert_eq!(next_ping(&mut server).await.as_deref(), Some(PING));
            server.send(Message::text(answer)).await.expect("the client reads");

            assert_eq!(next_frame(&mut events).await, answer);
            assert_eq!(next_ping(&mut server).await.as_deref(), Some(PING), "{answer}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn sends_only_ping_frames_if_no_function_may_be_invoked() {
        let (mut server, _events) = served(KeepAlive::PingFrame).await;

        assert_eq!(next_ping(&mut server).await, None);
    }

    #[test]
    fn subscribes_with_a_frame_that_the_service_reads() {
        let frame = subscribe("5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b");

        assert!(matches!(ClientFrame::parse(&frame), Ok(ClientFrame::Subscribe(_))));
    }
}
