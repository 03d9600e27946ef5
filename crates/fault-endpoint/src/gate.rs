//! A place where requests wait until a test lets them go.

use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{sync::watch, time::timeout};

/// Requests wait here; a test waits until they do.
#[derive(Clone, Debug)]
pub struct Gate {
    open: Arc<watch::Sender<bool>>,
    clients: Arc<watch::Sender<Vec<SocketAddr>>>,
}

impl Gate {
    /// A closed gate.
    #[must_use]
    pub fn closed() -> Self {
        Self { open: Arc::default(), clients: Arc::default() }
    }

    /// Lets all pass that wait and all that come.
    pub fn open(&self) {
        self.open.send_replace(true);
    }

    /// Whether it lets requests pass.
    #[must_use]
    pub fn is_open(&self) -> bool {
        *self.open.borrow()
    }

    /// Where the requests come from that have come to the gate.
    #[must_use]
    pub fn clients(&self) -> Vec<SocketAddr> {
        self.clients.borrow().clone()
    }

    /// Waits until so many requests have come to the gate.
    pub async fn reached(&self, requests: usize) {
        let mut clients = self.clients.subscribe();
        // It fails without the gate, which outlives those who wait.
        let _ = clients.wait_for(|clients| clients.len() >= requests).await;
    }

    /// Waits until so many requests have come to the gate.
    ///
    /// # Panics
    /// They have not come by the deadline.
    pub async fn reached_by(&self, requests: usize, deadline: Duration) {
        let reached = timeout(deadline, self.reached(requests)).await;
        assert!(reached.is_ok(), "waited {deadline:?} in vain for {requests} requests at the gate");
    }

    /// Comes to the gate, and waits until it is open.
    pub(crate) async fn pass(&self, client: SocketAddr) {
        self.clients.send_modify(|clients| clients.push(client));
        let mut open = self.open.subscribe();
        open.wait_for(|open| *open).await.expect("the gate outlives those who wait");
    }
}
