//! Waits for the results of redriven messages.

use crate::progress::{Progress, say};
use crate::style::takes_escapes;
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};
use tokio::time::Instant;
use twolane_client::dead_letters::{dead_letter::DeadLetter, of_stack::DeadLetters};
use twolane_client::orders_table::{OrderKey, Record};
use twolane_client::signals::Interruption;

/// Between reads of the orders table.
const INTERVAL: Duration = Duration::from_secs(1);

/// Between reads of the queues.
const QUEUES_INTERVAL: Duration = Duration::from_secs(5);

/// Between progress lines without a terminal.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(10);

/// Consecutive reads that must find a queue empty: counts are approximate and may lag.
const EMPTY_LOOKS: u32 = 2;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RedriveResult {
    /// CONFIRMED, CANCELLED or REJECTED. If it was so before, the message is handled.
    Settled(Record),
    /// In the dead-letter queue again.
    FailedAgain,
    /// No outcome yet, or unreadable.
    Open,
}

/// One order's messages in one queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Awaited {
    pub(crate) order: OrderKey,
    pub(crate) queue: &'static str,
}

impl Awaited {
    /// `None` if the dead letter names no order.
    pub(crate) fn for_dead_letter(dead_letter: &DeadLetter) -> Option<Self> {
        Some(Self { order: dead_letter.order()?, queue: dead_letter.queue().name })
    }
}

pub(crate) struct Waiting<'a> {
    pub(crate) stack: &'a DeadLetters,
    pub(crate) interruption: &'a Interruption,
    /// Ids of messages that never left their dead-letter queue.
    pub(crate) left: HashSet<String>,
    /// Events of orders decided before, with their records. They are handled when their queue is empty and they did not
    /// fail again.
    pub(crate) decided: HashMap<Awaited, Record>,
}

impl Waiting<'_> {
    /// Waits until each message is settled or failed again, until `timeout` or a signal.
    ///
    /// A FAILED record may predate the redrive: only a message in the dead-letter queue counts as failed again. Prints
    /// each error of AWS once, and keeps waiting.
    pub(crate) async fn wait(&self, messages: HashSet<Awaited>, timeout: Duration) -> HashMap<Awaited, RedriveResult> {
        let end = Instant::now() + timeout;
        let (total, progress) = (messages.len(), Progress::new(messages.len(), "messages have an outcome"));
        let mut results: HashMap<_, _> = messages.into_iter().map(|message| (message, RedriveResult::Open)).collect();
        let (mut next_look, mut next_progress) = (Instant::now() + QUEUES_INTERVAL, Instant::now() + PROGRESS_INTERVAL);
        let mut empty_looks = HashMap::new();
        let mut errors = HashSet::new();
        loop {
            let mut looked = self.look_for_settled(&mut results).await;
            if Instant::now() >= next_look && open(&results).next().is_some() {
                looked = looked.and(self.look_into_queues(&mut results, &mut empty_looks).await);
                next_look = Instant::now() + QUEUES_INTERVAL;
            }
            if let Err(error) = looked {
                let error = format!("{error:#}");
                if errors.insert(error.clone()) {
                    progress.say(&format!("The messages are moved, but reading their results failed: {error}"));
                }
            }
            let left = open(&results).count();
            progress.set(total - left);
            if left == 0 || Instant::now() >= end || self.interruption.signal().is_some() {
                progress.clear();
                return results;
            }
            if Instant::now() >= next_progress && !takes_escapes(&std::io::stderr()) {
                say(&format!("{} of {total} messages have an outcome", total - left));
                next_progress = Instant::now() + PROGRESS_INTERVAL;
            }
            self.interruption.sleep(INTERVAL.min(end - Instant::now())).await;
        }
    }

    /// Reads missing outcomes.
    async fn look_for_settled(&self, results: &mut HashMap<Awaited, RedriveResult>) -> anyhow::Result<()> {
        let asked: Vec<_> = open(results).filter(|message| !self.decided.contains_key(*message)).cloned().collect();
        let orders: Vec<_> = asked.iter().map(|message| message.order.clone()).collect();
        let records = self.stack.orders.records(&orders).await?;
        for message in asked {
            if let Some(record) = records.get(&message.order).filter(|record| record.is_final()) {
                results.insert(message, RedriveResult::Settled(record.clone()));
            }
        }
        Ok(())
    }

    /// Finds messages that failed again, then empty queues: their events are handled.
    async fn look_into_queues(
        &self,
        results: &mut HashMap<Awaited, RedriveResult>,
        empty_looks: &mut HashMap<&'static str, u32>,
    ) -> anyhow::Result<()> {
        for queue in &self.stack.queues {
            let name = queue.spec.name;
            let decided: Vec<_> = open(results)
                .filter(|message| message.queue == name)
                .filter_map(|message| Some((message.clone(), self.decided.get(message)?.clone())))
                .collect();
            // First, because a message that fails meanwhile is then found in the dead-letter queue.
            let is_empty = !decided.is_empty() && queue.source_count().await? == 0;
            if queue.count().await? > 0 {
                let dead_letters = queue.look(usize::MAX, false, Some(self.interruption)).await?.dead_letters;
                let back = dead_letters.iter().filter(|dead_letter| !self.left.contains(dead_letter.message_id()));
                for message in back.filter_map(Awaited::for_dead_letter) {
                    if let Some(result) = results.get_mut(&message).filter(|result| **result == RedriveResult::Open) {
                        *result = RedriveResult::FailedAgain;
                    }
                }
            }
            let looks = empty_looks.entry(name).or_default();
            *looks = if is_empty { *looks + 1 } else { 0 };
            if *looks >= EMPTY_LOOKS {
                for (message, record) in decided {
                    if let Some(result) = results.get_mut(&message).filter(|result| **result == RedriveResult::Open) {
                        *result = RedriveResult::Settled(record);
                    }
                }
            }
        }
        Ok(())
    }
}

fn open(results: &HashMap<Awaited, RedriveResult>) -> impl Iterator<Item = &Awaited> {
    results.iter().filter(|(_, result)| **result == RedriveResult::Open).map(|(message, _)| message)
}
