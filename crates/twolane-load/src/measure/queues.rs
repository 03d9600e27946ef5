//! The queues of a lane while it is loaded.

use super::clocked::Clocked;
use crate::deployed::Deployed;
use crate::workload::UNDECODABLE;
use lanes::{Lane, QueueKind};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};
use twolane_client::aws;
use twolane_client::signals::Interruption;

/// How many messages the queues of a lane have.
#[derive(Clone)]
pub(crate) struct Depths {
    deployed: Deployed,
    lane: Lane,
    known: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    by_second: Vec<Option<u64>>,
    /// How often the depth was asked for, and how often it could not be read.
    asked: u64,
    unread: u64,
    /// Why it could not the first time.
    why: Option<String>,
}

impl Depths {
    /// None is known yet.
    pub(crate) fn new(deployed: Deployed, lane: Lane) -> Self {
        Self { deployed, lane, known: Arc::default() }
    }

    /// How many it is now; nothing where that cannot be read. Messages that wait for a set time say nothing of the load.
    pub(crate) async fn ask(&self) -> Option<u64> {
        let queues = self.deployed.queues(self.lane).iter().filter(|queue| queue.kind == QueueKind::Work);
        self.keep(self.deployed.depth(queues.map(|queue| &queue.url)).await)
    }

    /// Asks for it once a second until dropped. Where it cannot be read, it is `None`.
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

    /// In that second.
    pub(crate) fn at(&self, second: usize) -> Option<u64> {
        self.known().by_second.get(second).copied().flatten()
    }

    /// Says how often the depth could not be read, and why: an error where it never could, and a notice otherwise.
    pub(crate) fn say_unread(&self, errors: &mut Vec<String>, notices: &mut Vec<String>) {
        let Known { asked, unread, why, .. } = &*self.known();
        let Some(why) = why else { return };
        let said = format!(
            "The depth of the queue could not be read {unread} of {asked} times, and orders that were still in the queue \
             may count as lost; the first time: {why}"
        );
        if unread == asked { errors } else { notices }.push(said);
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

    /// Errors and notices.
    fn said(depths: &Depths) -> [Vec<String>; 2] {
        let (mut errors, mut notices) = (Vec::new(), Vec::new());
        depths.say_unread(&mut errors, &mut notices);
        [errors, notices]
    }

    #[tokio::test(start_paused = true)]
    async fn a_depth_that_can_never_be_read_is_an_error_with_its_reason() {
        let (depths, clocked) = (depths(), Clocked::start(Tally::new(&Workload::default())));

        let ended = timeout(Duration::from_millis(2500), depths.clone().sample(clocked)).await;

        assert!(ended.is_err(), "it goes on until it is dropped");
        let [errors, notices] = said(&depths);
        assert!(errors[0].contains("could not be read 3 of 3 times"), "{errors:?}");
        assert!(errors[0].contains("the first time: Failed to ask for the depth of queue"), "{errors:?}");
        assert_eq!((errors.len(), notices.len(), depths.at(1)), (1, 0, None));
    }

    #[test]
    fn a_depth_that_cannot_be_read_once_is_a_notice() {
        let depths = depths();
        assert_eq!(depths.keep(Ok(7)), Some(7));
        assert_eq!(said(&depths), [const { Vec::<String>::new() }; 2]);

        for why in ["throttled", "timed out"] {
            assert_eq!(depths.keep(Err(anyhow::anyhow!(why))), None);
        }

        let [errors, notices] = said(&depths);
        assert_eq!((errors.len(), notices.len()), (0, 1));
        assert!(notices[0].contains("could not be read 2 of 3 times"), "{notices:?}");
        assert!(notices[0].ends_with("the first time: throttled"), "{notices:?}");
    }
}
