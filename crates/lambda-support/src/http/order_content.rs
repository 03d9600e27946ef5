use crate::http::{RestRequest, invalid_body};
use orders::{OrderContent, Violations};
use orders_api::{MAX_BODY_BYTES, Problem, parse_order_body};

/// Reads the order in a request's body.
///
/// # Errors
/// A problem: 400 for a body that is not an order, 413 for a body over [`MAX_BODY_BYTES`], 415 for a media type other
/// than JSON.
pub fn order_content(request: &RestRequest) -> Result<OrderContent, Problem> {
    parse_order_body(&request.json_body("order", MAX_BODY_BYTES)?).map_err(|violations| invalid_order(&violations))
}

/// A 400 problem that lists every violation in an order.
#[must_use]
pub fn invalid_order(violations: &Violations) -> Problem {
    invalid_body("order", violations)
}
