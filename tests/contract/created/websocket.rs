//! The WebSocket API: all parts or none.

use super::integrations::invoked;
use serde_json::json;
use std::collections::BTreeMap;
use testkit::template::{CreatedStack, stacks, text};

/// With the API's id.
fn with_api() -> impl Iterator<Item = (&'static CreatedStack, &'static str)> {
    stacks().iter().filter_map(|stack| Some((stack, stack.only("AWS::ApiGatewayV2::Api")?.reference.as_str())))
}

#[test]
fn without_an_api_the_stack_has_no_part_of_it() {
    for stack in stacks().iter().filter(|stack| stack.only("AWS::ApiGatewayV2::Api").is_none()) {
        let left = stack.resources().iter().find(|(_, resource)| resource.kind.starts_with("AWS::ApiGatewayV2::"));
        assert_eq!(left.map(|(id, _)| id), None, "{}", stack.name);
    }
    assert!(with_api().count() > 1);
}

#[test]
fn every_part_belongs_to_the_one_api() {
    for (stack, api) in with_api() {
        let parts = stack.resources().iter().filter(|(_, part)| part.kind.starts_with("AWS::ApiGatewayV2::"));
        let of_no_api = ["AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::DomainName"];
        for (id, part) in parts.filter(|(_, part)| !of_no_api.contains(&part.kind.as_str())) {
            assert_eq!(part.properties["ApiId"], api, "{}, {id}", stack.name);
        }
        let properties = &stack.only("AWS::ApiGatewayV2::Api").unwrap().properties;
        assert_eq!(properties["ProtocolType"], "WEBSOCKET", "{}", stack.name);
        assert_eq!(properties["RouteSelectionExpression"], "$request.body.action", "{}", stack.name);
    }
}

#[test]
fn every_route_goes_to_manage_connections() {
    for (stack, _) in with_api() {
        let integrations: BTreeMap<_, _> = stack
            .of_type("AWS::ApiGatewayV2::Integration")
            .map(|(_, integration)| (format!("integrations/{}", integration.reference), &integration.properties))
            .collect();
        let mut keys: Vec<_> = stack
            .of_type("AWS::ApiGatewayV2::Route")
            .map(|(id, route)| {
                let integration = integrations.get(text(&route.properties["Target"]));
                let integration = integration.unwrap_or_else(|| panic!("{}, {id}: no integration", stack.name));
                assert_eq!(integration["IntegrationType"], "AWS_PROXY", "{}, {id}", stack.name);
                let function = invoked(stack, &integration["IntegrationUri"]);
                assert_eq!(function, "ManageConnectionsFunction", "{}, {id}", stack.name);
                text(&route.properties["RouteKey"])
            })
            .collect();
        keys.sort_unstable();
        assert_eq!(keys, ["$connect", "$default", "$disconnect", "ping", "subscribe"], "{}", stack.name);
    }
}

#[test]
fn only_connect_has_the_authorizer() {
    for (stack, _) in with_api() {
        let authorizer = stack.only("AWS::ApiGatewayV2::Authorizer").unwrap();
        let function = invoked(stack, &authorizer.properties["AuthorizerUri"]);
        assert_eq!(function, "AuthorizeRequestFunction", "{}", stack.name);
        assert_eq!(authorizer.properties["AuthorizerType"], "REQUEST", "{}", stack.name);
        for (id, route) in stack.of_type("AWS::ApiGatewayV2::Route") {
            let asked = (route.properties.get("AuthorizationType"), route.properties.get("AuthorizerId"));
            let (custom, reference) = (json!("CUSTOM"), json!(authorizer.reference));
            let opens = route.properties["RouteKey"] == "$connect";
            assert_eq!(
                asked,
                if opens { (Some(&custom), Some(&reference)) } else { (None, None) },
                "{}, {id}",
                stack.name
            );
        }
    }
}

/// A fixed deployment would never show later changes.
#[test]
fn the_stage_deploys_every_change() {
    for (stack, _) in with_api() {
        let stage = &stack.only("AWS::ApiGatewayV2::Stage").unwrap().properties;
        assert_eq!((&stage["AutoDeploy"], stage.get("DeploymentId")), (&json!(true), None), "{}", stack.name);
        assert_eq!(text(&stage["StageName"]), stack.stage(), "{}: both APIs are in one stage", stack.name);
    }
}
