//! One message of the dead-letter queue.

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName as System};
use orders_api::queue_message::{ORDER_ID_ATTRIBUTE, OWNER_ATTRIBUTE, REQUEST_TIME_ATTRIBUTE};
use time::OffsetDateTime;
use uuid::Uuid;

/// A message that failed all its deliveries.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    message: Message,
    body_bytes: usize,
}

/// Whose order, and which: what finds the order again, since a message that is moved gets a new id.
/// Source: Amazon SQS Developer Guide, "Learn how to configure a dead-letter queue redrive".
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct OrderKey {
    pub(crate) owner: String,
    pub(crate) order_id: String,
}

impl OrderKey {
    /// The order's partition key in the orders table: `{owner}#{orderId}`.
    pub(crate) fn partition_key(&self) -> String {
        format!("{}#{}", self.owner, self.order_id)
    }
}

impl Letter {
    /// A message as SQS gave it; without its body, of up to 1 MiB, unless that is to be kept.
    pub(crate) fn new(message: Message, keep_body: bool) -> Self {
        let body_bytes = message.body().map_or(0, str::len);
        let mut letter = Self { message, body_bytes };
        if !keep_body {
            letter.message.body = None;
        }
        letter
    }

    /// The message itself.
    pub(crate) fn message(&self) -> &Message {
        &self.message
    }

    /// The id that SQS gave it.
    pub(crate) fn message_id(&self) -> &str {
        self.message.message_id().unwrap_or_default()
    }

    /// What it is deleted or let go with.
    pub(crate) fn receipt_handle(&self) -> &str {
        self.message.receipt_handle().unwrap_or_default()
    }

    /// The order id as it was given.
    pub(crate) fn order_id(&self) -> Option<&str> {
        self.attribute(ORDER_ID_ATTRIBUTE)
    }

    /// Whose order.
    pub(crate) fn owner(&self) -> Option<&str> {
        self.attribute(OWNER_ATTRIBUTE)
    }

    /// The order that it stands for; `None` when the API did not send it, or no order can have such an id.
    pub(crate) fn order(&self) -> Option<OrderKey> {
        let order_id = Uuid::parse_str(self.order_id()?).ok()?.to_string();
        Some(OrderKey { owner: self.owner()?.to_owned(), order_id })
    }

    /// When the order was accepted: by the API, or else when SQS got the message.
    pub(crate) fn accepted_at(&self) -> Option<OffsetDateTime> {
        let ms = self.attribute(REQUEST_TIME_ATTRIBUTE).and_then(|ms| ms.parse().ok());
        let ms: i128 = ms.or_else(|| self.system(&System::SentTimestamp))?;
        OffsetDateTime::from_unix_timestamp_nanos(ms.checked_mul(1_000_000)?).ok()
    }

    /// How often it was received, here and in the orders queue.
    /// Source: Amazon SQS API Reference, `ReceiveMessage`, `ApproximateReceiveCount`: "across all queues".
    pub(crate) fn receive_count(&self) -> Option<u32> {
        self.system(&System::ApproximateReceiveCount)
    }

    /// The order, which may hold personal data; `None` when it was not kept.
    pub(crate) fn body(&self) -> Option<&str> {
        self.message.body()
    }

    /// How long the body is, kept or not.
    pub(crate) fn body_bytes(&self) -> usize {
        self.body_bytes
    }

    /// Why it can be no order of the API, if so.
    pub(crate) fn oddity(&self) -> Option<String> {
        let missing = [(ORDER_ID_ATTRIBUTE, self.order_id()), (OWNER_ATTRIBUTE, self.owner())];
        if let Some((name, _)) = missing.into_iter().find(|(_, value)| value.is_none()) {
            return Some(format!("not from the API: message attribute {name} is missing"));
        }
        self.order().is_none().then(|| "its order id is not a UUID".to_owned())
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        self.message.message_attributes()?.get(name)?.string_value()
    }

    fn system<T: std::str::FromStr>(&self, name: &System) -> Option<T> {
        self.message.attributes()?.get(name)?.parse().ok()
    }
}
