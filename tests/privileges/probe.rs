//! What every probe uses.

use std::time::Duration;
use testkit::{eventually::eventually, order_bodies::new_id};

/// Longest that a thing which works may take. A broken one takes as long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(12);

/// Waits until it holds.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    eventually(PATIENCE, what, async || holds().await.then_some(())).await;
}

/// An owner of whom nothing is stored.
pub(crate) fn new_owner() -> String {
    format!("probe-{}", new_id())
}
