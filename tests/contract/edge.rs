//! What the edge refuses, answers and logs.

use crate::cloudformation::{Template, rest_api, template};
use lambda_support::http::SECURITY_HEADERS;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn method_settings(template: &Template) -> Vec<Value> {
    template.resource("OrdersApi")["Properties"]["MethodSettings"].as_array().unwrap().clone()
}

#[test]
fn both_apis_are_throttled_by_parameters() {
    let template = template();
    let websocket = template.resource("WebSocketStage")["Properties"]["DefaultRouteSettings"].clone();

    for settings in method_settings(&template).into_iter().chain([websocket]) {
        for limit in ["ThrottlingRateLimit", "ThrottlingBurstLimit"] {
            assert!(settings[limit]["Ref"].is_string(), "{settings}: set {limit} by a parameter");
            assert!(template.number(&settings[limit]) > 0);
        }
    }
}

#[test]
fn method_settings_name_existing_methods() {
    for settings in method_settings(&template()) {
        let path = settings["ResourcePath"].as_str().unwrap();
        if path == "/*" {
            continue;
        }
        let path = path.replacen('/', "", 1).replace("~1", "/");
        let method = settings["HttpMethod"].as_str().unwrap().to_lowercase();
        assert!(!rest_api()["paths"][&path][&method].is_null(), "{path} {method}: the method does not exist");
    }
}

#[test]
fn access_logs_have_no_token_no_body_and_no_owner() {
    let template = template();
    let logs = [
        &template.resource("OrdersApi")["Properties"]["AccessLogSetting"],
        &template.resource("WebSocketStage")["Properties"]["AccessLogSettings"],
    ];
    // Without secrets. Source: Amazon API Gateway Developer Guide, "Variables for access logging".
    let harmless: BTreeSet<_> = [
        "requestId",
        "requestTimeEpoch",
        "httpMethod",
        "resourcePath",
        "status",
        "error.responseType",
        "eventType",
        "connectionId",
        "authorizer.status",
        "integration.status",
        "responseLatency",
        "xrayTraceId",
    ]
    .into();

    for log in logs {
        let format = log["Format"].as_str().unwrap();
        assert!(log["DestinationArn"]["Fn::GetAtt"][0].as_str().unwrap().ends_with("AccessLogGroup"));
        for variable in format.split("$context.").skip(1) {
            let end = variable.find(|character: char| !character.is_ascii_alphanumeric() && character != '.').unwrap();
            assert!(harmless.contains(&variable[..end]), "$context.{} does not belong in a log", &variable[..end]);
        }
        assert!(!format.contains("$input") && !format.contains("$request"), "{format}");
        let line = format.replace("$context.requestTimeEpoch", "1").replace("$context.", "");
        assert!(serde_json::from_str::<Value>(&line).is_ok(), "each line is JSON: {line}");
    }
}

#[test]
fn every_answer_has_the_security_headers_that_the_functions_set() {
    let api = rest_api();
    let expected = SECURITY_HEADERS.map(|(name, value)| (name.to_string(), format!("'{}'", value.to_str().unwrap())));
    let has = |place: &str, parameters: &Value, prefix: &str| {
        let set = parameters.as_object().unwrap_or_else(|| panic!("{place}: set responseParameters"));
        let set: BTreeSet<_> = set
            .iter()
            // Not every answer has conditional headers.
            .filter_map(|(name, value)| Some((name.replacen(prefix, "", 1).to_lowercase(), value.as_str()?.to_owned())))
            .collect();
        for header in &expected {
            assert!(set.contains(header), "{place}: add {header:?}");
        }
    };

    for (name, response) in api["x-amazon-apigateway-gateway-responses"].as_object().unwrap() {
        has(name, &response["responseParameters"], "gatewayresponse.header.");
    }
    for (path, methods) in api["paths"].as_object().unwrap() {
        for (method, call) in methods.as_object().unwrap() {
            let integration = &call["x-amazon-apigateway-integration"];
            // A function sets its own headers.
            if integration["type"] == "aws_proxy" {
                continue;
            }
            for (pattern, response) in integration["responses"].as_object().unwrap() {
                let place = format!("{method} {path} {pattern}");
                has(&place, &response["responseParameters"], "method.response.header.");
                let status = response["statusCode"].as_str().unwrap();
                let declared = call["responses"][status]["headers"].as_object().unwrap();
                let declared: BTreeSet<_> = declared.keys().map(|name| name.to_lowercase()).collect();
                assert!(expected.iter().all(|(name, _)| declared.contains(name)), "{place}: declare them for {status}");
            }
        }
    }
}

/// Of a queue's policy, including those only on AWS.
fn statements(template: &Template, queue: &str) -> Vec<Value> {
    let policies = template.of_type("AWS::SQS::QueuePolicy");
    let own = policies.filter(|(_, policy)| policy["Queues"] == json!([{"Ref": queue}]));
    let statements = own.flat_map(|(_, policy)| policy["PolicyDocument"]["Statement"].as_array().unwrap().clone());
    statements.map(|statement| statement["Fn::If"].get(2).cloned().unwrap_or(statement)).collect()
}

#[test]
fn every_queue_requires_tls() {
    let template = template();

    for (id, _) in template.of_type("AWS::SQS::Queue") {
        let denies = statements(&template, id).iter().any(|statement| {
            statement["Effect"] == "Deny"
                && statement["Principal"] == "*"
                && statement["Action"] == "sqs:*"
                && statement["Condition"] == json!({"Bool": {"aws:SecureTransport": "false"}})
        });
        assert!(denies, "{id}: add a policy that denies requests without TLS");
    }
}

#[test]
fn only_the_apis_role_and_the_redrive_role_send_to_the_queue() {
    let template = template();
    let api_role = json!({"Fn::GetAtt": ["OrdersApiRole", "Arn"]});
    let statements = statements(&template, "OrdersQueue");

    let allowed: Vec<_> = statements.iter().filter(|statement| statement["Effect"] == "Allow").collect();
    assert_eq!(allowed.len(), 1);
    assert_eq!((&allowed[0]["Principal"]["AWS"], &allowed[0]["Action"]), (&api_role, &json!("sqs:SendMessage")));
    let denied = statements.iter().find(|statement| statement["Condition"]["ArnNotEquals"].is_object()).unwrap();
    assert_eq!((&denied["Effect"], &denied["Action"]), (&json!("Deny"), &json!("sqs:SendMessage")));
    let excepted = denied["Condition"]["ArnNotEquals"]["aws:PrincipalArn"].as_array().unwrap();
    assert_eq!(excepted.len(), 2);
    assert_eq!(excepted[0], api_role);
    assert_eq!(excepted[1]["Fn::If"][1], json!({"Ref": "RedriveRoleArn"}));
}

#[test]
fn the_web_acl_limits_rates_blocks_common_attacks_and_is_only_for_aws() {
    let template = template();
    let acl = template.resource("WebFirewall");
    let rules = acl["Properties"]["Rules"].to_string();

    assert_eq!(acl["Condition"], "HasWebAcl");
    assert!(rules.contains("RateBasedStatement") && rules.contains("AWSManagedRulesCommonRuleSet"), "{rules}");
    assert!(!acl["Properties"].to_string().contains("\"SampledRequestsEnabled\":true"), "samples show tokens");
}

#[test]
fn stages_with_access_logs_wait_for_the_role_that_writes_them() {
    let template = template();

    for stage in ["OrdersApi", "WebSocketStage"] {
        let named = &template.resource(stage)["Properties"]["Tags"]["access-logs-by"]["Fn::If"][1]["Ref"];
        assert_eq!(named, "ApiGatewayAccount", "{stage}: otherwise a first deployment fails");
    }
}
