//! The same message, delivered many times.

use crate::{
    Load,
    figures::Figures,
    listener::Listener,
    queue,
    test_bed::{DELIVERY_WAIT, TestBed},
};
use testkit::{order_bodies::new_id, stack::OWNER};

pub(crate) async fn a_message_delivered_many_times_is_written_once(bed: &TestBed, load: Load) -> Figures {
    let mut listener = Listener::open(bed, OWNER).await;
    let (mark, copies, orders) = (bed.endpoint.mark(), 8, load.pick(10, 100));
    let ids: Vec<_> = (0..orders).map(|_| new_id()).collect();

    // Copies are in one batch, and in concurrent batches.
    let entries = (0..copies).flat_map(|_| ids.iter()).enumerate();
    let messages = entries.map(|(entry, id)| queue::order(entry, OWNER, id, queue::now_ms())).collect();
    queue::send(bed, messages).await;

    bed.queue_is_empty(DELIVERY_WAIT).await;
    for id in &ids {
        listener.receives("order.confirmed", id, DELIVERY_WAIT).await;
        assert_eq!(bed.endpoint.writes(mark, id, "CONFIRMED"), 1, "{id} must have been written once");
    }
    let notified: usize = listener.outcomes("order.confirmed").values().sum();
    Figures::default().with("messages", copies * orders).with("writes", orders).with("notified", notified)
}
