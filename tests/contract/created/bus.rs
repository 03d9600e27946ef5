//! The bus: who publishes and sends, and the queues that an event reaches.

use super::roles::statements;
use crate::events::kinds;
use event_bus::EventKind;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use testkit::template::{CreatedStack, Resource, stacks, text};

/// By topic. Alarms are sent to another one.
const PUBLISHERS: [(&str, &[&str]); 3] = [
    ("OrderSubmissionsTopic", &["PublishOrderRole"]),
    ("OrderEventsTopic", &["SettleOrderRole"]),
    ("StepOutcomesTopic", &["ReserveStockRole", "AuthorizePaymentRole", "BookShipmentRole"]),
];

fn topics(stack: &CreatedStack) -> impl Iterator<Item = (&str, &Resource)> {
    stack.of_type("AWS::SNS::Topic").filter(|(id, _)| *id != "StackAlarmTopic")
}

struct Subscription<'a> {
    id: &'a str,
    properties: &'a Value,
    topic: &'a str,
    queue: &'a str,
}

fn subscriptions(stack: &CreatedStack) -> impl Iterator<Item = Subscription<'_>> {
    stack.of_type("AWS::SNS::Subscription").map(|(id, subscription)| {
        let properties = &subscription.properties;
        let named = |name: &str| stack.by_arn(text(&properties[name])).unwrap_or_else(|| panic!("{id}: {name}")).0;
        Subscription { id, properties, topic: named("TopicArn"), queue: named("Endpoint") }
    })
}

fn dead_letter_queue<'a>(stack: &'a CreatedStack, queue: &str) -> &'a str {
    let target = &stack.resource(queue).properties["RedrivePolicy"]["deadLetterTargetArn"];
    stack.by_arn(text(target)).unwrap_or_else(|| panic!("{queue}: needs a RedrivePolicy")).0
}

/// Of one topic or queue. `kind` is the type of the policies; `list` names the property with its topics or queues.
fn policy<'a>(stack: &'a CreatedStack, kind: &str, list: &str, id: &str) -> Vec<&'a Value> {
    let own = json!([stack.resource(id).reference]);
    let policies = stack.of_type(kind).map(|(_, policy)| &policy.properties).filter(|policy| policy[list] == own);
    policies.flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().unwrap()).collect()
}

fn topic_policy<'a>(stack: &'a CreatedStack, topic: &str) -> Vec<&'a Value> {
    policy(stack, "AWS::SNS::TopicPolicy", "Topics", topic)
}

fn queue_policy<'a>(stack: &'a CreatedStack, queue: &str) -> Vec<&'a Value> {
    policy(stack, "AWS::SQS::QueuePolicy", "Queues", queue)
}

fn texts(value: &Value) -> BTreeSet<&str> {
    value.as_array().map_or_else(|| BTreeSet::from([text(value)]), |values| values.iter().map(text).collect())
}

fn with_effect<'a>(statements: &[&'a Value], effect: &str) -> Vec<&'a Value> {
    statements.iter().copied().filter(|statement| statement["Effect"] == effect).collect()
}

fn over_tls(service: &str, arn: &str) -> Value {
    json!({"Sid": "OnlyOverTls", "Effect": "Deny", "Principal": "*", "Action": service, "Resource": arn,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}}})
}

#[test]
fn each_topic_lets_exactly_its_publishers_publish() {
    for stack in stacks() {
        let found: BTreeSet<_> = topics(stack).map(|(id, _)| id).collect();
        assert_eq!(found, PUBLISHERS.map(|(topic, _)| topic).into(), "{}", stack.name);
        for (id, roles) in PUBLISHERS {
            let (at, topic) = (format!("{}, {id}", stack.name), stack.resource(id));
            let publishers: BTreeSet<_> = roles.iter().map(|role| stack.resource(role).arn()).collect();
            let policy = topic_policy(stack, id);

            // This would make the publishers' own permissions superfluous.
            assert!(with_effect(&policy, "Allow").is_empty(), "{at}: a topic's policy must allow nothing");
            let denied =
                with_effect(&policy, "Deny").into_iter().find(|it| it["Condition"]["ArnNotEquals"].is_object());
            let denied =
                denied.unwrap_or_else(|| panic!("{at}: deny every other role, even if its own policies allow it"));
            assert_eq!(denied["Principal"], "*", "{at}");
            assert_eq!(texts(&denied["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]), publishers, "{at}");
            assert_eq!((&denied["Action"], text(&denied["Resource"])), (&json!("sns:Publish"), topic.arn()), "{at}");
            let publish = ("sns:Publish".to_owned(), topic.arn().to_owned());
            let all = stack.of_type("AWS::IAM::Role").map(|(role, _)| role);
            let may: BTreeSet<_> = all.filter(|role| statements(stack, role).contains(&publish)).collect();
            assert_eq!(may, roles.iter().copied().collect(), "{at}: roles with sns:Publish on it");
        }
    }
}

#[test]
fn topics_take_events_over_tls_only_on_aws() {
    for stack in stacks() {
        let is_on_aws = stack.parameters["LocalEndpoint"].is_empty();
        for (id, topic) in topics(stack) {
            let denies = topic_policy(stack, id).contains(&&over_tls("sns:Publish", topic.arn()));
            assert_eq!(denies, is_on_aws, "{}, {id}", stack.name);
        }
    }
}

#[test]
fn each_queue_of_the_bus_takes_messages_only_from_its_topic_and_the_redrive_role() {
    for stack in stacks() {
        for Subscription { topic, queue, .. } in subscriptions(stack) {
            let at = format!("{}, {queue}", stack.name);
            let (topic, arn, policy) =
                (stack.resource(topic).arn(), stack.resource(queue).arn(), queue_policy(stack, queue));

            let [allowed] = with_effect(&policy, "Allow")[..] else { panic!("{at}: exactly one statement must allow") };
            let sns = json!({"Service": "sns.amazonaws.com"});
            assert_eq!((&allowed["Principal"], &allowed["Action"]), (&sns, &json!("sqs:SendMessage")), "{at}");
            assert_eq!(allowed["Condition"], json!({"ArnEquals": {"aws:SourceArn": topic}}), "{at}");
            let denied =
                with_effect(&policy, "Deny").into_iter().find(|it| it["Condition"]["ArnNotEquals"].is_object());
            let denied = denied.unwrap_or_else(|| panic!("{at}: deny every other sender"));
            // Denied only if both conditions hold. A caller of SQS has no source ARN, and a topic is not a principal.
            let mut expected = json!({"aws:SourceArn": topic});
            if let Some(role) = Some(&stack.parameters["RedriveRoleArn"]).filter(|role| !role.is_empty()) {
                expected["aws:PrincipalArn"] = json!(role);
            }
            assert_eq!(denied["Condition"], json!({"ArnNotEquals": expected}), "{at}");
            assert_eq!((&denied["Principal"], &denied["Action"]), (&json!("*"), &json!("sqs:SendMessage")), "{at}");
            assert!([allowed, denied].iter().all(|statement| statement["Resource"] == arn), "{at}");
        }
    }
}

/// Without this, a message that SNS cannot deliver is lost.
#[test]
fn undeliverable_events_go_to_the_dead_letter_queue_of_the_queue() {
    for stack in stacks() {
        for Subscription { id, properties, topic, queue } in subscriptions(stack) {
            let (at, target) = (format!("{}, {id}", stack.name), dead_letter_queue(stack, queue));
            let (dead_letters, topic) = (stack.resource(target).arn(), stack.resource(topic).arn());
            assert_eq!(properties["RedrivePolicy"], json!({"deadLetterTargetArn": dead_letters}), "{at}");

            let policy = queue_policy(stack, target);
            let [allowed] = with_effect(&policy, "Allow")[..] else { panic!("{at}: {target} must let the topic send") };
            assert_eq!(
                (&allowed["Principal"], &allowed["Action"], &allowed["Condition"], text(&allowed["Resource"])),
                (
                    &json!({"Service": "sns.amazonaws.com"}),
                    &json!("sqs:SendMessage"),
                    &json!({"ArnEquals": {"aws:SourceArn": topic}}),
                    dead_letters
                ),
                "{at}"
            );
        }
    }
}

#[test]
fn each_queue_of_the_bus_has_one_subscription_and_a_separate_dead_letter_queue() {
    for stack in stacks() {
        let queues: Vec<_> = subscriptions(stack).map(|subscription| subscription.queue).collect();
        let dead_letters: BTreeSet<_> = queues.iter().map(|queue| dead_letter_queue(stack, queue)).collect();
        let distinct: BTreeSet<_> = queues.iter().copied().collect();
        let others = BTreeSet::from(["OrdersQueue", "DeadLetterQueue"]);
        let all: BTreeSet<_> = stack.of_type("AWS::SQS::Queue").map(|(id, _)| id).collect();

        assert_eq!((distinct.len(), dead_letters.len()), (queues.len(), queues.len()), "{}", stack.name);
        assert_eq!(&(&distinct | &dead_letters) | &others, all, "{}: a queue that receives nothing", stack.name);
    }
}

/// An event's topic, and the queues that it must reach.
fn destination(event: &EventKind) -> (&'static str, BTreeSet<&'static str>) {
    let steps = ["StockQueue", "PaymentsQueue", "ShipmentsQueue"];
    match event {
        EventKind::Submitted { .. } => ("OrderSubmissionsTopic", ["SubmissionsQueue"].into()),
        EventKind::Placed(_) => ("OrderEventsTopic", steps.into_iter().chain(["DeadlineQueue"]).collect()),
        EventKind::Confirmed | EventKind::Cancelled { .. } => ("OrderEventsTopic", steps.into()),
        EventKind::Voted(..) => ("StepOutcomesTopic", ["OutcomesQueue"].into()),
    }
}

/// A list of texts matches an attribute with one of them. Source: Amazon SNS Developer Guide, "Amazon SNS subscription
/// filter policies".
fn takes(subscription: &Subscription<'_>, event: &EventKind) -> bool {
    let filter = &subscription.properties["FilterPolicy"];
    let scope = &subscription.properties["FilterPolicyScope"];
    assert!(
        scope.is_null() || scope == "MessageAttributes",
        "{}: events have their type as an attribute",
        subscription.id
    );
    let attributes: Vec<_> = filter.as_object().into_iter().flat_map(|filter| filter.keys()).collect();
    assert!(filter.is_null() || attributes == [event_bus::EVENT_TYPE_ATTRIBUTE], "{}: {filter}", subscription.id);
    filter.is_null() || texts(&filter[event_bus::EVENT_TYPE_ATTRIBUTE]).contains(event.name().as_str())
}

#[test]
fn every_event_reaches_the_queues_that_need_it_and_no_other() {
    for stack in stacks() {
        for event in kinds() {
            let (topic, expected) = destination(&event);
            let subscribed = subscriptions(stack).filter(|subscription| subscription.topic == topic);
            let reached: BTreeSet<_> =
                subscribed.filter(|subscription| takes(subscription, &event)).map(|it| it.queue).collect();
            assert_eq!(reached, expected, "{}, {}", stack.name, event.name());
        }
    }
}

/// An unknown event is a typing error.
#[test]
fn filters_name_events_that_exist() {
    let names: BTreeSet<_> = kinds().iter().map(EventKind::name).collect();
    for Subscription { id, properties, .. } in subscriptions(&stacks()[0]) {
        let filtered = properties["FilterPolicy"][event_bus::EVENT_TYPE_ATTRIBUTE].as_array().into_iter().flatten();
        for name in filtered.map(text) {
            assert!(names.contains(name), "{id}: no event has the type {name}");
        }
    }
}

#[test]
fn messages_arrive_as_they_were_published() {
    for stack in stacks() {
        for Subscription { id, properties, .. } in subscriptions(stack) {
            assert_eq!(
                (&properties["Protocol"], &properties["RawMessageDelivery"]),
                (&json!("sqs"), &json!(true)),
                "{}, {id}: subscribers read events without an envelope of SNS",
                stack.name
            );
        }
    }
}

#[test]
fn the_deadline_delays_only_its_queue_and_no_alarm_rings_before_it() {
    for stack in stacks() {
        let deadline = &stack.parameters["OrderDeadlineSeconds"];
        for (id, queue) in stack.of_type("AWS::SQS::Queue") {
            let expected = (id == "DeadlineQueue").then(|| json!(deadline));
            assert_eq!(queue.properties.get("DelaySeconds"), expected.as_ref(), "{}, {id}", stack.name);
        }
        for function in
            ["SettleOrderFunction", "ReserveStockFunction", "AuthorizePaymentFunction", "BookShipmentFunction"]
        {
            let variables = &stack.resource(function).properties["Environment"]["Variables"];
            assert_eq!(text(&variables["ORDER_DEADLINE_SECONDS"]), deadline, "{}, {function}", stack.name);
        }
        let threshold = stack.resource("DeadlineQueueAgeAlarm").properties["Threshold"].as_u64().unwrap();
        assert!(threshold > deadline.parse().unwrap(), "{}: the delay counts as a message's age", stack.name);
    }
}
