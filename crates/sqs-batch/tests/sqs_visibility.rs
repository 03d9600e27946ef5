//! The requests to SQS, and what happens if it refuses them.

use aws_sdk_sqs::{
    Client,
    config::{BehaviorVersion, Config, Credentials, Region, retry::RetryConfig},
};
use aws_smithy_http_client::test_util::infallible_client_fn;
use serde_json::{Value, json};
use sqs_batch::{BatchHandler, Disposition, SqsBatch, SqsVisibility};
use std::{
    future,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

const QUEUE_URL: &str = "https://sqs.eu-central-1.amazonaws.com/123456789012/orders";

/// A fake SQS that always gives this answer, and its requests.
fn answering(status: u16, answer: Value) -> (SqsVisibility, Arc<Mutex<Vec<Value>>>) {
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&requests);
    let http_client = infallible_client_fn(move |request| {
        let body = serde_json::from_slice(request.body().bytes().expect("the body is in memory"));
        seen.lock().expect("no test panicked").push(body.expect("a request is JSON"));
        http::Response::builder().status(status).body(answer.to_string()).expect("a response")
    });
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .http_client(http_client)
        .build();
    (SqsVisibility::new(Client::from_conf(config), QUEUE_URL), requests)
}

/// Returns how many of the `messages` poison messages were reported.
async fn fail(messages: usize, visibility: SqsVisibility) -> usize {
    let records: Vec<_> = (0..messages)
        .map(|id| json!({"messageId": format!("m{id}"), "receiptHandle": format!("h{id}"), "body": ""}))
        .collect();
    let batch: SqsBatch = serde_json::from_value(json!({ "Records": records })).expect("records are an array");
    let deadline = SystemTime::now() + Duration::from_mins(1);
    let batches = BatchHandler::new().visibility(visibility);
    let response = batches.handle(batch, deadline, |_| future::ready(Disposition::Poison)).await;
    response.expect("each has an id").batch_item_failures.len()
}

#[tokio::test]
async fn changes_ten_messages_in_one_request() {
    let (visibility, requests) = answering(200, json!({"Successful": [], "Failed": []}));

    fail(23, visibility).await;

    let requests = requests.lock().expect("no test panicked");
    let mut entries: Vec<_> =
        requests.iter().map(|request| request["Entries"].as_array().expect("some").len()).collect();
    entries.sort_unstable();
    assert_eq!(entries, [3, 10, 10]);
    for request in requests.iter() {
        assert_eq!(request["QueueUrl"], QUEUE_URL);
        assert_eq!(request["Entries"][0]["VisibilityTimeout"], 0);
    }
}

#[tokio::test]
async fn reports_the_same_messages_when_sqs_refuses_all_or_some() {
    let some = json!({"Successful": [], "Failed": [{"Id": "1", "Code": "InvalidParameterValue", "SenderFault": true}]});
    for (status, answer) in [(200, some), (403, json!({"__type": "AccessDenied"})), (500, json!({}))] {
        let (visibility, requests) = answering(status, answer);

        assert_eq!(fail(3, visibility).await, 3);

        assert_eq!(requests.lock().expect("no test panicked").len(), 1);
    }
}
