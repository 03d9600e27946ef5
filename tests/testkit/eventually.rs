//! Waits for a condition.

use std::time::Duration;
use tokio::time::{Instant, sleep};

/// For anything that a healthy stack does, cold starts included.
pub const DEADLINE: Duration = Duration::from_secs(20);

const INTERVAL: Duration = Duration::from_millis(50);

/// Calls `look` until it returns something. `look` takes at most half of the time.
///
/// # Panics
/// At the deadline. `what` completes the message "waiting until".
pub async fn eventually<T>(deadline: Duration, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + deadline;
    loop {
        let started = Instant::now();
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "timed out after {deadline:?} waiting until {what}");
        sleep(INTERVAL.max(started.elapsed())).await;
    }
}
