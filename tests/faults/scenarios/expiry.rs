//! Orders that waited longer than `MaxQueueAge`.

use crate::{
    Load,
    figures::Figures,
    listener::Listener,
    queue,
    test_bed::{DELIVERY_WAIT, TestBed},
};
use std::time::Duration;
use testkit::{order_bodies::new_id, stack::OWNER};

pub(crate) async fn an_order_that_waited_too_long_is_rejected_and_a_confirmed_one_stays(
    bed: &TestBed,
    _: Load,
) -> Figures {
    let mut listener = Listener::open(bed, OWNER).await;
    let (late, confirmed, mark) = (new_id(), new_id(), bed.endpoint.mark());
    bed.set_variable("ProcessOrdersFunctionName", "MAX_QUEUE_AGE_SECONDS", "60").await;
    let an_hour_ago = queue::now_ms() - Duration::from_hours(1).as_millis();
    queue::send(bed, vec![queue::order(0, OWNER, &confirmed, queue::now_ms())]).await;
    listener.receives("order.confirmed", &confirmed, DELIVERY_WAIT).await;

    let messages = vec![queue::order(0, OWNER, &late, an_hour_ago), queue::order(1, OWNER, &confirmed, an_hour_ago)];
    queue::send(bed, messages).await;

    let rejected = listener.receives("order.rejected", &late, DELIVERY_WAIT).await;
    assert!(rejected["reason"].as_str().unwrap().contains("expired"), "{rejected}");
    bed.queue_is_empty(DELIVERY_WAIT).await;
    assert_eq!(bed.api.get(&late).await.body["status"], "REJECTED");
    assert_eq!(bed.api.get(&confirmed).await.body["status"], "CONFIRMED");
    assert_eq!(listener.count("order.rejected", &confirmed), 0);
    assert_eq!(bed.endpoint.writes(mark, &late, "CONFIRMED"), 0);
    Figures::default().with("rejected", 1).with("confirmed", 1)
}
