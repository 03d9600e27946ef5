//! A dead letter, until the fault is fixed and the order redriven.

use crate::{
    Load,
    figures::Figures,
    listener::Listener,
    test_bed::{DELIVERY_WAIT, TestBed},
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Redrive {
    /// Only this message: received, sent and deleted by `twolane`.
    Chosen,
    /// With all others, by SQS.
    All,
}

pub(crate) async fn a_failed_order_is_confirmed_once_by_a_redrive_and_its_owner_is_notified(
    bed: &TestBed,
    _: Load,
) -> Figures {
    let mut listener = Listener::open(bed, OWNER).await;
    let redrives = [Redrive::Chosen, Redrive::All];
    let (mut writes, mut notified_failed, mut notified_confirmed) = (0, 0, 0);
    for redrive in redrives {
        let (id, mark) = (new_id(), bed.endpoint.mark());
        fail(bed, &mut listener, &id).await;
        assert_eq!(bed.api.get(&id).await.body["status"], "FAILED");
        assert_eq!(bed.endpoint.writes(mark, &id, "FAILED"), 1);
        assert_eq!(listener.count("order.confirmed", &id), 0);
        let shown = report(&twolane(&["dlq", "--json"]).await, &id);
        assert_eq!(shown["status"], "FAILED", "{shown}");

        bed.endpoint.heal();
        let chosen = if redrive == Redrive::Chosen { &["--order", &id][..] } else { &[] };
        let report = report(&twolane(&[&["redrive", "--json"], chosen].concat()).await, &id);

        assert_eq!((&report["statusBefore"], &report["status"]), (&"FAILED".into(), &"CONFIRMED".into()), "{report}");
        listener.receives("order.confirmed", &id, DELIVERY_WAIT).await;
        bed.queue_is_empty(DELIVERY_WAIT).await;
        assert_eq!(bed.stack.messages_in("DeadLetterQueueUrl").await, 0, "{redrive:?}: the dead letter must be gone");
        assert_eq!(bed.endpoint.writes(mark, &id, "CONFIRMED"), 1, "{redrive:?}: the order must be confirmed once");
        let frames = [listener.count("order.failed", &id), listener.count("order.confirmed", &id)];
        assert_eq!(frames, [1, 1], "{redrive:?}: frames with FAILED, with CONFIRMED");
        writes += bed.endpoint.writes(mark, &id, "CONFIRMED");
        notified_failed += frames[0];
        notified_confirmed += frames[1];
    }
    Figures::default()
        .with("orders", redrives.len())
        .with("FAILED notified", notified_failed)
        .with("CONFIRMED writes", writes)
        .with("CONFIRMED notified", notified_confirmed)
}

/// Places an order, fails each of its writes, and waits for its dead letter.
async fn fail(bed: &TestBed, listener: &mut Listener, id: &str) {
    let about = id.to_owned();
    let fault = Fault::ServerError(StatusCode::INTERNAL_SERVER_ERROR);
    bed.endpoint.inject(Rule::new(move |call| call.writes("CONFIRMED") && call.is_about(&about), When::Always, fault));
    bed.api.put("async", id, &order_of("SKU-1")).await;
    listener.receives("order.failed", id, DELIVERY_WAIT).await;
    eventually(DELIVERY_WAIT, "the message is in the dead-letter queue", async || {
        (bed.stack.messages_in("DeadLetterQueueUrl").await > 0 && bed.stack.messages_in("OrdersQueueUrl").await == 0)
            .then_some(())
    })
    .await;
}

fn report(printed: &str, id: &str) -> Value {
    let mut reports = printed.lines().map(|line| serde_json::from_str::<Value>(line).expect("every line is JSON"));
    reports.find(|report| report["orderId"] == id).unwrap_or_else(|| panic!("nothing about {id}: {printed}"))
}
