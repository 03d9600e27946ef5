//! Where API Gateway sends requests, and with which role.

use super::roles::statements;
use lanes::{Invoker, LANES, Lane};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use testkit::template::{CreatedStack, stacks, text};

/// As path, method and integration.
pub(super) fn methods(stack: &CreatedStack) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = stack.rest_api()["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.map(move |(method, definition)| {
            (path.as_str(), method.as_str(), &definition["x-amazon-apigateway-integration"])
        })
    })
}

/// The invoked function's logical id. Source of the URI: Amazon API Gateway REST API Reference, `PutIntegration`, uri.
pub(super) fn invoked<'a>(stack: &'a CreatedStack, uri: &Value) -> &'a str {
    let place = stack.place;
    let start = format!("arn:{}:apigateway:{}:lambda:path/2015-03-31/functions/", place.partition, place.region);
    let arn = text(uri).strip_prefix(&start).and_then(|rest| rest.strip_suffix("/invocations"));
    let function = arn.and_then(|arn| stack.by_arn(arn)).filter(|(_, found)| found.kind == "AWS::Lambda::Function");
    function.unwrap_or_else(|| panic!("{}: {uri} invokes no function of the stack", stack.name)).0
}

/// The queue's logical id. Source of the URI: as above.
fn queue<'a>(stack: &'a CreatedStack, uri: &Value) -> &'a str {
    let place = stack.place;
    let start = format!("arn:{}:apigateway:{}:sqs:path/{}/", place.partition, place.region, place.account);
    let name = text(uri).strip_prefix(&start).unwrap_or_else(|| panic!("{}: {uri}", stack.name));
    let queue = stack.by_arn(&place.arn("sqs", name));
    queue.unwrap_or_else(|| panic!("{}: {uri} is not a queue of the stack", stack.name)).0
}

/// The function or queue that takes the lane's requests.
fn target_of(lane: Lane) -> String {
    let function = lane.functions.iter().find(|function| function.invoked_by == Invoker::Request);
    let target = match function {
        Some(function) => function.output.strip_suffix("Name"),
        None => lane.queues[0].url_output.strip_suffix("Url"),
    };
    target.expect("outputs are named after their resources").to_owned()
}

#[test]
fn every_request_goes_to_the_target_of_the_architecture() {
    for stack in stacks() {
        let behind = methods(stack).map(|(path, method, integration)| {
            let target = match text(&integration["type"]) {
                "aws_proxy" => invoked(stack, &integration["uri"]),
                "aws" => queue(stack, &integration["uri"]),
                other => other,
            };
            (format!("{method} {path}"), target.to_owned())
        });
        let behind: BTreeMap<_, _> = behind.filter(|(_, target)| target != "mock").collect();
        let services = [
            ("get /orders", "ListOrdersFunction"),
            ("get /orders/{orderId}", "GetOrderFunction"),
            ("put /payments/{paymentId}", "CreatePaymentFunction"),
            ("get /payments/{paymentId}", "GetPaymentFunction"),
            ("get /stock/{sku}", "GetStockFunction"),
        ];
        let services = services.map(|(call, target)| (call.to_owned(), target.to_owned()));
        let lanes = LANES.iter().map(|lane| (format!("put /{}/{{orderId}}", lane.path), target_of(lane)));
        assert_eq!(behind, lanes.chain(services).collect(), "{}", stack.name);
    }
}

#[test]
fn integrations_use_post_and_the_queue_has_a_separate_role() {
    for stack in stacks() {
        for (path, method, integration) in methods(stack) {
            let at = format!("{}, {method} {path}", stack.name);
            let credentials = integration.get("credentials");
            match text(&integration["type"]) {
                // Source: as above, httpMethod: API Gateway always invokes Lambda by POST.
                "aws_proxy" => assert_eq!((&integration["httpMethod"], credentials), (&json!("POST"), None), "{at}"),
                "aws" => {
                    assert_eq!(integration["httpMethod"], "POST", "{at}");
                    let role = stack.by_arn(text(credentials.unwrap())).unwrap().0;
                    assert_eq!(role, "OrdersApiRole", "{at}");
                    let form =
                        json!({"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"});
                    assert_eq!(integration["requestParameters"], form, "{at}");
                }
                _ => assert_eq!((integration.get("uri"), credentials), (None, None), "{at}"),
            }
        }
    }
}

#[test]
fn the_role_of_the_api_sends_to_that_queue_and_does_nothing_else() {
    for stack in stacks() {
        let (_, _, integration) = methods(stack).find(|(_, _, integration)| integration["type"] == "aws").unwrap();
        let queue = stack.resource(queue(stack, &integration["uri"])).arn();
        let (id, role) = stack.by_arn(text(&integration["credentials"])).unwrap();
        let own = statements(stack, id).into_iter().filter(|(action, _)| !action.starts_with("kms:"));

        assert_eq!(own.collect::<Vec<_>>(), [("sqs:SendMessage".to_owned(), queue.to_owned())], "{}", stack.name);
        let policy = stack.of_type("AWS::SQS::QueuePolicy").map(|(_, policy)| &policy.properties);
        let mut statements = policy.flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().unwrap());
        let sends = json!({"Sid": "TheApiSends", "Effect": "Allow", "Principal": {"AWS": role.arn()},
            "Action": "sqs:SendMessage", "Resource": queue});
        assert!(statements.any(|statement| *statement == sends), "{}: the queue must let {id} send", stack.name);
    }
}

/// Statements about another queue have no effect.
#[test]
fn every_queue_policy_is_about_its_own_queue() {
    for stack in stacks() {
        for (id, policy) in stack.of_type("AWS::SQS::QueuePolicy") {
            let urls: Vec<_> = policy.properties["Queues"].as_array().unwrap().iter().map(text).collect();
            let queues: Vec<_> = stack.of_type("AWS::SQS::Queue").map(|(_, queue)| queue).collect();
            let own = queues.iter().filter(|queue| urls.contains(&queue.reference.as_str()));
            let own: Vec<_> = own.map(|queue| queue.arn()).collect();
            assert_eq!(own.len(), urls.len(), "{}, {id}: {urls:?}", stack.name);
            for statement in policy.properties["PolicyDocument"]["Statement"].as_array().unwrap() {
                assert!(own.contains(&text(&statement["Resource"])), "{}, {id}: {statement}", stack.name);
            }
        }
    }
}

#[test]
fn pages_may_read_api_gateways_own_answers_only_if_a_parameter_lists_origins() {
    const ORIGIN: &str = "gatewayresponse.header.Access-Control-Allow-Origin";

    assert_eq!(stacks()[0].parameters["CorsAllowedOrigins"], "", "by default");
    for stack in stacks() {
        // The page's origin comes first, if there is a page.
        let listed = [stack.outputs.get("PageUrl").map(text), Some(stack.parameters["CorsAllowedOrigins"].as_str())];
        let listed: Vec<_> = listed.into_iter().flatten().filter(|origins| !origins.is_empty()).collect();
        let expected = (!listed.is_empty()).then(|| json!("'*'"));
        for (name, response) in stack.rest_api()["x-amazon-apigateway-gateway-responses"].as_object().unwrap() {
            assert_eq!(response["responseParameters"].get(ORIGIN), expected.as_ref(), "{}, {name}", stack.name);
        }
        let variables = &stack.only("AWS::ApiGateway::Stage").unwrap().properties["Variables"];
        let list = if listed.is_empty() { "none".to_owned() } else { listed.join(",") };
        assert_eq!(*variables, json!({"corsAllowedOrigins": list}), "{}", stack.name);
    }
}
