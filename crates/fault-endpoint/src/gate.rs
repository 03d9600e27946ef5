//! A place where requests wait until a test lets them go.

use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{sync::watch, time::timeout};

/// Requests wait here; a test waits until they do.
#[derive(Clone, Debug)]
pub struct Gate {
    open: Arc<watch::Sender<bool>>,
    waiting: Arc<watch::Sender<Vec<SocketAddr>>>,
}

impl Gate {
    /// A closed gate.
    #[must_use]
    pub fn closed() -> Self {
        Self { open: Arc::new(watch::Sender::new(false)), waiting: Arc::default() }
    }

    /// Lets all pass that wait and all that come.
    pub fn open(&self) {
        self.open.send_replace(true);
    }

    /// Waits until so many requests have come to the gate; from where the first so many came.
    ///
    /// # Panics
    /// They have not come by the deadline.
    pub async fn reached_by(&self, requests: usize, deadline: Duration) -> Vec<SocketAddr> {
        let mut waiting = self.waiting.subscribe();
        let reached = timeout(deadline, waiting.wait_for(|waiting| waiting.len() >= requests)).await;
        let reached =
            reached.unwrap_or_else(|_| panic!("waited {deadline:?} in vain for {requests} requests at the gate"));
        reached.expect("the gate outlives those who wait")[..requests].to_vec()
    }

    /// Comes to the gate, and waits until it is open.
    pub(crate) async fn pass(&self, client: SocketAddr) {
        self.waiting.send_modify(|waiting| waiting.push(client));
        let mut open = self.open.subscribe();
        open.wait_for(|open| *open).await.expect("the gate outlives those who wait");
    }
}
