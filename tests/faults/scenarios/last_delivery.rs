//! An order that failed for good, until somebody mends what was wrong.

use crate::{
    Load,
    endpoint::{Fault, Rule, When},
    figures::Figures,
    listener::Listener,
    rig::{PATIENCE, Rig},
};
use hyper::StatusCode;
use serde_json::Value;
use twolane_tests::{
    command_line::twolane,
    eventually::eventually,
    order_bodies::{new_id, order_of},
    stack::OWNER,
};

pub(crate) async fn a_failed_order_is_confirmed_once_by_a_redrive_and_told_once_more(rig: &Rig, _: Load) -> Figures {
    let mut listener = Listener::open(rig, OWNER).await;
    let (id, mark) = (new_id(), rig.endpoint.mark());
    let about = id.clone();
    let fault = Fault::ServerError(StatusCode::INTERNAL_SERVER_ERROR);
    rig.endpoint.inject(Rule::new(move |call| call.writes("CONFIRMED") && call.is_about(&about), When::Always, fault));

    rig.api.put("async", &id, &order_of("SKU-1")).await;

    listener.hears("order.failed", &id, PATIENCE).await;
    eventually(PATIENCE, "the message is in the dead-letter queue", async || {
        (rig.messages("DeadLetterQueueUrl").await > 0 && rig.messages("OrdersQueueUrl").await == 0).then_some(())
    })
    .await;
    assert_eq!(rig.api.get(&id).await.body["status"], "FAILED");
    assert_eq!(rig.endpoint.writes(mark, &id, "FAILED"), 1);
    assert_eq!(listener.count("order.confirmed", &id), 0);

    rig.endpoint.heal();
    let printed = twolane(&["redrive", "--order", &id, "--json"]).await;

    let report: Value = serde_json::from_str(&printed).expect("one JSON object");
    assert_eq!((&report["orderId"], &report["status"]), (&Value::from(id.as_str()), &Value::from("CONFIRMED")));
    listener.hears("order.confirmed", &id, PATIENCE).await;
    rig.queue_is_empty(PATIENCE).await;
    assert_eq!(rig.endpoint.writes(mark, &id, "CONFIRMED"), 1, "it must have been confirmed once");
    let told = [listener.count("order.failed", &id), listener.count("order.confirmed", &id)];
    assert_eq!(told, [1, 1], "told once that it failed and once that it is confirmed");
    Figures::default().with("FAILED told", told[0]).with("CONFIRMED writes", 1).with("CONFIRMED told", told[1])
}
