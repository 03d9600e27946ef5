//! The sync lane while the database fails: the caller gets an error, and repeats the request.

use crate::{Load, figures::Figures, test_bed::TestBed};
use fault_endpoint::{Call, Fault, Rule, When};
use testkit::order_bodies::{new_id, order_of};

fn writes_of(id: &str) -> impl Fn(&Call) -> bool + Send + 'static {
    let id = id.to_owned();
    move |call| call.writes("CONFIRMED") && call.is_about(&id)
}

pub(crate) async fn a_throttled_database_is_503_with_retry_after_and_safe_to_repeat(bed: &TestBed, _: Load) -> Figures {
    let (id, mark) = (new_id(), bed.endpoint.mark());
    bed.endpoint.inject(Rule::new(writes_of(&id), When::Always, Fault::Throttle));

    let refused = bed.api.put("sync", &id, &order_of("SKU-1")).await;
    bed.endpoint.heal();
    let repeated = bed.api.put("sync", &id, &order_of("SKU-1")).await;
    let again = bed.api.put("sync", &id, &order_of("SKU-1")).await;

    refused.problem(503);
    let wait: u64 = refused.header("retry-after").parse().expect("the answer has Retry-After");
    assert!(wait >= 1, "{refused:?}");
    assert_eq!((repeated.status, again.status), (201, 200), "{repeated:?} {again:?}");
    assert_eq!(repeated.body, again.body);
    assert_eq!(bed.endpoint.writes(mark, &id, "CONFIRMED"), 1);
    Figures::default().with("answers", "503 201 200").with("writes", 1)
}

pub(crate) async fn a_repeat_after_a_lost_answer_is_200_with_the_stored_order(bed: &TestBed, _: Load) -> Figures {
    let mut orders = 0;
    for fault in [Fault::DropAfter, Fault::Truncate, Fault::HangAfter] {
        let (id, mark, name) = (new_id(), bed.endpoint.mark(), fault.name());
        // Every attempt loses its answer. The first one has written the order.
        bed.endpoint.inject(Rule::new(writes_of(&id), When::Always, fault));

        let lost = bed.api.put("sync", &id, &order_of("SKU-1")).await;
        bed.endpoint.heal();
        let repeated = bed.api.put("sync", &id, &order_of("SKU-1")).await;

        lost.problem(503);
        assert_eq!(repeated.status, 200, "{name}: {repeated:?}");
        assert_eq!(repeated.body, bed.api.get(&id).await.body, "{name}");
        assert_eq!(bed.endpoint.writes(mark, &id, "CONFIRMED"), 1, "{name}");
        orders += 1;
    }
    Figures::default().with("orders", orders).with("answers", "503 200").with("writes", orders)
}

pub(crate) async fn the_function_answers_503_when_the_database_hangs(bed: &TestBed, _: Load) -> Figures {
    let id = new_id();
    bed.endpoint.inject(Rule::new(|_| true, When::Always, Fault::HangBefore));

    let placed = bed.api.put("sync", &id, &order_of("SKU-1")).await;
    let asked = bed.api.get(&id).await;

    // A function's own timeout would be 502, API Gateway's 504.
    placed.problem(503);
    asked.problem(503);
    Figures::default().with("answers", "503 503")
}
