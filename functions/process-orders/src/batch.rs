//! A handler of one message, lifted to a handler of an SQS batch that reports failures one by one.

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsMessage};
use futures_util::{FutureExt, StreamExt, future, stream};
use orders::ErrorChain;
use serde::Deserialize;
use serde_json::Value;
use std::{
    error::Error as StdError,
    future::Future,
    panic::AssertUnwindSafe,
    time::{Duration, SystemTime},
};

/// Messages handled at once: the largest batch of a standard queue without a batching window.
/// Source: AWS Lambda Developer Guide, "Using Lambda with Amazon SQS".
const CONCURRENCY: usize = 10;

/// Time kept back from the invocation's deadline to answer in.
const MARGIN: Duration = Duration::from_millis(500);

/// The event of an SQS batch, with its records still unread: one that cannot be read must not keep the others from
/// being read.
#[derive(Debug, Deserialize)]
pub(crate) struct SqsBatch {
    #[serde(rename = "Records")]
    records: Vec<Value>,
}

/// A record failed that SQS could not be told about by its message id.
#[derive(Debug)]
pub(crate) struct UnidentifiedFailure;

impl std::fmt::Display for UnidentifiedFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a record without messageId failed, so the whole batch has to come again")
    }
}

impl StdError for UnidentifiedFailure {}

/// Handles every record, [`CONCURRENCY`] at a time, and answers with those that must come again: those whose handler
/// failed or panicked, those that are not SQS messages, and those not done shortly before `deadline`.
///
/// # Errors
/// [`UnidentifiedFailure`] when a record that must come again has no message id: then the batch as a whole must.
pub(crate) async fn process<H, F, E>(
    batch: SqsBatch,
    deadline: SystemTime,
    handle: H,
) -> Result<SqsBatchResponse, UnidentifiedFailure>
where
    H: Fn(SqsMessage) -> F,
    F: Future<Output = Result<(), E>>,
    E: StdError + 'static,
{
    let remaining = deadline.duration_since(SystemTime::now()).unwrap_or_default().saturating_sub(MARGIN);
    let stop = tokio::time::Instant::now() + remaining;
    let mut failed = stream::iter(batch.records)
        .map(|record| attempt(record, stop, &handle))
        .buffer_unordered(CONCURRENCY)
        .filter_map(|failure| future::ready(failure.err()));

    let mut response = SqsBatchResponse::default();
    while let Some(Failed { message_id }) = failed.next().await {
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = message_id.ok_or(UnidentifiedFailure)?;
        response.batch_item_failures.push(failure);
    }
    Ok(response)
}

/// A record that must come again.
struct Failed {
    message_id: Option<String>,
}

async fn attempt<H, F, E>(record: Value, stop: tokio::time::Instant, handle: &H) -> Result<(), Failed>
where
    H: Fn(SqsMessage) -> F,
    F: Future<Output = Result<(), E>>,
    E: StdError + 'static,
{
    let message_id = record.get("messageId").and_then(Value::as_str).filter(|id| !id.is_empty()).map(str::to_owned);
    let id = message_id.as_deref().unwrap_or("(none)");
    let message = match serde_json::from_value(record) {
        Ok(message) => message,
        Err(error) => {
            tracing::error!(message.id = id, %error, "Record {id} is not an SQS message");
            return Err(Failed { message_id });
        }
    };
    if stop <= tokio::time::Instant::now() {
        tracing::warn!(message.id = id, "No time left to begin message {id}");
        return Err(Failed { message_id });
    }
    // The handler is called inside the guarded future, so that a panic before its first await is caught too.
    let guarded = AssertUnwindSafe(async { handle(message).await }).catch_unwind();
    match tokio::time::timeout_at(stop, guarded).await {
        Ok(Ok(Ok(()))) => Ok(()),
        Ok(Ok(Err(error))) => {
            let error = ErrorChain(&error);
            tracing::warn!(message.id = id, %error, "Message {id} must come again");
            Err(Failed { message_id })
        }
        Ok(Err(_panic)) => {
            tracing::error!(message.id = id, "The handler of message {id} panicked");
            Err(Failed { message_id })
        }
        Err(_elapsed) => {
            tracing::warn!(message.id = id, "Ran out of time for message {id}");
            Err(Failed { message_id })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;
    use std::collections::BTreeSet;

    fn batch(records: &Value) -> SqsBatch {
        serde_json::from_value(json!({ "Records": records })).expect("records are an array")
    }

    fn later() -> SystemTime {
        SystemTime::now() + Duration::from_mins(1)
    }

    async fn failures(records: &Value, deadline: SystemTime) -> Result<BTreeSet<String>, UnidentifiedFailure> {
        let handle = |message: SqsMessage| async move {
            match message.body.as_deref() {
                Some("fail") => Err(std::io::Error::other("told to")),
                Some("panic") => panic!("told to"),
                Some("hang") => future::pending().await,
                _ => Ok(()),
            }
        };
        let response = process(batch(records), deadline, handle).await?;
        Ok(response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect())
    }

    fn ids(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[tokio::test]
    async fn reports_nothing_when_everything_is_done() {
        let records = json!([{"messageId": "1", "body": "ok"}, {"messageId": "2"}]);

        assert_eq!(failures(&records, later()).await.expect("identified"), ids(&[]));
    }

    #[tokio::test]
    async fn reports_a_failed_and_a_panicked_message_and_no_other() {
        let records = json!([
            {"messageId": "1", "body": "ok"}, {"messageId": "2", "body": "fail"},
            {"messageId": "3", "body": "panic"}, {"messageId": "4", "body": "ok"},
        ]);

        assert_eq!(failures(&records, later()).await.expect("identified"), ids(&["2", "3"]));
    }

    #[tokio::test]
    async fn reports_a_record_that_is_not_a_message_and_no_other() {
        let records = json!([{"messageId": "1", "body": {"not": "text"}}, {"messageId": "2", "body": "ok"}]);

        assert_eq!(failures(&records, later()).await.expect("identified"), ids(&["1"]));
    }

    #[tokio::test(start_paused = true)]
    async fn reports_what_it_does_not_finish_before_the_deadline() {
        let mut records: Vec<_> =
            (0..CONCURRENCY).map(|id| json!({"messageId": format!("hang-{id}"), "body": "hang"})).collect();
        records.push(json!({"messageId": "not-reached", "body": "hang"}));
        records.insert(0, json!({"messageId": "done", "body": "ok"}));

        let failed = failures(&json!(records), later()).await.expect("identified");

        assert_eq!(failed.len(), CONCURRENCY + 1);
        assert!(!failed.contains("done"));
    }

    #[tokio::test]
    async fn does_not_start_when_the_deadline_has_passed() {
        let records = json!([{"messageId": "1", "body": "ok"}]);

        assert_eq!(failures(&records, SystemTime::UNIX_EPOCH).await.expect("identified"), ids(&["1"]));
    }

    #[tokio::test]
    async fn fails_the_batch_when_a_failed_record_has_no_message_id() {
        for record in [json!({"body": "fail"}), json!({"messageId": "", "body": "fail"}), json!(7)] {
            let records = json!([{"messageId": "1", "body": "ok"}, record]);
            assert!(failures(&records, later()).await.is_err(), "{records}");
        }
    }

    #[tokio::test]
    async fn does_not_fail_the_batch_when_a_record_without_message_id_is_done() {
        let records = json!([{"body": "ok"}, {"messageId": "2", "body": "fail"}]);

        assert_eq!(failures(&records, later()).await.expect("identified"), ids(&["2"]));
    }

    /// Any JSON, two levels deep, with the names that records have more often than not.
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
            let name = prop_oneof!["messageId|body|attributes|messageAttributes|stringValue|dataType", any::<String>()];
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::hash_map(name, inner, 0..6).prop_map(|map| json!(map)),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_record_is_done_that_is_not_a_message(records in proptest::collection::vec(any_json(), 0..6)) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");

            let answer = runtime.block_on(failures(&json!(records), later()));

            let ids = records.iter().filter_map(|record| record["messageId"].as_str()).filter(|id| !id.is_empty());
            let ids: BTreeSet<_> = ids.map(str::to_owned).collect();
            let unreadable = records.iter().filter(|record| serde_json::from_value::<SqsMessage>((*record).clone()).is_err());
            match answer {
                // Only ids that came in are answered, and among them those of all records that cannot be read.
                Ok(failed) => {
                    prop_assert!(failed.is_subset(&ids));
                    for record in unreadable {
                        prop_assert!(record["messageId"].as_str().is_some_and(|id| failed.contains(id)), "{record}");
                    }
                }
                Err(UnidentifiedFailure) => {
                    prop_assert!(records.iter().any(|record| record["messageId"].as_str().is_none_or(str::is_empty)));
                }
            }
        }

        #[test]
        fn reports_exactly_what_was_not_done(bodies in proptest::collection::vec("ok|fail", 0..40)) {
            let records: Vec<_> =
                bodies.iter().enumerate().map(|(id, body)| json!({"messageId": id.to_string(), "body": body})).collect();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");

            let failed = runtime.block_on(failures(&json!(records), later())).expect("identified");

            let expected = bodies.iter().enumerate().filter(|(_, body)| *body == "fail").map(|(id, _)| id.to_string());
            prop_assert_eq!(failed, expected.collect::<BTreeSet<_>>());
        }
    }
}
