//! An order that failed for good, until somebody mends what was wrong.

use crate::{
    Load,
    figures::Figures,
    listener::Listener,
    rig::{PATIENCE, Rig},
};
use fault_endpoint::{Fault, Rule, When};
use hyper::StatusCode;
use serde_json::Value;
use testkit::{
    command_line::twolane,
    eventually::eventually,
    order_bodies::{new_id, order_of},
    stack::OWNER,
};

/// How the message comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Redrive {
    /// It alone, received, sent and deleted.
    Chosen,
    /// With all others, by SQS itself.
    All,
}

pub(crate) async fn a_failed_order_is_confirmed_once_by_a_redrive_and_told_once_more(rig: &Rig, _: Load) -> Figures {
    let mut listener = Listener::open(rig, OWNER).await;
    let redrives = [Redrive::Chosen, Redrive::All];
    let (mut writes, mut told_failed, mut told_confirmed) = (0, 0, 0);
    for redrive in redrives {
        let (id, mark) = (new_id(), rig.endpoint.mark());
        fail(rig, &mut listener, &id).await;
        assert_eq!(rig.api.get(&id).await.body["status"], "FAILED");
        assert_eq!(rig.endpoint.writes(mark, &id, "FAILED"), 1);
        assert_eq!(listener.count("order.confirmed", &id), 0);
        let shown = report(&twolane(&["dlq", "--json"]).await, &id);
        assert_eq!(shown["status"], "FAILED", "{shown}");

        rig.endpoint.heal();
        let chosen = if redrive == Redrive::Chosen { &["--order", &id][..] } else { &[] };
        let report = report(&twolane(&[&["redrive", "--json"], chosen].concat()).await, &id);

        assert_eq!((&report["statusBefore"], &report["status"]), (&"FAILED".into(), &"CONFIRMED".into()), "{report}");
        listener.hears("order.confirmed", &id, PATIENCE).await;
        rig.queue_is_empty(PATIENCE).await;
        assert_eq!(rig.stack.messages_in("DeadLetterQueueUrl").await, 0, "{redrive:?}: it must have gone");
        assert_eq!(rig.endpoint.writes(mark, &id, "CONFIRMED"), 1, "{redrive:?}: it must have been confirmed once");
        let told = [listener.count("order.failed", &id), listener.count("order.confirmed", &id)];
        assert_eq!(told, [1, 1], "{redrive:?}: told once that it failed and once that it is confirmed");
        writes += rig.endpoint.writes(mark, &id, "CONFIRMED");
        told_failed += told[0];
        told_confirmed += told[1];
    }
    Figures::default()
        .with("orders", redrives.len())
        .with("FAILED told", told_failed)
        .with("CONFIRMED writes", writes)
        .with("CONFIRMED told", told_confirmed)
}

/// Places an order whose every write fails, until it is in the dead-letter queue.
async fn fail(rig: &Rig, listener: &mut Listener, id: &str) {
    let about = id.to_owned();
    let fault = Fault::ServerError(StatusCode::INTERNAL_SERVER_ERROR);
    rig.endpoint.inject(Rule::new(move |call| call.writes("CONFIRMED") && call.is_about(&about), When::Always, fault));
    rig.api.put("async", id, &order_of("SKU-1")).await;
    listener.hears("order.failed", id, PATIENCE).await;
    eventually(PATIENCE, "the message is in the dead-letter queue", async || {
        (rig.stack.messages_in("DeadLetterQueueUrl").await > 0 && rig.stack.messages_in("OrdersQueueUrl").await == 0)
            .then_some(())
    })
    .await;
}

/// What was printed about that order.
fn report(printed: &str, id: &str) -> Value {
    let mut reports = printed.lines().map(|line| serde_json::from_str::<Value>(line).expect("every line is JSON"));
    reports.find(|report| report["orderId"] == id).unwrap_or_else(|| panic!("nothing about {id}: {printed}"))
}
