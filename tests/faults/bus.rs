//! Orders of the bus lane, and where its functions can be killed.

use crate::{
    rig::{PATIENCE, Rig},
    workers,
};
use fault_endpoint::{Call, Fault, Gate, Rule, When};
use reqwest::Method;
use serde_json::Value;
use std::{sync::OnceLock, time::Duration};
use testkit::{
    api_client::{ApiClient, try_send},
    eventually::eventually,
    outputs::output,
    services::{self, steps, total},
};

/// Longest wait for a moment of a function's work, while other functions are killed.
const DEADLINE: Duration = Duration::from_mins(4);

/// Places an order as a client does: again until the lane takes it.
pub(crate) async fn submit(api: &ApiClient, id: &str, order: &Value) {
    eventually(DEADLINE, &format!("order {id} is submitted"), async || {
        let request = api.request(Method::PUT, &format!("bus/orders/{id}")).json(order);
        // A busy lane answers 503, or not in time.
        let answer = try_send(request).await.ok()?;
        assert!([202, 503, 504].contains(&answer.status), "{answer:?}");
        (answer.status == 202).then_some(())
    })
    .await;
}

/// The states of an order's steps as the status service shows them.
pub(crate) fn shown(order: &Value) -> [&str; 3] {
    std::array::from_fn(|step| order["steps"][step]["state"].as_str().unwrap_or_default())
}

/// What is left of the order's first SKU and of the account that pays for it.
pub(crate) async fn left(rig: &Rig, owner: &str, order: &Value) -> [Option<i64>; 2] {
    let account = services::account(owner, order["currency"].as_str().unwrap());
    let sku = order["items"][0]["sku"].as_str().unwrap();
    [rig.stack.available("stock", sku).await, rig.stack.available("payment", &account).await]
}

/// What [`left`] says once an order of one line has been taken.
pub(crate) fn less(before: [Option<i64>; 2], order: &Value) -> [Option<i64>; 2] {
    let units = order["items"][0]["quantity"].as_i64().unwrap();
    [before[0].map(|left| left - units), before[1].map(|left| left - total(order))]
}

/// Waits until every service has that state of the order.
pub(crate) async fn every_step_is(rig: &Rig, owner: &str, id: &str, state: &str) {
    for step in steps() {
        eventually(PATIENCE, &format!("the {} of {id} is {state}", step.name), async || {
            let hold = rig.stack.hold(step.name, owner, id).await?;
            (hold.state == state).then_some(())
        })
        .await;
    }
}

/// A moment in the work of a function on one message.
pub(crate) struct Moment {
    /// The output with the function's name.
    function: &'static str,
    name: String,
    is_about: Box<dyn Fn(&Call) -> bool + Send>,
    is_done: bool,
}

impl Moment {
    /// Before the call is done.
    fn before(function: &'static str, moment: &str, is_about: impl Fn(&Call) -> bool + Send + 'static) -> Self {
        Self { function, name: format!("{function} before {moment}"), is_about: Box::new(is_about), is_done: false }
    }

    /// When the call is done and the function does not know yet.
    fn after(function: &'static str, moment: &str, is_about: impl Fn(&Call) -> bool + Send + 'static) -> Self {
        Self { function, name: format!("{function} after {moment}"), is_about: Box::new(is_about), is_done: true }
    }

    /// Kills the function's process in the first such moment from now on.
    pub(crate) async fn kill(self, rig: &Rig) {
        let (gate, first) = (Gate::closed(), OnceLock::new());
        let fault = if self.is_done { Fault::HoldAfter(gate.clone()) } else { Fault::HoldBefore(gate.clone()) };
        // Its retries wait too, however long the killing takes.
        let is_about = move |call: &Call| (self.is_about)(call) && *first.get_or_init(|| call.key.clone()) == call.key;
        rig.endpoint.inject(Rule::new(is_about, When::Always, fault));
        let clients = gate.clients(DEADLINE).await;
        let held = workers::connected_from(output(self.function), &clients);
        gate.reached_by(1, DEADLINE).await;
        // On a busy machine the client may have closed the connection by now, to try again.
        let victims = if held.is_empty() { workers::of(output(self.function)) } else { held };
        let killed = victims.into_iter().filter(|pid| workers::kill(*pid)).count();
        assert!(killed > 0, "{}: a process must be killed", self.name);
        gate.open();
    }
}

/// Every moment between what each worker reads, writes and publishes and the end of its message, by function: moments of one
/// function follow each other.
pub(crate) fn moments() -> Vec<Vec<Moment>> {
    let orders = |call: &Call| call.target == output("OrdersTableName");
    let settle = "SettleOrderFunctionName";
    let submission = move |call: &Call| orders(call) && call.operation == "PutItem";
    let vote = move |call: &Call| orders(call) && call.operation == "UpdateItem";
    let publishes = |event: &'static str| move |call: &Call| call.event.as_deref() == Some(event);
    let settling = vec![
        Moment::before(settle, "it records the order", submission),
        Moment::after(settle, "it has recorded the order", submission),
        Moment::after(settle, "it has published order.placed", publishes("order.placed")),
        Moment::before(settle, "it counts a vote", vote),
        Moment::after(settle, "it has counted a vote", vote),
        Moment::before(settle, "it publishes order.confirmed", publishes("order.confirmed")),
        Moment::after(settle, "it has published order.confirmed", publishes("order.confirmed")),
        Moment::after(settle, "it has published order.cancelled", publishes("order.cancelled")),
        Moment::after(settle, "it has notified an owner", Call::is_post),
    ];
    let functions =
        [("ReserveStockFunctionName", 0), ("AuthorizePaymentFunctionName", 1), ("BookShipmentFunctionName", 2)];
    let stepping = functions.map(|(function, step)| {
        let (name, table) = (steps()[step].name, output(steps()[step].table_output));
        let holds = move |call: &Call| call.target == table && call.operation == "TransactWriteItems";
        let confirms = move |call: &Call| call.target == table && call.operation == "UpdateItem";
        let votes = move |call: &Call| call.event.as_ref().is_some_and(|event| event.starts_with(&format!("{name}.")));
        vec![
            Moment::before(function, "it holds", holds),
            Moment::after(function, "it holds", holds),
            Moment::before(function, "it votes", votes),
            Moment::after(function, "it votes", votes),
            Moment::before(function, "it makes a hold final", confirms),
            Moment::after(function, "it makes a hold final", confirms),
        ]
    });
    std::iter::once(settling).chain(stepping).collect()
}
