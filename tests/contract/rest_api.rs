//! Compares `infra/openapi.yaml` with the resources of `template.yaml`.

use crate::cloudformation::{rest_api, template};
use serde_json::{Map, Value, json};

const INTEGRATION: &str = "x-amazon-apigateway-integration";
const ANY_METHOD: &str = "x-amazon-apigateway-any-method";

fn paths(api: &Value) -> &Map<String, Value> {
    api["paths"].as_object().unwrap()
}

/// Calls of clients, as path, method, definition.
fn calls(api: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    paths(api).iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter().filter(|(method, _)| !method.starts_with("x-"));
        methods.map(move |(method, call)| (path.as_str(), method.as_str(), call))
    })
}

fn queue_integration(api: &Value) -> &Value {
    let integrations = calls(api).map(|(_, _, call)| &call[INTEGRATION]);
    let mut queues = integrations.filter(|integration| integration["uri"].to_string().contains(":sqs:"));
    queues.next().expect("one call of infra/openapi.yaml sends to SQS")
}

#[test]
fn every_permission_names_its_source() {
    for (id, permission) in template().of_type("AWS::Lambda::Permission") {
        assert!(permission["SourceArn"]["Fn::Sub"].is_string(), "{id}: set SourceArn, or any API may run the function");
        assert_eq!(permission["Action"], "lambda:InvokeFunction", "{id}");
        assert_eq!(permission["Principal"], "apigateway.amazonaws.com", "{id}");
    }
}

#[test]
fn every_path_refuses_other_methods_with_405_and_lists_the_allowed_ones() {
    let api = rest_api();

    for (path, methods) in paths(&api) {
        let mut taken: Vec<_> = calls(&api).filter(|call| call.0 == path).map(|call| call.1.to_uppercase()).collect();
        // Features of other packages decide whether JSON keeps the order of the file.
        taken.sort();
        let answer = &methods[ANY_METHOD][INTEGRATION]["responses"]["default"];
        let headers = &answer["responseParameters"];
        let body = answer["responseTemplates"]["application/json"].as_str();
        let body = body.unwrap_or_else(|| panic!("{path}: add {ANY_METHOD} with a mock integration that answers 405"));
        let problem: Value = serde_json::from_str(&body.replace("$context.requestId", "sample")).unwrap();

        assert_eq!(answer["statusCode"], "405", "{path}");
        assert_eq!(headers["method.response.header.Allow"], format!("'{}'", taken.join(", ")), "{path}");
        assert_eq!(headers["method.response.header.Content-Type"], "'application/problem+json'", "{path}");
        assert_eq!(problem["status"], 405, "{path}");
        let declared = &methods[ANY_METHOD]["responses"]["405"]["headers"];
        assert!(!declared["Allow"].is_null(), "{path}: API Gateway sets only declared headers; declare Allow");
    }
}

#[test]
fn every_body_for_the_queue_is_validated_at_the_edge_and_every_other_by_its_function() {
    let api = rest_api();
    let validators = &api["x-amazon-apigateway-request-validators"];

    for (path, method, call) in calls(&api).filter(|(_, _, call)| !call["requestBody"].is_null()) {
        let validator = call["x-amazon-apigateway-request-validator"].as_str();
        let content = call["requestBody"]["content"].as_object().unwrap();
        match validator {
            Some(name) => assert_eq!(validators[name]["validateRequestBody"], true, "{method} {path}"),
            // The edge's refusal would lack a pointer to the error.
            None => assert_eq!(call[INTEGRATION]["type"], "aws_proxy", "{method} {path}: name a validator of bodies"),
        }
        assert_eq!(validator.is_some(), call[INTEGRATION]["type"] == "aws", "{method} {path}");
        assert_eq!(content.keys().collect::<Vec<_>>(), ["application/json"], "{method} {path}");
        let request = if path.contains("/orders/") { "OrderRequest" } else { "PaymentRequest" };
        assert_eq!(
            content["application/json"]["schema"],
            json!({"$ref": format!("#/components/schemas/{request}")}),
            "{method} {path}: all lanes take the same order"
        );
    }
}

/// Generated clients and schema-driven tests rely on the schemas.
#[test]
fn each_path_describes_the_ids_that_it_accepts() {
    let api = rest_api();
    let id = "5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b";
    let malformed =
        ["order-1".to_owned(), id.replace('-', ""), format!("{{{id}}}"), format!("urn:uuid:{id}"), format!("{id} ")];
    let without_schema = ["queueOrder"];

    let of_ids = calls(&api).filter(|(path, method, _)| *method != "options" && path.contains("Id}"));
    for (path, method, call) in of_ids {
        let parameters = call["parameters"].as_array().unwrap();
        let is_id = |parameter: &&Value| ["orderId", "paymentId"].map(Value::from).contains(&parameter["name"]);
        let parameter = parameters.iter().find(is_id).unwrap();
        let schema = jsonschema::draft4::new(&parameter["schema"]).unwrap();
        for id in [id.to_owned(), id.to_uppercase()] {
            assert!(schema.is_valid(&json!(id)), "{method} {path}: {id}");
        }
        let takes_any = without_schema.contains(&call["operationId"].as_str().unwrap());
        for id in &malformed {
            assert!(orders::OrderId::parse(id).is_err());
            assert_eq!(schema.is_valid(&json!(id)), takes_any, "{method} {path}: {id:?}");
        }
        assert_eq!(parameter["schema"]["format"] == "uuid", !takes_any, "{method} {path}");
    }
}

/// API Gateway validates the token's format before it calls the authorizer.
#[test]
fn the_bearer_scheme_is_accepted_in_any_case() {
    let authorizer = &rest_api()["components"]["securitySchemes"]["bearer"]["x-amazon-apigateway-authorizer"];
    let schema = jsonschema::draft4::new(&json!({"pattern": authorizer["identityValidationExpression"]})).unwrap();

    for scheme in ["Bearer", "bearer", "BEARER", "beaReR"] {
        assert!(schema.is_valid(&json!(format!("{scheme} a.b.c"))), "{scheme}");
    }
    for wrong in ["Basic a.b.c", "Bearer", "Bearera.b.c", "Bearer a.b", "Bearer a.b.c d", "xBearer a.b.c"] {
        assert!(!schema.is_valid(&json!(wrong)), "{wrong}");
    }
}

#[test]
fn a_body_of_another_media_type_never_reaches_the_queue() {
    let api = rest_api();
    let integration = queue_integration(&api);

    assert_eq!(integration["passthroughBehavior"], "never");
    let templates: Vec<_> = integration["requestTemplates"].as_object().unwrap().keys().collect();
    assert_eq!(templates, ["application/json"]);
}

fn invoked(uri: &Value) -> &str {
    let uri = uri["Fn::Sub"].as_str().unwrap();
    uri.split_once("functions/${").unwrap().1.split_once(".Arn}").unwrap().0
}

const AUTHORIZER: &str = "AuthorizeRequestFunction";

#[test]
fn every_method_of_the_rest_api_needs_a_token() {
    let api = rest_api();
    let methods = paths(&api).iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.map(move |(method, call)| (path, method, call))
    });

    // A browser's preflight has no token, and invokes no function.
    let (preflights, calls): (Vec<_>, Vec<_>) = methods.partition(|(_, method, _)| *method == "options");
    for (path, _, preflight) in preflights {
        assert_eq!(
            preflight["x-amazon-apigateway-integration"]["type"], "mock",
            "{path}: a preflight must not invoke a function"
        );
    }
    for (path, method, call) in calls {
        assert_eq!(call["security"], json!([{"bearer": []}]), "{method} {path}: set security, or it needs no token");
    }
    let scheme = &api["components"]["securitySchemes"]["bearer"];
    let authorizer = &scheme["x-amazon-apigateway-authorizer"];
    assert_eq!((&scheme["in"], &scheme["name"]), (&json!("header"), &json!("Authorization")));
    assert_eq!((&authorizer["type"], invoked(&authorizer["authorizerUri"])), (&json!("token"), AUTHORIZER));
}

#[test]
fn an_expired_token_is_not_accepted_for_long() {
    let ttl = &rest_api()["components"]["securitySchemes"]["bearer"]["x-amazon-apigateway-authorizer"];

    assert!(ttl["authorizerResultTtlInSeconds"].as_u64().unwrap() <= 60, "the cache outlives tokens");
}

#[test]
fn only_the_authorizer_sets_the_owner() {
    let (template, api) = (template(), rest_api());
    let stages = [&template.resource("OrdersApi")["Properties"]["Variables"]]
        .into_iter()
        .chain([&template.resource("WebSocketStage")["Properties"]["StageVariables"]]);

    for variables in stages {
        assert!(variables["owner"].is_null(), "the owner must come from the token");
    }
    assert!(!api.to_string().contains("$stageVariables.owner"));
}

#[test]
fn the_queue_answers_every_status_and_never_shows_its_own_error() {
    let api = rest_api();
    let responses = queue_integration(&api)["responses"].as_object().unwrap();

    assert!(responses.contains_key("default"), "add `default`: an unmatched error would be sent as it is");
    for (pattern, response) in responses {
        let template = response["responseTemplates"]["application/json"].as_str();
        assert!(template.is_some(), "{pattern}: without a template, the answer of SQS is sent as it is");
    }
}
