//! A successful write with a lost answer.

use crate::{
    Load,
    figures::Figures,
    listener::Listener,
    test_bed::{DELIVERY_WAIT, TestBed},
    workers,
};
use fault_endpoint::{Fault, Gate, Rule, When};
use testkit::{
    order_bodies::{new_id, order_of},
    outputs::output,
    stack::OWNER,
};

pub(crate) async fn a_write_is_not_repeated_after_a_lost_answer_and_its_owner_is_notified(
    bed: &TestBed,
    _: Load,
) -> Figures {
    let mut listener = Listener::open(bed, OWNER).await;
    let (mut writes, mut notified) = (0, 0);

    for fault in [Fault::HangAfter, Fault::DropAfter, Fault::Truncate] {
        let (id, mark) = (new_id(), bed.endpoint.mark());
        let about = id.clone();
        bed.endpoint.inject(Rule::new(
            move |call| call.writes("CONFIRMED") && call.is_about(&about),
            When::First(1),
            fault,
        ));

        let queued = bed.api.put("async", &id, &order_of("SKU-1")).await;

        assert_eq!(queued.status, 202, "{queued:?}");
        listener.receives("order.confirmed", &id, DELIVERY_WAIT).await;
        bed.queue_is_empty(DELIVERY_WAIT).await;
        let attempts = bed.endpoint.since(mark).iter().filter(|passed| passed.call.writes("CONFIRMED")).count();
        assert!(attempts >= 2, "the write must have been tried again");
        assert_eq!(bed.endpoint.writes(mark, &id, "CONFIRMED"), 1, "it must have been written once");
        writes += 1;
        notified += listener.count("order.confirmed", &id);
    }
    Figures::default().with("orders", 3).with("writes", writes).with("notified", notified)
}

pub(crate) async fn a_worker_killed_after_the_write_does_not_write_again_and_its_owner_is_notified(
    bed: &TestBed,
    _: Load,
) -> Figures {
    let mut listener = Listener::open(bed, OWNER).await;
    let (id, mark, gate) = (new_id(), bed.endpoint.mark(), Gate::closed());
    let about = id.clone();
    let held = Fault::HoldAfter(gate.clone());
    // Retries wait, too, until the worker is killed.
    bed.endpoint.inject(Rule::new(move |call| call.writes("CONFIRMED") && call.is_about(&about), When::Always, held));

    bed.api.put("async", &id, &order_of("SKU-1")).await;
    gate.reached_by(1, DELIVERY_WAIT).await;
    let killed = workers::of(output("ProcessOrdersFunctionName")).into_iter().filter(|pid| workers::kill(*pid)).count();
    bed.endpoint.heal();

    assert!(killed > 0, "the worker that has written must be killed");
    assert_eq!(listener.count("order.confirmed", &id), 0, "the owner must not be notified yet");
    listener.receives("order.confirmed", &id, DELIVERY_WAIT).await;
    bed.queue_is_empty(DELIVERY_WAIT).await;
    assert_eq!(bed.endpoint.writes(mark, &id, "CONFIRMED"), 1, "it must have been written once");
    let notified = listener.count("order.confirmed", &id);
    Figures::default().with("killed", killed).with("writes", 1).with("notified", notified)
}
