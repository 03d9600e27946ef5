//! Redrives a queue by an SQS message move task.

use super::queue::DeadLetterQueue;
use crate::{
    aws::{code, describe},
    signals::Interruption,
};
use anyhow::{Context, anyhow, bail};
use aws_sdk_sqs::types::ListMessageMoveTasksResultEntry;
use std::time::Duration;
use tokio::time::Instant;

/// Between status requests.
const INTERVAL: Duration = Duration::from_millis(500);

/// Without news for this long, the task counts as lost. Lists are eventually consistent, and requests may fail.
const SILENCE: Duration = Duration::from_secs(15);

/// Error codes of a queue service without this action.
const UNAVAILABLE: [&str; 6] = [
    "InvalidAction",
    "UnknownOperationException",
    "UnknownOperation",
    "UnsupportedOperation",
    "AWS.SimpleQueueService.UnsupportedOperation",
    "NotImplemented",
];

/// The result of a move task.
#[derive(Debug)]
pub enum Moved {
    /// The task is over; SQS's approximate number of moved messages.
    Completed(usize),
    /// Cancelled after some messages.
    Cancelled,
    /// Failed or unknown: some messages may be moved.
    Lost(anyhow::Error),
    /// This queue service cannot do it: nothing was moved.
    Unavailable,
}

struct Task<'a> {
    queue: &'a DeadLetterQueue,
    arn: String,
    handle: Option<String>,
    /// Start of the previous task, in milliseconds since 1970. A queue has at most one task at a time.
    earlier: i64,
}

/// Starts a message move task and waits until it is over. Calls `moved` with the number so far. A signal cancels it.
///
/// # Errors
/// SQS refuses: nothing was moved.
pub async fn move_all(
    queue: &DeadLetterQueue,
    max_per_second: Option<i32>,
    interruption: &Interruption,
    moved: impl Fn(usize),
) -> anyhow::Result<Moved> {
    let arn = queue.arn().await?;
    let mut task = Task { queue, arn, handle: None, earlier: 0 };
    let earlier = match task.latest().await {
        Ok(earlier) => earlier,
        Err(error) if error.is_unavailable => return Ok(Moved::Unavailable),
        Err(error) => return Err(error.cause).context("Failed to list tasks that move messages"),
    };
    task.earlier = earlier.map_or(0, |earlier| earlier.started_timestamp());
    let request = queue.client.start_message_move_task().source_arn(&task.arn);
    match request.set_max_number_of_messages_per_second(max_per_second).send().await {
        Ok(started) => task.handle = started.task_handle,
        Err(error) if code(&error).is_some_and(is_unavailable) => return Ok(Moved::Unavailable),
        Err(error) => return Err(describe(&error)).context("Failed to start moving messages"),
    }
    Ok(task.follow(interruption, moved).await.unwrap_or_else(Moved::Lost))
}

fn is_unavailable(code: &str) -> bool {
    UNAVAILABLE.contains(&code)
}

struct ListError {
    cause: anyhow::Error,
    is_unavailable: bool,
}

impl Task<'_> {
    async fn follow(&self, interruption: &Interruption, moved: impl Fn(usize)) -> anyhow::Result<Moved> {
        let (mut last_report, mut cancelled) = (Instant::now(), false);
        loop {
            let task = match self.latest().await {
                Ok(latest) => latest.filter(|latest| latest.started_timestamp() > self.earlier),
                Err(error) if last_report.elapsed() > SILENCE => {
                    return Err(error.cause).context("Messages are being moved, but the progress is unknown");
                }
                Err(_) => None,
            };
            let Some(task) = task else {
                if last_report.elapsed() > SILENCE {
                    bail!("SQS started a task that moves messages, but does not report it");
                }
                tokio::time::sleep(INTERVAL).await;
                continue;
            };
            last_report = Instant::now();
            let count = usize::try_from(task.approximate_number_of_messages_moved()).unwrap_or_default();
            moved(count);
            match task.status() {
                Some("COMPLETED") => return Ok(Moved::Completed(count)),
                Some("CANCELLED") => return Ok(Moved::Cancelled),
                Some("FAILED") => {
                    return Err(anyhow!("{}", task.failure_reason().unwrap_or("SQS does not say why")))
                        .context("Moving messages failed midway");
                }
                Some("RUNNING") if interruption.signal().is_some() && !cancelled => {
                    self.cancel().await?;
                    cancelled = true;
                }
                Some("RUNNING" | "CANCELLING") if cancelled => tokio::time::sleep(INTERVAL).await,
                Some("RUNNING" | "CANCELLING") => interruption.sleep(INTERVAL).await,
                status => bail!("Moving messages ended as {}", status.unwrap_or("unknown")),
            }
        }
    }

    /// The queue's latest task.
    async fn latest(&self) -> Result<Option<ListMessageMoveTasksResultEntry>, ListError> {
        let tasks = self.queue.client.list_message_move_tasks().source_arn(&self.arn).max_results(1).send().await;
        match tasks {
            Ok(tasks) => Ok(tasks.results.unwrap_or_default().into_iter().next()),
            Err(error) => {
                Err(ListError { is_unavailable: code(&error).is_some_and(is_unavailable), cause: describe(&error) })
            }
        }
    }

    /// Moved messages stay moved. Succeeds if the task is already over.
    async fn cancel(&self) -> anyhow::Result<()> {
        let request = self.queue.client.cancel_message_move_task().set_task_handle(self.handle.clone());
        let Err(error) = request.send().await else { return Ok(()) };
        match self.latest().await {
            Ok(Some(latest)) if latest.started_timestamp() > self.earlier && latest.status() != Some("RUNNING") => {
                Ok(())
            }
            _ => Err(describe(&error)).context("Failed to stop the task; it goes on moving messages"),
        }
    }
}
