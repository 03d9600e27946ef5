//! The queues of a lane under load.

use super::clocked::Clocked;
use crate::deployed::Deployed;
use crate::workload::UNDECODABLE;
use lanes::{Lane, QueueKind};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};
use twolane_client::aws;
use twolane_client::signals::Interruption;

#[derive(Clone)]
pub(crate) struct Depths {
    deployed: Deployed,
    lane: Lane,
    known: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    by_second: Vec<Option<u64>>,
    /// Requests for the depth, and those that failed.
    asked: u64,
    unread: u64,
    /// The first error.
    why: Option<String>,
}

impl Depths {
    pub(crate) fn new(deployed: Deployed, lane: Lane) -> Self {
        Self { deployed, lane, known: Arc::default() }
    }

    /// The depth now; `None` if it cannot be read. Without timer queues, which are not part of the load.
    pub(crate) async fn ask(&self) -> Option<u64> {
        let queues = self.deployed.queues(self.lane).iter().filter(|queue| queue.kind == QueueKind::Work);
        self.keep(self.deployed.depth(queues.map(|queue| &queue.url)).await)
    }

    /// Reads the depth once a second until dropped; `None` if it cannot be read.
    pub(crate) async fn sample(self, clocked: Clocked) {
        let mut second = interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            second.tick().await;
            let depth = self.ask().await;
            let mut known = self.known();
            let index = usize::try_from(clocked.elapsed().as_secs()).expect("a run is shorter than that");
            if known.by_second.len() <= index {
                known.by_second.resize(index + 1, None);
            }
            known.by_second[index] = depth.or(known.by_second[index]);
        }
    }

    pub(crate) fn at(&self, second: usize) -> Option<u64> {
        self.known().by_second.get(second).copied().flatten()
    }

    /// Reports how often the depth could not be read, and why: an error if it never could, else a notice.
    pub(crate) fn report_unread(&self, errors: &mut Vec<String>, notices: &mut Vec<String>) {
        let Known { asked, unread, why, .. } = &*self.known();
        let Some(why) = why else { return };
        let text = format!(
            "The depth of the queues could not be read {unread} of {asked} times, so orders still in a queue \
             may count as lost. The first error: {why}"
        );
        if unread == asked { errors } else { notices }.push(text);
    }

    fn keep(&self, depth: anyhow::Result<u64>) -> Option<u64> {
        let mut known = self.known();
        known.asked += 1;
        depth
            .inspect_err(|error| {
                known.unread += 1;
                known.why.get_or_insert_with(|| format!("{error:#}"));
            })
            .ok()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("no holder of this lock panics")
    }
}

/// Puts undecodable messages into the lane's first queue when they are due, until a signal. The API would refuse
/// them. Returns the number sent, and the last error.
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
        if interruption.has_come() {
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

    fn depths() -> Depths {
        Depths::new(Deployed::unreachable(), lanes::lane("async").expect("it is in the table"))
    }

    fn text(depths: &Depths) -> [Vec<String>; 2] {
        let (mut errors, mut notices) = (Vec::new(), Vec::new());
        depths.report_unread(&mut errors, &mut notices);
        [errors, notices]
    }

    #[tokio::test(start_paused = true)]
    async fn a_depth_that_can_never_be_read_is_an_error_with_its_reason() {
        let (depths, clocked) = (depths(), Clocked::start(Tally::new(&Workload::default())));

        let ended = timeout(Duration::from_millis(2500), depths.clone().sample(clocked)).await;

        assert!(ended.is_err(), "it runs until it is dropped");
        let [errors, notices] = text(&depths);
        assert!(errors[0].contains("could not be read 3 of 3 times"), "{errors:?}");
        assert!(errors[0].contains("The first error: Failed to read the depth of queue"), "{errors:?}");
        assert_eq!((errors.len(), notices.len(), depths.at(1)), (1, 0, None));
    }

    #[test]
    fn a_depth_that_cannot_be_read_once_is_a_notice() {
        let depths = depths();
        assert_eq!(depths.keep(Ok(7)), Some(7));
        assert_eq!(text(&depths), [const { Vec::<String>::new() }; 2]);

        for why in ["throttled", "timed out"] {
            assert_eq!(depths.keep(Err(anyhow::anyhow!(why))), None);
        }

        let [errors, notices] = text(&depths);
        assert_eq!((errors.len(), notices.len()), (0, 1));
        assert!(notices[0].contains("could not be read 2 of 3 times"), "{notices:?}");
        assert!(notices[0].ends_with("The first error: throttled"), "{notices:?}");
    }
}
