//! Moving messages back one by one: received, sent, deleted, in this order. It may repeat a message, never lose one.

use super::{
    dlq::messages,
    letter::Letter,
    queue::{BATCH, DeadLetterQueue},
};
use crate::{aws::describe, progress::tell, signals::Interruption};
use aws_sdk_sqs::types::{
    MessageSystemAttributeName, MessageSystemAttributeNameForSends, MessageSystemAttributeValue,
    SendMessageBatchRequestEntry,
};
use std::{collections::HashSet, time::Duration};

/// Largest request, in bytes of bodies: 1 MiB, of which an eighth is left for attributes. Source: Amazon SQS API
/// Reference, `SendMessageBatch`: a batch has the size limit of one message.
const BATCH_BYTES: usize = 7 * 128 * 1024;

/// Messages to move back.
#[derive(Debug)]
pub(crate) struct Resend<'a> {
    pub(crate) from: &'a DeadLetterQueue,
    /// The queue they came from.
    pub(crate) to: &'a str,
    pub(crate) max_per_second: Option<i32>,
    pub(crate) interruption: &'a Interruption,
}

impl Resend<'_> {
    /// Moves the messages with those ids; answers the ids of those that were. `moved` hears how many more were.
    ///
    /// Only what was there before is moved: what comes back meanwhile, because it failed again, stays. A signal ends
    /// it after the messages at hand.
    ///
    /// # Errors
    /// The dead-letter queue cannot be read; what was moved until then is moved.
    pub(crate) async fn move_back(
        &self,
        ids: &HashSet<String>,
        mut moved: impl FnMut(usize),
    ) -> (HashSet<String>, anyhow::Result<()>) {
        let (mut done, mut held) = (HashSet::new(), Vec::new());
        let mut tried = HashSet::new();
        let mut result = Ok(());
        while tried.len() < ids.len() && self.interruption.signal().is_none() {
            let received = match self.from.receive(BATCH, true).await {
                Ok(received) => received,
                Err(error) => {
                    result = Err(error);
                    break;
                }
            };
            if received.is_empty() {
                break;
            }
            let (wanted, others): (Vec<_>, Vec<_>) =
                received.into_iter().partition(|letter| ids.contains(letter.message_id()));
            held.extend(others.into_iter().map(|letter| Letter::new(letter.message().clone(), false)));
            tried.extend(wanted.iter().map(|letter| letter.message_id().to_owned()));
            let sent = self.send_and_delete(&wanted).await;
            moved(sent.iter().filter(|id| !done.contains(*id)).count());
            self.pace(sent.len()).await;
            done.extend(sent);
        }
        self.from.let_go(&held).await;
        (done, result)
    }

    /// Waits as long as so many messages take at the rate that was asked for.
    async fn pace(&self, sent: usize) {
        if let Some(rate) = self.max_per_second.and_then(|rate| u32::try_from(rate).ok()) {
            let sent = u32::try_from(sent).unwrap_or(u32::MAX);
            self.interruption.sleep(Duration::from_secs(1) * sent / rate).await;
        }
    }

    /// The ids of those that the orders queue took; the others are let go.
    async fn send_and_delete(&self, letters: &[Letter]) -> Vec<String> {
        let mut sent = Vec::with_capacity(letters.len());
        for some in batches(letters) {
            let taken = self.send(some).await;
            let (gone, stay): (Vec<_>, Vec<_>) = some.iter().zip(taken).partition(|(_, taken)| *taken);
            let gone: Vec<&Letter> = gone.into_iter().map(|(letter, _)| letter).collect();
            if !gone.is_empty() {
                self.delete(&gone).await;
            }
            let stay: Vec<Letter> = stay.into_iter().map(|(letter, _)| letter.clone()).collect();
            self.from.let_go(&stay).await;
            sent.extend(gone.iter().map(|letter| letter.message_id().to_owned()));
        }
        sent
    }

    /// What is not deleted comes again, and is done twice: which changes nothing.
    async fn delete(&self, sent: &[&Letter]) {
        let (left, why) = match self.from.delete(sent).await {
            Ok(0) => return,
            Ok(left) => (left, String::new()),
            Err(error) => (sent.len(), format!(" ({error:#})")),
        };
        tell(&format!(
            "{} sent, and still in the dead-letter queue too{why}: a second time changes nothing.",
            messages(left)
        ));
    }

    /// Whether the orders queue took each of them.
    async fn send(&self, letters: &[Letter]) -> Vec<bool> {
        let entries = letters.iter().enumerate().map(|(at, letter)| entry(at, letter));
        let request = self.from.client.send_message_batch().queue_url(self.to).set_entries(Some(entries.collect()));
        match request.send().await {
            Ok(answer) => {
                for failed in answer.failed() {
                    let why = failed.message().unwrap_or(failed.code());
                    tell(&format!("The orders queue refused a message, which stays where it is: {why}"));
                }
                let taken = |at: usize| answer.successful().iter().any(|sent| sent.id() == at.to_string());
                (0..letters.len()).map(taken).collect()
            }
            Err(error) => {
                let (count, why) = (messages(letters.len()), describe(&error));
                tell(&format!("Failed to send {count} to the orders queue, still in the dead-letter queue: {why}"));
                vec![false; letters.len()]
            }
        }
    }
}

/// The message as it was, its trace included.
fn entry(at: usize, letter: &Letter) -> SendMessageBatchRequestEntry {
    let message = letter.message();
    let trace = message.attributes().and_then(|all| all.get(&MessageSystemAttributeName::AwsTraceHeader));
    let trace = trace.map(|header| {
        let value = MessageSystemAttributeValue::builder().data_type("String").string_value(header).build();
        [(MessageSystemAttributeNameForSends::AwsTraceHeader, value.expect("the data type is set"))].into()
    });
    SendMessageBatchRequestEntry::builder()
        .id(at.to_string())
        .message_body(letter.body().unwrap_or_default())
        .set_message_attributes(message.message_attributes().cloned())
        .set_message_system_attributes(trace)
        .build()
        .expect("id and body are set")
}

/// At most ten messages together, and not too large.
fn batches(letters: &[Letter]) -> Vec<&[Letter]> {
    let (mut batches, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (at, letter) in letters.iter().enumerate() {
        if at > start && (at - start == BATCH || bytes + letter.body_bytes() > BATCH_BYTES) {
            batches.push(&letters[start..at]);
            (start, bytes) = (at, 0);
        }
        bytes += letter.body_bytes();
    }
    if start < letters.len() {
        batches.push(&letters[start..]);
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sqs::types::Message;

    fn sizes(bytes: &[usize]) -> Vec<usize> {
        let letter = |bytes: &usize| Letter::new(Message::builder().body("x".repeat(*bytes)).build(), true);
        let letters: Vec<_> = bytes.iter().map(letter).collect();
        batches(&letters).iter().map(|batch| batch.len()).collect()
    }

    #[test]
    fn sends_ten_at_once_at_most() {
        assert_eq!(sizes(&[1; 23]), [10, 10, 3]);
        assert_eq!(sizes(&[]), [0; 0]);
    }

    #[test]
    fn sends_large_messages_alone() {
        assert_eq!(sizes(&[1, 1_000_000, 1_000_000, 1, 1]), [1, 1, 1, 2]);
    }
}
