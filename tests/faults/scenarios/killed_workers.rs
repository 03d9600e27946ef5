//! Functions that die amid a batch.

use crate::{
    Load,
    figures::Figures,
    listener::Listener,
    queue,
    test_bed::{DELIVERY_WAIT, TestBed},
    workers,
};
use fault_endpoint::{Fault, Gate, Rule, When};
use testkit::{order_bodies::new_id, outputs::output, stack::OWNER};

pub(crate) async fn messages_of_killed_workers_are_redelivered_and_written_once(bed: &TestBed, load: Load) -> Figures {
    let mut listener = Listener::open(bed, OWNER).await;
    let (mark, gate, orders) = (bed.endpoint.mark(), Gate::closed(), load.pick(30, 200));
    let ids: Vec<_> = (0..orders).map(|_| new_id()).collect();
    // At the kill, half of the orders under way have been written.
    bed.endpoint.inject(Rule::new(|call| call.writes("CONFIRMED"), When::First(5), Fault::HoldBefore(gate.clone())));
    bed.endpoint.inject(Rule::new(|call| call.writes("CONFIRMED"), When::First(5), Fault::HoldAfter(gate.clone())));

    let messages = ids.iter().enumerate().map(|(entry, id)| queue::order(entry, OWNER, id, queue::now_ms())).collect();
    queue::send(bed, messages).await;
    gate.reached_by(10, DELIVERY_WAIT).await;
    let killed = workers::of(output("ProcessOrdersFunctionName")).into_iter().filter(|pid| workers::kill(*pid)).count();
    bed.endpoint.heal();

    assert!(killed > 0, "workers must be under way");
    for id in &ids {
        listener.receives("order.confirmed", id, DELIVERY_WAIT).await;
        assert_eq!(bed.endpoint.writes(mark, id, "CONFIRMED"), 1, "{id} must have been written once");
    }
    bed.queue_is_empty(DELIVERY_WAIT).await;
    Figures::default().with("orders", orders).with("killed", killed).with("lost", 0).with("written twice", 0)
}
