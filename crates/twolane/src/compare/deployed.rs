//! What is behind the stack's URLs, for those who may ask AWS about it.

use super::stack_settings::Controls;
use crate::cli::DeployedArgs;
use crate::{aws, orders_table::OrdersTable, stack::Stack};
use anyhow::Context;
use aws_sdk_sqs::types::QueueAttributeName;

/// The output that names the function of the WebSocket API.
const CALLBACKS: &str = "ManageConnectionsFunctionName";

/// Functions, by the names of their folders, with the outputs that name them.
const FUNCTIONS: [(&str, &str); 5] = [
    ("create-order", "CreateOrderFunctionName"),
    ("process-orders", "ProcessOrdersFunctionName"),
    ("get-order", "GetOrderFunctionName"),
    ("manage-connections", CALLBACKS),
    ("authorize-request", "AuthorizeRequestFunctionName"),
];

/// Queues, table and functions of one stack.
#[derive(Clone)]
pub(crate) struct Deployed {
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) orders_queue_url: String,
    pub(crate) dead_letter_queue_url: String,
    pub(crate) orders: OrdersTable,
    pub(crate) logs: aws_sdk_cloudwatchlogs::Client,
    pub(crate) controls: Controls,
    pub(crate) functions: Vec<Function>,
    pub(crate) region: Option<String>,
}

/// A function of the stack.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    /// As its folder: `create-order`.
    pub(crate) name: &'static str,
    /// As AWS calls it.
    pub(crate) deployed_name: String,
}

impl Deployed {
    /// That of the stack. `None` where its URLs are all that is known.
    ///
    /// # Errors
    /// Some outputs are there and others are not, or AWS is not configured.
    pub(crate) async fn find(stack: &Stack, args: &DeployedArgs) -> anyhow::Result<Option<Self>> {
        if stack.output("OrdersTableName").is_err() {
            return Ok(None);
        }
        let config = aws::config_of_stack(stack, args).await?;
        // A stack may be deployed without callbacks.
        let is_there = |(_, output): &(&str, &str)| *output != CALLBACKS || stack.has_websocket_api();
        let function = |(name, output): (&'static str, &str)| {
            Ok(Function { name, deployed_name: stack.output(output)?.to_owned() })
        };
        Ok(Some(Self {
            sqs: aws_sdk_sqs::Client::new(&config),
            orders_queue_url: stack.output("OrdersQueueUrl")?.to_owned(),
            dead_letter_queue_url: stack.output("DeadLetterQueueUrl")?.to_owned(),
            orders: OrdersTable {
                client: aws_sdk_dynamodb::Client::new(&config),
                name: stack.output("OrdersTableName")?.to_owned(),
            },
            logs: aws_sdk_cloudwatchlogs::Client::new(&config),
            controls: Controls::new(&config),
            functions: FUNCTIONS.into_iter().filter(is_there).map(function).collect::<anyhow::Result<_>>()?,
            region: config.region().map(ToString::to_string),
        }))
    }

    /// As AWS calls the function of that folder.
    pub(crate) fn function(&self, name: &str) -> &str {
        let found = self.functions.iter().find(|function| function.name == name);
        &found.expect("all functions of the stack are there").deployed_name
    }

    /// How many messages a queue has, waiting, delayed or under way; approximately, as SQS says.
    ///
    /// # Errors
    /// SQS refuses or does not answer.
    pub(crate) async fn depth(&self, queue_url: &str) -> anyhow::Result<u64> {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        let request = self.sqs.get_queue_attributes().queue_url(queue_url);
        let answer = request.set_attribute_names(Some(names.to_vec())).send().await;
        let answer = answer.map_err(|error| aws::describe(&error));
        let attributes = answer.with_context(|| format!("Failed to ask for the depth of {queue_url}"))?.attributes;
        let attributes = attributes.unwrap_or_default();
        Ok(names.iter().filter_map(|name| attributes.get(name)?.parse::<u64>().ok()).sum())
    }
}
