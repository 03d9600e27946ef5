//! The example of `sqs-batch`, deployed with a separate queue. It does what each message says, and can panic. A test
//! cannot cause that in a function of the stack.

use crate::test_bed::{DELIVERY_WAIT, TestBed};
use aws_sdk_cloudwatchlogs::{operation::filter_log_events::FilterLogEventsOutput, types::FilteredLogEvent};
use aws_sdk_lambda::{
    primitives::Blob,
    types::{Architecture, Environment, FunctionCode, FunctionResponseType, Runtime},
};
use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry};
use serde_json::{Value, json};
use std::{collections::BTreeMap, env, fs, path::PathBuf};
use testkit::{
    eventually::eventually,
    local_account::{elements, iam},
    order_bodies::new_id,
    queue_messages,
    stack::sdk_config,
};
use tokio::process::Command;

const POLICY: &str = "queue";

pub(crate) const MAX_RECEIVE_COUNT: usize = 3;

pub(crate) struct Dispositions<'a> {
    bed: &'a TestBed,
    logs: aws_sdk_cloudwatchlogs::Client,
    name: String,
    queue_url: String,
    dead_letter_queue_url: String,
    mapping_id: String,
}

impl<'a> Dispositions<'a> {
    /// With a disabled event source mapping.
    pub(crate) async fn deploy(bed: &'a TestBed) -> Self {
        let name = format!("dispositions-{}", new_id());
        let (dead_letter_queue_url, dead_letter_queue) = queue(bed, &format!("{name}-dead"), None).await;
        let (queue_url, queue) = queue(bed, &name, Some(&dead_letter_queue)).await;
        let config = sdk_config().await;
        let role = create_role(&name, &queue).await;
        create_function(bed, &name, &role, &queue_url).await;
        let mapping = bed.lambda.create_event_source_mapping().function_name(&name).event_source_arn(queue);
        let mapping = mapping.batch_size(10).enabled(false);
        let mapping = mapping.function_response_types(FunctionResponseType::ReportBatchItemFailures);
        let mapping = mapping.send().await.expect("the queue can be an event source");
        let mapping_id = mapping.uuid().expect("a mapping has an id").to_owned();
        let logs = aws_sdk_cloudwatchlogs::Client::new(&config);
        Self { bed, logs, name, queue_url, dead_letter_queue_url, mapping_id }
    }

    /// Invokes it with a batch, as the event source mapping does. Returns the ids of reported failures.
    pub(crate) async fn invoke(&self, messages: &[(String, Value)]) -> Vec<String> {
        let record = |(id, wish): &(String, Value)| {
            json!({
                "messageId": id, "receiptHandle": "none", "body": wish.to_string(), "eventSource": "aws:sqs",
                "attributes": {"ApproximateReceiveCount": "1"},
            })
        };
        let event = json!({"Records": messages.iter().map(record).collect::<Vec<_>>()}).to_string();
        let answer = self.bed.lambda.invoke().function_name(&self.name).payload(Blob::new(event)).send().await;
        let answer = answer.expect("the function can be invoked");
        assert_eq!(answer.function_error(), None, "{answer:?}");
        let payload = answer.payload().expect("it answers").as_ref();
        let payload: Value = serde_json::from_slice(payload).expect("the answer is JSON");
        let failures = payload["batchItemFailures"].as_array().expect("the answer is a list");
        failures.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned()).collect()
    }

    /// Sends one batch. Returns the message ids in the same order.
    pub(crate) async fn send(&self, wishes: &[Value]) -> Vec<String> {
        let entries = wishes.iter().enumerate().map(|(at, wish)| {
            SendMessageBatchRequestEntry::builder().id(at.to_string()).message_body(wish.to_string()).build().unwrap()
        });
        let request = self.bed.stack.sqs.send_message_batch().queue_url(&self.queue_url);
        let sent = request.set_entries(Some(entries.collect())).send().await.expect("the queue takes messages");
        let ids: BTreeMap<_, _> = sent.successful().iter().map(|sent| (sent.id(), sent.message_id())).collect();
        (0..wishes.len()).map(|at| ids[at.to_string().as_str()].to_owned()).collect()
    }

    pub(crate) async fn enable(&self) {
        let request = self.bed.lambda.update_event_source_mapping().uuid(&self.mapping_id).enabled(true);
        request.send().await.expect("the event source mapping can be changed");
    }

    pub(crate) async fn queue_is_empty(&self) {
        eventually(DELIVERY_WAIT, "the queue is empty", async || {
            (queue_messages::count(&self.bed.stack.sqs, &self.queue_url).await == 0).then_some(())
        })
        .await;
    }

    /// Dead letters, each with its number of deliveries.
    pub(crate) async fn dead(&self) -> BTreeMap<String, usize> {
        let request = self.bed.stack.sqs.receive_message().queue_url(&self.dead_letter_queue_url);
        let request = request.max_number_of_messages(10);
        let request = request.message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount);
        let received = request.send().await.expect("the dead-letter queue can be read");
        let deliveries = |message: &aws_sdk_sqs::types::Message| {
            let attributes = message.attributes().expect("the request names them");
            let count = &attributes[&MessageSystemAttributeName::ApproximateReceiveCount];
            // Receiving the message here is one more.
            count.parse::<usize>().unwrap() - 1
        };
        let messages = received.messages().iter();
        messages.map(|message| (message.message_id().unwrap().to_owned(), deliveries(message))).collect()
    }

    /// Of a message, by the function's log.
    pub(crate) async fn deliveries(&self, id: &str) -> usize {
        let group = format!("/aws/lambda/{}", self.name);
        let pages = self.logs.filter_log_events().log_group_name(group).into_paginator().send();
        let pages = pages.collect::<Result<Vec<_>, _>>().await.expect("its log can be read");
        let lines = pages.iter().flat_map(FilterLogEventsOutput::events).filter_map(FilteredLogEvent::message);
        lines.filter(|line| line.contains("Delivery ") && line.contains(id)).count()
    }

    pub(crate) async fn delete(self) {
        let mapping = self.bed.lambda.delete_event_source_mapping().uuid(&self.mapping_id);
        mapping.send().await.expect("the event source mapping can be deleted");
        let function = self.bed.lambda.delete_function().function_name(&self.name);
        function.send().await.expect("the function can be deleted");
        for url in [&self.queue_url, &self.dead_letter_queue_url] {
            self.bed.stack.sqs.delete_queue().queue_url(url).send().await.expect("the queue can be deleted");
        }
        iam("DeleteRolePolicy", &[("RoleName", &self.name), ("PolicyName", POLICY)]).await;
        iam("DeleteRole", &[("RoleName", &self.name)]).await;
    }
}

async fn queue(bed: &TestBed, name: &str, dead_letter_queue: Option<&str>) -> (String, String) {
    let request = bed.stack.sqs.create_queue().queue_name(name).attributes(QueueAttributeName::VisibilityTimeout, "5");
    let request = match dead_letter_queue {
        Some(arn) => {
            let policy = json!({"deadLetterTargetArn": arn, "maxReceiveCount": MAX_RECEIVE_COUNT}).to_string();
            request.attributes(QueueAttributeName::RedrivePolicy, policy)
        }
        None => request,
    };
    let url = request.send().await.expect("a queue can be made").queue_url.expect("a queue has a URL");
    let request = bed.stack.sqs.get_queue_attributes().queue_url(&url).attribute_names(QueueAttributeName::QueueArn);
    let answer = request.send().await.expect("the queue's attributes can be read");
    let arn = answer.attributes().and_then(|all| all.get(&QueueAttributeName::QueueArn)).expect("a queue has an ARN");
    (url, arn.clone())
}

/// Returns the ARN of a role that lets the function work with its queue.
async fn create_role(name: &str, queue: &str) -> String {
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ]});
    let actions = ["ChangeMessageVisibility", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes"];
    let actions = actions.map(|action| format!("sqs:{action}"));
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": actions, "Resource": queue},
    ]});
    let made = iam("CreateRole", &[("RoleName", name), ("AssumeRolePolicyDocument", &trust.to_string())]).await;
    let policy = policy.to_string();
    iam("PutRolePolicy", &[("RoleName", name), ("PolicyName", POLICY), ("PolicyDocument", &policy)]).await;
    elements(&made, "Arn").swap_remove(0)
}

async fn create_function(bed: &TestBed, name: &str, role: &str, queue_url: &str) {
    let code = FunctionCode::builder().zip_file(Blob::new(zipped().await)).build();
    let variables = Environment::builder().variables("QUEUE_URL", queue_url).variables("RUST_LOG", "info").build();
    let request = bed.lambda.create_function().function_name(name).runtime(Runtime::Providedal2023);
    let request = request.handler("bootstrap").role(role).timeout(5);
    let request = request.code(code).environment(variables).architectures(architecture());
    request.send().await.expect("a function can be made");
}

fn architecture() -> Architecture {
    if cfg!(target_arch = "aarch64") { Architecture::Arm64 } else { Architecture::X8664 }
}

async fn zipped() -> Vec<u8> {
    let folder = env::temp_dir().join(format!("dispositions-{}", new_id()));
    fs::create_dir_all(&folder).unwrap();
    fs::copy(binary(), folder.join("bootstrap")).unwrap();
    let mut zip = Command::new("python3");
    zip.args(["-m", "zipfile", "-c", "function.zip", "bootstrap"]).current_dir(&folder);
    assert!(zip.status().await.expect("python3 runs").success());
    let bytes = fs::read(folder.join("function.zip")).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    bytes
}

/// Cargo builds the example when it tests the workspace, into a folder next to this test's.
fn binary() -> PathBuf {
    let test = env::current_exe().unwrap();
    let path = test.ancestors().nth(2).unwrap().join("examples/dispositions");
    assert!(
        path.is_file(),
        "{} is missing: run `cargo build -p sqs-batch --all-features --examples` first, or test the workspace",
        path.display()
    );
    path
}
