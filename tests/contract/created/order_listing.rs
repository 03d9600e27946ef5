//! The parameter `OrderListing`: the index behind the list of orders.

use serde_json::json;
use testkit::template::{CreatedStack, stacks};

fn table(stack: &CreatedStack) -> &serde_json::Value {
    &stack.resource("OrdersTable").properties
}

#[test]
fn by_default_the_function_reads_the_one_index_of_the_orders_table() {
    let stack = &stacks()[0];

    let [index] = &table(stack)["GlobalSecondaryIndexes"].as_array().unwrap()[..] else { panic!("one index") };
    let function = &stack.resource("ListOrdersFunction").properties;
    assert_eq!(function["Environment"]["Variables"]["ORDERS_INDEX_NAME"], index["IndexName"]);
    assert_eq!(stack.outputs["OrdersIndexName"], index["IndexName"].as_str().unwrap());
    let role = &stack.resource("ListOrdersRole").properties["Policies"].to_string();
    assert!(role.contains(&format!("/index/{}", index["IndexName"].as_str().unwrap())), "{role}");
}

#[test]
fn none_removes_the_index_its_keys_and_the_functions_setting() {
    let stack = stacks().iter().find(|stack| stack.parameters["OrderListing"] == "none").unwrap();

    let table = table(stack);
    assert_eq!(table.get("GlobalSecondaryIndexes"), None);
    // DynamoDB refuses definitions of attributes outside of keys.
    assert_eq!(table["AttributeDefinitions"], json!([{"AttributeName": "pk", "AttributeType": "S"}]));
    let function = &stack.resource("ListOrdersFunction").properties;
    assert_eq!(function["Environment"]["Variables"]["ORDERS_INDEX_NAME"], "");
    assert!(!stack.outputs.contains_key("OrdersIndexName"));
}
