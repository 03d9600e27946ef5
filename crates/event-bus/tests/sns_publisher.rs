//! Requests to Amazon SNS, and the handling of its responses.

use aws_sdk_sns::{
    Client,
    config::{BehaviorVersion, Config, Credentials, Region, retry::RetryConfig},
};
use aws_smithy_http_client::test_util::infallible_client_fn;
use event_bus::{Event, EventKind, EventPublisher, PublishError, SnsPublisher, fakes};
use shared_kernel::{Step, Vote};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:OrderEvents";
const PUBLISHED: &str = r#"<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>
    <MessageId>94f20ce6-13c5-43a0-9a9e-ca52d816e90b</MessageId></PublishResult></PublishResponse>"#;

/// A publisher to a fake SNS that always gives this answer, and the bodies of the requests.
fn answering(status: u16, answer: String) -> (SnsPublisher, Arc<Mutex<Vec<String>>>) {
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&requests);
    let http_client = infallible_client_fn(move |request| {
        let body = request.body().bytes().expect("the body is in memory").to_vec();
        seen.lock().expect("no test panicked").push(String::from_utf8(body).expect("a form is ASCII"));
        http::Response::builder().status(status).body(answer.clone()).expect("a response")
    });
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .http_client(http_client)
        .build();
    (SnsPublisher::new(Client::from_conf(config), TOPIC), requests)
}

fn error(code: &str) -> String {
    format!("<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>")
}

fn fields(form: &str) -> HashMap<String, String> {
    let decoded = |text: &str| {
        let mut bytes = text.bytes();
        let mut plain = Vec::new();
        while let Some(byte) = bytes.next() {
            plain.push(match byte {
                b'+' => b' ',
                b'%' => {
                    let digits: String = bytes.by_ref().take(2).map(char::from).collect();
                    u8::from_str_radix(&digits, 16).expect("two hexadecimal digits")
                }
                other => other,
            });
        }
        String::from_utf8(plain).expect("UTF-8")
    };
    form.split('&')
        .filter_map(|field| field.split_once('='))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

#[tokio::test]
async fn publishes_the_event_with_its_type_as_an_attribute() {
    let (publisher, requests) = answering(200, PUBLISHED.to_owned());
    let event = fakes::event(EventKind::Voted(Step::Stock, Vote::Refused("5 ordered & 2 left".into())));

    let message_id = publisher.publish(&event).await.expect("SNS took it");

    assert_eq!(message_id, "94f20ce6-13c5-43a0-9a9e-ca52d816e90b");
    let requests = requests.lock().expect("no test panicked");
    let [request] = &requests[..] else { panic!("one request, not {}", requests.len()) };
    let fields = fields(request);
    assert_eq!(fields["TopicArn"], TOPIC);
    assert_eq!(Event::from_json(&fields["Message"]).expect("it is an event"), event);
    let attribute = |field: &str| fields[&format!("MessageAttributes.entry.1.{field}")].as_str();
    let (name, data_type, value) = (attribute("Name"), attribute("Value.DataType"), attribute("Value.StringValue"));
    assert_eq!((name, data_type, value), ("eventType", "String", "stock.refused"));
}

#[tokio::test]
async fn distinguishes_temporary_errors_from_those_that_need_a_fix() {
    for (status, code, is_retryable) in [
        (400, "Throttled", true),
        (400, "Throttling", true),
        (400, "ThrottlingException", true),
        (400, "KMSThrottling", true),
        (500, "InternalError", true),
        (500, "InternalFailure", true),
        (503, "ServiceUnavailable", true),
        (403, "AuthorizationError", false),
        (404, "NotFound", false),
        (400, "InvalidParameter", false),
        (400, "KMSAccessDenied", false),
    ] {
        let (publisher, _) = answering(status, error(code));

        let error = publisher.publish(&fakes::event(EventKind::Confirmed)).await.expect_err("SNS did not take it");

        assert_eq!(error.is_retryable(), is_retryable, "{code}: {error:?}");
    }
}

#[tokio::test]
async fn treats_an_answer_that_is_not_from_sns_as_unavailability() {
    let (publisher, _) = answering(502, "<html>Bad Gateway</html>".to_owned());

    let error = publisher.publish(&fakes::event(EventKind::Confirmed)).await.expect_err("it was not published");

    assert!(matches!(error, PublishError::Unavailable(_)), "{error:?}");
}
