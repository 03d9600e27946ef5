//! The messages that wait in a stack's queues.

use crate::{
    aws,
    stack::{DeployedAddress, Stack},
};
use anyhow::Context;
use aws_sdk_sqs::{Client, types::QueueAttributeName};
use futures_util::future::try_join_all;
use lanes::{LANES, QueueKind};
use std::collections::BTreeMap;

/// The depths of the queues of a stack's lanes, read by the operator's AWS credentials.
#[derive(Debug)]
pub struct QueueDepths {
    client: Client,
    /// The URLs of each lane's queues.
    queues: Vec<(&'static str, Vec<String>)>,
}

impl QueueDepths {
    /// Those of all lanes with queues. `None` if the stack's outputs name no queue.
    ///
    /// # Errors
    /// The AWS configuration is invalid.
    pub async fn of_stack(stack: &Stack, address: &DeployedAddress) -> anyhow::Result<Option<Self>> {
        let urls = |lane: &lanes::LaneSpec| {
            let work = lane.queues.iter().filter(|queue| queue.kind == QueueKind::Work);
            work.filter_map(|queue| stack.output(queue.url_output).ok().map(str::to_owned)).collect::<Vec<_>>()
        };
        let queues = LANES.iter().map(|lane| (lane.name, urls(lane)));
        let queues: Vec<_> = queues.filter(|(_, urls)| !urls.is_empty()).collect();
        if queues.is_empty() {
            return Ok(None);
        }
        let client = Client::new(&stack.aws_config(address).await?);
        Ok(Some(Self { client, queues }))
    }

    /// Approximate number of messages in the queues of each lane, by the lane's name.
    ///
    /// # Errors
    /// SQS refuses or does not answer.
    pub async fn read(&self) -> anyhow::Result<BTreeMap<&'static str, u64>> {
        let of_lane = async |(lane, urls): &(&'static str, Vec<String>)| {
            let depths = try_join_all(urls.iter().map(|url| depth(&self.client, url))).await?;
            anyhow::Ok((*lane, depths.iter().sum()))
        };
        Ok(try_join_all(self.queues.iter().map(of_lane)).await?.into_iter().collect())
    }
}

/// Approximate number of messages in a queue: waiting, delayed or in flight.
///
/// # Errors
/// SQS refuses or does not answer.
pub async fn depth(client: &Client, queue_url: &str) -> anyhow::Result<u64> {
    let names = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
    ];
    let request = client.get_queue_attributes().queue_url(queue_url);
    let response = request.set_attribute_names(Some(names.to_vec())).send().await;
    let response = response.map_err(|error| aws::describe(&error));
    let attributes = response.with_context(|| format!("Failed to read the depth of {queue_url}"))?.attributes;
    let attributes = attributes.unwrap_or_default();
    let counts = names.iter().map(|name| {
        let count = attributes.get(name).and_then(|count| count.parse::<u64>().ok());
        count.with_context(|| format!("SQS did not return {} of {queue_url}", name.as_str()))
    });
    counts.sum()
}
