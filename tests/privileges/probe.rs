//! What every probe uses.

use testkit::{
    eventually::{DEADLINE, eventually},
    order_bodies::new_id,
};

/// Waits until it holds.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    eventually(DEADLINE, what, async || holds().await.then_some(())).await;
}

/// An owner of whom nothing is stored.
pub(crate) fn new_owner() -> String {
    format!("probe-{}", new_id())
}
