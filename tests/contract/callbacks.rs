//! The stack with and without its WebSocket API: the parameter `Callbacks`.

use crate::cloudformation::{Template, references, template, template_without_callbacks};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Everything that refers to something: resources and outputs, with their names.
fn referring(template: &Template) -> impl Iterator<Item = (&String, &Value)> {
    template.resources().iter().chain(template.outputs())
}

fn variables(template: &Template) -> BTreeSet<String> {
    let variables = &template.resource("ProcessOrdersFunction")["Properties"]["Environment"]["Variables"];
    variables.as_object().unwrap().keys().cloned().collect()
}

fn keys(fields: &serde_json::Map<String, Value>) -> BTreeSet<&str> {
    fields.keys().map(String::as_str).collect()
}

#[test]
fn callbacks_are_there_unless_a_parameter_says_none() {
    assert_eq!(template().resolve(&json!({"Ref": "Callbacks"})), "websocket");
}

#[test]
fn without_callbacks_nothing_is_left_that_serves_them_alone() {
    let (with, without) = (template(), template_without_callbacks());

    let gone: BTreeSet<_> = keys(with.resources()).difference(&keys(without.resources())).copied().collect();
    let serves =
        |id: &str| ["WebSocket", "ManageConnections", "ConnectionsTable"].iter().any(|part| id.starts_with(part));
    let serving: BTreeSet<_> = keys(with.resources()).into_iter().filter(|id| serves(id)).collect();
    assert_eq!(gone, serving, "left out by HasCallbacks (left), named for callbacks (right)");
    let outputs: BTreeSet<_> = keys(with.outputs()).difference(&keys(without.outputs())).copied().collect();
    assert_eq!(outputs, ["ConnectionsTableName", "ManageConnectionsFunctionName", "WebSocketUrl"].into());
    for (id, resource) in without.resources() {
        let kind = resource["Type"].as_str().unwrap();
        assert!(!kind.starts_with("AWS::ApiGatewayV2::"), "{id}: {kind} costs and serves nobody without callbacks");
        assert!(!resource.to_string().contains("execute-api:ManageConnections"), "{id}: may post to no socket");
    }
}

#[test]
fn nothing_refers_to_what_is_left_out() {
    for template in [template(), template_without_callbacks()] {
        let names = template.names();
        for (id, value) in referring(&template) {
            references(value, &mut |name| assert!(names.contains(name), "{id} refers to {name}, which is not there"));
        }
    }
}

#[test]
fn without_callbacks_the_worker_is_told_of_none() {
    let (with, without) = (variables(&template()), variables(&template_without_callbacks()));

    let gone: BTreeSet<_> = with.difference(&without).map(String::as_str).collect();
    assert_eq!(gone, ["CONNECTIONS_TABLE_NAME", "WEBSOCKET_MANAGEMENT_URL"].into());
}
