//! The order in a request's body.

use crate::http::{RestRequest, problem};
use lambda_http::http::StatusCode;
use orders::{OrderContent, Violations};
use orders_api::{MAX_BODY_BYTES, Problem, ViolationView, parse_order_body};
use std::borrow::Cow;

/// What is ordered, from the body of a request.
///
/// # Errors
/// A problem: 400 for a body that is not an order, 413 for one of more than [`MAX_BODY_BYTES`], and 415 for one that is not
/// JSON by its media type.
pub fn order_content(request: &RestRequest) -> Result<OrderContent, Problem> {
    parse_order_body(&body(request)?).map_err(|violations| invalid_order(&violations))
}

/// A 400 problem that lists everything that is wrong with an order.
#[must_use]
pub fn invalid_order(violations: &Violations) -> Problem {
    Problem {
        errors: ViolationView::list(violations),
        ..problem(StatusCode::BAD_REQUEST, format!("The order is not valid: {violations}."))
    }
}

/// The body's bytes. As at API Gateway, a request that does not name a media type is taken for JSON.
fn body(request: &RestRequest) -> Result<Cow<'_, [u8]>, Problem> {
    let essence = request.content_type().and_then(|value| value.split(';').next()).unwrap_or_default().trim_ascii();
    if !essence.is_empty() && !essence.eq_ignore_ascii_case("application/json") {
        let detail = "Send the order as application/json.";
        return Err(problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    let bytes = request.body().map_err(|error| {
        let detail = format!("The body is not the base64 that it is said to be: {error}.");
        problem(StatusCode::BAD_REQUEST, detail)
    })?;
    if bytes.len() > MAX_BODY_BYTES {
        let detail = format!("The body has {} bytes; at most {MAX_BODY_BYTES} are taken.", bytes.len());
        return Err(problem(StatusCode::PAYLOAD_TOO_LARGE, detail));
    }
    Ok(bytes)
}
