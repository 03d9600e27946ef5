//! What an order of the bus lane asks of AWS, and how it is shown before it is decided.

use crate::{
    Load, bus,
    figures::Figures,
    listener::Listener,
    rig::{PATIENCE, Rig},
};
use fault_endpoint::{Fault, Gate, Rule, When};
use serde_json::json;
use std::collections::BTreeMap;
use testkit::{
    api_client::ApiClient,
    eventually::eventually,
    order_bodies::{new_id, new_sku, order_in},
    outputs::output,
    socket::Socket,
    stack::OWNER,
};

/// Calls since the mark with one of those keys or about that order, by operation or published event.
fn calls(rig: &Rig, mark: usize, id: &str, keys: &[&str]) -> BTreeMap<String, usize> {
    let mut calls = BTreeMap::new();
    for call in rig.endpoint.since(mark).into_iter().map(|passed| passed.call) {
        if call.is_about(id) || keys.contains(&call.key.as_str()) {
            *calls.entry(call.event.unwrap_or(call.operation)).or_default() += 1;
        }
    }
    calls
}

pub(crate) async fn an_order_is_published_once_written_once_by_each_step_and_a_bad_one_costs_nothing(
    rig: &Rig,
    _: Load,
) -> Figures {
    let (id, bad, owner, sku) = (new_id(), new_id(), format!("owner-{}", new_id()), new_sku());
    let api = ApiClient::of(&owner);
    let order = order_in("EUR", &[(&sku, 2, 100)]);
    rig.stack.supply(&owner, &order).await;
    let mut listener = Listener::open(rig, &owner).await;
    let mark = rig.endpoint.mark();

    api.put("bus", &bad, &json!({"currency": "ABC", "items": []})).await.problem(400);
    bus::submit(&api, &id, &order).await;
    listener.hears("order.confirmed", &id, PATIENCE).await;
    bus::every_step_is(rig, &owner, &id, "DONE").await;
    rig.bus_is_idle(PATIENCE).await;

    let expected = [
        ("order.submitted", 1),
        ("PutItem", 1),
        ("order.placed", 1),
        ("TransactWriteItems", 3),
        ("stock.held", 1),
        ("payment.held", 1),
        ("shipment.held", 1),
        // The last vote takes two: the first one finds that it is the last.
        ("UpdateItem", 4 + 3),
        ("order.confirmed", 1),
        ("Query", 1),
        ("PostToConnection", 1),
    ];
    assert_eq!(calls(rig, mark, &bad, &[]), BTreeMap::new(), "a bad order must cost no call");
    let keys = [owner.as_str(), &listener.connection_id];
    assert_eq!(calls(rig, mark, &id, &keys), expected.map(|(name, count)| (name.to_owned(), count)).into());
    Figures::default().with("publishes", 6).with("transactions", 3).with("writes", 8).with("bad order", "0 calls")
}

pub(crate) async fn an_order_is_placed_until_its_last_step_votes(rig: &Rig, _: Load) -> Figures {
    let (id, sku, gate) = (new_id(), new_sku(), Gate::closed());
    let order = order_in("EUR", &[(&sku, 2, 100)]);
    rig.stack.supply(OWNER, &order).await;
    let table = output("PaymentsTableName");
    rig.endpoint.inject(Rule::new(move |call| call.target == table, When::Always, Fault::HoldBefore(gate.clone())));

    bus::submit(&rig.api, &id, &order).await;
    let placed = eventually(PATIENCE, "two steps have voted", async || {
        let order = rig.api.get(&id).await.body;
        (order["status"] == "PLACED" && bus::shown(&order) == ["HELD", "PENDING", "HELD"]).then_some(order)
    })
    .await;
    let mut socket = Socket::open_alone().await;
    let frame = socket.subscribe(&id).await;
    socket.close().await;
    rig.endpoint.heal();
    gate.open();

    assert_eq!((&frame["status"], &frame["order"]), (&json!("PLACED"), &placed));
    assert_eq!(placed.get("confirmedAt"), None, "{placed}");
    assert_eq!(rig.api.settled(&id).await["status"], "CONFIRMED");
    bus::every_step_is(rig, OWNER, &id, "DONE").await;
    Figures::default().with("orders", 1)
}

pub(crate) async fn a_payment_whose_answer_is_lost_is_200_at_its_repeat_and_taken_once(rig: &Rig, _: Load) -> Figures {
    let mut payments = 0;
    for fault in [Fault::DropAfter, Fault::HangAfter] {
        let (id, name) = (new_id(), fault.name());
        rig.stack.add_money(OWNER, "EUR", 100).await;
        let account = testkit::services::account(OWNER, "EUR");
        let before = rig.stack.available("payment", &account).await.unwrap();
        let about = id.clone();
        rig.endpoint.inject(Rule::new(move |call| call.is_about(&about), When::Always, fault));

        let lost = rig.api.put_payment(&id, "EUR", 100).await;
        rig.endpoint.heal();
        let repeated = rig.api.put_payment(&id, "EUR", 100).await;

        lost.problem(503);
        assert_eq!((repeated.status, &repeated.body["status"]), (200, &json!("CAPTURED")), "{name}: {repeated:?}");
        assert_eq!(rig.stack.available("payment", &account).await, Some(before - 100), "{name}: it must be taken once");
        payments += 1;
    }
    Figures::default().with("payments", payments).with("answers", "503 200").with("taken twice", 0)
}
