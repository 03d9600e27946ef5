//! Waiting for what becomes of orders whose messages were moved.

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

/// Between two looks into the dead-letter queues, for orders that failed again.
const FAILED_AGAIN_INTERVAL: Duration = Duration::from_secs(5);

/// Between two words about it where no terminal shows a count.
const NEWS_INTERVAL: Duration = Duration::from_secs(10);

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// CONFIRMED, CANCELLED or REJECTED.
    Settled(Record),
    /// Its message is in the dead-letter queue again.
    FailedAgain,
    /// No outcome yet, or none that could be learned.
    Open,
}

/// Orders whose outcome is waited for.
pub(crate) struct Waiting<'a> {
    pub(crate) site: &'a Site,
    pub(crate) interruption: &'a Interruption,
    /// Ids of messages that never left their dead-letter queue: theirs have not failed again.
    pub(crate) left: HashSet<String>,
}

impl Waiting<'_> {
    /// Waits until each order is settled or has failed again, at most for `patience`; a signal ends it too.
    ///
    /// A record that says FAILED may be the old one: an order has failed again once its message is back. AWS's
    /// troubles are told, once each, and waited out.
    pub(crate) async fn wait(&self, orders: HashSet<OrderKey>, patience: Duration) -> HashMap<OrderKey, Fate> {
        let end = Instant::now() + patience;
        let (total, progress) = (orders.len(), Progress::new(orders.len(), "orders have an outcome"));
        let mut fates: HashMap<_, _> = orders.into_iter().map(|order| (order, Fate::Open)).collect();
        let (mut next_look, mut next_news) = (Instant::now() + FAILED_AGAIN_INTERVAL, Instant::now() + NEWS_INTERVAL);
        let mut troubles = HashSet::new();
        loop {
            let mut looked = self.look_for_settled(&mut fates).await;
            if Instant::now() >= next_look && open(&fates).next().is_some() {
                looked = looked.and(self.look_for_failed_again(&mut fates).await);
                next_look = Instant::now() + FAILED_AGAIN_INTERVAL;
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
                tell(&format!("{} of {total} orders have an outcome", total - left));
                next_news = Instant::now() + NEWS_INTERVAL;
            }
            self.interruption.sleep(INTERVAL.min(end - Instant::now())).await;
        }
    }

    async fn look_for_settled(&self, fates: &mut HashMap<OrderKey, Fate>) -> anyhow::Result<()> {
        let asked: Vec<_> = open(fates).cloned().collect();
        for (order, record) in self.site.orders.records(&asked).await? {
            if record.is_final() {
                fates.insert(order, Fate::Settled(record));
            }
        }
        Ok(())
    }

    async fn look_for_failed_again(&self, fates: &mut HashMap<OrderKey, Fate>) -> anyhow::Result<()> {
        let mut letters = Vec::new();
        for queue in &self.site.dead_letters {
            if queue.count().await? > 0 {
                letters.extend(queue.look(usize::MAX, false, Some(self.interruption)).await?.letters);
            }
        }
        let back = letters.iter().filter(|letter| !self.left.contains(letter.message_id()));
        for order in back.filter_map(Letter::order) {
            if let Some(fate) = fates.get_mut(&order).filter(|fate| **fate == Fate::Open) {
                *fate = Fate::FailedAgain;
            }
        }
        Ok(())
    }
}

fn open(fates: &HashMap<OrderKey, Fate>) -> impl Iterator<Item = &OrderKey> {
    fates.iter().filter(|(_, fate)| **fate == Fate::Open).map(|(order, _)| order)
}
