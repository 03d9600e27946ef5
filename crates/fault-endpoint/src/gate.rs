//! A place where requests wait until a test lets them go.

use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, time::timeout};

/// Requests wait here; a test waits until they do.
#[derive(Clone, Debug)]
pub struct Gate {
    open: Arc<watch::Sender<bool>>,
    waiting: Arc<watch::Sender<usize>>,
}

impl Gate {
    /// A closed gate.
    #[must_use]
    pub fn closed() -> Self {
        Self { open: Arc::new(watch::Sender::new(false)), waiting: Arc::new(watch::Sender::new(0)) }
    }

    /// Lets all pass that wait and all that come.
    pub fn open(&self) {
        self.open.send_replace(true);
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

    /// Comes to the gate, and waits until it is open.
    pub(crate) async fn pass(&self) {
        self.waiting.send_modify(|waiting| *waiting += 1);
        let mut open = self.open.subscribe();
        open.wait_for(|open| *open).await.expect("the gate outlives those who wait");
    }
}
