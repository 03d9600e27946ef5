//! `functions/` against `template.yaml`.

use crate::{
    cloudformation::{Template, template},
    repository::{self, function_folders, packages},
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// `create-order` → `CreateOrder`.
fn pascal_case(folder: &str) -> String {
    let capitalized = |word: &str| word[..1].to_uppercase() + &word[1..];
    folder.split('-').map(capitalized).collect()
}

fn function<'a>(template: &'a Template, folder: &str) -> &'a Value {
    &template.resource(&format!("{}Function", pascal_case(folder)))["Properties"]
}

fn statements(properties: &Value) -> Vec<&Value> {
    let policies = properties["Policies"].as_array().map(Vec::as_slice).unwrap_or_default();
    policies.iter().flat_map(|policy| policy["Statement"].as_array().unwrap()).collect()
}

#[test]
fn every_folder_in_functions_is_built_by_cargo_lambda_under_its_name() {
    let template = template();

    for folder in function_folders() {
        let id = format!("{}Function", pascal_case(&folder));
        let function = template.resource(&id);
        assert_eq!(function["Type"], "AWS::Serverless::Function", "{id}: set this Type");
        assert_eq!(function["Properties"]["CodeUri"], format!("functions/{folder}"), "{id}: set this CodeUri");
        assert_eq!(function["Metadata"]["BuildMethod"], "rust-cargolambda", "{id}: set this BuildMethod");
    }
}

#[test]
fn every_function_of_the_template_has_a_folder() {
    let expected: BTreeSet<_> =
        function_folders().iter().map(|folder| format!("{}Function", pascal_case(folder))).collect();

    let template = template();
    let found: BTreeSet<_> = template.of_type("AWS::Serverless::Function").map(|(id, _)| id.to_owned()).collect();

    assert_eq!(found, expected, "functions of template.yaml (left) and folders in functions/ (right) must agree");
}

#[test]
fn every_function_writes_to_its_own_log_group_with_retention() {
    let template = template();

    for folder in function_folders() {
        let group = format!("{}LogGroup", pascal_case(&folder));
        let retention = &template.resource(&group)["Properties"]["RetentionInDays"];
        let logging = &function(&template, &folder)["LoggingConfig"];
        assert_eq!(template.resource(&group)["Type"], "AWS::Logs::LogGroup", "{group}: set this Type");
        assert!(!retention.is_null(), "{group}: set RetentionInDays, or its logs are kept and paid for ever");
        assert_eq!(logging["LogGroup"], json!({"Ref": group}), "{folder}: set LoggingConfig.LogGroup to it");
    }
}

#[test]
fn every_function_has_an_alarm_on_its_own_errors() {
    let template = template();

    for folder in function_folders() {
        let name = pascal_case(&folder);
        let alarm = template.resource(&format!("{name}ErrorsAlarm"));
        let dimensions = json!([{"Name": "FunctionName", "Value": {"Ref": format!("{name}Function")}}]);
        assert_eq!(alarm["Type"], "AWS::CloudWatch::Alarm", "{name}ErrorsAlarm: set this Type");
        assert_eq!(alarm["Properties"]["Namespace"], "AWS/Lambda", "{name}ErrorsAlarm: watch Lambda");
        assert_eq!(alarm["Properties"]["MetricName"], "Errors", "{name}ErrorsAlarm: watch errors");
        assert_eq!(alarm["Properties"]["Dimensions"], dimensions, "{name}ErrorsAlarm: watch its own function");
    }
}

#[test]
fn every_function_links_exactly_the_aws_services_that_its_policies_allow() {
    let template = template();

    for package in packages().iter().filter(|package| function_folders().contains(&package.name)) {
        let actions = statements(function(&template, &package.name)).into_iter().map(|statement| &statement["Action"]);
        let allowed: BTreeSet<_> = actions.map(|action| sdk_crate(action.as_str().unwrap())).collect();
        let linked: BTreeSet<_> =
            package.dependencies.iter().filter(|name| name.starts_with("aws-sdk-")).map(String::as_str).collect();
        assert_eq!(
            linked, allowed,
            "{}: Cargo.toml (left) and the Policies of its function in template.yaml (right) must name the same services",
            package.name
        );
    }
}

/// The SDK crate of an action's service.
fn sdk_crate(action: &str) -> &'static str {
    match action.split(':').next().unwrap() {
        "dynamodb" => "aws-sdk-dynamodb",
        "execute-api" => "aws-sdk-apigatewaymanagement",
        "sns" => "aws-sdk-sns",
        "sqs" => "aws-sdk-sqs",
        service => panic!("Which SDK crate calls {service}? Add it to this table"),
    }
}

#[test]
fn every_policy_statement_allows_one_action_on_one_resource() {
    let template = template();
    let functions = template.of_type("AWS::Serverless::Function").map(|(id, properties)| (id, statements(properties)));
    let roles = template.of_type("AWS::IAM::Role").map(|(id, properties)| {
        let policies = properties["Policies"].as_array().unwrap().iter();
        (id, policies.flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().unwrap()).collect())
    });

    for (id, statements) in functions.chain(roles) {
        assert!(!statements.is_empty(), "{id}: give it a policy with Statements of its own");
        for statement in statements {
            let (action, resource) = (&statement["Action"], &statement["Resource"]);
            let action = action.as_str().unwrap_or_else(|| panic!("{id}: one statement per action, not {action}"));
            let arn = resource.get("Fn::GetAtt").or_else(|| resource.get("Fn::Sub"));
            assert_eq!(statement["Effect"], "Allow", "{id}");
            assert!(!action.contains('*'), "{id}: name the action instead of {action}");
            assert!(arn.is_some(), "{id}: name one ARN by !GetAtt or !Sub instead of {resource}");
        }
    }
}

#[test]
fn the_template_sets_exactly_the_environment_variables_that_a_function_reads() {
    let template = template();

    for folder in function_folders() {
        let variables = function(&template, &folder)["Environment"]["Variables"].as_object();
        let set: BTreeSet<_> = variables.into_iter().flat_map(|variables| variables.keys().cloned()).collect();
        let path = format!("functions/{folder}/src/main.rs");
        assert_eq!(
            set,
            variables_read(&repository::read(&path)),
            "template.yaml sets the left, {path} reads the right"
        );
    }
}

/// The names in `environment.text("…")`, `.url("…")`, `.number("…")` and `.days("…")`.
fn variables_read(source: &str) -> BTreeSet<String> {
    let calls = source.split("environment").skip(1).filter_map(|rest| {
        let call = rest.trim_start().strip_prefix('.')?;
        let method = ["text", "url", "number", "days"].into_iter().find_map(|method| call.strip_prefix(method))?;
        let argument = method.split_once('(')?.1.trim_start().strip_prefix('"')?;
        Some(argument.split_once('"')?.0.to_owned())
    });
    calls.collect()
}
