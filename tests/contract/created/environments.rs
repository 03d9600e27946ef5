//! A snapshot of the environments of `samconfig.toml`, so that a review shows what a change of the template does to
//! each. `INSTA_UPDATE=always cargo test -p twolane-tests --test contract environments` updates it.

use insta::assert_snapshot;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use testkit::template::{CreatedStack, Resource, stacks};

fn environment(name: &str) -> &'static CreatedStack {
    let wanted = format!("samconfig.toml, {name}");
    stacks().iter().find(|stack| stack.name == wanted).unwrap_or_else(|| panic!("{wanted} does not exist"))
}

/// Without the API's definition and without values that change with each deployment.
fn reviewable(stack: &CreatedStack) -> Value {
    let resources: BTreeMap<_, _> = stack.resources().iter().map(|(id, resource)| (id, described(resource))).collect();
    let all = json!({"parameters": stack.parameters, "resources": resources, "outputs": stack.outputs});
    let (deployment, _) = stack.of_type("AWS::ApiGateway::Deployment").next().unwrap();
    let hash = deployment.trim_start_matches("OrdersApiDeployment");
    serde_json::from_str(&all.to_string().replace(hash, "[hash]")).unwrap()
}

/// Values that are the same once, others as `dev` and `prod`.
fn compared(dev: Option<&Value>, prod: Option<&Value>) -> Value {
    match (dev, prod) {
        (Some(Value::Object(dev)), Some(Value::Object(prod))) => {
            let names = dev.keys().chain(prod.keys());
            names.map(|name| (name.clone(), compared(dev.get(name), prod.get(name)))).collect()
        }
        (Some(dev), Some(prod)) if dev == prod => dev.clone(),
        _ => [("dev", dev), ("prod", prod)]
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.clone())))
            .collect(),
    }
}

/// By name. Features of other packages decide whether JSON objects keep the order of insertion.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<_, _> = fields.iter().map(|(name, value)| (name, sorted(value))).collect();
            fields.into_iter().map(|(name, value)| (name.clone(), value)).collect()
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        plain => plain.clone(),
    }
}

fn described(resource: &Resource) -> Value {
    let mut properties = resource.properties.clone();
    match resource.kind.as_str() {
        "AWS::ApiGateway::RestApi" => properties["Body"] = "infra/openapi.yaml".into(),
        "AWS::ApiGateway::Deployment" => properties["Description"] = "[hash]".into(),
        _ => {}
    }
    let mut described = json!({"type": resource.kind, "properties": properties});
    if resource.deletion_policy != "Delete" {
        described["deletionPolicy"] = resource.deletion_policy.clone().into();
    }
    described
}

#[test]
fn both_are_as_last_reviewed() {
    let both = compared(Some(&reviewable(environment("dev"))), Some(&reviewable(environment("prod"))));
    assert_snapshot!("dev_and_prod", serde_yaml_ng::to_string(&sorted(&both)).unwrap());
}

/// A review must not overlook these.
#[test]
fn prod_has_protection_alarm_actions_and_throttles() {
    let (dev, prod) = (environment("dev"), environment("prod"));

    for (stack, protected) in [(dev, false), (prod, true)] {
        let pool = stack.resource("UserPool");
        assert_eq!(pool.properties["DeletionProtection"], if protected { "ACTIVE" } else { "INACTIVE" });
        assert_eq!(pool.deletion_policy, "RetainExceptOnCreate");
        for id in ["OrdersTable", "StockTable", "PaymentsTable", "ShipmentsTable"] {
            let table = stack.resource(id);
            assert_eq!(table.properties["DeletionProtectionEnabled"], protected, "{id}");
            assert_eq!(table.deletion_policy, "RetainExceptOnCreate", "{id}");
        }
    }
    let topic = &prod.resource("StackAlarmTopic").reference;
    for (id, alarm) in prod.of_type("AWS::CloudWatch::Alarm") {
        assert_eq!(alarm.properties["AlarmActions"], json!([topic]), "{id}");
    }
    for (id, alarm) in dev.of_type("AWS::CloudWatch::Alarm") {
        assert_eq!(alarm.properties.get("AlarmActions"), None, "{id}");
    }
    let rate = |stack: &CreatedStack, parameter: &str| stack.parameters[parameter].parse::<u32>().unwrap();
    for parameter in ["ApiRateLimit", "ApiBurstLimit", "SyncRateLimit", "SyncBurstLimit", "MaximumConcurrency"] {
        assert!(rate(dev, parameter) < rate(prod, parameter), "{parameter}: dev must be cheaper than prod");
    }
}
