//! What packages promise: the domain of what it stays free, binaries how they are named.

use testkit::repository::{Package, packages};

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
fn binaries_are_named_as_their_package_and_no_two_alike() {
    for Package { name, binaries, .. } in packages() {
        let expected: &[String] = if binaries.is_empty() { &[] } else { std::slice::from_ref(&name) };
        assert_eq!(binaries, expected, "{name}: all members share a target folder; one binary, of the package's name");
    }
}
