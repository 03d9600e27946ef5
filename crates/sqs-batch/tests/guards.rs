//! Faults that must not fail a batch.

use crate::records::{Recorded, batch, later, message, obey};
use serde_json::json;
use sqs_batch::{BatchHandler, Disposition, Message, VisibilityChange, VisibilityTimeout};
use std::{
    cell::{Cell, RefCell},
    future,
    rc::Rc,
    time::{Duration, SystemTime},
};

async fn failures<V: VisibilityTimeout>(
    handler: BatchHandler<V>,
    bodies: &[&str],
    deadline: SystemTime,
) -> Vec<String> {
    let records: Vec<_> = bodies.iter().enumerate().map(|(id, body)| message(&id.to_string(), body)).collect();
    let response = handler.handle(batch(&json!(records)), deadline, obey).await.expect("each has an id");
    response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_panics_when_it_is_dropped_fails_alone() {
    struct PanicsWhenDropped;
    impl Drop for PanicsWhenDropped {
        fn drop(&mut self) {
            panic!("intended");
        }
    }
    let handler = async |message: Message| {
        if message.body.as_deref() == Some("hang") {
            let _held = PanicsWhenDropped;
            future::pending::<()>().await;
        }
        Disposition::Done
    };
    let records = json!([message("1", "ok"), message("2", "hang"), message("3", "ok")]);

    let response = BatchHandler::new().handle(batch(&records), later(), handler).await.expect("identified");

    assert_eq!(response.batch_item_failures.len(), 1);
    assert_eq!(response.batch_item_failures[0].item_identifier, "2");
}

#[tokio::test]
async fn changing_visibility_timeouts_may_panic() {
    struct Panicking;
    impl VisibilityTimeout for Panicking {
        async fn change(&self, _: &[VisibilityChange]) {
            panic!("intended");
        }
    }

    let failed = failures(BatchHandler::new().visibility(Panicking), &["ok", "poison"], later()).await;

    assert_eq!(failed, ["1"]);
}

#[tokio::test(start_paused = true)]
async fn changing_visibility_timeouts_may_hang() {
    struct Hanging;
    impl VisibilityTimeout for Hanging {
        async fn change(&self, _: &[VisibilityChange]) {
            future::pending::<()>().await;
        }
    }

    let failed = failures(BatchHandler::new().visibility(Hanging), &["ok", "poison"], later()).await;

    assert_eq!(failed, ["1"]);
}

#[tokio::test(start_paused = true)]
async fn visibility_timeouts_are_changed_after_handlers_use_up_their_time() {
    let recorded = Recorded::default();

    let failed = failures(BatchHandler::new().visibility(&recorded), &["hang", "poison"], later()).await;

    assert_eq!(failed.len(), 2);
    assert_eq!(recorded.seconds("1"), Some(0));
}

#[tokio::test]
async fn a_deadline_may_be_the_latest_time_that_the_clock_has() {
    let mut deadline = SystemTime::UNIX_EPOCH;
    for power in (0..64).rev() {
        deadline = deadline.checked_add(Duration::from_secs(1 << power)).unwrap_or(deadline);
    }

    let failed = failures(BatchHandler::new(), &["ok", "retry"], deadline).await;

    assert_eq!(failed, ["1"]);
}

#[tokio::test]
async fn a_margin_longer_than_the_time_left_starts_no_message() {
    let recorded = Recorded::default();
    let handler = BatchHandler::new().margin(Duration::MAX).visibility(&recorded);

    let failed = failures(handler, &["ok", "poison"], later()).await;

    assert_eq!(failed.len(), 2);
    assert!(recorded.0.borrow().is_empty(), "no handler ran: {:?}", recorded.0);
}

#[tokio::test]
async fn a_concurrency_of_zero_counts_as_one() {
    assert_eq!(failures(BatchHandler::new().concurrency(0), &["ok", "retry"], later()).await, ["1"]);
}

#[tokio::test]
async fn a_handler_may_borrow_and_need_not_be_send() {
    let (borrowed, shared) = (Cell::new(0), Rc::new(RefCell::new(Vec::new())));
    let handler = async |message: Message| {
        let shared = Rc::clone(&shared);
        tokio::task::yield_now().await;
        borrowed.set(borrowed.get() + 1);
        shared.borrow_mut().push(message.into_inner().message_id);
        Disposition::Done
    };

    let records = json!([message("1", "ok"), message("2", "ok")]);
    BatchHandler::new().handle(batch(&records), later(), handler).await.expect("identified");

    assert_eq!(borrowed.get(), 2);
    assert_eq!(shared.borrow().len(), 2);
}

#[tokio::test]
async fn a_batch_of_the_largest_size_is_handled_whole() {
    // The largest batch of a standard queue with a batching window.
    let bodies: Vec<_> = (0..10_000).map(|id| if id % 100 == 0 { "retry" } else { "ok" }).collect();

    let failed = failures(BatchHandler::new(), &bodies, later()).await;

    assert_eq!(failed.len(), 100);
}
