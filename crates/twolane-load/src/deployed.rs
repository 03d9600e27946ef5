//! The resources behind the stack's URLs, for an operator with AWS credentials.

use crate::stack_settings::Controls;
use lanes::{FunctionSpec, LANES, Lane, QueueKind, QueueSpec, STATUS_SERVICE};
use twolane_client::{
    counters::Counters,
    orders_table::OrdersTable,
    queue_depths,
    stack::{DeployedAddress, Stack},
};

#[derive(Clone)]
pub(crate) struct Deployed {
    pub(crate) sqs: aws_sdk_sqs::Client,
    /// By lane, in the order of the lanes.
    queues: Vec<(Lane, Vec<Queue>)>,
    pub(crate) orders: OrdersTable,
    pub(crate) logs: aws_sdk_cloudwatchlogs::Client,
    pub(crate) controls: Controls,
    functions: Vec<Function>,
    /// `None` without such a lane.
    pub(crate) supplies: Option<SupplyCounters>,
    /// Whether the orders table has the index by owner.
    pub(crate) lists_orders: bool,
    step_tables: Vec<(Lane, String)>,
    pub(crate) region: Option<String>,
    /// Endpoint of all AWS services, if it is not AWS.
    pub(crate) endpoint_url: Option<String>,
}

/// The counters that orders of lanes with steps take from.
#[derive(Clone, Debug)]
pub(crate) struct SupplyCounters {
    pub(crate) stock: Counters,
    pub(crate) accounts: Counters,
}

#[derive(Clone, Debug)]
pub(crate) struct Queue {
    pub(crate) kind: QueueKind,
    pub(crate) url: String,
    pub(crate) dead_letter_url: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Function {
    /// Its folder: `create-order`.
    pub(crate) name: &'static str,
    pub(crate) deployed_name: String,
}

impl Deployed {
    /// Reads the stack's outputs. `None` if only its URLs are known.
    ///
    /// # Errors
    /// Some outputs are missing, or AWS is not configured.
    pub(crate) async fn find(stack: &Stack, address: &DeployedAddress) -> anyhow::Result<Option<Self>> {
        if stack.output("OrdersTableName").is_err() {
            return Ok(None);
        }
        let config = stack.aws_config(address).await?;
        let function = |spec: &'static FunctionSpec| {
            anyhow::Ok(Function { name: spec.name, deployed_name: stack.output(spec.output)?.to_owned() })
        };
        let (mut queues, mut functions) = (Vec::new(), vec![function(&STATUS_SERVICE)?]);
        let (mut supplies, mut step_tables) = (None, Vec::new());
        for lane in LANES.iter().filter(|lane| has_lane(stack, lane)) {
            for spec in lane.functions {
                functions.push(function(spec)?);
            }
            let queue = |spec: &QueueSpec| {
                let (url, dead_letter_url) =
                    (stack.output(spec.url_output)?, stack.output(spec.dead_letter_url_output)?);
                anyhow::Ok(Queue { kind: spec.kind, url: url.to_owned(), dead_letter_url: dead_letter_url.to_owned() })
            };
            for step in lane.steps {
                step_tables.push((lane, stack.output(step.table_output)?.to_owned()));
            }
            if !lane.steps.is_empty() {
                let accounts = Counters::of_accounts(stack, &config)?;
                supplies = Some(SupplyCounters { stock: Counters::of_stock(stack, &config)?, accounts });
            }
            queues.push((lane, lane.queues.iter().map(queue).collect::<anyhow::Result<Vec<_>>>()?));
        }
        Ok(Some(Self {
            sqs: aws_sdk_sqs::Client::new(&config),
            queues,
            orders: OrdersTable {
                client: aws_sdk_dynamodb::Client::new(&config),
                name: stack.output("OrdersTableName")?.to_owned(),
            },
            logs: aws_sdk_cloudwatchlogs::Client::new(&config),
            controls: Controls::new(&config),
            functions,
            supplies,
            lists_orders: stack.output("OrdersIndexName").is_ok(),
            step_tables,
            region: config.region().map(ToString::to_string),
            endpoint_url: config.endpoint_url().map(str::to_owned),
        }))
    }

    /// The AWS name of the function in that folder.
    pub(crate) fn function(&self, name: &str) -> &str {
        let found = self.functions.iter().find(|function| function.name == name);
        &found.expect("all functions of the stack's lanes are there").deployed_name
    }

    /// A lane's queues, in the order that an order passes them.
    pub(crate) fn queues(&self, lane: Lane) -> &[Queue] {
        self.queues.iter().find(|(of, _)| *of == lane).map_or(&[], |(_, queues)| queues)
    }

    /// Tables that a lane's orders are written to.
    pub(crate) fn tables(&self, lane: Lane) -> impl Iterator<Item = &str> {
        let steps = self.step_tables.iter().filter(move |(of, _)| *of == lane).map(|(_, table)| table.as_str());
        std::iter::once(self.orders.name.as_str()).chain(steps)
    }

    /// Approximate number of messages in all these queues.
    ///
    /// # Errors
    /// SQS refuses or does not answer.
    pub(crate) async fn depth(&self, queue_urls: impl Iterator<Item = &String>) -> anyhow::Result<u64> {
        let mut messages = 0;
        for url in queue_urls {
            messages += queue_depths::depth(&self.sqs, url).await?;
        }
        Ok(messages)
    }
}

/// Whether a stack has a lane, as far as its outputs are known.
pub(crate) fn has_lane(stack: &Stack, lane: Lane) -> bool {
    stack.output("OrdersTableName").is_err() || lane.outputs().all(|output| stack.output(output).is_ok())
}

#[cfg(test)]
impl Deployed {
    /// All lanes, and AWS clients that cannot call AWS.
    pub(crate) fn unreachable() -> Self {
        let config = aws_config::SdkConfig::builder().behavior_version(aws_config::BehaviorVersion::latest()).build();
        let queue =
            |spec: &QueueSpec| Queue { kind: spec.kind, url: "queue".to_owned(), dead_letter_url: "dead".to_owned() };
        let function = |spec: &FunctionSpec| Function { name: spec.name, deployed_name: spec.name.to_owned() };
        Self {
            sqs: aws_sdk_sqs::Client::new(&config),
            queues: LANES.iter().map(|lane| (lane, lane.queues.iter().map(queue).collect())).collect(),
            orders: OrdersTable { client: aws_sdk_dynamodb::Client::new(&config), name: "orders".to_owned() },
            logs: aws_sdk_cloudwatchlogs::Client::new(&config),
            controls: Controls::new(&config),
            functions: LANES.iter().flat_map(|lane| lane.functions).map(function).collect(),
            supplies: None,
            lists_orders: true,
            step_tables: Vec::new(),
            region: None,
            endpoint_url: None,
        }
    }
}
