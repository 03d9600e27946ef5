//! Moving messages back to their queues.

use super::args::RedriveArgs;
use crate::progress::Progress;
use lanes::MessageKind;
use std::collections::HashSet;
use twolane_client::dead_letters::{
    finding::Finding,
    letter::messages,
    move_task::{self, Moved},
    queue::DeadLetterQueue,
    resend::{Resend, Resent},
    site::Site,
};
use twolane_client::signals::Interruption;

/// How the moving went.
#[derive(Default)]
pub(super) struct Moving {
    /// Ids of messages that were moved.
    pub(super) moved: HashSet<String>,
    /// Ids of messages that are still in their dead-letter queue, moved or not.
    pub(super) left: HashSet<String>,
    /// What went wrong.
    pub(super) trouble: Option<anyhow::Error>,
}

impl Moving {
    /// Whether that message was moved; `None` when it is not known.
    pub(super) fn is_moved(&self, id: &str) -> Option<bool> {
        let (moved, left) = (self.moved.contains(id), self.left.contains(id));
        (moved || left).then_some(moved)
    }
}

/// Moves the messages, queue by queue. A queue that AWS refuses to move keeps no other.
pub(super) async fn move_back(
    site: &Site,
    findings: &[Finding],
    args: &RedriveArgs,
    interruption: &Interruption,
) -> Moving {
    let progress = Progress::new(findings.len(), "messages moved");
    let mut all = Moving::default();
    for queue in &site.dead_letters {
        let letters = findings.iter().map(|finding| &finding.letter);
        let ids: HashSet<String> = letters
            .filter(|letter| letter.queue() == queue.spec)
            .map(|letter| letter.message_id().to_owned())
            .collect();
        if ids.is_empty() {
            continue;
        }
        if interruption.signal().is_some() {
            all.left.extend(ids);
            continue;
        }
        progress.tell(&format!("Moving {} back to the {} queue.", messages(ids.len()), queue.spec.name));
        let before = all.moved.len();
        let moving = move_queue(queue, ids.clone(), args, interruption, &|now| progress.set(before + now)).await;
        let moving = moving.unwrap_or_else(|error| Moving { left: ids, trouble: Some(error), ..Moving::default() });
        all.moved.extend(moving.moved);
        all.left.extend(moving.left);
        if let Some(trouble) = moving.trouble {
            let earlier = all.trouble.replace(trouble);
            if let Some(error) = earlier {
                progress.tell(&format!("error: {error:#}"));
            }
        }
    }
    progress.clear();
    all
}

/// Moves the messages of one queue, all by SQS itself where it can. `moved` is called with how many were.
///
/// SQS cannot move what a topic put into the dead-letter queue of its subscription. Source: Amazon SQS API Reference,
/// `StartMessageMoveTask`.
///
/// # Errors
/// AWS refuses: nothing was moved.
async fn move_queue(
    queue: &DeadLetterQueue,
    ids: HashSet<String>,
    args: &RedriveArgs,
    interruption: &Interruption,
    moved: &impl Fn(usize),
) -> anyhow::Result<Moving> {
    let task = if args.orders.is_empty() && queue.spec.messages == MessageKind::Request {
        move_task::move_all(queue, args.max_per_second, interruption, moved).await
    } else {
        Ok(Moved::Unavailable)
    };
    match task? {
        Moved::Completed(count) if count >= ids.len() => Ok(Moving { moved: ids, ..Moving::default() }),
        Moved::Completed(_) | Moved::Cancelled => Ok(look_what_moved(queue, ids, None).await),
        Moved::Lost(error) => Ok(look_what_moved(queue, ids, Some(error)).await),
        Moved::Unavailable => {
            let resend = Resend { from: queue, max_per_second: args.max_per_second, interruption };
            let mut count = 0;
            let Resent { moved, undeleted, result } = resend
                .move_back(&ids, |more| {
                    count += more;
                    moved(count);
                })
                .await;
            let left = ids.difference(&moved).cloned().chain(undeleted).collect();
            Ok(Moving { moved, left, trouble: result.err() })
        }
    }
}

/// After a task that did not move all, or of which that is not known: what is there still was not moved. Looks to the
/// end, whatever signal there was.
async fn look_what_moved(queue: &DeadLetterQueue, ids: HashSet<String>, trouble: Option<anyhow::Error>) -> Moving {
    match queue.look(usize::MAX, false, None).await {
        Ok(found) => {
            let there: HashSet<_> = found.letters.iter().map(|letter| letter.message_id().to_owned()).collect();
            let (left, moved) = ids.into_iter().partition(|id| there.contains(id));
            Moving { moved, left, trouble }
        }
        Err(error) => {
            let trouble = trouble.unwrap_or_else(|| error.context("Could not determine which messages were moved"));
            Moving { trouble: Some(trouble), ..Moving::default() }
        }
    }
}
