//! The message in the orders queue: the request's body as the message body, the rest as message attributes that the
//! API's mapping template sets.

/// The message attribute with the order id as the caller gave it. Data type `String`.
pub const ORDER_ID_ATTRIBUTE: &str = "orderId";

/// The message attribute with the authenticated subject. Data type `String`.
pub const OWNER_ATTRIBUTE: &str = "owner";
