//! The open sockets of the owners, and the outcomes that arrive there as callbacks.

use super::clocked::Clocked;
use super::tally::{By, OutcomeKind};
use crate::workload::OrderIds;
use anyhow::bail;
use reqwest::Url;
use serde::Deserialize;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use twolane_client::network::Network;
use twolane_client::socket::{KeepAlive, Socket, SocketEvent};
use twolane_client::token::Token;

/// Longest wait until all sockets are open.
const OPENING: Duration = Duration::from_mins(1);

/// Sockets opened at the same time. AWS allows 500 new connections per second. Source: Amazon API Gateway Developer
/// Guide, quotas of WebSocket APIs.
const AT_ONCE: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Frame<'a> {
    r#type: &'a str,
    order_id: Option<&'a str>,
    order: Option<Record>,
}

#[derive(Deserialize)]
struct Record {
    attempts: Option<u32>,
}

/// One open socket per owner.
pub(crate) struct OwnerSockets {
    sockets: Vec<Socket>,
}

impl OwnerSockets {
    /// Opens all sockets.
    ///
    /// # Errors
    /// A socket did not open.
    pub(crate) async fn open(url: &Url, tokens: &[Token], network: &Network) -> anyhow::Result<Self> {
        let deadline = Instant::now() + OPENING;
        let (mut sockets, mut last) = (Vec::new(), None);
        for some in tokens.chunks(AT_ONCE) {
            let open = |token: &Token| {
                Socket::keep_open(url.clone(), token.clone(), network.clone(), KeepAlive::PingFrame, Vec::new)
            };
            let mut opening: Vec<_> = some.iter().map(open).collect();
            for socket in &mut opening {
                loop {
                    match timeout_at(deadline, socket.next()).await {
                        Ok(SocketEvent::Opened) => break,
                        Ok(SocketEvent::Lost { why, hint, retry_in: None, .. }) => {
                            bail!("A WebSocket did not open: {why}. {}", hint.unwrap_or_default())
                        }
                        Ok(SocketEvent::Lost { why, retry_in: Some(_), .. }) => last = Some(why),
                        Ok(SocketEvent::Frame { .. }) => {}
                        Err(_) => bail!(
                            "Not all WebSockets were open within {} s; the last failure: {}",
                            OPENING.as_secs(),
                            last.as_deref().unwrap_or("unknown")
                        ),
                    }
                }
            }
            sockets.append(&mut opening);
        }
        Ok(Self { sockets })
    }

    /// Listens until dropped. Each tally records its own orders.
    pub(crate) fn listen(self, ids: OrderIds, clocked: &Clocked) -> Listening {
        let lost = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        for mut socket in self.sockets {
            let (clocked, lost) = (clocked.clone(), Arc::clone(&lost));
            tasks.spawn(async move {
                loop {
                    match socket.next().await {
                        SocketEvent::Frame { text, at } => record(&text, ids, &clocked, at),
                        SocketEvent::Lost { why, .. } => lost.lock().expect("no holder of this lock panics").push(why),
                        SocketEvent::Opened => {}
                    }
                }
            });
        }
        Listening { _tasks: tasks, lost }
    }
}

pub(crate) struct Listening {
    _tasks: JoinSet<()>,
    lost: Arc<Mutex<Vec<String>>>,
}

impl Listening {
    /// Why sockets closed: callbacks may be missing.
    pub(crate) fn lost(&self) -> Vec<String> {
        self.lost.lock().expect("no holder of this lock panics").clone()
    }
}

fn record(text: &str, ids: OrderIds, clocked: &Clocked, at: Instant) {
    // Other frames are not about this run's orders.
    let Ok(frame) = serde_json::from_str::<Frame>(text) else { return };
    let outcome = match frame.r#type {
        "order.confirmed" => OutcomeKind::Confirmed,
        "order.cancelled" => OutcomeKind::Cancelled,
        "order.rejected" => OutcomeKind::Rejected,
        "order.failed" => OutcomeKind::Failed,
        _ => return,
    };
    let Some(order) = frame.order_id.and_then(|id| ids.number(id)) else { return };
    let mut tally = clocked.tally();
    if (order as usize) < tally.orders.len() {
        let attempts = frame.order.and_then(|record| record.attempts);
        tally.learned(order, outcome, attempts, By::Callback, clocked.since_start(at));
    }
}
