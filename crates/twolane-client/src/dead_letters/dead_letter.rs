//! A message of a dead-letter queue.

use super::event::EventName;
use crate::orders_table::OrderKey;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName as System};
use lanes::{MessageKind, QueueSpec};
use orders_api::queue_message::{
    InvalidOrderName, ORDER_ID_ATTRIBUTE, OWNER_ATTRIBUTE, REQUEST_TIME_ATTRIBUTE, order_name,
};
use time::OffsetDateTime;

/// A message that failed all its deliveries.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    message: Message,
    body_bytes: usize,
    queue: &'static QueueSpec,
    /// The event that it holds, or why the body is not an event. `None` for requests.
    event: Option<Result<EventName, String>>,
}

/// Why a message has no order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// The worker cannot handle it: it becomes a dead letter again after each redrive.
    Stray(String),
    /// The worker rejects the order and notifies its owner. The message is then deleted.
    Rejected(String),
}

impl Oddity {
    /// The reason as text.
    #[must_use]
    pub fn why(&self) -> &str {
        let (Self::Stray(why) | Self::Rejected(why)) = self;
        why
    }
}

/// `1 message`, `2 messages`.
#[must_use]
pub fn messages(count: usize) -> String {
    if count == 1 { "1 message".to_owned() } else { format!("{count} messages") }
}

impl DeadLetter {
    /// A message as received from SQS. `queue` is the queue that delivered it. Drops the body, up to 1 MiB, unless
    /// `keep_body`.
    #[must_use]
    pub fn new(message: Message, queue: &'static QueueSpec, keep_body: bool) -> Self {
        let body = message.body().unwrap_or_default();
        let event = match queue.messages {
            MessageKind::Request => None,
            MessageKind::Event => Some(EventName::read(body)),
        };
        let letter = Self { body_bytes: body.len(), event, queue, message };
        if keep_body { letter } else { letter.without_body() }
    }

    /// The queue that delivered it.
    #[must_use]
    pub fn queue(&self) -> &'static QueueSpec {
        self.queue
    }

    /// The type of the event, where it is one: `order.placed`.
    #[must_use]
    pub fn event(&self) -> Option<&str> {
        Some(&self.event.as_ref()?.as_ref().ok()?.r#type)
    }

    /// The same without its body.
    #[must_use]
    pub fn without_body(mut self) -> Self {
        self.message.body = None;
        self
    }

    /// The message itself.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// The id that SQS gave it.
    #[must_use]
    pub fn message_id(&self) -> &str {
        self.message.message_id().unwrap_or_default()
    }

    /// The receipt handle, to delete or release it.
    #[must_use]
    pub fn receipt_handle(&self) -> &str {
        self.message.receipt_handle().unwrap_or_default()
    }

    /// The order id as sent.
    #[must_use]
    pub fn order_id(&self) -> Option<&str> {
        match &self.event {
            None => self.attribute(ORDER_ID_ATTRIBUTE),
            Some(event) => Some(&event.as_ref().ok()?.order.order_id),
        }
    }

    /// The order id to print: in lower case, as the service writes it, or as sent if it is not valid.
    #[must_use]
    pub fn shown_order_id(&self) -> Option<String> {
        self.order().map(|order| order.order_id).or_else(|| self.order_id().map(str::to_owned))
    }

    /// The order's owner.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        match &self.event {
            None => self.attribute(OWNER_ATTRIBUTE),
            Some(event) => Some(&event.as_ref().ok()?.order.owner),
        }
    }

    /// The order of the message; `None` if there is an [`oddity`](Self::oddity).
    #[must_use]
    pub fn order(&self) -> Option<OrderKey> {
        let (owner, order_id) = order_name(self.owner()?, self.order_id()?).ok()?;
        Some(OrderKey { owner, order_id })
    }

    /// When the API accepted the order, or when the event occurred; else when SQS got the message.
    #[must_use]
    pub fn accepted_at(&self) -> Option<OffsetDateTime> {
        if let Some(event) = self.event.as_ref().and_then(|event| event.as_ref().ok()) {
            return Some(event.occurred_at);
        }
        let ms = self.attribute(REQUEST_TIME_ATTRIBUTE).and_then(|ms| ms.parse().ok());
        let ms: i128 = ms.or_else(|| self.system(&System::SentTimestamp))?;
        OffsetDateTime::from_unix_timestamp_nanos(ms.checked_mul(1_000_000)?).ok()
    }

    /// How often it was received, here and in the queue that delivered it. Source: Amazon SQS API Reference,
    /// `ReceiveMessage`, `ApproximateReceiveCount`: "across all queues".
    #[must_use]
    pub fn receive_count(&self) -> Option<u32> {
        self.system(&System::ApproximateReceiveCount)
    }

    /// The order, which may hold personal data; `None` when it was not kept.
    #[must_use]
    pub fn body(&self) -> Option<&str> {
        self.message.body()
    }

    /// How long the body is, kept or not.
    #[must_use]
    pub fn body_bytes(&self) -> usize {
        self.body_bytes
    }

    /// Size that counts towards SQS's limits: the body, and names, types and values of the attributes. Source: Amazon
    /// SQS Developer Guide, "Amazon SQS message metadata".
    #[must_use]
    pub fn bytes(&self) -> usize {
        let attributes = self.message.message_attributes().into_iter().flatten();
        let attribute_bytes = attributes.map(|(name, value)| {
            let text = value.string_value().map_or(0, str::len);
            let binary = value.binary_value().map_or(0, |blob| blob.as_ref().len());
            name.len() + value.data_type().len() + text + binary
        });
        self.body_bytes + attribute_bytes.sum::<usize>()
    }

    /// Why the message has no order, if it has none.
    #[must_use]
    pub fn oddity(&self) -> Option<Oddity> {
        if let Some(event) = &self.event {
            return event.as_ref().err().map(|why| Oddity::Stray(why.clone()));
        }
        let no_text = |name| {
            Some(Oddity::Stray(format!("not from the API: message attribute {name} is missing or not a String")))
        };
        match (self.owner(), self.order_id()) {
            (None, _) => no_text(OWNER_ATTRIBUTE),
            (_, None) => no_text(ORDER_ID_ATTRIBUTE),
            (Some(owner), Some(order_id)) => match order_name(owner, order_id) {
                Ok(_) => None,
                Err(error @ InvalidOrderName::Owner(_)) => Some(Oddity::Stray(format!("not from the API: {error}"))),
                Err(InvalidOrderName::OrderId(error)) => Some(Oddity::Rejected(format!("its order id {error}"))),
            },
        }
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        // The worker also ignores other data types: such a message is not from the API.
        self.message.message_attributes()?.get(name).filter(|value| value.data_type() == "String")?.string_value()
    }

    fn system<T: std::str::FromStr>(&self, name: &System) -> Option<T> {
        self.message.attributes()?.get(name)?.parse().ok()
    }
}
