//! One stack's dead-letter queues and orders table.

use super::{dead_letter::DeadLetter, queue::DeadLetterQueue, with_record::DeadLetterWithRecord};
use crate::{
    orders_table::OrdersTable,
    stack::{DeployedAddress, Stack},
};
use lanes::QueueSpec;

/// The operator's view of one stack.
#[derive(Debug)]
pub struct DeadLetters {
    /// In the order of the lanes.
    pub queues: Vec<DeadLetterQueue>,
    /// The orders table.
    pub orders: OrdersTable,
}

impl DeadLetters {
    /// The dead-letter queue of `queue`, or all. `notify` prints which messages could not be released, sent or deleted.
    ///
    /// # Errors
    /// There is no such stack, it lacks an output, or AWS is not configured.
    pub async fn find(
        address: &DeployedAddress,
        queue: Option<&'static QueueSpec>,
        notify: fn(&str),
    ) -> anyhow::Result<Self> {
        let stack = Stack::find_deployed(address).await?;
        let queues = queue.map_or_else(|| queues_of(&stack), |queue| vec![queue]);
        // Check outputs before calling AWS.
        let urls = |spec: &'static QueueSpec| {
            anyhow::Ok((spec, stack.output(spec.dead_letter_url_output)?, stack.output(spec.url_output)?))
        };
        let urls = queues.into_iter().map(urls).collect::<anyhow::Result<Vec<_>>>()?;
        let orders_table = stack.output("OrdersTableName")?.to_owned();
        let config = stack.aws_config(address).await?;
        let client = aws_sdk_sqs::Client::new(&config);
        let queues = urls.into_iter().map(|(spec, url, source_url)| DeadLetterQueue {
            client: client.clone(),
            spec,
            url: url.to_owned(),
            source_url: source_url.to_owned(),
            notify,
        });
        Ok(Self {
            queues: queues.collect(),
            orders: OrdersTable { client: aws_sdk_dynamodb::Client::new(&config), name: orders_table },
        })
    }

    /// Adds each order's record.
    ///
    /// # Errors
    /// The orders table cannot be read.
    pub async fn with_records(&self, dead_letters: Vec<DeadLetter>) -> anyhow::Result<Vec<DeadLetterWithRecord>> {
        let orders: Vec<_> = dead_letters.iter().filter_map(DeadLetter::order).collect();
        let records = self.orders.records(&orders).await?;
        let with_record = |dead_letter: DeadLetter| {
            let record = dead_letter.order().and_then(|order| records.get(&order).cloned());
            DeadLetterWithRecord { message: dead_letter, record }
        };
        Ok(dead_letters.into_iter().map(with_record).collect())
    }
}

/// Queues with an output: an older stack may lack a lane. Without any, the first lane's, so that an error names its
/// outputs.
fn queues_of(stack: &Stack) -> Vec<&'static QueueSpec> {
    let has_any = |queue: &&QueueSpec| {
        [queue.dead_letter_url_output, queue.url_output].iter().any(|output| stack.output(output).is_ok())
    };
    let found: Vec<_> = lanes::queues().filter(has_any).collect();
    if found.is_empty() { lanes::queues().take(1).collect() } else { found }
}
