//! Redrives single messages: receive, send, delete, in this order. This may repeat a message but never loses one.

use super::{
    dead_letter::{DeadLetter, messages},
    queue::{BATCH, DeadLetterQueue},
};
use crate::{aws::describe, signals::Interruption};
use anyhow::Context;
use aws_sdk_sqs::types::{
    MessageSystemAttributeName, MessageSystemAttributeNameForSends, MessageSystemAttributeValue,
    SendMessageBatchRequestEntry,
};
use std::{collections::HashSet, time::Duration};

/// A batch's bytes of bodies and attributes: at most one message's 1 MiB. Source: Amazon SQS API Reference,
/// `SendMessageBatch`.
const BATCH_BYTES: usize = 1024 * 1024;

/// Redrives chosen messages.
#[derive(Debug)]
pub struct QueueRedrive<'a> {
    /// Where they are.
    pub from: &'a DeadLetterQueue,
    /// On average. `None`: as fast as SQS can.
    pub max_per_second: Option<i32>,
    /// Ends it early.
    pub interruption: &'a Interruption,
}

impl QueueRedrive<'_> {
    /// Moves the messages with those ids. Calls `moved` with each batch's number.
    ///
    /// Each is tried once: one that fails again meanwhile stays. Others are held until the end, so that they are not
    /// received again at once. A signal ends it after the current batch.
    ///
    /// The first error ends it; the result has both the error and what was moved.
    pub async fn move_back(&self, ids: &HashSet<String>, mut moved: impl FnMut(usize)) -> QueueRedriven {
        let mut run = Run::default();
        let mut result = Ok(());
        while result.is_ok() && run.tried.len() < ids.len() && self.interruption.signal().is_none() {
            let before = run.done.len();
            result = self.move_some(ids, &mut run).await;
            moved(run.done.len() - before);
            if run.is_exhausted {
                break;
            }
            self.pace(run.done.len() - before).await;
        }
        self.from.let_go(&run.held).await;
        QueueRedriven { moved: run.done, undeleted: run.undeleted, result }
    }

    /// Moves the wanted ones of the next messages.
    async fn move_some(&self, ids: &HashSet<String>, run: &mut Run) -> anyhow::Result<()> {
        let received = self.from.receive(BATCH, true).await?;
        let is_wanted = |dead_letter: &DeadLetter| {
            ids.contains(dead_letter.message_id()) && !run.tried.contains(dead_letter.message_id())
        };
        let (wanted, others): (Vec<_>, Vec<_>) = received.into_iter().partition(is_wanted);
        // Messages return after their hold. If none is new, the queue is exhausted.
        let new = others.iter().filter(|dead_letter| run.seen.insert(dead_letter.message_id().to_owned())).count();
        run.is_exhausted = wanted.is_empty() && new == 0;
        run.held.extend(others.into_iter().map(DeadLetter::without_body));
        run.tried.extend(wanted.iter().map(|dead_letter| dead_letter.message_id().to_owned()));
        let mut wanted = wanted.into_iter();
        while let Some(some) = next_batch(&mut wanted) {
            if let Err(error) = self.send_and_delete(some, run).await {
                run.held.extend(wanted.map(DeadLetter::without_body));
                return Err(error);
            }
        }
        Ok(())
    }

    /// Waits as long as `sent` messages take at the configured rate.
    async fn pace(&self, sent: usize) {
        if let Some(rate) = self.max_per_second.and_then(|rate| u32::try_from(rate).ok()) {
            let sent = u32::try_from(sent).unwrap_or(u32::MAX);
            self.interruption.sleep(Duration::from_secs(1) * sent / rate).await;
        }
    }

    /// Sends one batch; deletes what the queue accepted and holds the rest.
    async fn send_and_delete(&self, dead_letters: Vec<DeadLetter>, run: &mut Run) -> anyhow::Result<()> {
        let taken = match self.send(&dead_letters).await {
            Ok(taken) => taken,
            Err(error) => {
                run.held.extend(dead_letters.into_iter().map(DeadLetter::without_body));
                return Err(error);
            }
        };
        let (gone, stay): (Vec<_>, Vec<_>) = dead_letters.into_iter().zip(taken).partition(|(_, taken)| *taken);
        run.held.extend(stay.into_iter().map(|(dead_letter, _)| dead_letter.without_body()));
        let gone: Vec<DeadLetter> = gone.into_iter().map(|(dead_letter, _)| dead_letter).collect();
        if !gone.is_empty() {
            let undeleted = self.delete(&gone).await;
            run.undeleted.extend(undeleted);
        }
        run.done.extend(gone.iter().map(|dead_letter| dead_letter.message_id().to_owned()));
        Ok(())
    }

    /// Returns the ids of messages that could not be deleted. Sending these again changes nothing.
    async fn delete(&self, sent: &[DeadLetter]) -> Vec<String> {
        let (left, why) = match self.from.delete(sent).await {
            Ok(left) if left.is_empty() => return left,
            Ok(left) => (left, String::new()),
            Err(error) => {
                (sent.iter().map(|dead_letter| dead_letter.message_id().to_owned()).collect(), format!(" ({error:#})"))
            }
        };
        let count = messages(left.len());
        (self.from.notify)(&format!(
            "{count} sent, but not deleted from the dead-letter queue{why}: sending again changes nothing."
        ));
        left
    }

    /// Whether each was accepted.
    async fn send(&self, dead_letters: &[DeadLetter]) -> anyhow::Result<Vec<bool>> {
        let entries = dead_letters.iter().enumerate().map(|(at, dead_letter)| entry(at, dead_letter));
        let request =
            self.from.client.send_message_batch().queue_url(&self.from.source_url).set_entries(Some(entries.collect()));
        let response = request.send().await.map_err(|error| describe(&error));
        let response = response.with_context(|| {
            format!("Failed to send messages to the {} queue {}", self.from.spec.name, self.from.source_url)
        })?;
        for failed in response.failed() {
            let why = failed.message().unwrap_or(failed.code());
            let name = self.from.spec.name;
            (self.from.notify)(&format!(
                "The {name} queue refused a message, which stays in the dead-letter queue: {why}"
            ));
        }
        let taken = |at: usize| response.successful().iter().any(|sent| sent.id() == at.to_string());
        Ok((0..dead_letters.len()).map(taken).collect())
    }
}

/// What was moved.
#[derive(Debug)]
pub struct QueueRedriven {
    /// Ids of messages back in their queue.
    pub moved: HashSet<String>,
    /// Ids of those also still in the dead-letter queue.
    pub undeleted: HashSet<String>,
    /// A queue refused or did not answer.
    pub result: anyhow::Result<()>,
}

#[derive(Debug, Default)]
struct Run {
    /// Ids of tried messages.
    tried: HashSet<String>,
    /// Ids of messages back in their queue.
    done: HashSet<String>,
    /// Ids of those that could not be deleted.
    undeleted: HashSet<String>,
    /// Ids of received messages that are not to be moved.
    seen: HashSet<String>,
    /// To release at the end.
    held: Vec<DeadLetter>,
    /// No new message arrived.
    is_exhausted: bool,
}

/// The unchanged message, with trace and group.
fn entry(at: usize, dead_letter: &DeadLetter) -> SendMessageBatchRequestEntry {
    let message = dead_letter.message();
    let system_attribute = |name| message.attributes().and_then(|all| all.get(&name));
    let trace = system_attribute(MessageSystemAttributeName::AwsTraceHeader).map(|header| {
        let value = MessageSystemAttributeValue::builder().data_type("String").string_value(header).build();
        [(MessageSystemAttributeNameForSends::AwsTraceHeader, value.expect("the data type is set"))].into()
    });
    SendMessageBatchRequestEntry::builder()
        .id(at.to_string())
        .message_body(dead_letter.body().unwrap_or_default())
        .set_message_attributes(message.message_attributes().cloned())
        .set_message_system_attributes(trace)
        .set_message_group_id(system_attribute(MessageSystemAttributeName::MessageGroupId).cloned())
        .build()
        .expect("id and body are set")
}

/// As many as fit one request: at most ten, within the size limit.
fn next_batch(dead_letters: &mut std::vec::IntoIter<DeadLetter>) -> Option<Vec<DeadLetter>> {
    let mut batch = vec![dead_letters.next()?];
    let mut bytes = batch[0].bytes();
    while let Some(next) = dead_letters.as_slice().first() {
        bytes += next.bytes();
        if batch.len() == BATCH || bytes > BATCH_BYTES {
            break;
        }
        batch.extend(dead_letters.next());
    }
    Some(batch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sqs::types::{Message, MessageAttributeValue};

    fn orders() -> &'static lanes::QueueSpec {
        lanes::queues().next().expect("a lane has a queue")
    }

    fn sizes(bytes: &[usize]) -> Vec<usize> {
        let dead_letter =
            |bytes: &usize| DeadLetter::new(Message::builder().body("x".repeat(*bytes)).build(), orders(), true);
        let mut dead_letters = bytes.iter().map(dead_letter).collect::<Vec<_>>().into_iter();
        std::iter::from_fn(|| next_batch(&mut dead_letters)).map(|batch| batch.len()).collect()
    }

    #[test]
    fn sends_at_most_ten_at_once() {
        assert_eq!(sizes(&[1; 23]), [10, 10, 3]);
        assert_eq!(sizes(&[]), [0; 0]);
    }

    #[test]
    fn sends_no_more_than_a_request_may_hold() {
        assert_eq!(sizes(&[1, 1_000_000, 1_000_000, 1, 1]), [2, 3]);
        assert_eq!(sizes(&[BATCH_BYTES, BATCH_BYTES, 1]), [1, 1, 1]);
    }

    #[test]
    fn counts_attributes_too() {
        let attribute = MessageAttributeValue::builder().data_type("String").string_value("x".repeat(100)).build();
        let message = Message::builder().body("x").message_attributes("name", attribute.expect("it has a type"));

        assert_eq!(DeadLetter::new(message.build(), orders(), false).bytes(), 1 + 4 + 6 + 100);
    }
}
