//! Keys of `template.yaml`: AWS's by default, or the customer's by the parameter `KmsKeyArn`.

use crate::cloudformation::{Template, template};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// By kind: the property that names the key.
const STORES: [(&str, &[&str]); 4] = [
    ("AWS::DynamoDB::Table", &["SSESpecification", "KMSMasterKeyId"]),
    ("AWS::SQS::Queue", &["KmsMasterKeyId"]),
    ("AWS::Logs::LogGroup", &["KmsKeyId"]),
    ("AWS::SNS::Topic", &["KmsMasterKeyId"]),
];

/// Roles that may use the key for an action, by logical id.
fn allowed(template: &Template, action: &str) -> BTreeSet<String> {
    let policies = key_policies(template).filter(|policy| action_of(policy) == action);
    policies.flat_map(|policy| policy["Roles"].as_array().unwrap()).map(reference).collect()
}

fn key_policies(template: &Template) -> impl Iterator<Item = &Value> {
    let policies = template.of_type("AWS::IAM::Policy").map(|(_, policy)| policy);
    policies.filter(|policy| action_of(policy).starts_with("kms:"))
}

fn action_of(policy: &Value) -> &str {
    policy["PolicyDocument"]["Statement"][0]["Action"].as_str().unwrap()
}

fn reference(value: &Value) -> String {
    value["Ref"].as_str().unwrap().to_owned()
}

/// Roles with one of these actions on any resource, by logical id.
fn roles_with(template: &Template, has: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let roles = template.of_type("AWS::IAM::Role").filter(|(_, role)| {
        let policies = role["Policies"].as_array().into_iter().flatten();
        let mut statements = policies.flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().unwrap());
        statements.any(|statement| statement["Action"].as_str().is_some_and(&has))
    });
    roles.map(|(id, _)| id.to_owned()).collect()
}

#[test]
fn every_store_uses_the_customers_key_or_a_key_of_aws() {
    let template = template();
    let key = json!({"Fn::If": ["HasKmsKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]});
    // SNS encrypts nothing without a named key. CloudWatch, which sends alarms, cannot use AWS's key for SNS.
    let topic_key = json!({"Fn::If": ["HasKmsKey", {"Ref": "KmsKeyArn"}, "alias/aws/sns"]});

    for (kind, path) in STORES {
        for (id, properties) in template.of_type(kind) {
            let named = path.iter().fold(properties, |value, name| &value[name]);
            let expected = if kind == "AWS::SNS::Topic" && id != "StackAlarmTopic" { &topic_key } else { &key };
            assert_eq!(named, expected, "{id}: set {}", path.join("."));
        }
    }
    for (id, table) in template.of_type("AWS::DynamoDB::Table") {
        assert_eq!(table["SSESpecification"]["SSEEnabled"], true, "{id}: without your own key, AWS's for DynamoDB");
    }
    for (id, queue) in template.of_type("AWS::SQS::Queue") {
        let managed = json!({"Fn::If": ["HasKmsKey", false, true]});
        assert_eq!(queue["SqsManagedSseEnabled"], managed, "{id}: SQS takes only one kind of encryption");
    }
}

#[test]
fn exactly_the_roles_that_read_or_write_encrypted_stores_use_the_key() {
    let template = template();
    let sends = |action: &str| ["sns:Publish", "sqs:SendMessage"].contains(&action);
    let reads = |action: &str| action.starts_with("dynamodb:") || action == "sqs:ReceiveMessage" || sends(action);

    // SQS and SNS make a data key for the sender, and decrypt it as a check.
    assert_eq!(allowed(&template, "kms:GenerateDataKey"), roles_with(&template, sends));
    assert_eq!(allowed(&template, "kms:Decrypt"), roles_with(&template, reads));
}

#[test]
fn the_keys_permissions_are_single_actions_and_exist_only_with_the_key() {
    let template = template();

    for (id, policy) in template.of_type("AWS::IAM::Policy") {
        let statements = policy["PolicyDocument"]["Statement"].as_array().unwrap();
        let [statement] = statements.as_slice() else { panic!("{id}: one statement per policy") };
        assert_eq!(statement["Effect"], "Allow", "{id}");
        assert_eq!(statement["Resource"], json!({"Ref": "KmsKeyArn"}), "{id}: no other key");
        assert!(!action_of(policy).contains('*'), "{id}: name the action");
        assert_eq!(template.resource(id)["Condition"], "HasKmsKey", "{id}: no key, no permission");
    }
    assert_eq!(key_policies(&template).count(), template.of_type("AWS::IAM::Policy").count());
}
