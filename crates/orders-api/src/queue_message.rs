//! The message in the orders queue: the request's body as the message body, the rest as message attributes that the
//! API's mapping template sets.

use orders::{InvalidOrderId, InvalidOwner, OrderId, Owner};
use thiserror::Error;

/// The message attribute with the order id as the caller gave it. Data type `String`; in another one it counts as missing.
pub const ORDER_ID_ATTRIBUTE: &str = "orderId";

/// The message attribute with the authenticated subject. Data type `String`; in another one it counts as missing.
pub const OWNER_ATTRIBUTE: &str = "owner";

/// The message attribute with the moment at which the API accepted the order, in milliseconds since 1970 as digits.
/// Data type `String`. SQS's own `SentTimestamp` starts anew when a message is redriven.
pub const REQUEST_TIME_ATTRIBUTE: &str = "requestTimeEpoch";

/// Why a message's attributes name no order of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidOrderName {
    /// The owner cannot be an authenticated subject.
    #[error("message attribute owner {0}")]
    Owner(#[from] InvalidOwner),
    /// The order id cannot be one.
    #[error("message attribute orderId {0}")]
    OrderId(#[from] InvalidOrderId),
}

/// The owner and the order id that the two attributes name, as the worker reads them and as they are stored: the order
/// id in lower case.
///
/// # Errors
/// [`InvalidOrderName`], naming the attribute.
pub fn order_name(owner: &str, order_id: &str) -> Result<(String, String), InvalidOrderName> {
    let (owner, order_id) = (Owner::parse(owner)?, OrderId::parse(order_id)?);
    Ok((owner.as_str().to_owned(), order_id.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_as_the_worker_does() {
        let id = "5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b";

        assert_eq!(order_name("alice", &id.to_uppercase()), Ok(("alice".into(), id.into())));
        assert!(matches!(order_name("two words", id), Err(InvalidOrderName::Owner(_))));
        for spelling in [id.replace('-', ""), format!("{{{id}}}"), format!("urn:uuid:{id}"), String::new()] {
            assert!(matches!(order_name("alice", &spelling), Err(InvalidOrderName::OrderId(_))), "{spelling}");
        }
    }
}
