//! Moving all messages back by SQS itself.

use super::queue::DeadLetterQueue;
use crate::{
    aws::{code, describe},
    progress::tell,
    signals::Interruption,
};
use anyhow::{Context, anyhow, bail};
use aws_sdk_sqs::types::ListMessageMoveTasksResultEntry;
use std::time::Duration;

/// Between two looks at the task.
const INTERVAL: Duration = Duration::from_millis(500);

/// Codes of a queue service that has no such action.
const UNAVAILABLE: [&str; 6] = [
    "InvalidAction",
    "UnknownOperationException",
    "UnknownOperation",
    "UnsupportedOperation",
    "AWS.SimpleQueueService.UnsupportedOperation",
    "NotImplemented",
];

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moved {
    /// All messages are back in the queue they came from.
    All,
    /// It ended midway: some are.
    Some,
    /// This queue service cannot do it: nothing was moved.
    Unavailable,
}

/// Starts a message move task and waits until it is over. `moved` hears how many were moved so far. A signal cancels
/// the task.
///
/// # Errors
/// SQS refuses: nothing was moved.
pub(crate) async fn move_all(
    queue: &DeadLetterQueue,
    max_per_second: Option<i32>,
    interruption: &Interruption,
    moved: impl Fn(usize),
) -> anyhow::Result<Moved> {
    let arn = queue.arn().await?;
    let request = queue.client.start_message_move_task().source_arn(&arn);
    let started = request.set_max_number_of_messages_per_second(max_per_second).send().await;
    if let Err(error) = &started
        && code(error).is_some_and(|code| UNAVAILABLE.contains(&code))
    {
        return Ok(Moved::Unavailable);
    }
    started.map_err(|error| describe(&error)).context("Failed to start moving messages")?;
    Ok(follow(queue, &arn, interruption, moved).await.unwrap_or_else(|error| {
        tell(&format!("error: {error:#}"));
        Moved::Some
    }))
}

async fn follow(
    queue: &DeadLetterQueue,
    arn: &str,
    interruption: &Interruption,
    moved: impl Fn(usize),
) -> anyhow::Result<Moved> {
    let mut cancelled = false;
    loop {
        let task = latest(queue, arn).await?;
        moved(usize::try_from(task.approximate_number_of_messages_moved()).unwrap_or_default());
        match task.status() {
            Some("COMPLETED") => return Ok(Moved::All),
            Some("CANCELLED") => return Ok(Moved::Some),
            Some("RUNNING") if interruption.signal().is_some() && !cancelled => {
                cancel(queue, &task).await?;
                cancelled = true;
            }
            Some("RUNNING" | "CANCELLING") if cancelled => tokio::time::sleep(INTERVAL).await,
            Some("RUNNING" | "CANCELLING") => interruption.sleep(INTERVAL).await,
            Some("FAILED") => {
                return Err(anyhow!("{}", task.failure_reason().unwrap_or("SQS does not say why")))
                    .context("Moving messages failed midway; what was not moved is in the dead-letter queue still");
            }
            status => bail!("Moving messages ended as {}; run it again for what is left", status.unwrap_or("unknown")),
        }
    }
}

/// The task that was started last.
async fn latest(queue: &DeadLetterQueue, arn: &str) -> anyhow::Result<ListMessageMoveTasksResultEntry> {
    let tasks = queue.client.list_message_move_tasks().source_arn(arn).max_results(1).send().await;
    let tasks = tasks.map_err(|error| describe(&error)).context("Messages are being moved, but how far is not told")?;
    tasks.results().first().cloned().context("SQS does not know the task that it started")
}

/// Ends a task; what it has moved stays moved.
async fn cancel(queue: &DeadLetterQueue, task: &ListMessageMoveTasksResultEntry) -> anyhow::Result<()> {
    let cancelled = queue.client.cancel_message_move_task().set_task_handle(task.task_handle.clone()).send().await;
    cancelled.map_err(|error| describe(&error)).context("Failed to stop moving messages, which goes on")?;
    Ok(())
}
