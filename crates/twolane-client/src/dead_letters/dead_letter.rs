//! A dead letter.

use super::event::EventName;
use crate::orders_table::OrderKey;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName as System};
use lanes::{MessageKind, QueueSpec};
use orders_api::queue_message::{
    InvalidOrderName, ORDER_ID_ATTRIBUTE, OWNER_ATTRIBUTE, REQUEST_TIME_ATTRIBUTE, order_name,
};
use time::OffsetDateTime;

/// A message that failed all deliveries.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    message: Message,
    body_bytes: usize,
    queue: &'static QueueSpec,
    /// The event, or why the body is not one. `None` for requests.
    event: Option<Result<EventName, String>>,
}

/// Why a message has no order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// The worker cannot handle it: each redrive makes it a dead letter again.
    Stray(String),
    /// The worker rejects the order, notifies its owner and deletes the message.
    Rejected(String),
}

impl Oddity {
    /// As text.
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
    /// From SQS; `queue` delivered it. Drops the body, up to 1 MiB, unless `keep_body`.
    #[must_use]
    pub fn new(message: Message, queue: &'static QueueSpec, keep_body: bool) -> Self {
        let body = message.body().unwrap_or_default();
        let event = match queue.messages {
            MessageKind::Request => None,
            MessageKind::Event => Some(EventName::read(body)),
        };
        let dead_letter = Self { body_bytes: body.len(), event, queue, message };
        if keep_body { dead_letter } else { dead_letter.without_body() }
    }

    /// The queue that delivered it.
    #[must_use]
    pub fn queue(&self) -> &'static QueueSpec {
        self.queue
    }

    /// Type of its event, such as `order.placed`.
    #[must_use]
    pub fn event(&self) -> Option<&str> {
        Some(&self.event.as_ref()?.as_ref().ok()?.r#type)
    }

    /// Drops the body.
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

    /// From SQS.
    #[must_use]
    pub fn message_id(&self) -> &str {
        self.message.message_id().unwrap_or_default()
    }

    /// To delete or release it.
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

    /// To print: in lower case; as sent if it is not valid.
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

    /// `None` if it has an [`oddity`](Self::oddity).
    #[must_use]
    pub fn order(&self) -> Option<OrderKey> {
        let (owner, order_id) = order_name(self.owner()?, self.order_id()?).ok()?;
        Some(OrderKey { owner, order_id })
    }

    /// When the API accepted the order, or the event occurred; else when SQS got the message.
    #[must_use]
    pub fn accepted_at(&self) -> Option<OffsetDateTime> {
        if let Some(event) = self.event.as_ref().and_then(|event| event.as_ref().ok()) {
            return Some(event.occurred_at);
        }
        let ms = self.attribute(REQUEST_TIME_ATTRIBUTE).and_then(|ms| ms.parse().ok());
        let ms: i128 = ms.or_else(|| self.system(&System::SentTimestamp))?;
        OffsetDateTime::from_unix_timestamp_nanos(ms.checked_mul(1_000_000)?).ok()
    }

    /// Receives here and in the queue that delivered it. Source: Amazon SQS API Reference, `ReceiveMessage`,
    /// `ApproximateReceiveCount`: "across all queues".
    #[must_use]
    pub fn receive_count(&self) -> Option<u32> {
        self.system(&System::ApproximateReceiveCount)
    }

    /// The order, which may hold personal data; `None` if not kept.
    #[must_use]
    pub fn body(&self) -> Option<&str> {
        self.message.body()
    }

    /// The body's length, kept or not.
    #[must_use]
    pub fn body_bytes(&self) -> usize {
        self.body_bytes
    }

    /// Size for SQS's limits: body, and names, types and values of attributes. Source: Amazon SQS Developer Guide,
    /// "Amazon SQS message metadata".
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

    /// Why it has no order, if so.
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
        // The worker ignores other data types, too: they are not from the API.
        self.message.message_attributes()?.get(name).filter(|value| value.data_type() == "String")?.string_value()
    }

    fn system<T: std::str::FromStr>(&self, name: &System) -> Option<T> {
        self.message.attributes()?.get(name)?.parse().ok()
    }
}
