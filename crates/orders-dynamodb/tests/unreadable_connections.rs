//! Unreadable rows of the connections table.
//!
//! In a separate test binary: concurrent tests with and without a subscriber may lose events
//! (<https://github.com/tokio-rs/tracing/issues/3611>).

use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Config, Credentials, Region},
};
use aws_smithy_http_client::test_util::infallible_client_fn;
use orders::{ConnectionRepository, fakes};
use orders_dynamodb::DynamoDbConnectionRepository;
use serde_json::{Value, json};
use std::{
    fs,
    sync::atomic::{AtomicUsize, Ordering},
};

fn connections(rows: &Value) -> DynamoDbConnectionRepository {
    let answer = json!({"Items": rows}).to_string();
    let http_client = infallible_client_fn(move |_| http::Response::new(answer.clone()));
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
        .http_client(http_client)
        .build();
    DynamoDbConnectionRepository::new(Client::from_conf(config), "connections")
}

static UNREADABLE: AtomicUsize = AtomicUsize::new(0);

#[tokio::test]
async fn are_logged_counted_and_skipped() {
    let log = std::env::temp_dir().join(format!("unreadable-connections-{}.jsonl", std::process::id()));
    let file = fs::File::create(&log).expect("a file");
    tracing_subscriber::fmt().json().flatten_event(true).with_writer(file).init();
    let connected_at = json!({"S": "2026-01-01T00:00:00.000Z"});
    let repository = connections(&json!([
        {"sk": {"S": "no-time"}, "expiresAt": {"N": "1767312000"}},
        {"sk": {"S": "readable"}, "connectedAt": connected_at, "expiresAt": {"N": "1767312000"}},
        {"sk": {"S": "no-number"}, "connectedAt": connected_at, "sessionEndsAt": {"S": "soon"}},
        {"sk": {"S": "a space"}, "connectedAt": connected_at, "expiresAt": {"N": "1767312000"}},
    ]));

    let counting = repository.count_unreadable(|rows| _ = UNREADABLE.fetch_add(rows, Ordering::Relaxed));
    let listed = counting.list(&fakes::owner("alice")).await.expect("DynamoDB answered");

    let ids: Vec<_> = listed.iter().map(|connection| connection.id.as_str()).collect();
    assert_eq!(ids, ["readable"]);
    assert_eq!(UNREADABLE.load(Ordering::Relaxed), 3);
    let lines = fs::read_to_string(&log).expect("the log");
    fs::remove_file(&log).expect("it was written");
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"));
    let errors: Vec<_> = lines
        .filter(|line| line["level"] == "ERROR")
        .map(|line| [line["connection.id"].clone(), line["message"].clone()])
        .collect();
    let expected = [("no-time", "connectedAt"), ("no-number", "sessionEndsAt"), ("a space", "sk")];
    let line = |(id, attribute)| [json!(id), json!(format!("Skipped connection {id}: its {attribute} cannot be read"))];
    assert_eq!(errors, expected.map(line));
}
