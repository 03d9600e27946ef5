//! The orders queue while a lane is loaded.

use super::load::Clocked;
use crate::compare::deployed::Deployed;
use crate::compare::workload::UNDECODABLE;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, sleep_until};

/// The depth of the queue, by seconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Depths(Arc<Mutex<Vec<Option<u64>>>>);

impl Depths {
    /// Asks for it once a second until dropped. Where it cannot be told, it is `None`.
    pub(crate) async fn sample(self, deployed: Deployed, clocked: Clocked) {
        let mut second = interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            second.tick().await;
            let depth = deployed.depth(&deployed.orders_queue_url).await.ok();
            let mut depths = self.0.lock().expect("no holder of this lock panics");
            let index = usize::try_from(clocked.elapsed().as_secs()).expect("a run is shorter than that");
            if depths.len() <= index {
                depths.resize(index + 1, None);
            }
            depths[index] = depth;
        }
    }

    /// In that second.
    pub(crate) fn at(&self, second: usize) -> Option<u64> {
        self.0.lock().expect("no holder of this lock panics").get(second).copied().flatten()
    }
}

/// Puts messages that nothing can decode into the queue as they are due, and says how many. The API would refuse them:
/// they stand for what others may put there.
pub(crate) async fn send_undecodable(due: &[Duration], deployed: &Deployed, clocked: &Clocked) -> u64 {
    let mut sent = 0;
    for at in due {
        sleep_until(clocked.at(*at)).await;
        let message = deployed.sqs.send_message().queue_url(&deployed.orders_queue_url).message_body(UNDECODABLE);
        sent += u64::from(message.send().await.is_ok());
    }
    sent
}
