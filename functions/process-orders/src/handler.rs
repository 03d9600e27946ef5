//! One message in, one use case, done or not.

use aws_lambda_events::event::sqs::SqsMessage;
use lambda_support::{clock, metrics};
use orders::{
    ErrorChain, Fingerprint, InvalidOwner, NotificationReport, Notifier, NotifyError, OrderId, OrderRepository, Owner,
    ProcessError, Processed, QueuedOrder, Refusal, Timestamp, process_queued_order,
};
use orders_api::{
    parse_order_body,
    queue_message::{ORDER_ID_ATTRIBUTE, OWNER_ATTRIBUTE, REQUEST_TIME_ATTRIBUTE},
};
use sqs_batch::{Backoff, Disposition};
use std::{error::Error as StdError, fmt, time::Duration};

/// What every message needs.
#[derive(Debug)]
pub(crate) struct Handler<R, N> {
    /// Where orders are kept.
    pub(crate) orders: R,
    /// How their owners are told.
    pub(crate) notifier: N,
    /// Deliveries after which the queue moves a message to its dead-letter queue.
    pub(crate) max_receive_count: u32,
    /// How long after it was accepted an order may still be done; `None` for ever.
    pub(crate) max_queue_age: Option<Duration>,
    /// When a message comes again that failed for a passing reason.
    pub(crate) backoff: Backoff,
}

/// Why a message must come again.
#[derive(Debug)]
pub(crate) enum HandleError {
    /// It lacks what the API's mapping template always sets, so it is not from our API.
    NotFromOurApi(&'static str),
    /// Its owner attribute cannot name an owner, so it is not from our API.
    Owner(InvalidOwner),
    /// The order could not be settled.
    Process(ProcessError),
}

impl fmt::Display for HandleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFromOurApi(attribute) => write!(f, "not from our API: message attribute {attribute} is missing"),
            Self::Owner(error) => write!(f, "not from our API: message attribute {OWNER_ATTRIBUTE} {error}"),
            Self::Process(error) => error.fmt(f),
        }
    }
}

impl StdError for HandleError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Process(error) => error.source(),
            Self::NotFromOurApi(_) | Self::Owner(_) => None,
        }
    }
}

impl HandleError {
    /// When the message comes again: the one place that tells transient, terminal and undecodable apart.
    fn disposition(&self, backoff: Backoff) -> Disposition {
        match self {
            Self::NotFromOurApi(_) | Self::Owner(_) => Disposition::Poison,
            // The queue moves it to the dead-letter queue instead of delivering it again: the sooner, the better.
            Self::Process(error) if error.is_last() => Disposition::RetryAfter(Backoff::NONE),
            Self::Process(error) if error.is_retryable() => Disposition::RetryAfter(backoff),
            Self::Process(_) => Disposition::Retry,
        }
    }
}

impl<R: OrderRepository, N: Notifier> Handler<R, N> {
    /// Settles the order in one message, or says when the message comes again.
    pub(crate) async fn handle(&self, message: &SqsMessage) -> Disposition {
        let Err(error) = self.settle(message).await else { return Disposition::Done };
        let (id, disposition) = (message.message_id.as_deref().unwrap_or("(none)"), error.disposition(self.backoff));
        let error = ErrorChain(&error);
        tracing::warn!(message.id = id, %error, "Message {id} must come again");
        disposition
    }

    async fn settle(&self, message: &SqsMessage) -> Result<(), HandleError> {
        let queued = self.read(message)?;
        let id = OrderId::parse(&queued.order_id).map_or("(malformed)".to_owned(), |id| id.to_string());
        match process_queued_order(&self.orders, &self.notifier, queued).await {
            Ok(Processed { settlement, notified }) => {
                tracing::info!(order.id = %id, "Settled order {id}: {settlement:?}");
                log_notification(&id, &notified);
                Ok(())
            }
            Err(error) => {
                if let Some(notified) = &error.notified {
                    tracing::error!(order.id = %id, "Order {id} failed its last delivery");
                    log_notification(&id, notified);
                }
                Err(HandleError::Process(error))
            }
        }
    }

    fn read(&self, message: &SqsMessage) -> Result<QueuedOrder, HandleError> {
        let now = clock::now();
        let attempts = system_attribute(message, "ApproximateReceiveCount").unwrap_or(1);
        let accepted_at = attribute(message, REQUEST_TIME_ATTRIBUTE).ok().and_then(|ms| ms.parse().ok());
        let placed_at = accepted_at.or_else(|| system_attribute(message, "SentTimestamp"));
        let body = message.body.as_deref().unwrap_or_default().as_bytes();
        Ok(QueuedOrder {
            owner: Owner::parse(attribute(message, OWNER_ATTRIBUTE)?).map_err(HandleError::Owner)?,
            order_id: attribute(message, ORDER_ID_ATTRIBUTE)?.to_owned(),
            content: parse_order_body(body)
                .map_err(|violations| Refusal { violations, fingerprint: Fingerprint::of_bytes(body) }),
            placed_at: placed_at.and_then(|ms| Timestamp::from_unix_ms(ms).ok()).unwrap_or(now),
            max_age: self.max_queue_age,
            now,
            attempts,
            last_attempt: attempts >= self.max_receive_count,
        })
    }
}

fn attribute<'a>(message: &'a SqsMessage, name: &'static str) -> Result<&'a str, HandleError> {
    let attribute = message.message_attributes.get(name);
    attribute.and_then(|attribute| attribute.string_value.as_deref()).ok_or(HandleError::NotFromOurApi(name))
}

fn system_attribute<T: std::str::FromStr>(message: &SqsMessage, name: &str) -> Option<T> {
    message.attributes.get(name)?.parse().ok()
}

fn log_notification(id: &str, notified: &Result<NotificationReport, NotifyError>) {
    match notified {
        Ok(report) => metrics::count("process-orders", "NotificationsDropped", report.dropped),
        Err(error) => {
            let error = ErrorChain(error);
            tracing::warn!(order.id = %id, %error, "Failed to tell anybody about order {id}");
            metrics::count("process-orders", "NotificationsDropped", 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use orders::{
        Notification, Status,
        fakes::{self, InMemoryOrders, RecordingNotifier, Refusing, Unavailable},
    };
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const BACKOFF: Backoff = Backoff::full_jitter(Duration::from_mins(1), Duration::from_mins(15));

    /// A record as Lambda's event source mapping for SQS delivers it.
    fn record() -> Value {
        let event = include_str!("../tests/fixtures/sqs-batch.json");
        let event: Value = serde_json::from_str(event).expect("the fixture is JSON");
        event["Records"][0].clone()
    }

    fn message(record: &Value) -> SqsMessage {
        serde_json::from_value(record.clone()).expect("the record is a message")
    }

    fn handler<R: OrderRepository>(orders: R) -> Handler<R, RecordingNotifier> {
        Handler {
            orders,
            notifier: RecordingNotifier::default(),
            max_receive_count: 5,
            max_queue_age: None,
            backoff: BACKOFF,
        }
    }

    #[tokio::test]
    async fn confirms_the_order_of_a_message_from_our_api() {
        let handler = handler(InMemoryOrders::default());

        assert_eq!(handler.handle(&message(&record())).await, Disposition::Done);

        let order = &handler.orders.all()[0];
        assert_eq!(order.status(), Status::Confirmed);
        assert_eq!(order.owner, fakes::owner("demo"));
        assert_eq!(order.placed_at.to_string(), "2026-11-22T09:30:00.120Z");
        assert_eq!(order.attempts, 2);
    }

    #[tokio::test]
    async fn takes_the_queues_time_where_the_api_did_not_say() {
        for attribute in [Value::Null, json!({"dataType": "String", "stringValue": "noon"})] {
            let handler = handler(InMemoryOrders::default());
            let mut record = record();
            record["messageAttributes"]["requestTimeEpoch"] = attribute.clone();
            if attribute.is_null() {
                record["messageAttributes"].as_object_mut().expect("an object").remove("requestTimeEpoch");
            }

            assert_eq!(handler.handle(&message(&record)).await, Disposition::Done);

            assert_eq!(handler.orders.all()[0].placed_at.to_string(), "2026-11-22T09:30:00.123Z");
        }
    }

    #[tokio::test]
    async fn rejects_a_body_that_is_missing_or_not_json() {
        for body in [Value::Null, json!(""), json!("not json"), json!("{\"currency\":1}")] {
            let handler = handler(InMemoryOrders::default());
            let mut record = record();
            record["body"] = body;

            assert_eq!(handler.handle(&message(&record)).await, Disposition::Done);

            assert_eq!(handler.orders.all()[0].status(), Status::Rejected);
        }
    }

    #[tokio::test]
    async fn keeps_a_message_that_is_not_from_our_api() {
        for (attribute, value) in [
            ("orderId", Value::Null),
            ("owner", Value::Null),
            ("owner", json!({"dataType": "String", "stringValue": "two words"})),
            ("owner", json!({"dataType": "Binary", "binaryValue": "ZGVtbw=="})),
            ("orderId", json!({"dataType": "Binary", "binaryValue": "ZGVtbw=="})),
        ] {
            let handler = handler(InMemoryOrders::default());
            let mut record = record();
            let attributes = record["messageAttributes"].as_object_mut().expect("attributes are an object");
            attributes.remove(attribute);
            if !value.is_null() {
                attributes.insert(attribute.to_owned(), value);
            }

            assert_eq!(handler.handle(&message(&record)).await, Disposition::Poison);

            assert!(handler.orders.all().is_empty());
            assert!(handler.notifier.told().is_empty());
        }
    }

    #[tokio::test]
    async fn ignores_attributes_that_it_does_not_know() {
        let handler = handler(InMemoryOrders::default());
        let mut record = record();
        record["messageAttributes"]["retries"] = json!({"dataType": "Number", "stringValue": "3"});
        record["messageAttributes"]["blob"] = json!({"dataType": "Binary", "binaryValue": "AAEC"});

        assert_eq!(handler.handle(&message(&record)).await, Disposition::Done);
    }

    #[tokio::test]
    async fn tells_a_failure_on_the_last_delivery_only() {
        for (receive_count, told, backoff) in [("4", 0, BACKOFF), ("5", 1, Backoff::NONE), ("6", 1, Backoff::NONE)] {
            let handler = handler(Unavailable);
            let mut record = record();
            record["attributes"]["ApproximateReceiveCount"] = json!(receive_count);

            assert_eq!(handler.handle(&message(&record)).await, Disposition::RetryAfter(backoff));

            assert_eq!(handler.notifier.told().len(), told, "delivery {receive_count}");
        }
    }

    #[tokio::test]
    async fn leaves_what_somebody_must_mend_to_the_visibility_timeout() {
        let handler = handler(Refusing);

        assert_eq!(handler.handle(&message(&record())).await, Disposition::Retry);
    }

    #[tokio::test]
    async fn rejects_an_order_that_is_too_old() {
        let handler = Handler { max_queue_age: Some(Duration::from_mins(1)), ..handler(InMemoryOrders::default()) };
        let mut record = record();
        record["messageAttributes"]["requestTimeEpoch"]["stringValue"] = json!("1000");

        assert_eq!(handler.handle(&message(&record)).await, Disposition::Done);

        assert_eq!(handler.orders.all()[0].status(), Status::Rejected);
    }

    #[tokio::test]
    async fn rejects_a_malformed_order_id_under_the_name_it_was_given() {
        let handler = handler(InMemoryOrders::default());
        let mut record = record();
        record["messageAttributes"]["orderId"]["stringValue"] = json!("ümläut & <more>");

        assert_eq!(handler.handle(&message(&record)).await, Disposition::Done);

        let told = handler.notifier.told();
        assert!(matches!(&told[..], [Notification::Rejected { order_id, .. }] if order_id == "ümläut & <more>"));
    }

    proptest! {
        #[test]
        fn no_message_makes_the_handler_panic(
            body in any::<Option<String>>(), id in any::<String>(), owner in any::<String>(),
            receive_count in any::<String>(), sent in any::<String>(),
        ) {
            let mut record = record();
            record["body"] = json!(body);
            record["messageAttributes"]["orderId"]["stringValue"] = json!(id);
            record["messageAttributes"]["owner"]["stringValue"] = json!(owner);
            record["attributes"] = json!({"ApproximateReceiveCount": receive_count, "SentTimestamp": sent});
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            let _ = runtime.block_on(handler(InMemoryOrders::default()).handle(&message(&record)));
        }
    }
}
