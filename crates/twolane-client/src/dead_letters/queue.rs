//! A dead-letter queue.

use super::dead_letter::DeadLetter;
use crate::{aws::describe, signals::Interruption};
use anyhow::Context;
use aws_sdk_sqs::{
    Client,
    types::{
        ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, MessageSystemAttributeName,
        QueueAttributeName,
    },
};
use lanes::QueueSpec;
use std::{collections::HashSet, time::Duration};

/// Messages per request. Source: Amazon SQS API Reference.
pub const BATCH: usize = 10;

/// Visibility timeout of held messages.
pub const HOLD: Duration = Duration::from_mins(2);

/// With long polling, SQS asks all its servers. Source: Amazon SQS Developer Guide, "Amazon SQS short and long
/// polling".
const WAIT_SECONDS: i32 = 1;

/// The dead-letter queue of a lane's queue.
#[derive(Clone, Debug)]
pub struct DeadLetterQueue {
    /// The AWS client.
    pub client: Client,
    /// Its source queue.
    pub spec: &'static QueueSpec,
    /// The queue's URL.
    pub url: String,
    /// The source queue's URL.
    pub source_url: String,
    /// Prints which messages could not be released, sent or deleted.
    pub notify: fn(&str),
}

/// Found messages.
#[derive(Debug, Default)]
pub struct Found {
    /// Without duplicates.
    pub dead_letters: Vec<DeadLetter>,
    /// Approximate number of others: over the limit, or held by another reader.
    pub unseen: usize,
}

impl DeadLetterQueue {
    /// Reads up to `limit` messages and releases them. A signal of `interruption` ends it early.
    ///
    /// # Errors
    /// SQS refuses or does not answer.
    pub async fn look(
        &self,
        limit: usize,
        keep_bodies: bool,
        interruption: Option<&Interruption>,
    ) -> anyhow::Result<Found> {
        let mut dead_letters = Vec::new();
        let looked = self.hold_into(&mut dead_letters, limit, keep_bodies, interruption).await;
        self.let_go(&dead_letters).await;
        looked?;
        let unseen = self.count().await?.saturating_sub(dead_letters.len());
        Ok(Found { dead_letters, unseen })
    }

    async fn hold_into(
        &self,
        dead_letters: &mut Vec<DeadLetter>,
        limit: usize,
        keep_bodies: bool,
        interruption: Option<&Interruption>,
    ) -> anyhow::Result<()> {
        let mut seen = HashSet::new();
        while dead_letters.len() < limit && interruption.and_then(Interruption::signal).is_none() {
            let received = self.receive((limit - dead_letters.len()).min(BATCH), keep_bodies).await?;
            let before = dead_letters.len();
            dead_letters
                .extend(received.into_iter().filter(|dead_letter| seen.insert(dead_letter.message_id().to_owned())));
            if dead_letters.len() == before {
                break;
            }
        }
        Ok(())
    }

    /// Deletes those messages and releases others. Returns the deleted ids. A signal ends it early.
    ///
    /// # Errors
    /// SQS refuses or does not answer.
    pub async fn delete_for_good(
        &self,
        ids: &HashSet<String>,
        interruption: &Interruption,
    ) -> anyhow::Result<HashSet<String>> {
        let mut dead_letters = Vec::new();
        let mut result = self.hold_into(&mut dead_letters, usize::MAX, false, Some(interruption)).await;
        let (chosen, mut kept): (Vec<_>, Vec<_>) =
            dead_letters.into_iter().partition(|dead_letter| ids.contains(dead_letter.message_id()));
        let mut deleted = HashSet::new();
        for some in chosen.chunks(BATCH) {
            if result.is_err() || interruption.signal().is_some() {
                break;
            }
            match self.delete(some).await {
                Ok(left) => {
                    let all = some.iter().map(|dead_letter| dead_letter.message_id().to_owned());
                    deleted.extend(all.filter(|id| !left.contains(id)));
                }
                Err(error) => result = Err(error),
            }
        }
        kept.extend(chosen.into_iter().filter(|dead_letter| !deleted.contains(dead_letter.message_id())));
        self.let_go(&kept).await;
        result.context("Failed to delete from the dead-letter queue").map(|()| deleted)
    }

    /// Receives and holds up to `most` messages, at most ten. Empty if the queue is.
    ///
    /// # Errors
    /// SQS refuses or does not answer.
    pub async fn receive(&self, most: usize, keep_bodies: bool) -> anyhow::Result<Vec<DeadLetter>> {
        let most = i32::try_from(most.min(BATCH)).unwrap_or(1);
        let hold = i32::try_from(HOLD.as_secs()).unwrap_or(i32::MAX);
        let request = self.client.receive_message().queue_url(&self.url).max_number_of_messages(most);
        let request = request.wait_time_seconds(WAIT_SECONDS).visibility_timeout(hold).message_attribute_names("All");
        let request = request.message_system_attribute_names(MessageSystemAttributeName::All);
        let received = request.send().await.map_err(|error| describe(&error));
        let received = received.with_context(|| format!("Failed to read the dead-letter queue {}", self.url))?;
        let dead_letter = |message| DeadLetter::new(message, self.spec, keep_bodies);
        Ok(received.messages.unwrap_or_default().into_iter().map(dead_letter).collect())
    }

    /// Makes messages visible again. If that fails, they become visible when their hold ends.
    ///
    /// # Panics
    /// Never: all required fields are set.
    pub async fn let_go(&self, dead_letters: &[DeadLetter]) {
        for some in dead_letters.chunks(BATCH) {
            let entries = some.iter().enumerate().map(|(at, dead_letter)| {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(at.to_string());
                let entry = entry.receipt_handle(dead_letter.receipt_handle()).visibility_timeout(0);
                entry.build().expect("id and receipt handle are set")
            });
            let request = self.client.change_message_visibility_batch().queue_url(&self.url);
            let (kept, why) = match request.set_entries(Some(entries.collect())).send().await {
                Ok(response) if response.failed().is_empty() => continue,
                Ok(response) => (response.failed().len(), response.failed()[0].code().to_owned()),
                Err(error) => (some.len(), describe(&error).to_string()),
            };
            let hold = HOLD.as_secs();
            (self.notify)(&format!("Messages hidden in the dead-letter queue for up to {hold} s: {kept} ({why})."));
        }
    }

    /// Deletes at most ten messages. Returns the ids of those that could not be deleted.
    ///
    /// # Errors
    /// SQS refuses or does not answer.
    ///
    /// # Panics
    /// Never: all required fields are set.
    pub async fn delete(&self, dead_letters: &[DeadLetter]) -> anyhow::Result<Vec<String>> {
        let entries = dead_letters.iter().enumerate().map(|(at, dead_letter)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(at.to_string());
            entry.receipt_handle(dead_letter.receipt_handle()).build().expect("id and receipt handle are set")
        });
        let request = self.client.delete_message_batch().queue_url(&self.url).set_entries(Some(entries.collect()));
        let response = request.send().await.map_err(|error| describe(&error))?;
        let failed = |at: usize| response.failed().iter().any(|failed| failed.id() == at.to_string());
        let left = dead_letters.iter().enumerate().filter(|(at, _)| failed(*at));
        Ok(left.map(|(_, dead_letter)| dead_letter.message_id().to_owned()).collect())
    }

    /// Approximate number of messages, with held ones.
    ///
    /// # Errors
    /// SQS refuses or does not answer.
    pub async fn count(&self) -> anyhow::Result<usize> {
        self.count_in(&self.url).await
    }

    /// Approximate number of messages in the source queue: waiting, delayed or being handled.
    ///
    /// # Errors
    /// SQS refuses or does not answer.
    pub async fn source_count(&self) -> anyhow::Result<usize> {
        self.count_in(&self.source_url).await
    }

    async fn count_in(&self, url: &str) -> anyhow::Result<usize> {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        let attributes = self.attributes(url, &names).await?;
        Ok(attributes.iter().filter_map(|value| value.parse::<usize>().ok()).sum())
    }

    /// Its ARN.
    ///
    /// # Errors
    /// SQS refuses or does not answer.
    pub async fn arn(&self) -> anyhow::Result<String> {
        self.attributes(&self.url, &[QueueAttributeName::QueueArn])
            .await?
            .pop()
            .context("SQS did not return the queue's ARN")
    }

    async fn attributes(&self, url: &str, names: &[QueueAttributeName]) -> anyhow::Result<Vec<String>> {
        let request = self.client.get_queue_attributes().queue_url(url);
        let response = request.set_attribute_names(Some(names.to_vec())).send().await.map_err(|error| describe(&error));
        let response = response.with_context(|| format!("Failed to read the attributes of the queue {url}"))?;
        Ok(names.iter().filter_map(|name| response.attributes()?.get(name).cloned()).collect())
    }
}
