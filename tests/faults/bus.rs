//! Orders of the bus lane.

use crate::test_bed::{DELIVERY_WAIT, TestBed};
use reqwest::Method;
use serde_json::Value;
use std::time::Duration;
use testkit::{
    api_client::{ApiClient, try_send},
    eventually::eventually,
    services::{self, steps, total},
};

/// Until a busy lane accepts an order.
const DEADLINE: Duration = Duration::from_mins(4);

/// As a client: repeats the request until the lane accepts it. A busy lane answers 503, or too late.
pub(crate) async fn submit(api: &ApiClient, id: &str, order: &Value) {
    submit_despite(&[503, 504], api, id, order).await;
}

/// As [`submit`], also after these answers.
pub(crate) async fn submit_despite(refusals: &[u16], api: &ApiClient, id: &str, order: &Value) {
    eventually(DEADLINE, &format!("order {id} is submitted"), async || {
        let request = api.request(Method::PUT, &format!("bus/orders/{id}")).json(order);
        let answer = try_send(request).await.ok()?;
        assert!(answer.status == 202 || refusals.contains(&answer.status), "{answer:?}");
        (answer.status == 202).then_some(())
    })
    .await;
}

/// The output with the function's deployed name, which is also the endpoint's caller.
pub(crate) fn output_of(function: &str) -> &'static str {
    let mut functions = lanes::lane("bus").expect("a lane of the table").functions.iter();
    functions.find(|known| known.name == function).expect("a function of the lane").output
}

/// States as the status service shows them.
pub(crate) fn shown(order: &Value) -> [&str; 3] {
    std::array::from_fn(|step| order["steps"][step]["state"].as_str().unwrap_or_default())
}

/// Units of the order's first SKU, and money in the account that pays.
pub(crate) async fn left(bed: &TestBed, owner: &str, order: &Value) -> [Option<i64>; 2] {
    let account = services::account(owner, order["currency"].as_str().unwrap());
    let sku = order["items"][0]["sku"].as_str().unwrap();
    [bed.stack.available("stock", sku).await, bed.stack.available("payment", &account).await]
}

/// Returned by [`left`] after an order of one line has taken its units and money.
pub(crate) fn less(before: [Option<i64>; 2], order: &Value) -> [Option<i64>; 2] {
    let units = order["items"][0]["quantity"].as_i64().unwrap();
    [before[0].map(|left| left - units), before[1].map(|left| left - total(order))]
}

pub(crate) async fn every_step_is(bed: &TestBed, owner: &str, id: &str, state: &str) {
    for step in steps() {
        eventually(DELIVERY_WAIT, &format!("the {} of {id} is {state}", step.name), async || {
            let hold = bed.stack.hold(step.name, owner, id).await?;
            (hold.state == state).then_some(())
        })
        .await;
    }
}
