//! Alarms watch existing metrics, and functions and stages can write their logs.

use super::roles::statements;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use testkit::template::{CreatedStack, stacks, text};

fn dimensions(alarm: &Value) -> BTreeMap<&str, &str> {
    let dimensions = alarm["Dimensions"].as_array().unwrap().iter();
    dimensions.map(|dimension| (text(&dimension["Name"]), text(&dimension["Value"]))).collect()
}

/// Dimensions of the stack's metrics in a namespace. Sources: the "CloudWatch metrics" of Amazon SQS, Amazon SNS, AWS
/// Lambda and Amazon API Gateway, for REST and for WebSocket APIs.
fn metrics(stack: &CreatedStack, namespace: &str) -> Vec<BTreeMap<String, String>> {
    let of_type = |kind: &str, name: &str| {
        let named = stack.of_type(kind).map(|(_, resource)| {
            let physical = resource.properties["Name"].as_str().unwrap_or(&resource.reference).to_owned();
            BTreeMap::from([(name.to_owned(), physical)])
        });
        named.collect::<Vec<_>>()
    };
    match namespace {
        // Not its URL.
        "AWS/SQS" => {
            let names = of_type("AWS::SQS::Queue", "QueueName").into_iter();
            let names = names.map(|mut it| {
                let name = it["QueueName"].rsplit('/').next().unwrap().to_owned();
                it.insert("QueueName".to_owned(), name);
                it
            });
            names.collect()
        }
        // Not its ARN.
        "AWS/SNS" => {
            let name = |topic: &str| topic.rsplit(':').next().unwrap().to_owned();
            let topics = stack.of_type("AWS::SNS::Topic").map(|(_, topic)| name(&topic.reference));
            topics.map(|name| BTreeMap::from([("TopicName".to_owned(), name)])).collect()
        }
        "AWS/Lambda" => of_type("AWS::Lambda::Function", "FunctionName"),
        "AWS/ApiGateway" => {
            let rest = of_type("AWS::ApiGateway::RestApi", "ApiName").into_iter();
            let sockets = stack.of_type("AWS::ApiGatewayV2::Api").map(|(_, api)| api.reference.clone());
            let sockets = sockets.map(|id| BTreeMap::from([("ApiId".to_owned(), id)]));
            let staged = rest.chain(sockets).map(|mut metric| {
                metric.insert("Stage".to_owned(), stack.stage().to_owned());
                metric
            });
            staged.collect()
        }
        other => panic!("{}: the metrics of {other} are unknown: add them", stack.name),
    }
}

#[test]
fn every_alarm_watches_an_existing_metric() {
    for stack in stacks() {
        for (id, alarm) in stack.of_type("AWS::CloudWatch::Alarm") {
            let metrics = metrics(stack, text(&alarm.properties["Namespace"]));
            let watched = dimensions(&alarm.properties);
            let watched = watched.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            assert!(metrics.contains(&watched), "{}, {id}: {watched:?} is not one of {metrics:?}", stack.name);
        }
    }
}

/// Source: AWS Lambda Developer Guide, "Configuring CloudWatch log groups": without `LoggingConfig` the group would be
/// `/aws/lambda/…`, which never expires.
#[test]
fn every_function_may_write_to_its_log_group_of_the_stack() {
    for stack in stacks() {
        for (id, function) in stack.of_type("AWS::Lambda::Function") {
            let named = text(&function.properties["LoggingConfig"]["LogGroup"]);
            let mut groups = stack.of_type("AWS::Logs::LogGroup");
            let (_, group) = groups.find(|(_, group)| group.reference == named).unwrap();
            let (role, _) = stack.by_arn(text(&function.properties["Role"])).unwrap();
            let allowed = statements(stack, role).into_iter().filter(|(action, _)| action.starts_with("logs:"));
            let allowed: BTreeSet<_> = allowed.collect();
            let needed =
                ["logs:CreateLogStream", "logs:PutLogEvents"].map(|it| (it.to_owned(), group.arn().to_owned()));
            assert_eq!(allowed, needed.into(), "{}, {id}", stack.name);
        }
    }
}

#[test]
fn every_stage_writes_to_a_separate_log_group() {
    for stack in stacks() {
        let rest = stack.of_type("AWS::ApiGateway::Stage").map(|(_, stage)| &stage.properties["AccessLogSetting"]);
        let sockets =
            stack.of_type("AWS::ApiGatewayV2::Stage").map(|(_, stage)| &stage.properties["AccessLogSettings"]);
        let groups: Vec<_> = rest
            .chain(sockets)
            .map(|log| {
                let group =
                    stack.by_arn(text(&log["DestinationArn"])).filter(|(_, it)| it.kind == "AWS::Logs::LogGroup");
                group.unwrap_or_else(|| panic!("{}: {log} has no log group of the stack", stack.name)).0
            })
            .collect();
        assert_eq!(groups.len(), groups.iter().collect::<BTreeSet<_>>().len(), "{}: {groups:?}", stack.name);
    }
}

/// A group without a writer is always empty.
#[test]
fn every_log_group_is_used() {
    for stack in stacks() {
        let others =
            stack.resources().values().filter(|it| it.kind.ends_with("::Function") || it.kind.ends_with("::Stage"));
        let written = others.map(|it| it.properties.to_string()).collect::<Vec<_>>().join("\n");
        for (id, group) in stack.of_type("AWS::Logs::LogGroup") {
            assert!(written.contains(&group.reference), "{}: nothing writes to {id}", stack.name);
        }
    }
}

/// An alarm without an action would go unseen when all others have one.
#[test]
fn all_alarms_notify_the_topic_of_the_stack_or_none_does() {
    for stack in stacks() {
        let actions: BTreeSet<_> = stack
            .of_type("AWS::CloudWatch::Alarm")
            .map(|(_, alarm)| alarm.properties.get("AlarmActions").map(ToString::to_string))
            .collect();
        assert_eq!(actions.len(), 1, "{}: {actions:?}", stack.name);
        let topic = stack.resources().get("StackAlarmTopic").map(|topic| format!("[\"{}\"]", topic.reference));
        assert!(topic.is_none() || actions.contains(&topic), "{}: {actions:?} is not the topic", stack.name);
    }
}
