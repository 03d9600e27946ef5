//! The order in a request's body.

use crate::http::{RestRequest, invalid_body};
use orders::{OrderContent, Violations};
use orders_api::{MAX_BODY_BYTES, Problem, parse_order_body};

/// What is ordered, from the body of a request.
///
/// # Errors
/// A problem: 400 for a body that is not an order, 413 for one of more than [`MAX_BODY_BYTES`], and 415 for one that is not
/// JSON by its media type.
pub fn order_content(request: &RestRequest) -> Result<OrderContent, Problem> {
    parse_order_body(&request.json_body("order", MAX_BODY_BYTES)?).map_err(|violations| invalid_order(&violations))
}

/// A 400 problem that lists everything that is wrong with an order.
#[must_use]
pub fn invalid_order(violations: &Violations) -> Problem {
    invalid_body("order", violations)
}
