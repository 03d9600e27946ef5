//! The hostile bodies of the end-to-end tests, down both lanes.
//!
//! The record of an order that the worker refuses has the SHA-256 of the body as it came out of the queue, so what is
//! taken is sent once more in no currency: two records are alike only if the bodies were carried alike.

use super::{Case, Request, case, put};
use testkit::{api_client::LANES, hostile_bodies};

pub(super) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for hostile in hostile_bodies::all() {
        for lane in LANES {
            cases.push(case(format!("{lane}, body: {}", hostile.name), with(lane, &hostile, hostile.body.clone())));
        }
        if let Some(altered) = in_no_currency(&hostile.body) {
            cases.push(case(format!("async, body in no currency: {}", hostile.name), with("async", &hostile, altered)));
        }
    }
    cases
}

fn with(lane: &str, hostile: &hostile_bodies::Case, body: Vec<u8>) -> Request {
    let request = put(lane).bare().body(body);
    hostile.headers.iter().fold(request, |request, (name, value)| request.header(name.as_str(), *value))
}

/// The body in a currency that only the worker knows to be none; nothing if it is no text or in no currency.
fn in_no_currency(body: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?;
    text.contains("EUR").then(|| text.replacen("EUR", "ABC", 1).into_bytes())
}
