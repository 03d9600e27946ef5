//! The queues of a lane while it is loaded.

use super::clocked::Clocked;
use crate::deployed::Deployed;
use crate::workload::UNDECODABLE;
use lanes::Lane;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};
use twolane_client::aws;
use twolane_client::signals::Interruption;

/// How many messages the queues have, by seconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Depths(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    by_second: Vec<Option<u64>>,
    /// Seconds for which the depth could not be read, and why the first of them.
    unread: u64,
    why: Option<String>,
}

impl Depths {
    /// Asks for it once a second until dropped. Where it cannot be told, it is `None`.
    pub(crate) async fn sample(self, deployed: Deployed, lane: Lane, clocked: Clocked) {
        let mut second = interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            second.tick().await;
            let depth = deployed.depth(deployed.queues(lane).iter().map(|queue| &queue.url)).await;
            let mut known = self.known();
            let index = usize::try_from(clocked.elapsed().as_secs()).expect("a run is shorter than that");
            if known.by_second.len() <= index {
                known.by_second.resize(index + 1, None);
            }
            match depth {
                Ok(depth) => known.by_second[index] = Some(depth),
                Err(error) => {
                    known.unread += 1;
                    known.why.get_or_insert_with(|| format!("{error:#}"));
                }
            }
        }
    }

    /// In that second.
    pub(crate) fn at(&self, second: usize) -> Option<u64> {
        self.known().by_second.get(second).copied().flatten()
    }

    /// For how many seconds the depth could not be read, and why, if there are any.
    pub(crate) fn error(&self) -> Option<String> {
        let known = self.known();
        let why = known.why.as_ref()?;
        Some(format!("The depth of the queue is not known for {} s; the first time: {why}", known.unread))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().expect("no holder of this lock panics")
    }
}

/// Puts messages that nothing can decode into the lane's first queue as they are due, until there is a signal, and says how many,
/// and why some could not be sent. The API would refuse them: they stand for what others may put there.
pub(crate) async fn send_undecodable(
    due: &[Duration],
    deployed: &Deployed,
    lane: Lane,
    clocked: &Clocked,
    interruption: &Interruption,
) -> (u64, Option<anyhow::Error>) {
    let (mut sent, mut error) = (0, None);
    let Some(queue) = deployed.queues(lane).first() else { return (sent, error) };
    for at in due {
        interruption.sleep(at.saturating_sub(clocked.elapsed())).await;
        if interruption.signal().is_some() {
            break;
        }
        let message = deployed.sqs.send_message().queue_url(&queue.url).message_body(UNDECODABLE);
        match message.send().await {
            Ok(_) => sent += 1,
            Err(refused) => error = Some(aws::describe(&refused).context("Failed to put a message into the queue")),
        }
    }
    (sent, error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Tally;
    use crate::workload::Workload;
    use tokio::time::timeout;

    #[tokio::test(start_paused = true)]
    async fn says_why_the_depth_of_the_queue_is_not_known() {
        let (depths, clocked) = (Depths::default(), Clocked::start(Tally::new(&Workload::default())));
        let lane = lanes::lane("async").expect("it is in the table");

        let sampling = depths.clone().sample(Deployed::unreachable(), lane, clocked);
        let ended = timeout(Duration::from_millis(2500), sampling).await;

        assert!(ended.is_err(), "it goes on until it is dropped");
        let error = depths.error().expect("nothing could be read");
        assert!(error.contains("not known for 3 s; the first time: Failed to ask for the depth of queue"), "{error}");
        assert_eq!(depths.at(1), None);
    }
}
