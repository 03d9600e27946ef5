//! Compares `functions/` with `template.yaml`.

use crate::cloudformation::{Template, template};
use lambda_support::{environment::Environment, sdk::RetryPolicy};
use serde_json::{Value, json};
use std::{
    cell::RefCell,
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};
use testkit::repository::{self, function_folders, packages};

#[path = "../../functions/authorize-request/src/config.rs"]
#[expect(dead_code, reason = "only the variables that it reads matter here")]
mod authorize_request;
#[path = "../../functions/book-shipment/src/config.rs"]
#[expect(dead_code, reason = "as above")]
mod book_shipment;
#[path = "../../functions/create-order/src/config.rs"]
#[expect(dead_code, reason = "as above")]
mod create_order;
#[path = "../../functions/create-payment/src/config.rs"]
#[expect(dead_code, reason = "as above")]
mod create_payment;
#[path = "../../functions/get-order/src/config.rs"]
#[expect(dead_code, reason = "as above")]
mod get_order;
#[path = "../../functions/get-payment/src/config.rs"]
#[expect(dead_code, reason = "as above")]
mod get_payment;
#[path = "../../functions/get-stock/src/config.rs"]
#[expect(dead_code, reason = "as above")]
mod get_stock;
#[path = "../../functions/list-orders/src/config.rs"]
#[expect(dead_code, reason = "as above")]
mod list_orders;
#[path = "../../functions/manage-connections/src/config.rs"]
#[expect(dead_code, reason = "as above")]
mod manage_connections;
#[path = "../../functions/process-orders/src/config.rs"]
#[expect(dead_code, reason = "as above")]
mod process_orders;
#[path = "../../functions/publish-order/src/config.rs"]
#[expect(dead_code, reason = "as above")]
mod publish_order;
#[path = "../../functions/settle-order/src/config.rs"]
#[expect(dead_code, reason = "as above")]
mod settle_order;

/// `create-order` → `CreateOrder`.
fn pascal_case(folder: &str) -> String {
    let capitalized = |word: &str| word[..1].to_uppercase() + &word[1..];
    folder.split('-').map(capitalized).collect()
}

fn function<'a>(template: &'a Template, folder: &str) -> &'a Value {
    &template.resource(&format!("{}Function", pascal_case(folder)))["Properties"]
}

/// Of a role's own policies.
fn statements(role: &Value) -> impl Iterator<Item = &Value> {
    let policies = role["Policies"].as_array().unwrap().iter();
    policies.flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().unwrap())
}

fn role<'a>(template: &'a Template, folder: &str) -> &'a Value {
    &template.resource(&format!("{}Role", pascal_case(folder)))["Properties"]
}

#[test]
fn every_folder_in_functions_is_built_by_cargo_lambda_under_its_name() {
    let template = template();

    for folder in function_folders() {
        let id = format!("{}Function", pascal_case(&folder));
        let function = template.resource(&id);
        assert_eq!(function["Type"], "AWS::Serverless::Function", "{id}: set this Type");
        assert_eq!(function["Properties"]["CodeUri"], format!("functions/{folder}"), "{id}: set this CodeUri");
        // Without `Binary`, cargo-lambda removes every binary of the workspace, including the command line.
        let metadata = json!({"BuildMethod": "rust-cargolambda", "BuildProperties": {"Binary": folder}});
        assert_eq!(function["Metadata"], metadata, "{id}: set this Metadata");
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
        assert!(!retention.is_null(), "{group}: set RetentionInDays, or its logs never expire");
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

/// They make the SDK clients of the functions that depend on them.
const CLIENT_MAKERS: [&str; 2] = ["orders-sqs", "steps-sqs"];

#[test]
fn every_function_links_exactly_the_aws_services_that_its_policies_allow() {
    let template = template();

    let packages = packages();

    for package in packages.iter().filter(|package| function_folders().contains(&package.name)) {
        let actions = statements(role(&template, &package.name)).map(|statement| statement["Action"].as_str().unwrap());
        let allowed: BTreeSet<_> = actions.filter(|action| !is_lambdas_own(action)).map(sdk_crate).collect();
        let makers = packages
            .iter()
            .filter(|other| CLIENT_MAKERS.contains(&other.name.as_str()) && package.dependencies.contains(&other.name));
        let dependencies = makers.chain([package]).flat_map(|one| &one.dependencies);
        let linked: BTreeSet<_> =
            dependencies.filter(|name| name.starts_with("aws-sdk-")).map(String::as_str).collect();
        assert_eq!(
            linked, allowed,
            "{}: services in Cargo.toml and in those of its client makers (left), in the policies of its role in template.yaml (right)",
            package.name
        );
    }
}

/// Whether Lambda itself needs it, to log, to trace or to poll a queue.
fn is_lambdas_own(action: &str) -> bool {
    let polls = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];
    action.starts_with("logs:") || action.starts_with("xray:") || polls.contains(&action)
}

fn sdk_crate(action: &str) -> &'static str {
    match action.split(':').next().unwrap() {
        "dynamodb" => "aws-sdk-dynamodb",
        "execute-api" => "aws-sdk-apigatewaymanagement",
        "sns" => "aws-sdk-sns",
        "sqs" => "aws-sdk-sqs",
        service => panic!("The SDK crate of {service} is unknown: add it to this table"),
    }
}

#[test]
fn every_policy_statement_allows_one_action_on_one_resource() {
    let template = template();

    for (id, role) in template.of_type("AWS::IAM::Role") {
        // For the whole account: API Gateway accepts no smaller one.
        if id == "ApiGatewayLogsWriterRole" {
            continue;
        }
        assert!(role["ManagedPolicyArns"].is_null(), "{id}: AWS's managed policies allow more than one function needs");
        for statement in statements(role) {
            let (action, resource) = (&statement["Action"], &statement["Resource"]);
            let action = action.as_str().unwrap_or_else(|| panic!("{id}: one statement per action, not {action}"));
            // The ARN of a topic is what `Ref` returns.
            let topic = resource["Ref"].as_str().filter(|id| template.resource(id)["Type"] == "AWS::SNS::Topic");
            let named = resource.get("Fn::GetAtt").is_some() || resource.get("Fn::Sub").is_some() || topic.is_some();
            assert_eq!(statement["Effect"], "Allow", "{id}");
            assert!(!action.contains('*'), "{id}: name the action instead of {action}");
            // X-Ray's actions have no resources. Source: AWS Service Authorization Reference, "AWS X-Ray".
            assert!(
                named || action.starts_with("xray:"),
                "{id}: name one ARN by !GetAtt, !Sub or !Ref instead of {resource}"
            );
        }
    }
}

#[test]
fn every_function_has_a_separate_role() {
    let template = template();

    for folder in function_folders() {
        let (function, id) = (function(&template, &folder), format!("{}Role", pascal_case(&folder)));
        assert_eq!(function["Role"], json!({"Fn::GetAtt": [id, "Arn"]}), "{folder}: set this Role");
        // Without `Role`, SAM makes one with AWS's managed policies, which allow much more.
        assert!(function["Policies"].is_null(), "{folder}: SAM ignores Policies when Role is set: move them to {id}");
    }
}

#[test]
fn the_template_sets_exactly_the_environment_variables_that_a_function_reads() {
    let template = template();

    for folder in function_folders() {
        let variables = function(&template, &folder)["Environment"]["Variables"].as_object();
        let set: BTreeSet<_> = variables.into_iter().flat_map(|variables| variables.keys().cloned()).collect();
        assert_eq!(
            set,
            variables_read(&folder),
            "variables in template.yaml (left), variables that {folder} reads (right)"
        );
    }
}

#[test]
fn functions_read_the_environment_in_one_place() {
    let packages = packages();
    let mut built: BTreeSet<String> = function_folders();
    loop {
        let more: Vec<_> = packages.iter().filter(|one| built.contains(&one.name)).collect();
        let more = more.into_iter().flat_map(|one| one.dependencies.iter());
        let more: Vec<_> = more.filter(|name| packages.iter().any(|one| one.name == **name)).cloned().collect();
        let before = built.len();
        built.extend(more);
        if built.len() == before {
            break;
        }
    }

    let mut readers = BTreeSet::new();
    for package in packages.iter().filter(|one| built.contains(&one.name)) {
        let source = repository::root().join(&package.folder).join("src");
        readers.extend(
            rust_files(&source).into_iter().filter(|file| fs::read_to_string(file).unwrap().contains("env::var")),
        );
    }

    assert_eq!(readers, BTreeSet::from([repository::root().join("crates/lambda-support/src/environment.rs")]));
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] });
    files.filter(|file| file.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// Read by a function's configuration, without those of Lambda and the SDK.
fn variables_read(folder: &str) -> BTreeSet<String> {
    let asked = Rc::new(RefCell::new(BTreeSet::new()));
    let recorder = Rc::clone(&asked);
    // Set every variable, so that variables which depend on others are read, too.
    let mut environment = Environment::new(move |name| {
        recorder.borrow_mut().insert(name.to_owned());
        Some("https://set.example".to_owned())
    });
    match folder {
        "authorize-payment" | "reserve-stock" => _ = steps_sqs::Settings::from_env(&mut environment),
        "authorize-request" => _ = authorize_request::Config::from_env(&mut environment),
        "book-shipment" => _ = book_shipment::Config::from_env(&mut environment),
        "create-order" => _ = create_order::Config::from_env(&mut environment),
        "create-payment" => _ = create_payment::Config::from_env(&mut environment),
        "get-order" => _ = get_order::Config::from_env(&mut environment),
        "get-payment" => _ = get_payment::Config::from_env(&mut environment),
        "get-stock" => _ = get_stock::Config::from_env(&mut environment),
        "list-orders" => _ = list_orders::Config::from_env(&mut environment),
        "manage-connections" => _ = manage_connections::Config::from_env(&mut environment),
        "process-orders" => _ = process_orders::Config::from_env(&mut environment),
        "publish-order" => _ = publish_order::Config::from_env(&mut environment),
        "settle-order" => _ = settle_order::Config::from_env(&mut environment),
        other => panic!("The variables of {other} are unknown: include its config.rs above, and add it to this table"),
    }
    let asked = asked.borrow();
    asked.iter().filter(|name| !name.starts_with("AWS_")).cloned().collect()
}

/// For integrations. Source: Amazon API Gateway Developer Guide, "Quotas for configuring and running a REST API",
/// integration timeout.
const API_GATEWAY_TIMEOUT: Duration = Duration::from_secs(29);

/// Repeating a transaction takes at most 0.8 s. Source: `crates/holds-dynamodb/src/conflict.rs`.
const CONFLICTS: Duration = Duration::from_secs(1);

/// For the first connections of a cold start, and for the answer.
const REST: Duration = Duration::from_secs(1);

#[test]
fn every_function_has_time_for_the_slowest_requests_it_makes() {
    let template = template();
    let (database, notifications) = (RetryPolicy::DATABASE.request_limit(), RetryPolicy::NOTIFICATIONS.request_limit());

    for folder in function_folders() {
        let requests = match folder.as_str() {
            // The issuer's keys: see its provider.rs.
            "authorize-request" => Duration::from_secs(3),
            // One request each.
            "create-order" | "get-order" | "get-payment" | "get-stock" | "list-orders" | "publish-order" => database,
            // One transaction, repeated if it conflicts with another.
            "create-payment" => database + CONFLICTS,
            // The order, then the answer over the socket.
            "manage-connections" => database + notifications,
            // The order, its failure on the last delivery, then its owner's sockets.
            "process-orders" => database + database + notifications,
            // The vote, repeated if another vote came first; the decision; its mark if SNS fails; then the owner's
            // sockets. As many for a submission: the order, its failure, the event, and the cancellation if SNS fails.
            "settle-order" => database + database + database + database + notifications,
            // The hold; the refusal if the hold is not possible; the vote.
            "authorize-payment" | "book-shipment" | "reserve-stock" => database + CONFLICTS + database + database,
            other => panic!("The requests of {other} are unknown: add them to this table"),
        };
        let function = function(&template, &folder);
        let timeout = Duration::from_secs(template.number(template.function_property(function, "Timeout")));
        assert!(
            requests + REST <= timeout,
            "{folder}: its Timeout of {timeout:?} ends requests that take {requests:?}"
        );
        assert!(
            timeout < API_GATEWAY_TIMEOUT,
            "{folder}: API Gateway's limit is shorter than its Timeout of {timeout:?}"
        );
    }
}
