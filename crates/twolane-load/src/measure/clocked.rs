//! A lane's tally, and the clock that starts with its load.

use super::tally::Tally;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::Instant;

#[derive(Clone, Debug)]
pub(crate) struct Clocked {
    tally: Arc<Mutex<Tally>>,
    start: Instant,
}

impl Clocked {
    pub(crate) fn start(tally: Tally) -> Self {
        Self { tally: Arc::new(Mutex::new(tally)), start: Instant::now() }
    }

    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().expect("no holder of this lock panics")
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    pub(crate) fn since_start(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.start)
    }

    pub(crate) fn at(&self, since_start: Duration) -> Instant {
        self.start + since_start
    }
}
