//! Log lines about failures of repositories.
//!
//! In a separate test binary: concurrent tests with and without a subscriber may lose events
//! (<https://github.com/tokio-rs/tracing/issues/3611>).

use lambda_support::http::{Resource, repository_problem};
use orders::{OrderId, RepositoryError};
use serde_json::{Value, json};
use std::fs;

#[test]
fn are_logged_with_the_id_of_the_resource() {
    let log = std::env::temp_dir().join(format!("repository-problems-{}.jsonl", std::process::id()));
    let file = fs::File::create(&log).expect("a file");
    tracing_subscriber::fmt().json().flatten_event(true).with_writer(file).init();
    let order = OrderId::parse("5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b").expect("a UUID");
    let unavailable = RepositoryError::Unavailable("no answer".into());
    let refused = RepositoryError::Refused("not allowed".into());

    let statuses = [
        repository_problem(&order, &unavailable).status,
        repository_problem(Resource::Payment(&"pay-1"), &unavailable).status,
        repository_problem(Resource::Stock(&"SKU-1"), &refused).status,
    ];

    assert_eq!(statuses, [Some(503), Some(503), Some(500)]);
    let lines = fs::read_to_string(&log).expect("the log");
    fs::remove_file(&log).expect("it was written");
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    let ids: Vec<_> = lines.iter().map(|line| [&line["order.id"], &line["payment.id"], &line["stock.sku"]]).collect();
    let (none, order) = (&Value::Null, json!(order.to_string()));
    assert_eq!(ids, [[&order, none, none], [none, &json!("pay-1"), none], [none, none, &json!("SKU-1")]]);
    assert_eq!(lines[1]["message"], "The database could not serve a request for payment pay-1");
    assert_eq!(lines[2]["error"], "the database refused the request: not allowed");
}
