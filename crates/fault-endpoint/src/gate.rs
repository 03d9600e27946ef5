use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{sync::watch, time::timeout};

/// Holds requests until a test opens it.
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

    /// Lets all requests pass from now on.
    pub fn open(&self) {
        self.open.send_replace(true);
    }

    /// Whether it lets requests pass.
    #[must_use]
    pub fn is_open(&self) -> bool {
        *self.open.borrow()
    }

    /// Client addresses of the requests that have reached the gate.
    #[must_use]
    pub fn clients(&self) -> Vec<SocketAddr> {
        self.clients.borrow().clone()
    }

    /// Waits until that number of requests has reached the gate.
    pub async fn reached(&self, requests: usize) {
        let mut clients = self.clients.subscribe();
        // Fails only after the gate is dropped, and `self` keeps it.
        let _ = clients.wait_for(|clients| clients.len() >= requests).await;
    }

    /// As [`Gate::reached`].
    ///
    /// # Panics
    /// The requests have not arrived within `deadline`.
    pub async fn reached_by(&self, requests: usize, deadline: Duration) {
        let reached = timeout(deadline, self.reached(requests)).await;
        assert!(reached.is_ok(), "fewer than {requests} requests reached the gate within {deadline:?}");
    }

    /// Registers the client and waits until the gate is open.
    pub(crate) async fn pass(&self, client: SocketAddr) {
        self.clients.send_modify(|clients| clients.push(client));
        let mut open = self.open.subscribe();
        open.wait_for(|open| *open).await.expect("the gate outlives its waiters");
    }
}
