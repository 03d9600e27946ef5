//! The parameter `Callbacks`: the stack with and without its WebSocket API.

use std::collections::BTreeSet;
use testkit::template::{CreatedStack, stacks};

/// With callbacks, the default, and without.
fn stacks_with_and_without() -> [&'static CreatedStack; 2] {
    let with = &stacks()[0];
    let without = stacks().iter().find(|stack| stack.parameters["Callbacks"] == "none").unwrap();
    assert_eq!(with.parameters["Callbacks"], "websocket", "callbacks are the default");
    [with, without]
}

fn difference<'a>(
    with: impl Iterator<Item = &'a String>,
    without: impl Iterator<Item = &'a String>,
) -> BTreeSet<&'a str> {
    let without: BTreeSet<_> = without.collect();
    with.filter(|name| !without.contains(name)).map(String::as_str).collect()
}

#[test]
fn without_callbacks_the_stack_has_no_resources_for_them() {
    let [with, without] = stacks_with_and_without();

    let gone = difference(with.resources().keys(), without.resources().keys());
    let serves = |id: &str| ["WebSocket", "ManageConnections", "ConnectionsTable"].iter().any(|it| id.starts_with(it));
    let serving: BTreeSet<_> = with.resources().keys().map(String::as_str).filter(|id| serves(id)).collect();
    assert_eq!(
        gone, serving,
        "resources with the condition HasCallbacks (left), resources named for callbacks (right)"
    );
    let outputs = difference(with.outputs.keys(), without.outputs.keys());
    assert_eq!(outputs, ["ConnectionsTableName", "ManageConnectionsFunctionName", "WebSocketUrl"].into());
    for (id, resource) in without.resources() {
        assert!(
            !resource.properties.to_string().contains("@connections"),
            "{id}: must not have permissions on sockets"
        );
    }
}

#[test]
fn without_callbacks_the_worker_has_no_settings_for_them() {
    let [with, without] = stacks_with_and_without().map(|stack| {
        let worker = &stack.resource("ProcessOrdersFunction").properties;
        worker["Environment"]["Variables"].as_object().unwrap()
    });

    let gone = difference(with.keys(), without.keys());
    assert_eq!(gone, ["CONNECTIONS_TABLE_NAME", "WEBSOCKET_MANAGEMENT_URL"].into());
}
