//! What each role may do, and which service can assume it.

use serde_json::json;
use std::collections::BTreeSet;
use testkit::template::{CreatedStack, stacks, text};

/// A role's actions and their resources. Fails unless each statement has one of each.
pub(super) fn statements(stack: &CreatedStack, role: &str) -> Vec<(String, String)> {
    let (role, name) = (stack.resource(role), &stack.resource(role).reference);
    let attached = stack.of_type("AWS::IAM::Policy").map(|(_, policy)| &policy.properties);
    let attached = attached.filter(|policy| policy["Roles"].as_array().unwrap().contains(&json!(name)));
    let policies = role.properties["Policies"].as_array().into_iter().flatten().chain(attached);
    let statements = policies.flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().unwrap());
    let statements = statements.map(|statement| {
        let keys: Vec<_> = statement.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            keys.into_iter().collect::<BTreeSet<_>>(),
            BTreeSet::from(["Action", "Effect", "Resource"]),
            "{name}"
        );
        assert_eq!(statement["Effect"], "Allow", "{name}");
        (text(&statement["Action"]).to_owned(), text(&statement["Resource"]).to_owned())
    });
    statements.collect()
}

/// Of actions on sockets. Source: Amazon API Gateway Developer Guide, "Control access to WebSocket APIs with AWS IAM
/// authorization".
fn socket_arns(stack: &CreatedStack) -> Vec<String> {
    let api = stack.only("AWS::ApiGatewayV2::Api").map(|api| &api.reference);
    let arn = |api, method| stack.place.arn("execute-api", &format!("{api}/{}/{method}/@connections/*", stack.stage()));
    api.into_iter().flat_map(|api| ["POST", "DELETE"].map(|method| arn(api, method))).collect()
}

#[test]
fn every_permission_names_one_resource_of_the_stack_and_of_the_actions_service() {
    for stack in stacks() {
        for (id, role) in stack.of_type("AWS::IAM::Role") {
            for (action, resource) in statements(stack, id) {
                let at = format!("{}, {id}: {action} on {resource}", stack.name);
                let service = action.split(':').next().unwrap();
                let known = match service {
                    // X-Ray has no resources.
                    "xray" => resource == "*",
                    "execute-api" => socket_arns(stack).contains(&resource),
                    "kms" => resource == stack.parameters["KmsKeyArn"],
                    _ => stack.by_arn(&resource).is_some(),
                };
                assert!(known, "{at}: not a resource of the stack");
                assert!(resource == "*" || resource.split(':').nth(2) == Some(service), "{at}");
            }
            let managed = role.properties["ManagedPolicyArns"].as_array().map_or(0, Vec::len);
            assert_eq!(managed, usize::from(id == "ApiGatewayLogsWriterRole"), "{}, {id}", stack.name);
        }
    }
}

#[test]
fn only_lambda_assumes_roles_of_functions_and_only_api_gateway_the_others() {
    for stack in stacks() {
        let function_roles: BTreeSet<_> =
            stack.of_type("AWS::Lambda::Function").map(|(_, function)| text(&function.properties["Role"])).collect();
        assert_eq!(function_roles.len(), stack.of_type("AWS::Lambda::Function").count(), "{}: one each", stack.name);
        for (id, role) in stack.of_type("AWS::IAM::Role") {
            let service = if function_roles.contains(role.arn()) { "lambda" } else { "apigateway" };
            let taken = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                "Principal": {"Service": format!("{service}.amazonaws.com")}}]});
            assert_eq!(role.properties["AssumeRolePolicyDocument"], taken, "{}, {id}", stack.name);
        }
        let unknown = function_roles.iter().find(|role| stack.by_arn(role).is_none());
        assert_eq!(unknown, None, "{}: SAM must not generate roles", stack.name);
    }
}

/// Each table, queue and topic that its environment names, and no other.
#[test]
fn every_function_may_use_exactly_the_stores_and_topics_in_its_environment() {
    for stack in stacks() {
        for (id, function) in stack.of_type("AWS::Lambda::Function") {
            let (role, _) = stack.by_arn(text(&function.properties["Role"])).unwrap();
            let actions = statements(stack, role).into_iter();
            let services = ["dynamodb:", "sns:", "sqs:"];
            let stores = actions.filter(|(action, _)| services.iter().any(|service| action.starts_with(service)));
            let used: BTreeSet<_> = stores.map(|(_, arn)| stack.by_arn(&arn).unwrap().0.to_owned()).collect();
            let named: BTreeSet<_> = function.properties["Environment"]["Variables"]
                .as_object()
                .into_iter()
                .flat_map(|variables| variables.values().map(text))
                .filter_map(|value| {
                    let mut stores = stack.resources().iter().filter(|(_, store)| store.reference == value);
                    let kinds = ["AWS::DynamoDB::Table", "AWS::SNS::Topic", "AWS::SQS::Queue"];
                    let store = stores.find(|(_, store)| kinds.contains(&&*store.kind));
                    store.map(|(id, _)| id.clone())
                })
                .collect();
            assert_eq!(
                used, named,
                "{}, {id}: what its role may use (left), what its environment names (right)",
                stack.name
            );
        }
    }
}
