//! Only a topic's publishers can publish events, and only topics can send to the bus queues. The tests try both with
//! every function's role, and with a user who has every permission.

use aws_config::{SdkConfig, sts::AssumeRoleProvider};
use aws_sdk_sns::{
    config::{Credentials, SharedCredentialsProvider},
    error::ProvideErrorMetadata,
    types::PublishBatchRequestEntry,
};
use serde_json::json;
use testkit::{
    local_account::{elements, iam},
    order_bodies::new_id,
    outputs::{names, output},
    stack::sdk_config,
};

/// By the topic's output.
const PUBLISHERS: [(&str, &[&str]); 3] = [
    ("OrderSubmissionsTopicArn", &["PublishOrderFunctionName"]),
    ("OrderEventsTopicArn", &["SettleOrderFunctionName"]),
    ("StepOutcomesTopicArn", &["ReserveStockFunctionName", "AuthorizePaymentFunctionName", "BookShipmentFunctionName"]),
];

/// Only a topic can send to them.
const QUEUES: [&str; 6] = [
    "SubmissionsQueueUrl",
    "OutcomesQueueUrl",
    "DeadlineQueueUrl",
    "StockQueueUrl",
    "PaymentsQueueUrl",
    "ShipmentsQueueUrl",
];

struct Caller {
    name: String,
    sns: aws_sdk_sns::Client,
    sqs: aws_sdk_sqs::Client,
}

impl Caller {
    fn new(name: &str, config: &SdkConfig, credentials: SharedCredentialsProvider) -> Self {
        let config = config.to_builder().credentials_provider(credentials).build();
        let (sns, sqs) = (aws_sdk_sns::Client::new(&config), aws_sdk_sqs::Client::new(&config));
        Self { name: name.to_owned(), sns, sqs }
    }

    async fn of_function(function: &str, config: &SdkConfig) -> Self {
        let lambda = aws_sdk_lambda::Client::new(config);
        let answer = lambda.get_function_configuration().function_name(output(function)).send().await.unwrap();
        let provider = AssumeRoleProvider::builder(answer.role().unwrap()).session_name("probe").configure(config);
        Self::new(function, config, SharedCredentialsProvider::new(provider.build().await))
    }

    /// A new user with every permission.
    async fn administrator(config: &SdkConfig) -> Self {
        let name = &format!("administrator-{}", new_id());
        iam("CreateUser", &[("UserName", name)]).await;
        let statement = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        let everything = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
        iam("PutUserPolicy", &[("UserName", name), ("PolicyName", "everything"), ("PolicyDocument", &everything)])
            .await;
        let made = iam("CreateAccessKey", &[("UserName", name)]).await;
        let [id, secret] = ["AccessKeyId", "SecretAccessKey"].map(|part| elements(&made, part).swap_remove(0));
        let credentials = Credentials::new(id, secret, None, None, "probe");
        Self::new(name, config, SharedCredentialsProvider::new(credentials))
    }

    /// Publishes. Returns the error's code, if any.
    async fn refused_to_publish(&self, topic: &str) -> Option<String> {
        let answer = self.sns.publish().topic_arn(output(topic)).message("probe").send().await;
        answer.err().map(|error| error.code().unwrap_or_default().to_owned())
    }

    /// The same with a batch.
    async fn refused_to_publish_a_batch(&self, topic: &str) -> Option<String> {
        let entry = PublishBatchRequestEntry::builder().id("1").message("probe").build().unwrap();
        let answer =
            self.sns.publish_batch().topic_arn(output(topic)).publish_batch_request_entries(entry).send().await;
        answer.err().map(|error| error.code().unwrap_or_default().to_owned())
    }

    /// Sends. Returns the error's code, if any.
    async fn refused_to_send(&self, queue: &str) -> Option<String> {
        let answer = self.sqs.send_message().queue_url(output(queue)).message_body("probe").send().await;
        answer.err().map(|error| error.code().unwrap_or_default().to_owned())
    }
}

/// The functions' probes cover what is allowed.
pub(crate) async fn only_publishers_publish_and_only_topics_send() {
    let config = sdk_config().await;
    let mut callers = vec![Caller::administrator(&config).await];
    for function in names().filter(|name| name.ends_with("FunctionName")) {
        callers.push(Caller::of_function(function, &config).await);
    }

    for caller in &callers {
        for (topic, publishers) in PUBLISHERS {
            if !publishers.contains(&caller.name.as_str()) {
                let refused = [caller.refused_to_publish(topic).await, caller.refused_to_publish_a_batch(topic).await];
                let expected = [(); 2].map(|()| Some("AuthorizationError".to_owned()));
                assert_eq!(refused, expected, "{} published to {topic}", caller.name);
            }
        }
        for queue in QUEUES {
            let refused = caller.refused_to_send(queue).await;
            let is_refused = refused.as_ref().is_some_and(|code| code.contains("AccessDenied"));
            assert!(is_refused, "{} sent to {queue}: {refused:?}", caller.name);
        }
    }
}
