//! The tables of the bus lane's services: counters (units of a SKU, money of an account, parcels of a day) and holds of
//! orders. Tests fill them as an operator does, with AWS credentials.

use crate::{
    outputs::output,
    stack::{Item, Stack},
    tokens::subject_of,
};
use aws_sdk_dynamodb::types::AttributeValue;
use lanes::StepSpec;
use serde_json::Value;
use std::collections::BTreeMap;

/// Not decided yet.
pub const HELD: &str = "HELD";

/// Of one order, or of one payment of the API, in one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// `HELD`, `DONE`, `UNDONE` or `REFUSED`.
    pub state: String,
    /// By counter. Only `HELD` and `DONE` keep it.
    pub taken: BTreeMap<String, i64>,
}

/// One service's counters and holds, from one scan.
#[derive(Clone, Debug, Default)]
pub struct Books {
    /// By counter.
    pub counters: BTreeMap<String, i64>,
    /// By `{owner}#{orderId}`.
    pub orders: BTreeMap<String, Hold>,
}

impl Books {
    /// What `DONE` and `HELD` holds of orders have taken.
    pub fn taken_from(&self, counter: &str) -> i64 {
        let keeping = self.orders.values().filter(|hold| [HELD, "DONE"].contains(&hold.state.as_str()));
        keeping.filter_map(|hold| hold.taken.get(counter)).sum()
    }

    /// Orders with an undecided hold.
    pub fn held(&self) -> Vec<&str> {
        self.orders.iter().filter(|(_, hold)| hold.state == HELD).map(|(order, _)| order.as_str()).collect()
    }
}

/// The steps of the bus lane.
pub fn steps() -> &'static [StepSpec] {
    lanes::lane("bus").expect("a lane of the table").steps
}

fn table(step: &str) -> &'static str {
    let step = steps().iter().find(|known| known.name == step).expect("a step of the lane");
    output(step.table_output)
}

/// An account's counter.
pub fn account(owner: &str, currency: &str) -> String {
    format!("{}#{currency}", subject_of(owner))
}

/// In minor units.
pub fn total(order: &Value) -> i64 {
    let lines = order["items"].as_array().expect("an order has items").iter();
    lines.map(|line| line["quantity"].as_i64().unwrap() * line["unitPriceMinor"].as_i64().unwrap()).sum()
}

impl Stack {
    /// Adds to a counter, as a delivery of goods or a deposit does. What orders take meanwhile stays taken.
    pub async fn add(&self, step: &str, counter: &str, amount: i64) {
        let request =
            self.dynamodb.update_item().table_name(table(step)).key("pk", text(&format!("counter#{counter}")));
        let request = request.update_expression("ADD available :amount");
        let request = request.expression_attribute_values(":amount", AttributeValue::N(amount.to_string()));
        request.send().await.expect("the service's table can be written");
    }

    /// Adds units.
    pub async fn add_stock(&self, sku: &str, units: i64) {
        self.add("stock", sku, units).await;
    }

    /// Adds money.
    pub async fn add_money(&self, owner: &str, currency: &str, minor_units: i64) {
        self.add("payment", &account(owner, currency), minor_units).await;
    }

    /// Adds exactly what the order takes, so that it can be confirmed concurrently with others.
    pub async fn supply(&self, owner: &str, order: &Value) {
        for line in order["items"].as_array().expect("an order has items") {
            self.add_stock(line["sku"].as_str().unwrap(), line["quantity"].as_i64().unwrap()).await;
        }
        self.add_money(owner, order["currency"].as_str().unwrap(), total(order)).await;
    }

    /// `None` if the counter does not exist.
    pub async fn available(&self, step: &str, counter: &str) -> Option<i64> {
        let item = self.service_item(step, &format!("counter#{counter}")).await?;
        Some(integer(&item["available"]))
    }

    /// The hold of the owner's order.
    pub async fn hold(&self, step: &str, owner: &str, order_id: &str) -> Option<Hold> {
        let item = self.service_item(step, &format!("order#{}#{order_id}", subject_of(owner))).await?;
        Some(hold(&item))
    }

    async fn service_item(&self, step: &str, key: &str) -> Option<Item> {
        let request = self.dynamodb.get_item().table_name(table(step)).consistent_read(true).key("pk", text(key));
        request.send().await.expect("the service's table can be read").item
    }

    /// The step's counters and holds.
    pub async fn books(&self, step: &str) -> Books {
        let request = self.dynamodb.scan().table_name(table(step)).consistent_read(true);
        let items = request.into_paginator().items().send().collect::<Result<Vec<_>, _>>();
        let mut books = Books::default();
        for item in items.await.expect("the service's table can be scanned") {
            match item["pk"].as_s().unwrap().split_once('#').expect("a key has a kind") {
                ("counter", counter) => drop(books.counters.insert(counter.to_owned(), integer(&item["available"]))),
                ("order", order) => drop(books.orders.insert(order.to_owned(), hold(&item))),
                // Payments of the API.
                _ => {}
            }
        }
        books
    }
}

fn hold(item: &Item) -> Hold {
    let taken = item.get("claims").map(|claims| claims.as_m().unwrap().iter()).into_iter().flatten();
    let taken = taken.map(|(counter, amount)| (counter.clone(), integer(amount))).collect();
    Hold { state: item["state"].as_s().unwrap().clone(), taken }
}

fn integer(value: &AttributeValue) -> i64 {
    value.as_n().unwrap().parse().unwrap()
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}
