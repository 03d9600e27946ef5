//! AWS calls of a bus order, and how it is shown before its decision.

use crate::{
    Load, bus,
    figures::Figures,
    listener::Listener,
    test_bed::{DELIVERY_WAIT, TestBed},
};
use fault_endpoint::{Fault, Gate, Rule, When};
use serde_json::json;
use std::collections::BTreeMap;
use testkit::{
    api_client::ApiClient,
    eventually::eventually,
    order_bodies::{new_id, new_sku, order_in},
    outputs::output,
    repository::read,
    socket::Socket,
    stack::OWNER,
};

/// In `docs/architecture.md`.
const TABLE_OF_CALLS: &str = "| step | function | asks AWS to | resource | times |";

/// By function, for one order, in sequence: the operation, the event's type, and the resource.
type Calls = BTreeMap<String, Vec<String>>;

fn documented_calls() -> Calls {
    let document = read("docs/architecture.md");
    let rows = document.lines().skip_while(|line| *line != TABLE_OF_CALLS).skip(2);
    let mut calls = Calls::new();
    for row in rows.take_while(|line| line.starts_with('|')) {
        let columns: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [_, function, asks, resource, times] = columns[..] else { panic!("not a row of five cells: {row}") };
        let operation = asks.split(':').next().unwrap_or_default().replace('`', "");
        let call = format!("{operation} {resource}");
        let times = times.parse().unwrap_or_else(|_| panic!("{times} must be a number: {row}"));
        calls.entry(function.to_owned()).or_default().extend(vec![call; times]);
    }
    calls
}

/// Since the mark, about an order or with one of those keys.
fn traced_calls(bed: &TestBed, mark: usize, id: &str, keys: &[&str]) -> Calls {
    let functions = lanes::lane("bus").expect("a lane of the table").functions;
    let mut calls = Calls::new();
    for call in bed.endpoint.since(mark).into_iter().map(|passed| passed.call) {
        if call.is_about(id) || keys.contains(&call.key.as_str()) {
            let function = functions.iter().find(|function| *function.output == *call.caller);
            let function = function.expect("a function of the lane").name.to_owned();
            let operation = call.event.map_or(call.operation.clone(), |event| format!("{} {event}", call.operation));
            calls.entry(function).or_default().push(format!("{operation} {}", resource(&call.target)));
        }
    }
    calls
}

/// The resource's logical id. CloudFormation puts it between the stack's name and a random part.
fn resource(target: &str) -> &str {
    // The management API has none.
    if target.is_empty() { "WebSocketApi" } else { target.rsplit('-').nth(1).unwrap_or(target) }
}

pub(crate) async fn an_order_causes_the_calls_that_the_architecture_lists_and_a_bad_one_none(
    bed: &TestBed,
    _: Load,
) -> Figures {
    let (id, bad, owner, sku) = (new_id(), new_id(), format!("owner-{}", new_id()), new_sku());
    let api = ApiClient::for_user(&owner);
    let order = order_in("EUR", &[(&sku, 2, 100)]);
    bed.stack.supply(&owner, &order).await;
    let mut listener = Listener::open(bed, &owner).await;
    let mark = bed.endpoint.mark();

    api.put("bus", &bad, &json!({"currency": "ABC", "items": []})).await.problem(400);
    bus::submit(&api, &id, &order).await;
    listener.receives("order.confirmed", &id, DELIVERY_WAIT).await;
    bus::every_step_is(bed, &owner, &id, "DONE").await;
    bed.bus_is_idle(DELIVERY_WAIT).await;

    assert_eq!(traced_calls(bed, mark, &bad, &[]), Calls::new(), "a bad order must cause no call");
    let traced = traced_calls(bed, mark, &id, &[&owner, &listener.connection_id]);
    assert_eq!(traced, documented_calls(), "calls of an order (left), docs/architecture.md (right)");
    let calls = traced.values().map(Vec::len).sum::<usize>();
    Figures::default().with("functions", traced.len()).with("calls", calls).with("bad order", "0 calls")
}

pub(crate) async fn an_order_is_placed_until_its_last_step_votes(bed: &TestBed, _: Load) -> Figures {
    let (id, sku, gate) = (new_id(), new_sku(), Gate::closed());
    let order = order_in("EUR", &[(&sku, 2, 100)]);
    bed.stack.supply(OWNER, &order).await;
    let table = output("PaymentsTableName");
    bed.endpoint.inject(Rule::new(move |call| call.target == table, When::Always, Fault::HoldBefore(gate.clone())));

    bus::submit(&bed.api, &id, &order).await;
    let placed = eventually(DELIVERY_WAIT, "two steps have voted", async || {
        let order = bed.api.get(&id).await.body;
        (order["status"] == "PLACED" && bus::shown(&order) == ["HELD", "PENDING", "HELD"]).then_some(order)
    })
    .await;
    let mut socket = Socket::open_alone().await;
    let frame = socket.subscribe(&id).await;
    socket.close().await;
    bed.endpoint.heal();
    gate.open();

    assert_eq!((&frame["status"], &frame["order"]), (&json!("PLACED"), &placed));
    assert_eq!(placed.get("confirmedAt"), None, "{placed}");
    assert_eq!(bed.api.settled(&id).await["status"], "CONFIRMED");
    bus::every_step_is(bed, OWNER, &id, "DONE").await;
    Figures::default().with("orders", 1)
}

pub(crate) async fn a_payment_is_taken_once_and_its_repeat_is_200_after_a_lost_answer(
    bed: &TestBed,
    _: Load,
) -> Figures {
    let mut payments = 0;
    for fault in [Fault::DropAfter, Fault::HangAfter] {
        let (id, name) = (new_id(), fault.name());
        bed.stack.add_money(OWNER, "EUR", 100).await;
        let account = testkit::services::account(OWNER, "EUR");
        let before = bed.stack.available("payment", &account).await.unwrap();
        let about = id.clone();
        bed.endpoint.inject(Rule::new(move |call| call.is_about(&about), When::Always, fault));

        let lost = bed.api.put_payment(&id, "EUR", 100).await;
        bed.endpoint.heal();
        let repeated = bed.api.put_payment(&id, "EUR", 100).await;

        lost.problem(503);
        assert_eq!((repeated.status, &repeated.body["status"]), (200, &json!("CAPTURED")), "{name}: {repeated:?}");
        assert_eq!(bed.stack.available("payment", &account).await, Some(before - 100), "{name}: it must be taken once");
        payments += 1;
    }
    Figures::default().with("payments", payments).with("answers", "503 200").with("taken twice", 0)
}
