//! An owner's WebSocket that keeps every frame.

use crate::test_bed::TestBed;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};
use testkit::{
    eventually::{DEADLINE, eventually},
    socket::{OUTCOMES, handshake},
    tokens::token,
};
use tokio::{sync::watch, task::JoinHandle, time::timeout};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) owner: String,
    pub(crate) connection_id: String,
    frames: Arc<Mutex<Vec<Value>>>,
    received: watch::Receiver<usize>,
    reader: JoinHandle<()>,
}

impl Drop for Listener {
    /// Without a close frame.
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Listener {
    pub(crate) async fn open(bed: &TestBed, owner: &str) -> Self {
        let before = bed.stack.connections().await;
        let handshake = handshake(&[("authorization", &format!("Bearer {}", token(owner)))]);
        let (stream, _) = connect_async(handshake).await.expect("the WebSocket API takes a connection");
        let connection_id = eventually(DEADLINE, "the connection has a row", async || {
            bed.stack.connections().await.difference(&before).next().cloned()
        })
        .await;
        let frames = Arc::new(Mutex::new(Vec::new()));
        let (count, received) = watch::channel(0);
        let reader = tokio::spawn(read(stream, Arc::clone(&frames), count));
        Self { owner: owner.to_owned(), connection_id, frames, received, reader }
    }

    /// Received frames of that type, by order.
    pub(crate) fn outcomes(&self, kind: &str) -> BTreeMap<String, usize> {
        let mut outcomes = BTreeMap::new();
        for frame in self.frames.lock().unwrap().iter().filter(|frame| frame["type"] == kind) {
            *outcomes.entry(frame["orderId"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
        outcomes
    }

    /// With a received outcome.
    pub(crate) fn orders(&self) -> BTreeSet<String> {
        OUTCOMES.iter().flat_map(|kind| self.outcomes(kind).into_keys()).collect()
    }

    /// Received frames of that type about an order.
    pub(crate) fn count(&self, kind: &str, order_id: &str) -> usize {
        self.outcomes(kind).get(order_id).copied().unwrap_or_default()
    }

    pub(crate) async fn receives(&mut self, kind: &str, order_id: &str, deadline: Duration) -> Value {
        let frames = &self.frames;
        let find = || {
            let frames = frames.lock().unwrap();
            frames.iter().find(|frame| frame["type"] == kind && frame["orderId"] == order_id).cloned()
        };
        let what = format!("{kind} of {order_id}");
        let found = timeout(deadline, self.received.wait_for(|_| find().is_some())).await;
        let open = found.unwrap_or_else(|_| panic!("timed out after {deadline:?} waiting for {what}"));
        drop(open.unwrap_or_else(|_| panic!("the socket was closed before {what}")));
        find().expect("the frame was received")
    }
}

async fn read(
    mut stream: WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>,
    frames: Arc<Mutex<Vec<Value>>>,
    count: watch::Sender<usize>,
) {
    while let Some(Ok(message)) = stream.next().await {
        match message {
            Message::Text(text) => {
                frames.lock().unwrap().push(serde_json::from_str(&text).expect("every frame is JSON"));
                count.send_modify(|count| *count += 1);
            }
            Message::Ping(payload) => drop(stream.send(Message::Pong(payload)).await),
            _ => {}
        }
    }
}
