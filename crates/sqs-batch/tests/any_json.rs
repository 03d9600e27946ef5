//! Batches of records that are arbitrary JSON.

use crate::records::{batch, later, without_panic_messages};
use aws_lambda_events::event::sqs::SqsMessage;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};
use sqs_batch::{BatchHandler, Disposition, Message};
use std::collections::BTreeSet;

/// Two levels deep, mostly with the field names of records.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(Value::from("fail")),
        Just(Value::from("panic")),
    ];
    leaf.prop_recursive(2, 16, 6, |inner| {
        let name = prop_oneof![
            "messageId|body|attributes|messageAttributes|stringValue|dataType|eventSourceARN|receiptHandle",
            any::<String>()
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(name, inner, 0..6).prop_map(|map| json!(map)),
        ]
    })
}

/// Whether it is not a message, or its handler says so or panics.
fn fails(record: &Value) -> bool {
    !record.is_object()
        || SqsMessage::deserialize(record).is_err()
        || record["body"] == "fail"
        || record["body"] == "panic"
}

fn id(record: &Value) -> Option<&str> {
    record["messageId"].as_str().filter(|id| !id.is_empty())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn any_records_are_answered_by_the_ids_of_those_that_fail(records in prop::collection::vec(any_json(), 0..12)) {
        without_panic_messages();
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
        let handler = |message: Message| async move {
            match message.body.as_deref() {
                Some("fail") => Disposition::Retry,
                Some("panic") => panic!("intended"),
                _ => Disposition::Done,
            }
        };

        let response = runtime.block_on(BatchHandler::new().handle(batch(&json!(records)), later(), handler));

        let failing: Vec<_> = records.iter().filter(|record| fails(record)).collect();
        let all_have_ids = failing.iter().all(|record| id(record).is_some());
        prop_assert_eq!(response.is_ok(), all_have_ids);
        if let Ok(response) = response {
            let ids = || response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str());
            let expected: BTreeSet<_> = failing.iter().filter_map(|record| id(record)).collect();
            prop_assert_eq!(ids().count(), expected.len(), "no id is reported twice");
            prop_assert_eq!(ids().collect::<BTreeSet<_>>(), expected);
        }
    }
}
