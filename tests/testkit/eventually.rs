//! Waiting for what must become true.

use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Longest wait for anything that a healthy stack does, cold starts included.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// Shortest time between two looks.
const INTERVAL: Duration = Duration::from_millis(50);

/// What `look` finds once it finds something. At most half of the time is spent looking.
///
/// # Panics
/// When it has found nothing by the deadline; `what` says what was waited for.
pub async fn eventually<T>(deadline: Duration, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + deadline;
    loop {
        let started = Instant::now();
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "waited {deadline:?} in vain: {what}");
        sleep(INTERVAL.max(started.elapsed())).await;
    }
}
