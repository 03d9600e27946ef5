//! The message in the orders queue. Its body is the request's body. The API's mapping template sets the rest as message
//! attributes of the data type `String`. Any other type counts as missing.

use orders::{InvalidOrderId, InvalidOwner, OrderId, Owner};
use thiserror::Error;

/// The attribute with the order id as the caller gave it.
pub const ORDER_ID_ATTRIBUTE: &str = "orderId";

/// The attribute with the authenticated owner.
pub const OWNER_ATTRIBUTE: &str = "owner";

/// The attribute with the time when the API accepted the order: milliseconds since 1970, in decimal digits. A redrive
/// resets SQS's `SentTimestamp`.
pub const REQUEST_TIME_ATTRIBUTE: &str = "requestTimeEpoch";

/// Why a message's attributes cannot be those of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidOrderName {
    /// The owner is malformed.
    #[error("message attribute owner {0}")]
    Owner(#[from] InvalidOwner),
    /// The order id is malformed.
    #[error("message attribute orderId {0}")]
    OrderId(#[from] InvalidOrderId),
}

/// The owner and the order id as the worker stores them: the order id in lower case.
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
