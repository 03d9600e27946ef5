//! A WebSocket that is kept open: what closes is opened again, and what was subscribed to is subscribed to again.

use crate::network::{Network, OpenError, Stream, is_loopback};
use crate::requests;
use crate::root_cause::{is_untrusted, root_cause};
use crate::stack::is_it_still_there;
use crate::token::Token;
use futures_util::{SinkExt, StreamExt};
use reqwest::Url;
use serde_json::json;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};
use tokio_tungstenite::tungstenite::{self, Message};

/// Longest wait for the opening handshake.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// Between pings: API Gateway closes a socket that is idle for ten minutes. Source: Amazon API Gateway Developer
/// Guide, quotas of WebSocket APIs, "Idle Connection Timeout".
const PING_INTERVAL: Duration = Duration::from_mins(5);

/// Wait before the first attempt to reopen; it doubles with each further one up to [`MAX_BACKOFF`].
const MIN_BACKOFF: Duration = Duration::from_millis(250);
const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// A socket that stayed open this long was fine: the next back-off starts over.
const STABLE_AFTER: Duration = Duration::from_secs(10);

/// What happens to a kept socket.
#[derive(Debug)]
pub enum Event {
    /// It is open, and every subscription is sent.
    Opened,
    /// A text frame came.
    Frame {
        /// The frame's text.
        text: String,
        /// When it came.
        at: Instant,
    },
    /// It did not open, or closed.
    Lost {
        /// Why.
        why: String,
        /// What else to think of.
        hint: Option<&'static str>,
        /// The wait after which it is tried again; `None` if it is not, as it could only fail again. Then nothing follows.
        retry_in: Option<Duration>,
    },
}

/// A socket kept open by a task of its own, until it is closed or dropped.
pub struct Socket {
    events: mpsc::UnboundedReceiver<Event>,
    task: JoinHandle<()>,
}

impl Socket {
    /// Keeps a socket to that URL open, with that token. Each time it opens, `subscriptions` names the orders to subscribe to.
    pub fn keep_open(
        url: Url,
        token: Token,
        network: Network,
        subscriptions: impl Fn() -> Vec<String> + Send + Sync + 'static,
    ) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let kept = Kept { url, token, network };
        Self { events, task: tokio::spawn(kept.keep_open(subscriptions, sender)) }
    }

    /// What happens next.
    ///
    /// # Panics
    /// Never: the task sends until this socket is gone.
    pub async fn next(&mut self) -> Event {
        self.events.recv().await.expect("the task sends until this receiver is gone")
    }

    /// Closes the socket in good order, if it can be done at once.
    pub async fn close(mut self) {
        const PATIENCE: Duration = Duration::from_secs(1);
        self.events.close();
        let _ = timeout(PATIENCE, self.task).await;
    }
}

/// What is kept open, and how.
struct Kept {
    url: Url,
    token: Token,
    network: Network,
}

impl Kept {
    /// Ends when the receiver of events is gone.
    async fn keep_open(self, subscriptions: impl Fn() -> Vec<String>, events: mpsc::UnboundedSender<Event>) {
        let mut backoff = MIN_BACKOFF;
        while !events.is_closed() {
            let opened = tokio::select! {
                opened = self.open() => opened,
                () = events.closed() => return,
            };
            let (why, hint) = match opened {
                Err(NotOpen { why, hint, for_good: true }) => {
                    let _ = events.send(Event::Lost { why, hint, retry_in: None });
                    return events.closed().await;
                }
                Err(NotOpen { why, hint, .. }) => (why, hint),
                Ok(mut stream) => {
                    let since = Instant::now();
                    let why = serve(&mut stream, subscriptions(), &events).await;
                    if since.elapsed() >= STABLE_AFTER {
                        backoff = MIN_BACKOFF;
                    }
                    (why, None)
                }
            };
            let _ = events.send(Event::Lost { why, hint, retry_in: Some(backoff) });
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

/// Why a socket did not open.
struct NotOpen {
    why: String,
    hint: Option<&'static str>,
    /// Whether every other attempt would fail as well.
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
            let answered = format!("the handshake was answered with HTTP status {}", response.status());
            let refusal = token.complaint(OffsetDateTime::now_utc());
            let for_good = !token.is_renewed();
            // AWS answers 403 too where there is no such API, and so does the local cloud, though without a word.
            let says_nothing = response.headers().get("content-length").is_some_and(|length| length == "0");
            match response.status().as_u16() {
                403 if says_nothing || !is_loopback(url) => NotOpen {
                    why: format!("{answered}: there is no such stack any more, or {refusal}"),
                    hint,
                    for_good,
                },
                401 | 403 => NotOpen { why: format!("{answered}: {refusal}"), hint: None, for_good },
                404 => NotOpen { hint, ..NotOpen::for_now(answered) },
                _ => NotOpen::for_now(answered),
            }
        }
        error if error.is_refused() => NotOpen { hint, ..NotOpen::for_now(root_cause(error)) },
        // It stays untrusted.
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

/// Passes frames on until the socket closes, and says why it did.
async fn serve(stream: &mut Stream, subscriptions: Vec<String>, events: &mpsc::UnboundedSender<Event>) -> String {
    for id in subscriptions {
        if let Err(error) = stream.send(Message::text(subscribe(&id))).await {
            return why(&error);
        }
    }
    let _ = events.send(Event::Opened);
    let mut ping = interval_at(Instant::now() + PING_INTERVAL, PING_INTERVAL);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut answered = true;
    loop {
        tokio::select! {
            () = events.closed() => {
                let _ = stream.close(None).await;
                return "closed here".to_owned();
            }
            _ = ping.tick() => {
                if !std::mem::take(&mut answered) {
                    return "nothing answers any more".to_owned();
                }
                if let Err(error) = stream.send(Message::Ping(Vec::new().into())).await {
                    return why(&error);
                }
            }
            message = stream.next() => {
                answered = true;
                match message {
                    Some(Err(error)) => return why(&error),
                    Some(Ok(Message::Text(text))) => {
                        let _ = events.send(Event::Frame { text: text.as_str().to_owned(), at: Instant::now() });
                    }
                    Some(Ok(Message::Close(Some(frame)))) if !frame.reason.is_empty() => {
                        return format!("the server closed it: {}", frame.reason);
                    }
                    None | Some(Ok(Message::Close(_))) => return "the server closed it".to_owned(),
                    Some(Ok(_)) => {}
                }
            }
        }
    }
}

/// The frame that asks for an order's present state and its outcome.
fn subscribe(order_id: &str) -> String {
    json!({"action": "subscribe", "orderId": order_id}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use orders_api::ClientFrame;

    #[test]
    fn subscribes_in_the_service_s_words() {
        let frame = subscribe("5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b");

        assert!(matches!(ClientFrame::parse(&frame), Ok(ClientFrame::Subscribe(_))));
    }
}
