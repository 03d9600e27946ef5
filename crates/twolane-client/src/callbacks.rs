//! Routes WebSocket frames to the orders that wait for them.

use crate::network::Network;
use crate::socket::{KeepAlive, Socket, SocketEvent};
use crate::timeline::order_id_of_frame;
use crate::token::Token;
use orders_api::ServerFrame;
use reqwest::Url;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// By order id. At most one order per id is in progress.
type Waiting = Arc<Mutex<HashMap<String, mpsc::UnboundedSender<Callback>>>>;

/// A frame about an order.
#[derive(Debug)]
pub struct Callback {
    /// The frame.
    pub frame: ServerFrame,
    /// When it arrived.
    pub at: Instant,
}

/// One WebSocket for a run's orders.
pub struct Callbacks {
    waiting: Waiting,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Callbacks {
    /// Returns when the socket is open, or when the first attempt failed and more will follow. `notify` prints why it
    /// is not open.
    pub async fn open(url: Url, token: Token, network: Network, notify: impl Fn(&str) + Send + 'static) -> Self {
        let waiting = Waiting::default();
        let (stop, stopped) = oneshot::channel();
        let subscriptions = {
            let waiting = Arc::clone(&waiting);
            move || lock(&waiting).keys().cloned().collect()
        };
        let mut socket = Socket::keep_open(url, token, network, KeepAlive::Message, subscriptions);
        announce(&socket.next().await, &waiting, &notify);
        let task = tokio::spawn(route(socket, Arc::clone(&waiting), notify, stopped));
        Self { waiting, stop, task }
    }

    /// The waiter gets every later frame about that order until it is dropped, and never an earlier one of another
    /// order with the same id.
    #[must_use]
    pub fn wait_for(&self, order_id: &str) -> Waiter {
        let (sender, frames) = mpsc::unbounded_channel();
        lock(&self.waiting).insert(order_id.to_owned(), sender);
        Waiter { waiting: Arc::clone(&self.waiting), order_id: order_id.to_owned(), frames }
    }

    /// Closes the socket.
    pub async fn close(self) {
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

/// Waits for frames about one order.
pub struct Waiter {
    waiting: Waiting,
    order_id: String,
    frames: mpsc::UnboundedReceiver<Callback>,
}

impl Waiter {
    /// The order's next frame.
    ///
    /// # Panics
    /// Never: the sender stays registered while this waiter lives.
    pub async fn next(&mut self) -> Callback {
        self.frames.recv().await.expect("the sender stays registered as long as this waiter lives")
    }

    /// The order's next frame, if it has arrived.
    pub fn try_next(&mut self) -> Option<Callback> {
        self.frames.try_recv().ok()
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        lock(&self.waiting).remove(&self.order_id);
    }
}

fn lock(waiting: &Waiting) -> std::sync::MutexGuard<'_, HashMap<String, mpsc::UnboundedSender<Callback>>> {
    waiting.lock().expect("no holder of this lock panics")
}

async fn route(mut socket: Socket, waiting: Waiting, notify: impl Fn(&str), mut stopped: oneshot::Receiver<()>) {
    loop {
        tokio::select! {
            event = socket.next() => match event {
                SocketEvent::Frame { text, at } => deliver(&text, at, &waiting),
                event => announce(&event, &waiting, &notify),
            },
            _ = &mut stopped => return socket.close().await,
        }
    }
}

fn deliver(text: &str, at: Instant, waiting: &Waiting) {
    let Ok(frame) = serde_json::from_str::<ServerFrame>(text) else { return };
    let Some(order_id) = order_id_of_frame(&frame) else { return };
    if let Some(waiter) = lock(waiting).get(&order_id) {
        let _ = waiter.send(Callback { frame, at });
    }
}

fn announce(event: &SocketEvent, waiting: &Waiting, notify: impl Fn(&str)) {
    if let SocketEvent::Lost { why, retry_in, .. } = event {
        let waiting = lock(waiting).len();
        let next = match retry_in {
            Some(wait) => format!("It is tried again in {} ms", wait.as_millis()),
            None => "It is not tried again".to_owned(),
        };
        notify(&format!("The WebSocket is not open ({why}). {next}; orders waiting for a callback: {waiting}."));
    }
}
