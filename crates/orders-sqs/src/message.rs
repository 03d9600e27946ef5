use aws_lambda_events::event::sqs::SqsMessage;
use orders::{Fingerprint, InvalidBody, InvalidOwner, Lane, OrderId, Owner, QueuedOrder, Timestamp};
use orders_api::{
    parse_order_body,
    queue_message::{ORDER_ID_ATTRIBUTE, OWNER_ATTRIBUTE, REQUEST_TIME_ATTRIBUTE},
};
use sqs_batch::Backoff;
use std::time::Duration;
use thiserror::Error;

/// How the queue delivers its messages.
#[derive(Clone, Copy, Debug)]
pub struct QueueSettings {
    /// The lane of the queue's orders.
    pub lane: Lane,
    /// Deliveries after which the queue moves a message to its dead-letter queue.
    pub max_receive_count: u32,
    /// How long after its acceptance an order may still be confirmed; `None` for ever.
    pub max_age: Option<Duration>,
    /// The delay before a message is redelivered after a temporary failure of the database.
    pub backoff: Backoff,
}

/// The message lacks what the API's mapping template always sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotFromOurApi {
    /// A message attribute is missing, or is not of the data type `String`.
    #[error("not from our API: message attribute {0} is missing or not a String")]
    MissingAttribute(&'static str),
    /// The attribute cannot name an owner.
    #[error("not from our API: message attribute {OWNER_ATTRIBUTE} {0}")]
    Owner(#[from] InvalidOwner),
}

/// Reads delivery number `receive_count` of a message as an order, with `placed_at` from the API, else from SQS, else
/// `now`.
///
/// # Errors
/// See [`NotFromOurApi`]. A malformed order id or body is not an error: the owner is notified of it.
pub fn read_order(
    message: &SqsMessage,
    receive_count: u32,
    queue: &QueueSettings,
    now: Timestamp,
) -> Result<QueuedOrder, NotFromOurApi> {
    let given_id = attribute(message, ORDER_ID_ATTRIBUTE)?;
    let sent_at = || message.attributes.get("SentTimestamp").map(String::as_str);
    let placed_at = attribute(message, REQUEST_TIME_ATTRIBUTE).ok().and_then(moment).or_else(|| moment(sent_at()?));
    let body = message.body.as_deref().unwrap_or_default().as_bytes();
    Ok(QueuedOrder {
        lane: queue.lane,
        owner: Owner::parse(attribute(message, OWNER_ATTRIBUTE)?)?,
        given_id: given_id.to_owned(),
        id: OrderId::parse(given_id),
        content: parse_order_body(body)
            .map_err(|violations| InvalidBody { violations, fingerprint: Fingerprint::of_bytes(body) }),
        placed_at: placed_at.unwrap_or(now),
        max_age: queue.max_age,
        now,
        attempts: receive_count,
        last_attempt: receive_count >= queue.max_receive_count,
    })
}

fn attribute<'a>(message: &'a SqsMessage, name: &'static str) -> Result<&'a str, NotFromOurApi> {
    let attribute =
        message.message_attributes.get(name).filter(|attribute| attribute.data_type.as_deref() == Some("String"));
    attribute.and_then(|attribute| attribute.string_value.as_deref()).ok_or(NotFromOurApi::MissingAttribute(name))
}

fn moment(unix_ms: &str) -> Option<Timestamp> {
    Timestamp::from_unix_ms(unix_ms.parse().ok()?).ok()
}
