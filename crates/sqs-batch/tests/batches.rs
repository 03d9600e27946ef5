//! Batches as Lambda sends them, and the responses to them.

use crate::records::{Recorded, batch, fifo, later, message, obey};
use serde_json::{Value, json};
use sqs_batch::{BatchHandler, Disposition, Message, UnidentifiedFailure};
use std::{
    cell::{Cell, RefCell},
    future,
    sync::LazyLock,
    time::{Duration, SystemTime},
};

async fn failures(records: &Value, deadline: SystemTime) -> Result<Vec<String>, UnidentifiedFailure> {
    let response = BatchHandler::new().handle(batch(records), deadline, obey).await?;
    Ok(response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect())
}

#[tokio::test]
async fn reports_nothing_when_everything_is_done() {
    let records = json!([message("1", "ok"), {"messageId": "2"}]);

    assert_eq!(failures(&records, later()).await.expect("identified"), [""; 0]);
}

#[tokio::test]
async fn answers_a_full_success_with_an_empty_list() {
    let response = BatchHandler::new().handle(batch(&json!([message("1", "ok")])), later(), obey).await;

    let answer = serde_json::to_value(response.expect("identified")).expect("a response is JSON");
    assert_eq!(answer, json!({"batchItemFailures": []}));
}

#[tokio::test]
async fn reports_exactly_the_messages_that_were_not_done() {
    let records = json!([
        message("1", "ok"),
        message("2", "retry"),
        message("3", "panic"),
        message("4", "ok"),
        message("5", "poison"),
        message("6", "retry after"),
    ]);

    let mut failed = failures(&records, later()).await.expect("identified");

    failed.sort();
    assert_eq!(failed, ["2", "3", "5", "6"]);
}

#[tokio::test]
async fn a_handler_that_panics_before_it_awaits_fails_alone() {
    let records = json!([message("1", "ok"), message("2", "ok")]);

    let response = BatchHandler::new()
        .handle(batch(&records), later(), |message: Message| {
            assert_ne!(message.message_id.as_deref(), Some("1"), "intended");
            future::ready(Disposition::Done)
        })
        .await
        .expect("identified");

    assert_eq!(response.batch_item_failures.len(), 1);
    assert_eq!(response.batch_item_failures[0].item_identifier, "1");
}

#[tokio::test]
async fn reports_only_the_record_that_is_not_a_message() {
    let records = json!([{"messageId": "1", "body": {"not": "text"}}, message("2", "not json")]);

    assert_eq!(failures(&records, later()).await.expect("identified"), ["1"]);
}

#[tokio::test]
async fn fails_the_batch_when_a_failed_record_has_no_message_id() {
    let array = json!(["message id", "receipt handle", "body"]);
    for record in [json!({"body": "retry"}), json!({"messageId": "", "body": "retry"}), json!(7), json!(null), array] {
        let records = json!([message("1", "ok"), record]);

        assert!(failures(&records, later()).await.is_err(), "{records}");
    }
}

#[tokio::test]
async fn does_not_fail_the_batch_when_a_record_without_message_id_is_done() {
    let records = json!([{"body": "ok"}, message("2", "retry")]);

    assert_eq!(failures(&records, later()).await.expect("identified"), ["2"]);
}

#[tokio::test]
async fn reports_a_message_that_the_batch_holds_twice_once() {
    for bodies in [["retry", "ok", "poison"], ["ok", "ok", "retry"], ["retry", "retry", "retry"]] {
        let records = json!(bodies.map(|body| message("1", body)));

        assert_eq!(failures(&records, later()).await.expect("identified"), ["1"], "{bodies:?}");
    }
}

#[tokio::test]
async fn poison_waits_for_the_visibility_timeout_after_ten_deliveries() {
    let recorded = Recorded::default();
    let unreadable = |id: &str| json!({"messageId": id, "receiptHandle": "handle", "body": 7, "attributes": {}});
    let mut records = [message("a", "poison"), message("b", "poison"), unreadable("c"), unreadable("d")];
    for (record, count) in records.iter_mut().zip(["10", "11", "10", "11"]) {
        record["attributes"]["ApproximateReceiveCount"] = json!(count);
    }

    let handler = BatchHandler::new().visibility(&recorded);
    let response = handler.handle(batch(&json!(records)), later(), obey).await.expect("identified");

    assert_eq!(response.batch_item_failures.len(), 4);
    let seconds = ["a", "b", "c", "d"].map(|id| recorded.seconds(id));
    assert_eq!(seconds, [Some(0), None, Some(0), None], "a queue without a dead-letter queue must not spin");
}

#[tokio::test(start_paused = true)]
async fn reports_messages_not_finished_before_the_deadline() {
    let hanging = (0..10).map(|id| message(&format!("hang-{id}"), "hang"));
    let records: Vec<_> =
        [message("done", "ok")].into_iter().chain(hanging).chain([message("not reached", "ok")]).collect();

    let failed = failures(&json!(records), later()).await.expect("identified");

    assert_eq!(failed.len(), 11);
    assert!(!failed.contains(&"done".to_owned()), "{failed:?}");
}

#[tokio::test]
async fn does_not_start_when_the_deadline_has_passed() {
    let records = json!([message("1", "ok")]);

    assert_eq!(failures(&records, SystemTime::UNIX_EPOCH).await.expect("identified"), ["1"]);
}

#[tokio::test(start_paused = true)]
async fn handles_at_most_the_configured_number_of_messages_concurrently() {
    let (running, most) = (RefCell::new(0), RefCell::new(0));
    let records: Vec<_> = (0..20).map(|id| message(&id.to_string(), "ok")).collect();

    let handler = |_| async {
        *running.borrow_mut() += 1;
        most.replace_with(|most| (*most).max(*running.borrow()));
        tokio::time::sleep(Duration::from_secs(1)).await;
        *running.borrow_mut() -= 1;
        Disposition::Done
    };
    BatchHandler::new().concurrency(4).handle(batch(&json!(records)), later(), handler).await.expect("identified");

    assert_eq!(*most.borrow(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_message_has_its_receive_count_and_the_time_left() {
    let seen = RefCell::new(Vec::new());
    let handler = async |message: Message| {
        let before = message.remaining();
        tokio::time::sleep(Duration::from_secs(20)).await;
        seen.borrow_mut().push((message.receive_count(), before, message.remaining()));
        Disposition::Done
    };

    BatchHandler::new().handle(batch(&json!([message("1", "ok")])), later(), handler).await.expect("identified");

    let seen = seen.borrow();
    let [(receive_count, before, after)] = seen[..] else { panic!("{seen:?}") };
    assert_eq!(receive_count, 2);
    assert!(before <= Duration::from_secs(59), "one second of the minute is reserved: {before:?}");
    assert_eq!(before.saturating_sub(after), Duration::from_secs(20));
}

#[tokio::test]
async fn changes_the_visibility_timeout_of_messages_with_a_delay() {
    let recorded = Recorded::default();
    let records = json!([
        message("1", "ok"),
        message("2", "retry"),
        message("3", "retry after"),
        message("4", "poison"),
        message("5", "panic"),
        {"messageId": "6", "receiptHandle": "handle", "body": 7},
        {"messageId": "7", "body": "poison"},
    ]);

    BatchHandler::new().visibility(&recorded).handle(batch(&records), later(), obey).await.expect("identified");

    assert_eq!(recorded.0.borrow().len(), 3, "{:?}", recorded.0);
    assert!(recorded.seconds("3").is_some_and(|seconds| seconds <= 16), "{:?}", recorded.0);
    assert_eq!(recorded.seconds("4"), Some(0));
    assert_eq!(recorded.seconds("6"), Some(0));
}

#[tokio::test]
async fn a_failure_in_a_fifo_queue_stops_only_its_message_group() {
    let (recorded, seen) = (Recorded::default(), RefCell::new(Vec::new()));
    let records = json!([
        fifo("a1", "a", "ok"),
        fifo("a2", "a", "poison"),
        fifo("a3", "a", "ok"),
        fifo("b1", "b", "ok"),
        fifo("b2", "b", "ok"),
        fifo("a4", "a", "ok"),
    ]);

    let handler = |message: Message| {
        seen.borrow_mut().push(message.message_id.clone().expect("each has one"));
        obey(message)
    };
    let response =
        BatchHandler::new().visibility(&recorded).handle(batch(&records), later(), handler).await.expect("identified");

    let failed: Vec<_> = response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect();
    assert_eq!(failed, ["a2", "a3", "a4"]);
    assert!(!seen.borrow().iter().any(|id| id == "a3" || id == "a4"), "{seen:?}");
    let together = failed.iter().all(|id| recorded.seconds(id) == Some(0));
    assert!(together, "the rest of the group is redelivered with the failed message: {:?}", recorded.0);
}

#[tokio::test]
async fn message_groups_of_a_standard_queue_stop_nothing() {
    let mut records = json!([fifo("1", "a", "retry"), fifo("2", "a", "ok")]);
    for record in records.as_array_mut().expect("an array") {
        record["eventSourceARN"] = json!("arn:aws:sqs:eu-central-1:123456789012:orders");
    }

    assert_eq!(failures(&records, later()).await.expect("identified"), ["1"]);
}

#[tokio::test]
async fn initializes_a_lazy_visibility_for_the_first_message_that_needs_it() {
    let (recorded, made) = (Recorded::default(), Cell::new(0));
    let visibility = LazyLock::new(|| {
        made.set(made.get() + 1);
        &recorded
    });
    let batches = BatchHandler::new().visibility(visibility);
    let handle = async |record: Value| batches.handle(batch(&json!([record])), later(), obey).await;

    handle(message("1", "ok")).await.expect("identified");
    assert_eq!(made.get(), 0);
    for id in ["2", "3"] {
        handle(message(id, "poison")).await.expect("identified");

        assert_eq!((made.get(), recorded.seconds(id)), (1, Some(0)));
    }
}
