//! All names are known, under every set of parameters.

use serde_json::Value;
use testkit::template::{CreatedStack, stacks, text};

#[test]
fn every_name_is_known_and_every_parameter_is_allowed() {
    for stack in stacks() {
        assert!(stack.problems.is_empty(), "{}:\n{}", stack.name, stack.problems.join("\n"));
    }
}

#[test]
fn every_intrinsic_function_and_placeholder_is_evaluated() {
    fn look(value: &Value, at: &str) {
        match value {
            Value::String(text) => {
                assert!(!text.contains("${") && !text.contains("{{resolve:"), "{at}: write !Sub: {text}");
            }
            Value::Array(items) => items.iter().for_each(|item| look(item, at)),
            Value::Object(fields) => fields.iter().for_each(|(name, value)| {
                assert!(!name.starts_with("Fn::"), "{at}: {name} was not evaluated");
                look(value, at);
            }),
            _ => {}
        }
    }

    for stack in stacks() {
        for (id, resource) in stack.resources() {
            look(&resource.properties, &format!("{}, {id}", stack.name));
        }
    }
}

/// CloudFormation refuses ARNs of another partition.
#[test]
fn every_arn_has_the_partition_of_the_stack() {
    for stack in stacks() {
        let own = format!("arn:{}:", stack.place.partition);
        for (id, resource) in stack.resources() {
            let all = resource.properties.to_string();
            let given: Vec<_> = stack.parameters.values().filter(|value| value.starts_with("arn:")).collect();
            for (at, _) in all.match_indices("\"arn:") {
                let arn = all[at + 1..].split('"').next().unwrap();
                assert!(arn.starts_with(&own) || given.contains(&&arn.to_owned()), "{}, {id}: {arn}", stack.name);
            }
        }
    }
}

#[test]
fn outputs_have_the_urls_of_the_apis() {
    for stack in stacks() {
        let address = |api: &str, scheme: &str, domain: &str| match stack.parameters[domain].as_str() {
            "" => address(stack, api, scheme),
            domain => format!("{scheme}s://{domain}"),
        };
        let rest = &stack.only("AWS::ApiGateway::RestApi").unwrap().reference;
        assert_eq!(stack.outputs["ApiUrl"], address(rest, "http", "ApiDomain"), "{}", stack.name);
        let websocket = stack.only("AWS::ApiGatewayV2::Api");
        let websocket = websocket.map(|api| address(&api.reference, "ws", "SocketDomain"));
        assert_eq!(stack.outputs.get("WebSocketUrl").map(text), websocket.as_deref(), "{}", stack.name);
        for (name, value) in &stack.outputs {
            assert!(!text(value).is_empty(), "{}: output {name} is empty", stack.name);
        }
    }
}

/// The URLs in answers.
#[test]
fn functions_have_the_urls_that_clients_have() {
    for stack in stacks() {
        for (id, function) in stack.of_type("AWS::Lambda::Function") {
            let variables = &function.properties["Environment"]["Variables"];
            if let Some(orders) = variables["ORDERS_URL"].as_str() {
                assert_eq!(orders, format!("{}/orders", text(&stack.outputs["ApiUrl"])), "{}, {id}", stack.name);
            }
        }
    }
}

/// The permission for notifications names the API's id, which is part of API Gateway's own address.
#[test]
fn functions_notify_at_the_apis_own_address() {
    for stack in stacks() {
        let api = stack.only("AWS::ApiGatewayV2::Api").map(|api| address(stack, &api.reference, "http"));
        for (id, function) in stack.of_type("AWS::Lambda::Function") {
            let url = &function.properties["Environment"]["Variables"]["WEBSOCKET_MANAGEMENT_URL"];
            assert!(url.is_null() || url.as_str() == api.as_deref(), "{}, {id}: {url}", stack.name);
        }
    }
}

/// From API Gateway, or the local cloud.
fn address(stack: &CreatedStack, api: &str, scheme: &str) -> String {
    let place = stack.place;
    match stack.parameters["LocalEndpoint"].as_str() {
        "" => format!("{scheme}s://{api}.execute-api.{}.{}/{}", place.region, place.url_suffix, stack.stage()),
        local => format!("{}/_aws/execute-api/{api}/{}", local.replace("http", scheme), stack.stage()),
    }
}
