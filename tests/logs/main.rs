//! Function logs and access logs: an operator finds an order by its id, and they contain no token, body or note.
//!
//! The test reads all logs of the stack, including those of earlier suites: Cargo runs it after `e2e` and `faults`.
#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test, and names its place")]

use aws_sdk_cloudwatchlogs::operation::{
    describe_log_groups::DescribeLogGroupsOutput, filter_log_events::FilterLogEventsOutput,
};
use serde_json::json;
use std::{collections::BTreeMap, time::Duration};
use testkit::{
    api_client::{ApiClient, LANES},
    eventually::{DEADLINE, eventually},
    order_bodies::{new_id, order_with_note},
    outputs::output,
    repository,
    socket::{Socket, handshake},
    stack::{OWNER, Stack, sdk_config},
    tokens::{issuer, token},
};

fn groups() -> Vec<String> {
    let template = repository::read("template.yaml");
    let names = template.lines().filter_map(|line| line.strip_prefix("  ")?.strip_suffix("LogGroup:"));
    names.filter(|name| !name.starts_with(' ')).map(|name| format!("{name}LogGroup")).collect()
}

/// Until written lines are readable. CloudWatch Logs and access logs have a delay.
const LOG_DEADLINE: Duration = DEADLINE.saturating_mul(6);

/// In a log of a token, of credentials or of a body. `eyJ` is the base64 of `{"`, which starts the parts of tokens.
const FORBIDDEN: [&str; 7] =
    ["eyJ", "Bearer ", "twolane.token.", "unitPriceMinor", "amountMinor", "\"items\"", "\\\"items\\\""];

/// Of the functions that handle a bus order.
const BUS: [&str; 5] = [
    "PublishOrderLogGroup",
    "SettleOrderLogGroup",
    "ReserveStockLogGroup",
    "AuthorizePaymentLogGroup",
    "BookShipmentLogGroup",
];

/// Lines by the group's name in the template.
struct Logs(BTreeMap<String, Vec<String>>);

impl Logs {
    async fn read() -> Self {
        let config = sdk_config().await;
        let (lambda, logs) = (aws_sdk_lambda::Client::new(&config), aws_sdk_cloudwatchlogs::Client::new(&config));
        // CloudFormation gives all groups the same prefix. A function's configuration has its group's name.
        let function = lambda.get_function_configuration().function_name(output("AuthorizeRequestFunctionName"));
        let function = function.send().await.unwrap();
        let known = function.logging_config().unwrap().log_group().unwrap();
        let (prefix, _) = known.split_once("AuthorizeRequestLogGroup").expect("CloudFormation names the group");
        let pages = logs.describe_log_groups().log_group_name_prefix(prefix).into_paginator().send();
        let pages = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        let names: Vec<_> = pages
            .iter()
            .flat_map(DescribeLogGroupsOutput::log_groups)
            .filter_map(aws_sdk_cloudwatchlogs::types::LogGroup::log_group_name)
            .collect();
        let mut lines = BTreeMap::new();
        let groups = groups();
        assert!(groups.len() > 5, "the template has log groups: {groups:?}");
        for group in groups {
            let own = format!("{prefix}{group}");
            let name = names.iter().find(|name| name.starts_with(&own)).unwrap_or_else(|| panic!("no group {own}"));
            let pages = logs.filter_log_events().log_group_name(*name).into_paginator().send();
            let pages = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
            let events = pages.iter().flat_map(FilterLogEventsOutput::events);
            lines.insert(group, events.filter_map(|event| event.message().map(str::to_owned)).collect());
        }
        Self(lines)
    }

    fn lines(&self, group: &str) -> &[String] {
        &self.0[group]
    }

    fn count(&self, group: &str, text: &str) -> usize {
        self.lines(group).iter().filter(|line| line.contains(text)).count()
    }

    fn has(&self, group: &str, texts: &[&str]) -> bool {
        self.lines(group).iter().any(|line| texts.iter().all(|text| line.contains(text)))
    }
}

/// The only line of authorize-request for a refused caller.
const REFUSED: &str = "Refused a request";

#[tokio::test]
async fn no_log_has_a_token_a_body_or_a_note() {
    let (note, owner) = (format!("note {}", new_id()), format!("owner-{}", new_id()));
    let (api, stack) = (ApiClient::for_user(&owner), Stack::from_env().await);
    let ids = LANES.map(|_| new_id());
    let impostor = issuer().impostor().token(&issuer().claims(&owner));
    let protocols = format!("twolane.v1, twolane.token.{}", token(&owner));
    let before = Logs::read().await;

    let (mut socket, _) =
        Socket::try_open(handshake(&[("sec-websocket-protocol", &protocols)])).await.expect("the token is good");
    let connection = stack.connections_of(&owner).await.into_iter().next().expect("the socket is known");
    for (lane, id) in LANES.iter().zip(&ids) {
        let order = order_with_note(&note);
        api.put(lane, id, &order).await;
        api.put(lane, id, &order_with_note(&format!("{note}, another"))).await;
        let mut refused = order.clone();
        refused["currency"] = json!("ABC");
        api.put(lane, &new_id(), &refused).await;
        api.put_bytes(lane, &new_id(), format!("{{{note}")).await;
        ApiClient::with_authorization(Some(format!("Bearer {impostor}"))).put(lane, id, &order).await;
        api.settled(id).await;
        socket.subscribe(id).await;
    }
    let payment = new_id();
    api.put_payment(&payment, "EUR", 1).await;
    socket.send(&note).await;
    socket.send(&json!({"action": "subscribe", "orderId": note}).to_string()).await;
    assert!(Socket::try_open(handshake(&[("authorization", &format!("Bearer {impostor}"))])).await.is_err());

    // Once each function's last line is readable, all earlier ones are.
    let (last_queued, last_subscribed) = (new_id(), new_id());
    api.put("async", &last_queued, &order_with_note(&note)).await;
    api.settled(&last_queued).await;
    socket.subscribe(&last_subscribed).await;
    socket.close().await;
    let different = api.put("sync", &ids[0], &order_with_note(&format!("{note}, yet another"))).await;
    let last_request = different.problem(409).request_id.expect("a problem has a request id");

    // The local cloud writes none.
    let has_access_logs = !output("ApiUrl").starts_with("http:");
    let written = eventually(LOG_DEADLINE, "the last line of every log is readable", async || {
        let logs = Logs::read().await;
        let by_functions = logs.has("CreateOrderLogGroup", &[&last_request])
            && logs.has("ProcessOrdersLogGroup", &["Settled order", &last_queued])
            && logs.has("ManageConnectionsLogGroup", &["Subscribed to order", &last_subscribed])
            && BUS.iter().all(|group| logs.has(group, &[&ids[2]]))
            && logs.has("CreatePaymentLogGroup", &[&payment])
            // One for each API: the APIs cache a denial.
            && logs.count("AuthorizeRequestLogGroup", REFUSED) >= before.count("AuthorizeRequestLogGroup", REFUSED) + 2
            && logs.lines("GetOrderLogGroup").len() > before.lines("GetOrderLogGroup").len();
        let by_apis = logs.has("OrdersApiAccessLogGroup", &[&last_request])
            && logs.has("WebSocketAccessLogGroup", &[&connection, "DISCONNECT"]);
        (by_functions && (by_apis || !has_access_logs)).then_some(logs)
    })
    .await;

    assert!(written.has("CreateOrderLogGroup", &[&ids[0]]), "an order is found by its id");
    assert!(written.has("ProcessOrdersLogGroup", &[&ids[1]]), "an order is found by its id");
    let secrets = [token(OWNER), token(&owner), impostor];
    let signatures = secrets.iter().map(|token| token.rsplit('.').next().unwrap());
    let forbidden: Vec<_> = FORBIDDEN.into_iter().chain([note.as_str(), owner.as_str()]).chain(signatures).collect();
    for (group, lines) in &written.0 {
        for line in lines {
            let found = forbidden.iter().find(|text| line.contains(**text));
            assert_eq!(found, None, "in a line of {group}: {line}");
        }
    }
}
