//! Moves messages back to their queues.

use super::args::RedriveArgs;
use crate::progress::Progress;
use lanes::MessageKind;
use std::collections::HashSet;
use twolane_client::dead_letters::{
    dead_letter::messages,
    move_task::{self, Moved},
    of_stack::DeadLetters,
    queue::DeadLetterQueue,
    queue_redrive::{QueueRedrive, QueueRedriven},
    with_record::DeadLetterWithRecord,
};
use twolane_client::signals::Interruption;

#[derive(Default)]
pub(super) struct Moving {
    /// Ids of moved messages.
    pub(super) moved: HashSet<String>,
    /// Ids of messages still in their dead-letter queue, moved or not.
    pub(super) left: HashSet<String>,
    pub(super) error: Option<anyhow::Error>,
}

impl Moving {
    /// `None` if it is not known.
    pub(super) fn is_moved(&self, id: &str) -> Option<bool> {
        let (moved, left) = (self.moved.contains(id), self.left.contains(id));
        (moved || left).then_some(moved)
    }
}

/// Moves the messages queue by queue. A queue's error does not stop the others.
pub(super) async fn move_back(
    stack: &DeadLetters,
    dead_letters: &[DeadLetterWithRecord],
    args: &RedriveArgs,
    interruption: &Interruption,
) -> Moving {
    let progress = Progress::new(dead_letters.len(), "messages moved");
    let mut all = Moving::default();
    for queue in &stack.queues {
        let ids: HashSet<String> = dead_letters
            .iter()
            .map(|dead_letter| &dead_letter.message)
            .filter(|message| message.queue() == queue.spec)
            .map(|message| message.message_id().to_owned())
            .collect();
        if ids.is_empty() {
            continue;
        }
        if interruption.signal().is_some() {
            all.left.extend(ids);
            continue;
        }
        progress.say(&format!("Moving {} back to the {} queue.", messages(ids.len()), queue.spec.name));
        let before = all.moved.len();
        let moving = move_queue(queue, ids.clone(), args, interruption, &|now| progress.set(before + now)).await;
        let moving = moving.unwrap_or_else(|error| Moving { left: ids, error: Some(error), ..Moving::default() });
        all.moved.extend(moving.moved);
        all.left.extend(moving.left);
        if let Some(error) = moving.error {
            let earlier = all.error.replace(error);
            if let Some(error) = earlier {
                progress.say(&format!("error: {error:#}"));
            }
        }
    }
    progress.clear();
    all
}

/// Moves one queue's messages, by a move task of SQS if possible. Calls `moved` with the number so far.
///
/// SQS cannot move messages that a topic put into its subscription's dead-letter queue. Source: Amazon SQS API
/// Reference, `StartMessageMoveTask`.
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
        Moved::Completed(_) | Moved::Cancelled => Ok(find_moved(queue, ids, None).await),
        Moved::Lost(error) => Ok(find_moved(queue, ids, Some(error)).await),
        Moved::Unavailable => {
            let resend = QueueRedrive { from: queue, max_per_second: args.max_per_second, interruption };
            let mut count = 0;
            let QueueRedriven { moved, undeleted, result } = resend
                .move_back(&ids, |more| {
                    count += more;
                    moved(count);
                })
                .await;
            let left = ids.difference(&moved).cloned().chain(undeleted).collect();
            Ok(Moving { moved, left, error: result.err() })
        }
    }
}

/// Which messages an incomplete move task moved: those that left the dead-letter queue. Reads the whole queue, even
/// after a signal.
async fn find_moved(queue: &DeadLetterQueue, ids: HashSet<String>, error: Option<anyhow::Error>) -> Moving {
    match queue.look(usize::MAX, false, None).await {
        Ok(found) => {
            let there: HashSet<_> =
                found.dead_letters.iter().map(|dead_letter| dead_letter.message_id().to_owned()).collect();
            let (left, moved) = ids.into_iter().partition(|id| there.contains(id));
            Moving { moved, left, error }
        }
        Err(look_error) => {
            let error = error.unwrap_or_else(|| look_error.context("Failed to determine which messages were moved"));
            Moving { error: Some(error), ..Moving::default() }
        }
    }
}
