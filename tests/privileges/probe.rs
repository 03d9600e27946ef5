//! Helpers of all probes.

use testkit::{
    eventually::{DEADLINE, eventually},
    order_bodies::new_id,
};

pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    eventually(DEADLINE, what, async || holds().await.then_some(())).await;
}

/// Without any records.
pub(crate) fn new_owner() -> String {
    format!("probe-{}", new_id())
}
