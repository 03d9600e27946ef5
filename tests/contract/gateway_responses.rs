//! API Gateway's own answers are problems, too.

use crate::cloudformation::rest_api;
use orders_api::Problem;
use serde_json::{Map, Value};

/// With a fixed status. Source: Amazon API Gateway Developer Guide, "Gateway response types for API Gateway".
const TYPES: [&str; 19] = [
    "ACCESS_DENIED",
    "API_CONFIGURATION_ERROR",
    "AUTHORIZER_CONFIGURATION_ERROR",
    "AUTHORIZER_FAILURE",
    "BAD_REQUEST_BODY",
    "BAD_REQUEST_PARAMETERS",
    "EXPIRED_TOKEN",
    "INTEGRATION_FAILURE",
    "INTEGRATION_TIMEOUT",
    "INVALID_API_KEY",
    "INVALID_SIGNATURE",
    "MISSING_AUTHENTICATION_TOKEN",
    "QUOTA_EXCEEDED",
    "REQUEST_TOO_LARGE",
    "RESOURCE_NOT_FOUND",
    "THROTTLED",
    "UNAUTHORIZED",
    "UNSUPPORTED_MEDIA_TYPE",
    "WAF_FILTERED",
];

/// For every other type, with the error's status.
const DEFAULTS: [&str; 2] = ["DEFAULT_4XX", "DEFAULT_5XX"];

fn responses() -> Map<String, Value> {
    rest_api()["x-amazon-apigateway-gateway-responses"].as_object().unwrap().clone()
}

/// With sample values for `$context.…`.
fn body(name: &str, response: &Value) -> Value {
    let template = response["responseTemplates"]["application/json"].as_str();
    let template = template.unwrap_or_else(|| panic!("{name}: add a response template for application/json"));
    // The value of messageString includes quotes.
    let quoted = template.replace("$context.error.messageString", "\"a message\"");
    let mut text = String::new();
    let mut pieces = quoted.split("$context.");
    text.push_str(pieces.next().unwrap());
    for piece in pieces {
        let end = piece.find(|character: char| !character.is_ascii_alphanumeric() && character != '.').unwrap();
        text.push_str("sample");
        text.push_str(&piece[end..]);
    }
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: its template is not JSON ({error}): {text}"))
}

#[test]
fn every_type_that_api_gateway_knows_is_answered_as_a_problem() {
    let responses = responses();

    for name in TYPES.iter().chain(&DEFAULTS) {
        let response = responses.get(*name).unwrap_or_else(|| panic!("infra/openapi.yaml: add an answer for {name}"));
        let body = body(name, response);
        let media_type = &response["responseParameters"]["gatewayresponse.header.Content-Type"];
        assert_eq!(media_type, &format!("'{}'", Problem::MEDIA_TYPE), "{name}: set the media type of problems");
        assert_eq!(body["type"], "about:blank", "{name}");
        assert_eq!(body["requestId"], "sample", "{name}: add $context.requestId");
        for text in ["title", "detail"] {
            assert!(body[text].as_str().is_some_and(|text| !text.is_empty()), "{name}: add a {text}");
        }
    }
    for name in responses.keys() {
        let known = TYPES.contains(&name.as_str()) || DEFAULTS.contains(&name.as_str());
        assert!(known, "{name} is not one of API Gateway's types");
    }
}

#[test]
fn the_body_of_every_type_has_its_status() {
    let responses = responses();

    for name in TYPES {
        let response = &responses[name];
        let problem: Problem = serde_json::from_value(body(name, response)).unwrap();
        let status = problem.status.map(|status| status.to_string());
        assert_eq!(response["statusCode"].as_str(), status.as_deref(), "{name}: header and body must agree");
    }
}

#[test]
fn throttled_requests_get_retry_after() {
    let responses = responses();

    for (name, response) in responses.iter().filter(|(_, response)| response["statusCode"] == "429") {
        let after = &response["responseParameters"]["gatewayresponse.header.Retry-After"];
        assert!(after.is_string(), "{name}: set Retry-After");
    }
}

#[test]
fn no_answer_shows_internals() {
    for (name, response) in responses().iter().filter(|(_, response)| !response.to_string().contains("\"status\":4")) {
        let template = response["responseTemplates"].to_string();
        let shows = name.ends_with("5XX") && template.contains("$context.error");
        assert!(!shows && !template.contains("integrationErrorMessage"), "{name}: show only the request id");
    }
}
