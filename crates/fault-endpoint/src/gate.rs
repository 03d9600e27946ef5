//! A place where requests wait until a test lets them go.

use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{sync::watch, time::timeout};

/// Requests wait here; a test waits until they do.
#[derive(Clone, Debug)]
pub struct Gate {
    open: Arc<watch::Sender<bool>>,
    clients: Arc<watch::Sender<Vec<SocketAddr>>>,
    waiting: Arc<watch::Sender<usize>>,
}

impl Gate {
    /// A closed gate.
    #[must_use]
    pub fn closed() -> Self {
        Self { open: Arc::default(), clients: Arc::default(), waiting: Arc::default() }
    }

    /// Lets all pass that wait and all that come.
    pub fn open(&self) {
        self.open.send_replace(true);
    }

    /// Where the requests come from that will wait here, once there is one. One that waits when its work is done is known
    /// before the work begins.
    ///
    /// # Panics
    /// There is none by the deadline.
    pub async fn clients(&self, deadline: Duration) -> Vec<SocketAddr> {
        let mut clients = self.clients.subscribe();
        let known = timeout(deadline, clients.wait_for(|clients| !clients.is_empty())).await;
        let known = known.unwrap_or_else(|_| panic!("waited {deadline:?} in vain for a request to the gate"));
        known.expect("the gate outlives those who wait").clone()
    }

    /// Waits until so many requests have come to the gate.
    ///
    /// # Panics
    /// They have not come by the deadline.
    pub async fn reached_by(&self, requests: usize, deadline: Duration) {
        let mut waiting = self.waiting.subscribe();
        let reached = timeout(deadline, waiting.wait_for(|waiting| *waiting >= requests)).await;
        assert!(reached.is_ok(), "waited {deadline:?} in vain for {requests} requests at the gate");
    }

    /// Says where a request comes from that will wait here.
    pub(crate) fn expect(&self, client: SocketAddr) {
        self.clients.send_modify(|clients| clients.push(client));
    }

    /// Comes to the gate, and waits until it is open.
    pub(crate) async fn pass(&self) {
        self.waiting.send_modify(|waiting| *waiting += 1);
        let mut open = self.open.subscribe();
        open.wait_for(|open| *open).await.expect("the gate outlives those who wait");
    }
}
