//! The stack under test with its faults wired in.

use crate::figures::tell;
use aws_sdk_lambda::types::{Environment, EventSourceMappingConfiguration};
use aws_sdk_sqs::types::QueueAttributeName;
use fault_endpoint::{Endpoint, Memory};
use reqwest::Url;
use std::{
    collections::HashMap,
    env,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use testkit::{
    api_client::{ApiClient, set_up_tls},
    eventually::eventually,
    outputs::output,
    stack::{OWNER, Stack, sdk_config},
};

/// Longest wait for what takes a delivery or two: back-off, visibility timeout and cold start.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// The visibility timeout during the tests, so that a killed process costs less than the template's 90 s. It is still
/// longer than the function's timeout, so that no message is handled twice at the same time.
const VISIBILITY_TIMEOUT: &str = "20";

/// The id of a connection whose time is over: its row is put there when the run begins, and must be gone when it ends.
pub(crate) const GONE_FOR_LONG: &str = "gone-for-long";

/// Outputs that name the functions.
const FUNCTIONS: [&str; 4] =
    ["CreateOrderFunctionName", "ProcessOrdersFunctionName", "GetOrderFunctionName", "ManageConnectionsFunctionName"];

/// A deployed stack whose functions reach AWS through an [`Endpoint`], and what tests need to work it.
pub(crate) struct Rig {
    pub(crate) stack: Stack,
    pub(crate) api: ApiClient,
    pub(crate) endpoint: Endpoint,
    pub(crate) lambda: aws_sdk_lambda::Client,
    /// Functions' environments as they were deployed.
    deployed: HashMap<String, HashMap<String, String>>,
    mapping_id: String,
    queue_visibility: String,
    worker_changed: AtomicBool,
}

impl Rig {
    /// Wires the endpoint in by AWS's own control: the functions' configuration.
    pub(crate) async fn wire() -> Self {
        set_up_tls();
        let upstream = env::var("AWS_ENDPOINT_URL").expect("faults need a local cloud: run them by infra/local exec");
        let lambda = aws_sdk_lambda::Client::new(&sdk_config().await);
        let stack = Stack::of_environment().await;
        let mut rig = Self {
            mapping_id: mapping_id(&lambda).await,
            queue_visibility: queue_attribute(&stack, QueueAttributeName::VisibilityTimeout).await,
            stack,
            api: ApiClient::new(),
            endpoint: Endpoint::start(&upstream, Memory::Everything).await.expect("loopback has a free port"),
            lambda,
            deployed: HashMap::new(),
            worker_changed: AtomicBool::new(false),
        };
        rig.stack.add_gone_connection("nobody", GONE_FOR_LONG, 1_000_000_000).await;
        for function in FUNCTIONS.map(output) {
            let deployed = rig.environment(function).await;
            rig.set_environment(function, rig.rewired(&deployed)).await;
            rig.deployed.insert(function.to_owned(), deployed);
        }
        rig
    }

    /// Puts everything back that tests may have changed: to be called before each of them.
    pub(crate) async fn reset(&self) {
        self.endpoint.heal();
        if self.worker_changed.swap(false, Ordering::Relaxed) {
            let worker = output("ProcessOrdersFunctionName");
            self.set_environment(worker, self.rewired(&self.deployed[worker])).await;
        }
        self.set_queue_visibility(VISIBILITY_TIMEOUT).await;
        self.set_worker(true).await;
        // What other tests left there can never be done.
        let purged = self.stack.sqs.purge_queue().queue_url(output("DeadLetterQueueUrl")).send().await;
        purged.expect("the dead-letter queue can be emptied");
    }

    /// Leaves the stack as it was deployed.
    pub(crate) async fn unwire(self) {
        self.endpoint.heal();
        self.set_worker(true).await;
        self.set_queue_visibility(&self.queue_visibility).await;
        for (function, deployed) in &self.deployed {
            self.set_environment(function, deployed.clone()).await;
        }
    }

    /// Sets a variable of the worker until the next [`Rig::reset`].
    pub(crate) async fn set_worker_variable(&self, name: &str, value: &str) {
        self.worker_changed.store(true, Ordering::Relaxed);
        let worker = output("ProcessOrdersFunctionName");
        let mut variables = self.environment(worker).await;
        variables.insert(name.to_owned(), value.to_owned());
        self.set_environment(worker, variables).await;
    }

    /// Whether the worker is given messages.
    pub(crate) async fn set_worker(&self, enabled: bool) {
        let request = self.lambda.update_event_source_mapping().uuid(&self.mapping_id).enabled(enabled);
        request.send().await.expect("the event source mapping can be changed");
        let wanted = if enabled { "Enabled" } else { "Disabled" };
        eventually(PATIENCE, &format!("the event source mapping is {wanted}"), async || {
            let mapping = self.lambda.get_event_source_mapping().uuid(&self.mapping_id).send().await.unwrap();
            (mapping.state() == Some(wanted)).then_some(())
        })
        .await;
    }

    /// Waits until the orders queue has no message, neither waiting nor under way.
    pub(crate) async fn queue_is_empty(&self, deadline: Duration) {
        eventually(deadline, "the orders queue is empty", async || {
            (self.stack.messages_in("OrdersQueueUrl").await == 0).then_some(())
        })
        .await;
    }

    /// Waits until all of these orders of [`OWNER`] are confirmed.
    pub(crate) async fn all_are_confirmed(&self, ids: &[String], deadline: Duration) {
        let mut told = 0;
        eventually(deadline, "all orders are confirmed", async || {
            let statuses = self.stack.statuses().await;
            let statuses: Vec<_> = ids.iter().filter_map(|id| statuses.get(&format!("{OWNER}#{id}"))).collect();
            if statuses.len() >= told + 200 {
                told = statuses.len();
                tell(&format!("{told} of {} settled", ids.len()));
            }
            let settled = statuses.len() == ids.len();
            settled.then(|| assert!(statuses.iter().all(|status| *status == "CONFIRMED"), "{statuses:?}"))
        })
        .await;
    }

    async fn set_queue_visibility(&self, seconds: &str) {
        let request = self.stack.sqs.set_queue_attributes().queue_url(output("OrdersQueueUrl"));
        let request = request.attributes(QueueAttributeName::VisibilityTimeout, seconds);
        request.send().await.expect("the queue can be changed");
    }

    /// The same environment with the endpoint in front of DynamoDB and of the management API, and with a quick back-off.
    fn rewired(&self, deployed: &HashMap<String, String>) -> HashMap<String, String> {
        let mut variables = deployed.clone();
        variables.insert("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), self.endpoint.url().to_owned());
        if let Some(url) = variables.get_mut("WEBSOCKET_MANAGEMENT_URL") {
            let path = Url::parse(url).unwrap().path().to_owned();
            *url = format!("{}{path}", self.endpoint.url());
        }
        for (name, seconds) in [("BACKOFF_BASE_SECONDS", "1"), ("BACKOFF_CAP_SECONDS", "3")] {
            if let Some(value) = variables.get_mut(name) {
                seconds.clone_into(value);
            }
        }
        variables
    }

    async fn environment(&self, function: &str) -> HashMap<String, String> {
        let answer = self.lambda.get_function_configuration().function_name(function).send().await;
        let answer = answer.expect("the function can be asked");
        answer.environment().and_then(|environment| environment.variables().cloned()).unwrap_or_default()
    }

    async fn set_environment(&self, function: &str, variables: HashMap<String, String>) {
        let environment = Environment::builder().set_variables(Some(variables)).build();
        let request = self.lambda.update_function_configuration().function_name(function).environment(environment);
        request.send().await.expect("the function can be changed");
    }
}

async fn mapping_id(lambda: &aws_sdk_lambda::Client) -> String {
    let request = lambda.list_event_source_mappings().function_name(output("ProcessOrdersFunctionName"));
    let answer = request.send().await.expect("event source mappings can be listed");
    let id = answer.event_source_mappings().first().and_then(EventSourceMappingConfiguration::uuid);
    id.expect("the worker has an event source mapping").to_owned()
}

async fn queue_attribute(stack: &Stack, name: QueueAttributeName) -> String {
    let request = stack.sqs.get_queue_attributes().queue_url(output("OrdersQueueUrl")).attribute_names(name.clone());
    let answer = request.send().await.expect("the queue can be asked");
    answer.attributes().and_then(|attributes| attributes.get(&name)).cloned().expect("every queue has it")
}
