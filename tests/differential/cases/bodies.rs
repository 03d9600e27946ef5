//! The hostile bodies of the end-to-end tests, in every lane.
//!
//! Accepted bodies are sent again with an unknown currency. The rejected order's record has the SHA-256 of the received
//! body, so equal records show that both queues carried the same body.

use super::{Case, Request, case, put};
use testkit::{api_client::LANES, hostile_bodies};

pub(super) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for hostile in hostile_bodies::all() {
        for lane in LANES {
            cases.push(case(format!("{lane}, body: {}", hostile.name), with(lane, &hostile, hostile.body.clone())));
        }
        if let Some(altered) = in_unknown_currency(&hostile.body) {
            cases.push(case(
                format!("async, body in an unknown currency: {}", hostile.name),
                with("async", &hostile, altered),
            ));
        }
    }
    cases
}

fn with(lane: &str, hostile: &hostile_bodies::Case, body: Vec<u8>) -> Request {
    let request = put(lane).bare().body(body);
    hostile.headers.iter().fold(request, |request, (name, value)| request.header(name.as_str(), *value))
}

/// Only the worker rejects this. `None` if the body is not text or has no currency.
fn in_unknown_currency(body: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?;
    text.contains("EUR").then(|| text.replacen("EUR", "ABC", 1).into_bytes())
}
