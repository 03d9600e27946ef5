//! Exactly the required callers may invoke each function.

use super::integrations::{invoked, methods};
use super::roles::statements;
use serde_json::json;
use std::collections::BTreeSet;
use testkit::template::{CreatedStack, stacks, text};

/// API Gateway's source ARN, and the function. Source of the ARNs: Amazon API Gateway Developer Guide, "ARN format of
/// API execution and management".
fn callers(stack: &CreatedStack) -> BTreeSet<(String, String)> {
    let arn = |api: &str, rest: &str| stack.place.arn("execute-api", &format!("{api}/{rest}"));
    let (api, stage) = (&stack.only("AWS::ApiGateway::RestApi").unwrap().reference, stack.stage());
    let mut callers = BTreeSet::new();
    for (path, method, integration) in methods(stack).filter(|(_, _, integration)| integration["type"] == "aws_proxy") {
        let path = path.split_once('{').map_or(path.to_owned(), |(fixed, _)| format!("{fixed}5f0c"));
        let asked = format!("{stage}/{}{path}", method.to_uppercase());
        callers.insert((arn(api, &asked), invoked(stack, &integration["uri"]).to_owned()));
    }
    for scheme in stack.rest_api()["components"]["securitySchemes"].as_object().unwrap().values() {
        let uri = &scheme["x-amazon-apigateway-authorizer"]["authorizerUri"];
        // API Gateway generates the id.
        callers.insert((arn(api, "authorizers/a1b2c3"), invoked(stack, uri).to_owned()));
    }
    for (_, route) in stack.of_type("AWS::ApiGatewayV2::Route") {
        let integration = text(&route.properties["Target"]).strip_prefix("integrations/").unwrap();
        let integration = stack.of_type("AWS::ApiGatewayV2::Integration").find(|(_, it)| it.reference == integration);
        let uri = &integration.unwrap().1.properties["IntegrationUri"];
        let asked = format!("{stage}/{}", text(&route.properties["RouteKey"]));
        callers.insert((arn(text(&route.properties["ApiId"]), &asked), invoked(stack, uri).to_owned()));
    }
    for (_, authorizer) in stack.of_type("AWS::ApiGatewayV2::Authorizer") {
        let asked = format!("authorizers/{}", authorizer.reference);
        let asked = arn(text(&authorizer.properties["ApiId"]), &asked);
        callers.insert((asked, invoked(stack, &authorizer.properties["AuthorizerUri"]).to_owned()));
    }
    callers
}

fn may_run(stack: &CreatedStack, source: &str, function: &str) -> bool {
    let function = stack.resource(function);
    let mut permissions = stack.of_type("AWS::Lambda::Permission").map(|(_, permission)| &permission.properties);
    permissions.any(|permission| {
        let named = text(&permission["FunctionName"]);
        [function.reference.as_str(), function.arn()].contains(&named)
            && permission["Action"] == "lambda:InvokeFunction"
            && permission["Principal"] == "apigateway.amazonaws.com"
            && permission.get("SourceArn").is_none_or(|pattern| is_like(text(pattern), source))
    })
}

/// Whether text matches a pattern with `*`, as in ARNs of conditions.
fn is_like(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, pattern)) => text.strip_prefix(start).is_some_and(|text| {
            (0..=text.len()).filter(|at| text.is_char_boundary(*at)).any(|at| is_like(pattern, &text[at..]))
        }),
    }
}

#[test]
fn every_required_caller_may_invoke_its_function() {
    for stack in stacks() {
        let callers = callers(stack);
        assert!(callers.len() > 2, "{}: {callers:?}", stack.name);
        for (source, function) in callers {
            assert!(may_run(stack, &source, &function), "{}: {source} cannot invoke {function}", stack.name);
        }
    }
}

#[test]
fn no_other_caller_may_invoke_a_function() {
    for stack in stacks() {
        let callers = callers(stack);
        for (function, _) in stack.of_type("AWS::Lambda::Function") {
            // All routes of the WebSocket API go to one function, and the API may invoke it for any route.
            let serves = callers.iter().any(|(source, run)| run == function && is_route(stack, source));
            for source in callers.iter().flat_map(|(source, _)| near(stack, source)) {
                let must = callers.contains(&(source.clone(), function.to_owned()));
                let allowed = must || (serves && is_of_sockets(stack, &source));
                assert!(
                    allowed || !may_run(stack, &source, function),
                    "{}: {source} can invoke {function}",
                    stack.name
                );
            }
        }
    }
}

fn is_of_sockets(stack: &CreatedStack, source: &str) -> bool {
    let api = stack.only("AWS::ApiGatewayV2::Api");
    api.is_some_and(|api| source.starts_with(&stack.place.arn("execute-api", &format!("{}/", api.reference))))
}

fn is_route(stack: &CreatedStack, source: &str) -> bool {
    is_of_sockets(stack, source) && !source.contains("/authorizers/")
}

/// A source and similar ones: other methods, paths, APIs, accounts, regions.
fn near(stack: &CreatedStack, source: &str) -> Vec<String> {
    let (start, _) = source.split_once('/').unwrap();
    let (_, api) = start.rsplit_once(':').unwrap();
    let mut near = vec![
        source.to_owned(),
        source.replacen(api, "another1id", 1),
        source.replacen(stack.place.account, "999999999999", 1),
        source.replacen(stack.place.region, "ap-south-2", 1),
        format!("{start}/{}/authorizers/x", stack.stage()),
    ];
    let paths = [
        "sync/orders/5f0c",
        "async/orders/5f0c",
        "bus/orders/5f0c",
        "orders/5f0c",
        "payments/5f0c",
        "stock/5f0c",
        "orders",
        "",
    ];
    for method in ["GET", "PUT", "POST", "DELETE", "OPTIONS", "PATCH", "HEAD"] {
        near.extend(paths.map(|path| format!("{start}/{}/{method}/{path}", stack.stage())));
    }
    near
}

#[test]
fn every_workers_role_may_read_its_queue() {
    let expected = [
        ("OrdersQueue", "ProcessOrdersFunction"),
        ("SubmissionsQueue", "SettleOrderFunction"),
        ("OutcomesQueue", "SettleOrderFunction"),
        ("DeadlineQueue", "SettleOrderFunction"),
        ("StockQueue", "ReserveStockFunction"),
        ("PaymentsQueue", "AuthorizePaymentFunction"),
        ("ShipmentsQueue", "BookShipmentFunction"),
    ];
    for stack in stacks() {
        let mut readers = BTreeSet::new();
        for (_, mapping) in stack.of_type("AWS::Lambda::EventSourceMapping") {
            let mapping = &mapping.properties;
            let (queue, _) = stack.by_arn(text(&mapping["EventSourceArn"])).unwrap();
            let named = text(&mapping["FunctionName"]);
            let mut functions = stack.of_type("AWS::Lambda::Function");
            let (worker, function) =
                functions.find(|(_, it)| [it.reference.as_str(), it.arn()].contains(&named)).unwrap();
            readers.insert((queue, worker));

            let (role, _) = stack.by_arn(text(&function.properties["Role"])).unwrap();
            let allowed = statements(stack, role);
            // Source: AWS Lambda Developer Guide, "Using Lambda with Amazon SQS", execution role permissions.
            for action in ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"] {
                let needed = (action.to_owned(), stack.resource(queue).arn().to_owned());
                assert!(allowed.contains(&needed), "{}: {needed:?}", stack.name);
            }
            assert_eq!(mapping["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]), "{}", stack.name);
            assert_eq!(text(&mapping["ScalingConfig"]["MaximumConcurrency"]), stack.parameters["MaximumConcurrency"]);
            assert_ne!(mapping["Enabled"], json!(false), "{}", stack.name);
        }
        assert_eq!(readers, expected.into(), "{}", stack.name);
    }
}

#[test]
fn the_queue_redrives_to_the_dead_letter_queue_and_the_worker_knows_the_queue() {
    for stack in stacks() {
        let redrive = &stack.resource("OrdersQueue").properties["RedrivePolicy"];
        let variables = &stack.resource("ProcessOrdersFunction").properties["Environment"]["Variables"];

        let dead_letters = stack.by_arn(text(&redrive["deadLetterTargetArn"])).map(|(id, _)| id);
        assert_eq!(dead_letters, Some("DeadLetterQueue"), "{}", stack.name);
        assert_eq!(text(&variables["ORDERS_QUEUE_URL"]), stack.resource("OrdersQueue").reference, "{}", stack.name);
    }
}
