//! The orders queue while a lane is loaded.

use super::load::Clocked;
use crate::aws;
use crate::compare::deployed::Deployed;
use crate::compare::workload::UNDECODABLE;
use crate::signals::Interruption;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

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

/// Puts messages that nothing can decode into the queue as they are due, until there is a signal, and says how many,
/// and why some could not be sent. The API would refuse them: they stand for what others may put there.
pub(crate) async fn send_undecodable(
    due: &[Duration],
    deployed: &Deployed,
    clocked: &Clocked,
    interruption: &Interruption,
) -> (u64, Option<anyhow::Error>) {
    let (mut sent, mut error) = (0, None);
    for at in due {
        interruption.sleep(at.saturating_sub(clocked.elapsed())).await;
        if interruption.signal().is_some() {
            break;
        }
        let message = deployed.sqs.send_message().queue_url(&deployed.orders_queue_url).message_body(UNDECODABLE);
        match message.send().await {
            Ok(_) => sent += 1,
            Err(refused) => error = Some(aws::describe(&refused).context("Failed to put a message into the queue")),
        }
    }
    (sent, error)
}
