//! The queues and the table of one stack.

use super::{finding::Finding, letter::Letter, queue::DeadLetterQueue};
use crate::{
    orders_table::OrdersTable,
    stack::{DeployedAddress, Stack},
};
use anyhow::Context;
use lanes::LANES;

/// Where the operator works.
#[derive(Debug)]
pub struct Site {
    /// Messages that failed all their deliveries.
    pub dead_letters: DeadLetterQueue,
    /// URL of the queue they came from.
    pub orders_queue_url: String,
    /// How their orders stand.
    pub orders: OrdersTable,
}

impl Site {
    /// Those of the stack that is named. `notify` prints which messages could not be let go, sent or deleted.
    ///
    /// # Errors
    /// There is no such stack, it lacks an output, or AWS is not configured.
    pub async fn find(address: &DeployedAddress, notify: fn(&str)) -> anyhow::Result<Self> {
        let stack = Stack::find_deployed(address).await?;
        let queue = LANES.iter().find_map(|lane| lane.queues.first()).context("No lane has a queue")?;
        let (dead_letters, orders_queue) =
            (stack.output(queue.dead_letter_url_output)?, stack.output(queue.url_output)?);
        let orders_table = stack.output("OrdersTableName")?;
        let config = stack.aws_config(address).await?;
        let client = aws_sdk_sqs::Client::new(&config);
        Ok(Self {
            dead_letters: DeadLetterQueue { client, url: dead_letters.to_owned(), notify },
            orders_queue_url: orders_queue.to_owned(),
            orders: OrdersTable { client: aws_sdk_dynamodb::Client::new(&config), name: orders_table.to_owned() },
        })
    }

    /// What is known of each message.
    ///
    /// # Errors
    /// The orders table cannot be read.
    pub async fn findings(&self, letters: Vec<Letter>) -> anyhow::Result<Vec<Finding>> {
        let orders: Vec<_> = letters.iter().filter_map(Letter::order).collect();
        let records = self.orders.records(&orders).await?;
        let finding = |letter: Letter| {
            let record = letter.order().and_then(|order| records.get(&order).cloned());
            Finding { letter, record }
        };
        Ok(letters.into_iter().map(finding).collect())
    }
}
