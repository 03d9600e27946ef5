//! Waiting for what becomes of messages that were moved.

use crate::progress::{Progress, tell};
use crate::style::takes_escapes;
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};
use tokio::time::Instant;
use twolane_client::dead_letters::{letter::Letter, site::Site};
use twolane_client::orders_table::{OrderKey, Record};
use twolane_client::signals::Interruption;

/// Between two looks at the orders table.
const INTERVAL: Duration = Duration::from_secs(1);

/// Between two looks into the queues, for messages that failed again or are handled.
const QUEUES_INTERVAL: Duration = Duration::from_secs(5);

/// Between two words about it where no terminal shows a count.
const NEWS_INTERVAL: Duration = Duration::from_secs(10);

/// Looks in a row that must find a queue empty: its counts are approximate, and may lag.
const EMPTY_LOOKS: u32 = 2;

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Its order is CONFIRMED, CANCELLED or REJECTED. Where the order was so before, the message is handled.
    Settled(Record),
    /// It is in the dead-letter queue again.
    FailedAgain,
    /// No outcome yet, or none that could be learned.
    Open,
}

/// The messages of an order in one queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Awaited {
    pub(crate) order: OrderKey,
    /// Name of the queue.
    pub(crate) queue: &'static str,
}

impl Awaited {
    /// What is waited for; `None` for a message that names no order.
    pub(crate) fn of(letter: &Letter) -> Option<Self> {
        Some(Self { order: letter.order()?, queue: letter.queue().name })
    }
}

/// Messages that are waited for.
pub(crate) struct Waiting<'a> {
    pub(crate) site: &'a Site,
    pub(crate) interruption: &'a Interruption,
    /// Ids of messages that never left their dead-letter queue: theirs have not failed again.
    pub(crate) left: HashSet<String>,
    /// Events of orders that were decided before, with their records: these are handled when their queue is empty, and they
    /// have not failed again.
    pub(crate) decided: HashMap<Awaited, Record>,
}

impl Waiting<'_> {
    /// Waits until each message is settled or has failed again, at most for `patience`; a signal ends it too.
    ///
    /// A record that says FAILED may be the old one: an order has failed again once its message is back. AWS's
    /// troubles are told, once each, and waited out.
    pub(crate) async fn wait(&self, messages: HashSet<Awaited>, patience: Duration) -> HashMap<Awaited, Fate> {
        let end = Instant::now() + patience;
        let (total, progress) = (messages.len(), Progress::new(messages.len(), "messages have an outcome"));
        let mut fates: HashMap<_, _> = messages.into_iter().map(|message| (message, Fate::Open)).collect();
        let (mut next_look, mut next_news) = (Instant::now() + QUEUES_INTERVAL, Instant::now() + NEWS_INTERVAL);
        let mut empty_looks = HashMap::new();
        let mut troubles = HashSet::new();
        loop {
            let mut looked = self.look_for_settled(&mut fates).await;
            if Instant::now() >= next_look && open(&fates).next().is_some() {
                looked = looked.and(self.look_into_queues(&mut fates, &mut empty_looks).await);
                next_look = Instant::now() + QUEUES_INTERVAL;
            }
            if let Err(error) = looked {
                let trouble = format!("{error:#}");
                if troubles.insert(trouble.clone()) {
                    progress.tell(&format!("The messages are moved; asking what became of them failed: {trouble}"));
                }
            }
            let left = open(&fates).count();
            progress.set(total - left);
            if left == 0 || Instant::now() >= end || self.interruption.signal().is_some() {
                progress.clear();
                return fates;
            }
            if Instant::now() >= next_news && !takes_escapes(&std::io::stderr()) {
                tell(&format!("{} of {total} messages have an outcome", total - left));
                next_news = Instant::now() + NEWS_INTERVAL;
            }
            self.interruption.sleep(INTERVAL.min(end - Instant::now())).await;
        }
    }

    /// Looks for outcomes of orders that had none.
    async fn look_for_settled(&self, fates: &mut HashMap<Awaited, Fate>) -> anyhow::Result<()> {
        let asked: Vec<_> = open(fates).filter(|message| !self.decided.contains_key(*message)).cloned().collect();
        let orders: Vec<_> = asked.iter().map(|message| message.order.clone()).collect();
        let records = self.site.orders.records(&orders).await?;
        for message in asked {
            if let Some(record) = records.get(&message.order).filter(|record| record.is_final()) {
                fates.insert(message, Fate::Settled(record.clone()));
            }
        }
        Ok(())
    }

    /// Looks for messages that have failed again, and then for queues that are empty: what was moved to them is handled.
    async fn look_into_queues(
        &self,
        fates: &mut HashMap<Awaited, Fate>,
        empty_looks: &mut HashMap<&'static str, u32>,
    ) -> anyhow::Result<()> {
        for queue in &self.site.dead_letters {
            let name = queue.spec.name;
            let decided: Vec<_> = open(fates)
                .filter(|message| message.queue == name)
                .filter_map(|message| Some((message.clone(), self.decided.get(message)?.clone())))
                .collect();
            // First, so that what leaves the queue meanwhile is found where it goes.
            let is_empty = !decided.is_empty() && queue.source_count().await? == 0;
            if queue.count().await? > 0 {
                let letters = queue.look(usize::MAX, false, Some(self.interruption)).await?.letters;
                let back = letters.iter().filter(|letter| !self.left.contains(letter.message_id()));
                for message in back.filter_map(Awaited::of) {
                    if let Some(fate) = fates.get_mut(&message).filter(|fate| **fate == Fate::Open) {
                        *fate = Fate::FailedAgain;
                    }
                }
            }
            let looks = empty_looks.entry(name).or_default();
            *looks = if is_empty { *looks + 1 } else { 0 };
            if *looks >= EMPTY_LOOKS {
                for (message, record) in decided {
                    if let Some(fate) = fates.get_mut(&message).filter(|fate| **fate == Fate::Open) {
                        *fate = Fate::Settled(record);
                    }
                }
            }
        }
        Ok(())
    }
}

fn open(fates: &HashMap<Awaited, Fate>) -> impl Iterator<Item = &Awaited> {
    fates.iter().filter(|(_, fate)| **fate == Fate::Open).map(|(message, _)| message)
}
