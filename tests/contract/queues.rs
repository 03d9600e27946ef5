//! Queues and the functions that read them.

use crate::cloudformation::{Template, template};
use serde_json::{Value, json};

/// Longest retention, in seconds. Source: Amazon SQS API Reference, `SetQueueAttributes`.
const FOURTEEN_DAYS: u64 = 14 * 24 * 3600;

struct Consumer<'a> {
    id: &'a str,
    function: &'a Value,
    source: &'a Value,
    queue: &'a Value,
}

fn consumers(template: &Template) -> Vec<Consumer<'_>> {
    let mut consumers = Vec::new();
    for (id, function) in template.of_type("AWS::Serverless::Function") {
        let events = function["Events"].as_object().into_iter().flat_map(|events| events.values());
        for source in events.filter(|event| event["Type"] == "SQS").map(|event| &event["Properties"]) {
            let name = source["Queue"]["Fn::GetAtt"][0].as_str();
            let name = name.unwrap_or_else(|| panic!("{id}: name the Queue by !GetAtt <Queue>.Arn"));
            consumers.push(Consumer { id, function, source, queue: &template.resource(name)["Properties"] });
        }
    }
    assert!(!consumers.is_empty(), "no function of template.yaml has an SQS event source");
    consumers
}

#[test]
fn every_consumer_reports_failures_message_by_message() {
    for Consumer { id, source, .. } in consumers(&template()) {
        assert_eq!(
            source["FunctionResponseTypes"],
            json!(["ReportBatchItemFailures"]),
            "{id}: set it, or one failed message redelivers the whole batch"
        );
    }
}

#[test]
fn every_consumer_is_limited_by_its_event_source_not_by_reserved_concurrency() {
    for Consumer { id, source, function, .. } in consumers(&template()) {
        assert!(
            !source["ScalingConfig"]["MaximumConcurrency"].is_null(),
            "{id}: set ScalingConfig.MaximumConcurrency, which protects the database"
        );
        assert!(
            function["ReservedConcurrentExecutions"].is_null(),
            "{id}: remove it, because pollers would receive messages that no function can handle"
        );
    }
}

#[test]
fn every_queue_that_is_read_has_a_dead_letter_queue_that_keeps_messages_for_14_days() {
    let template = template();

    for Consumer { id, queue, .. } in consumers(&template) {
        let target = queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0].as_str();
        let target = target.unwrap_or_else(|| panic!("{id}: its queue needs a RedrivePolicy"));
        let retention = &template.resource(target)["Properties"]["MessageRetentionPeriod"];
        assert_eq!(template.number(retention), FOURTEEN_DAYS, "{target}: set MessageRetentionPeriod, in seconds");
    }
}

#[test]
fn every_dead_letter_queue_has_an_alarm() {
    let template = template();

    for Consumer { id, queue, .. } in consumers(&template) {
        let target = &queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0];
        let watched = json!({"Fn::GetAtt": [target, "QueueName"]});
        let mut alarms = template.of_type("AWS::CloudWatch::Alarm");
        let alarm = alarms.any(|(_, alarm)| alarm["Dimensions"][0]["Value"] == watched);
        assert!(alarm, "{id}: add an alarm for messages in {target}");
    }
}

#[test]
fn every_queue_that_is_read_has_an_alarm_on_the_age_of_its_messages() {
    let template = template();

    for Consumer { id, source, .. } in consumers(&template) {
        let watched = json!({"Fn::GetAtt": [source["Queue"]["Fn::GetAtt"][0], "QueueName"]});
        let mut alarms = template.of_type("AWS::CloudWatch::Alarm").map(|(_, alarm)| alarm);
        let alarm = alarms.any(|alarm| {
            alarm["Dimensions"][0]["Value"] == watched && alarm["MetricName"] == "ApproximateAgeOfOldestMessage"
        });
        assert!(alarm, "{id}: add an alarm on the age of its queue's messages");
    }
}

#[test]
fn a_message_stays_invisible_for_six_times_the_functions_timeout_and_the_batching_window() {
    let template = template();

    for Consumer { id, function, source, queue } in consumers(&template) {
        let timeout = template.number(template.function_property(function, "Timeout"));
        let window = source.get("MaximumBatchingWindowInSeconds").map_or(0, |window| template.number(window));
        let visibility = template.number(&queue["VisibilityTimeout"]);
        assert!(
            visibility >= 6 * timeout + window,
            "{id}: its queue's VisibilityTimeout is {visibility} s, but must be at least 6 × {timeout} s + {window} s"
        );
    }
}

#[test]
fn the_worker_and_the_queue_have_the_same_number_of_deliveries() {
    for Consumer { id, function, queue, .. } in consumers(&template()) {
        let counted = &function["Environment"]["Variables"]["MAX_RECEIVE_COUNT"];
        assert!(counted["Fn::FindInMap"].is_array(), "{id}: take MAX_RECEIVE_COUNT from the mapping");
        assert_eq!(
            counted, &queue["RedrivePolicy"]["maxReceiveCount"],
            "{id}: MAX_RECEIVE_COUNT (left) and its queue's maxReceiveCount (right) must be the same"
        );
    }
}
