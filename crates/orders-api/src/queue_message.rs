//! The message in the orders queue: the request's body as the message body, the rest as message attributes that the
//! API's mapping template sets.

/// The message attribute with the order id as the caller gave it. Data type `String`.
pub const ORDER_ID_ATTRIBUTE: &str = "orderId";

/// The message attribute with the authenticated subject. Data type `String`.
pub const OWNER_ATTRIBUTE: &str = "owner";

/// The message attribute with the moment at which the API accepted the order, in milliseconds since 1970 as digits.
/// Data type `String`. SQS's own `SentTimestamp` starts anew when a message is redriven.
pub const REQUEST_TIME_ATTRIBUTE: &str = "requestTimeEpoch";
