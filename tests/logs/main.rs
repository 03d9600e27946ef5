//! What the functions write down: enough to find an order by its id, and never a token, a body or a note.
//!
//! All that is in the logs is read, so what ran before on the same stack is looked at too: Cargo runs this after `e2e`
//! and `faults`.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped is what the test is about; the place says enough")]

use aws_sdk_cloudwatchlogs::operation::filter_log_events::FilterLogEventsOutput;
use serde_json::json;
use std::time::Duration;
use tokio::time::sleep;
use twolane_tests::{
    api_client::{ApiClient, LANES},
    eventually::{DEADLINE, eventually},
    order_bodies::{new_id, order_with_note},
    socket::{Socket, handshake},
    stack::{OWNER, output, sdk_config},
    tokens::{issuer, token},
};

/// Outputs that name the functions.
const FUNCTIONS: [&str; 5] = [
    "AuthorizeRequestFunctionName",
    "CreateOrderFunctionName",
    "ProcessOrdersFunctionName",
    "GetOrderFunctionName",
    "ManageConnectionsFunctionName",
];

/// In every log of a token, of credentials or of a body. `eyJ` is how `{"` begins in base64: headers and claims of tokens.
const FORBIDDEN: [&str; 6] = ["eyJ", "Bearer ", "twolane.token.", "unitPriceMinor", "\"items\"", "\\\"items\\\""];

/// Every line in the functions' logs.
async fn lines() -> Vec<String> {
    let config = sdk_config().await;
    let (lambda, logs) = (aws_sdk_lambda::Client::new(&config), aws_sdk_cloudwatchlogs::Client::new(&config));
    let mut lines = Vec::new();
    for function in FUNCTIONS.map(output) {
        let answer = lambda.get_function_configuration().function_name(function).send().await.unwrap();
        let group = answer.logging_config().unwrap().log_group().unwrap();
        let pages = logs.filter_log_events().log_group_name(group).into_paginator().send();
        let pages = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        let events = pages.iter().flat_map(FilterLogEventsOutput::events);
        lines.extend(events.filter_map(|event| event.message().map(str::to_owned)));
    }
    lines
}

#[tokio::test]
async fn no_log_has_a_token_a_body_or_a_note() {
    let (note, owner) = (format!("note {}", new_id()), format!("owner-{}", new_id()));
    let api = ApiClient::of(&owner);
    let ids = LANES.map(|_| new_id());
    let impostor = issuer().impostor().token(&issuer().claims(&owner));
    let protocols = format!("twolane.v1, twolane.token.{}", token(&owner));

    let mut reported = None;
    let (mut socket, _) =
        Socket::try_open(handshake(&[("sec-websocket-protocol", &protocols)])).await.expect("the token is good");
    for (lane, id) in LANES.iter().zip(&ids) {
        let order = order_with_note(&note);
        api.put(lane, id, &order).await;
        let different = api.put(lane, id, &order_with_note(&format!("{note}, another"))).await;
        if *lane == "sync" {
            reported = different.problem(409).request_id;
        }
        let mut refused = order.clone();
        refused["currency"] = json!("ABC");
        api.put(lane, &new_id(), &refused).await;
        api.put_bytes(lane, &new_id(), format!("{{{note}")).await;
        ApiClient::with_authorization(Some(format!("Bearer {impostor}"))).put(lane, id, &order).await;
        api.settled(id).await;
        socket.subscribe(id).await;
    }
    socket.send(&note).await;
    socket.send(&json!({"action": "subscribe", "orderId": note}).to_string()).await;
    socket.close().await;
    assert!(Socket::try_open(handshake(&[("authorization", &format!("Bearer {impostor}"))])).await.is_err());

    let written = eventually(DEADLINE, "both orders and the refusal are in the logs", async || {
        sleep(Duration::from_millis(200)).await;
        let lines = lines().await;
        let all = lines.join("\n");
        (ids.iter().all(|id| all.contains(id)) && all.contains("Refused a request")).then_some(lines)
    })
    .await;

    let reported = reported.expect("a problem tells its request");
    assert!(written.iter().any(|line| line.contains(&reported)), "the request id {reported} is for finding its lines");
    let secrets = [token(OWNER), token(&owner), impostor];
    let signatures = secrets.iter().map(|token| token.rsplit('.').next().unwrap());
    let forbidden: Vec<_> = FORBIDDEN.into_iter().chain([note.as_str()]).chain(signatures).collect();
    for line in &written {
        let found = forbidden.iter().find(|text| line.contains(**text));
        assert_eq!(found, None, "a log line has it: {line}");
    }
}
