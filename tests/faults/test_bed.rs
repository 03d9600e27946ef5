//! The stack under test with its faults.

use crate::figures::say;
use aws_sdk_lambda::types::{Environment, ScalingConfig};
use aws_sdk_sqs::types::QueueAttributeName::{self, RedrivePolicy, VisibilityTimeout};
use fault_endpoint::{Endpoint, Memory};
use lanes::{Invoker, QueueKind};
use reqwest::Url;
use serde_json::Value;
use std::{
    collections::{BTreeSet, HashMap},
    env,
    sync::Mutex,
    time::Duration,
};
use testkit::{
    api_client::{ApiClient, set_up_tls},
    event_sources,
    eventually::eventually,
    outputs::output,
    stack::{OWNER, Stack, sdk_config},
};

/// For one or two deliveries: back-off, visibility timeout and cold start.
pub(crate) const DELIVERY_WAIT: Duration = Duration::from_mins(1);

/// Shorter than the template's 90 s, so that a killed process costs less time. Longer than the function's timeout, so
/// that no message is handled twice at the same time.
const VISIBILITY_TIMEOUT: &str = "20";

/// As deployed. Source: `BatchSize` and the default of `MaximumConcurrency` in template.yaml.
const BATCHES: Batches = Batches { size: 10, at_once: 10 };

/// Expired. The run adds its row at the start, and expects its removal by the end.
pub(crate) const EXPIRED_CONNECTION: &str = "gone-for-long";

/// Besides those of the lanes.
const FUNCTIONS: [&str; 3] = ["GetOrderFunctionName", "ManageConnectionsFunctionName", "CreatePaymentFunctionName"];

fn functions() -> impl Iterator<Item = &'static str> {
    let of_lanes = lanes::LANES.iter().flat_map(|lane| lane.functions).map(|function| function.output);
    of_lanes.chain(FUNCTIONS)
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Delivery {
    /// Before the dead-letter queue.
    pub(crate) times: u32,
    /// Until messages of a killed function are redelivered.
    pub(crate) visibility_timeout: Duration,
    /// After a transient failure.
    pub(crate) longest_backoff: Duration,
    pub(crate) batches: Batches,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Batches {
    /// Messages per batch.
    pub(crate) size: i32,
    pub(crate) at_once: i32,
}

/// A deployed stack with an [`Endpoint`] between the functions and AWS, and its clients.
pub(crate) struct TestBed {
    pub(crate) stack: Stack,
    pub(crate) api: ApiClient,
    pub(crate) endpoint: Endpoint,
    pub(crate) lambda: aws_sdk_lambda::Client,
    /// Functions' environments as deployed, by the output with the function's name.
    deployed: HashMap<&'static str, HashMap<String, String>>,
    /// The endpoint's URL for each function, by the same output, which is also the caller's name.
    entrances: HashMap<&'static str, String>,
    /// Queues' visibility timeouts and redrive policies as deployed, by the output with the queue's URL.
    queues: HashMap<&'static str, [String; 2]>,
    /// Functions with changed variables or event source mappings since the last [`TestBed::reset`].
    changed: Mutex<BTreeSet<&'static str>>,
}

impl TestBed {
    /// Puts the endpoint into the functions' configuration.
    pub(crate) async fn wire() -> Self {
        set_up_tls();
        let upstream = env::var("AWS_ENDPOINT_URL").expect("faults need a local cloud: run them by infra/local exec");
        let lambda = aws_sdk_lambda::Client::new(&sdk_config().await);
        let stack = Stack::from_env().await;
        let mut bed = Self {
            stack,
            api: ApiClient::new(),
            endpoint: Endpoint::start(&upstream, Memory::Everything).await.expect("loopback has a free port"),
            lambda,
            deployed: HashMap::new(),
            entrances: HashMap::new(),
            queues: HashMap::new(),
            changed: Mutex::default(),
        };
        bed.stack.add_gone_connection("owner-without-orders", EXPIRED_CONNECTION, 1_000_000_000).await;
        for queue in lanes::queues() {
            let visibility = bed.queue_attribute(queue.url_output, VisibilityTimeout).await;
            let redrive = bed.queue_attribute(queue.url_output, RedrivePolicy).await;
            bed.queues.insert(queue.url_output, [visibility, redrive]);
        }
        for function in functions() {
            let entrance = bed.endpoint.listen_for(function).await.expect("loopback has a free port");
            bed.entrances.insert(function, entrance);
            let deployed = bed.environment(output(function)).await;
            bed.deployed.insert(function, deployed);
            bed.set_environment(output(function), bed.rewired(function)).await;
        }
        bed
    }

    /// Restores everything that tests may have changed. Call it before each test.
    pub(crate) async fn reset(&self) {
        self.endpoint.heal();
        let changed = std::mem::take(&mut *self.changed.lock().unwrap());
        for function in changed {
            self.set_environment(output(function), self.rewired(function)).await;
            self.set_consumer(function, true).await;
            self.set_batches(function, BATCHES).await;
        }
        self.changed.lock().unwrap().clear();
        for queue in lanes::queues() {
            self.set_queue_attribute(queue.url_output, VisibilityTimeout, VISIBILITY_TIMEOUT).await;
            self.set_queue_attribute(queue.url_output, RedrivePolicy, &self.queues[queue.url_output][1]).await;
            // Left by other tests, they can never be handled.
            let purged = self.stack.sqs.purge_queue().queue_url(output(queue.dead_letter_url_output)).send().await;
            purged.expect("the dead-letter queue can be emptied");
        }
    }

    /// As it was deployed.
    pub(crate) async fn unwire(self) {
        self.reset().await;
        for (queue, [visibility, _]) in &self.queues {
            self.set_queue_attribute(queue, VisibilityTimeout, visibility).await;
        }
        for (function, deployed) in &self.deployed {
            self.set_environment(output(function), deployed.clone()).await;
        }
    }

    /// Of the function of that output, until the next [`TestBed::reset`].
    pub(crate) async fn set_variable(&self, function: &'static str, name: &str, value: &str) {
        self.changed.lock().unwrap().insert(function);
        let mut variables = self.environment(output(function)).await;
        variables.insert(name.to_owned(), value.to_owned());
        self.set_environment(output(function), variables).await;
    }

    /// Enables or disables the async lane's worker, until the next [`TestBed::reset`].
    pub(crate) async fn set_worker(&self, enabled: bool) {
        self.set_consumer("ProcessOrdersFunctionName", enabled).await;
    }

    /// The same for the queues of the function of that output.
    pub(crate) async fn set_consumer(&self, function: &'static str, enabled: bool) {
        self.changed.lock().unwrap().insert(function);
        event_sources::set_enabled(&self.lambda, output(function), enabled, DELIVERY_WAIT).await;
    }

    /// No message is visible or in flight.
    pub(crate) async fn queue_is_empty(&self, deadline: Duration) {
        eventually(deadline, "the orders queue is empty", async || {
            (self.stack.messages_in("OrdersQueueUrl").await == 0).then_some(())
        })
        .await;
    }

    /// Orders of [`OWNER`].
    pub(crate) async fn all_are_confirmed(&self, ids: &[String], deadline: Duration) {
        let mut printed = 0;
        eventually(deadline, "all orders are confirmed", async || {
            let statuses = self.stack.statuses().await;
            let statuses: Vec<_> = ids.iter().filter_map(|id| statuses.get(&format!("{OWNER}#{id}"))).collect();
            if statuses.len() >= printed + 200 {
                printed = statuses.len();
                say(&format!("{printed} of {} settled", ids.len()));
            }
            let settled = statuses.len() == ids.len();
            settled.then(|| assert!(statuses.iter().all(|status| *status == "CONFIRMED"), "{statuses:?}"))
        })
        .await;
    }

    /// Until the next [`TestBed::reset`].
    pub(crate) async fn set_bus_delivery(&self, delivery: &Delivery) {
        let lane = lanes::lane("bus").expect("a lane of the table");
        for queue in lane.queues {
            let mut policy: Value = serde_json::from_str(&self.queues[queue.url_output][1]).unwrap();
            policy["maxReceiveCount"] = delivery.times.into();
            self.set_queue_attribute(queue.url_output, RedrivePolicy, &policy.to_string()).await;
            let seconds = delivery.visibility_timeout.as_secs().to_string();
            self.set_queue_attribute(queue.url_output, VisibilityTimeout, &seconds).await;
        }
        for function in lane.functions.iter().filter(|function| function.invoked_by == Invoker::Queue) {
            self.set_variable(function.output, "MAX_RECEIVE_COUNT", &delivery.times.to_string()).await;
            let seconds = delivery.longest_backoff.as_secs().to_string();
            self.set_variable(function.output, "BACKOFF_CAP_SECONDS", &seconds).await;
            self.set_batches(function.output, delivery.batches).await;
        }
    }

    /// For each queue of the function of that output, until the next [`TestBed::reset`].
    async fn set_batches(&self, function: &'static str, batches: Batches) {
        self.changed.lock().unwrap().insert(function);
        let mappings = self.lambda.list_event_source_mappings().function_name(output(function)).send().await;
        for mapping in mappings.expect("event source mappings can be listed").event_source_mappings() {
            let scaling = ScalingConfig::builder().maximum_concurrency(batches.at_once).build();
            let request = self.lambda.update_event_source_mapping().set_uuid(mapping.uuid.clone());
            request
                .batch_size(batches.size)
                .scaling_config(scaling)
                .send()
                .await
                .expect("the event source mapping can be changed");
        }
    }

    /// Waits until the bus lane has only messages that wait for a deadline.
    pub(crate) async fn bus_is_idle(&self, deadline: Duration) {
        let queues = lanes::lane("bus").expect("a lane of the table").queues.iter();
        let queues: Vec<_> =
            queues.filter(|queue| queue.kind == QueueKind::Work).map(|queue| queue.url_output).collect();
        eventually(deadline, "the queues of the bus lane are empty", async || {
            for queue in &queues {
                if self.stack.messages_in(queue).await > 0 {
                    return None;
                }
            }
            Some(())
        })
        .await;
    }

    pub(crate) async fn set_queue_attribute(&self, queue: &str, name: QueueAttributeName, value: &str) {
        let request = self.stack.sqs.set_queue_attributes().queue_url(output(queue)).attributes(name, value);
        request.send().await.expect("the queue can be changed");
    }

    pub(crate) async fn queue_attribute(&self, queue: &str, name: QueueAttributeName) -> String {
        let request = self.stack.sqs.get_queue_attributes().queue_url(output(queue)).attribute_names(name.clone());
        let answer = request.send().await.expect("the queue's attributes can be read");
        answer
            .attributes()
            .and_then(|attributes| attributes.get(&name))
            .cloned()
            .expect("every queue has this attribute")
    }

    /// As deployed, but with the endpoint for DynamoDB, SNS and the management API, and a short back-off.
    fn rewired(&self, function: &'static str) -> HashMap<String, String> {
        let (mut variables, entrance) = (self.deployed[function].clone(), &self.entrances[function]);
        for service in ["DYNAMODB", "SNS"] {
            variables.insert(format!("AWS_ENDPOINT_URL_{service}"), entrance.clone());
        }
        if let Some(url) = variables.get_mut("WEBSOCKET_MANAGEMENT_URL") {
            let path = Url::parse(url).unwrap().path().to_owned();
            *url = format!("{entrance}{path}");
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
        let answer = answer.expect("the function's configuration can be read");
        answer.environment().and_then(|environment| environment.variables().cloned()).unwrap_or_default()
    }

    async fn set_environment(&self, function: &str, variables: HashMap<String, String>) {
        let environment = Environment::builder().set_variables(Some(variables)).build();
        let request = self.lambda.update_function_configuration().function_name(function).environment(environment);
        request.send().await.expect("the function can be changed");
    }
}
