//! Allowed dependencies between packages, and names of binaries.

use std::collections::BTreeSet;
use testkit::repository::{Package, function_folders, packages};

/// A package's allowed dependencies in the workspace. They point one way:
/// `functions, twolane, tests → adapters, orders-api, lambda-support → orders`.
fn allowed(package: &str) -> &'static [&'static str] {
    match package {
        "access-tokens" | "fault-endpoint" | "hello-floor" | "lambda-bench" | "lanes" | "shared-kernel"
        | "sqs-batch" | "dynamodb-fake" => &[],
        "dynamodb-errors" | "holds" | "orders" | "strict-json" => &["shared-kernel"],
        "event-bus" => &["shared-kernel", "sqs-batch"],
        "holds-dynamodb" => &["dynamodb-errors", "dynamodb-fake", "holds", "shared-kernel"],
        "steps-sqs" => &["event-bus", "holds", "holds-dynamodb", "lambda-support", "shared-kernel", "sqs-batch"],
        // A service knows events, but no other service.
        "payments" | "shipments" | "stock" => &["holds", "shared-kernel"],
        "payments-api" => &["payments", "shared-kernel", "strict-json"],
        "orders-api" => &["orders", "strict-json"],
        "orders-dynamodb" => &["dynamodb-errors", "dynamodb-fake", "orders"],
        "orders-websocket" | "lambda-support" => &["orders", "orders-api"],
        "orders-sqs" => &["lambda-support", "orders", "orders-api", "orders-dynamodb", "orders-websocket", "sqs-batch"],
        "sdk-floor" => &["lambda-support"],
        // Another team's subscriber knows only the events.
        "audit-log" => &["event-bus", "lambda-support", "shared-kernel", "sqs-batch"],
        // A client knows only the wire. It injects faults from outside.
        "twolane" => &["lanes", "orders-api", "twolane-client", "twolane-load", "twolane-plan", "twolane-report"],
        "twolane-client" => &["lanes", "orders-api", "shared-kernel"],
        "twolane-load" => &["fault-endpoint", "lanes", "twolane-client", "twolane-report"],
        "twolane-plan" => &["lanes", "twolane-report"],
        "twolane-report" => &["lanes"],
        "twolane-tests" => &[
            "event-bus",
            "fault-endpoint",
            "lambda-support",
            "lanes",
            "orders",
            "orders-api",
            "orders-sqs",
            "payments",
            "payments-api",
            "shared-kernel",
            "steps-sqs",
        ],
        "reserve-stock" => &["holds", "lambda-support", "shared-kernel", "steps-sqs", "stock"],
        "authorize-payment" => &["holds", "lambda-support", "payments", "shared-kernel", "steps-sqs"],
        "book-shipment" => &["holds", "lambda-support", "shared-kernel", "shipments", "steps-sqs"],
        "get-stock" => &["holds", "holds-dynamodb", "lambda-support", "shared-kernel", "stock"],
        "create-payment" | "get-payment" => {
            &["holds", "holds-dynamodb", "lambda-support", "payments", "payments-api", "shared-kernel"]
        }
        function if function_folders().contains(function) => &[
            "access-tokens",
            "event-bus",
            "lambda-support",
            "orders",
            "orders-api",
            "orders-dynamodb",
            "orders-sqs",
            "orders-websocket",
            "sqs-batch",
        ],
        other => panic!("The allowed dependencies of {other} are unknown: add it to this table"),
    }
}

#[test]
fn dependencies_between_packages_point_one_way() {
    let packages = packages();
    let members: BTreeSet<_> = packages.iter().map(|package| package.name.as_str()).collect();

    for Package { name, dependencies, dev_dependencies, .. } in &packages {
        // A package may turn on its own features for its tests.
        let named = dependencies.iter().chain(dev_dependencies).map(String::as_str).filter(|other| other != name);
        for other in named.filter(|other| members.contains(other)) {
            assert!(allowed(name).contains(&other), "{name} must not depend on {other}, only on {:?}", allowed(name));
        }
    }
}

#[test]
fn reports_know_no_aws_and_no_http() {
    let packages = packages();
    let report = packages.iter().find(|package| package.name == "twolane-report").expect("it is a package");

    for foreign in ["aws", "http", "hyper", "reqwest", "tokio"] {
        let named = report.dependencies.iter().find(|name| name.starts_with(foreign));
        assert_eq!(named, None, "twolane-report must stay free of {foreign}");
    }
}

#[test]
fn the_domain_knows_no_wire_format_no_aws_and_no_runtime() {
    let packages = packages();
    let orders = packages.iter().find(|package| package.name == "orders").expect("the domain is a package");

    for foreign in ["aws", "lambda", "serde", "tokio", "futures", "reqwest", "http", "tracing"] {
        let named = orders.dependencies.iter().find(|name| name.starts_with(foreign));
        assert_eq!(named, None, "orders must stay free of {foreign}; put it behind a port or into orders-api");
    }
}

#[test]
fn every_package_has_at_most_one_binary_with_its_name() {
    for Package { name, binaries, .. } in packages() {
        let expected: &[String] = if binaries.is_empty() { &[] } else { std::slice::from_ref(&name) };
        assert_eq!(
            binaries, expected,
            "{name}: all members share a target folder. Name the only binary like the package"
        );
    }
}
