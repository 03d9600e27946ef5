//! The queues and the table of one stack.

use super::{finding::Finding, letter::Letter, queue::DeadLetterQueue};
use crate::{aws, cli::DeployedArgs, orders_table::OrdersTable, stack::Stack};

/// Where the operator works.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) dead_letters: DeadLetterQueue,
    pub(crate) orders_queue_url: String,
    pub(crate) orders: OrdersTable,
}

impl Site {
    /// Those of the stack that is named.
    ///
    /// # Errors
    /// There is no such stack, it lacks an output, or AWS is not configured.
    pub(crate) async fn find(args: &DeployedArgs) -> anyhow::Result<Self> {
        let stack = Stack::find_deployed(args).await?;
        let (dead_letters, orders_queue) = (stack.output("DeadLetterQueueUrl")?, stack.output("OrdersQueueUrl")?);
        let orders_table = stack.output("OrdersTableName")?;
        let config = aws::config_of_stack(&stack, args).await?;
        Ok(Self {
            dead_letters: DeadLetterQueue { client: aws_sdk_sqs::Client::new(&config), url: dead_letters.to_owned() },
            orders_queue_url: orders_queue.to_owned(),
            orders: OrdersTable { client: aws_sdk_dynamodb::Client::new(&config), name: orders_table.to_owned() },
        })
    }

    /// What is known of each message.
    ///
    /// # Errors
    /// The orders table cannot be read.
    pub(crate) async fn findings(&self, letters: Vec<Letter>) -> anyhow::Result<Vec<Finding>> {
        let orders: Vec<_> = letters.iter().filter_map(Letter::order).collect();
        let records = self.orders.records(&orders).await?;
        let finding = |letter: Letter| {
            let record = letter.order().and_then(|order| records.get(&order).cloned());
            Finding { letter, record }
        };
        Ok(letters.into_iter().map(finding).collect())
    }
}
