//! Requests and preflights of pages, with listed and other origins.

use super::{Caller, Case, Request, case, get, methods_and_paths::PLACES, put};
use reqwest::Method;
use testkit::{
    api_client::LANES,
    hostile_values::{LISTED_ORIGIN, UNLISTED_ORIGINS, VELOCITY_ORIGINS},
};

pub(super) fn all() -> Vec<Case> {
    let origins =
        || [LISTED_ORIGIN, "", "http://localhost:3000é"].into_iter().chain(UNLISTED_ORIGINS).chain(VELOCITY_ORIGINS);
    let mut cases = Vec::new();
    for origin in origins() {
        for place in PLACES {
            cases.push(case(format!("preflight of {origin:?} to {place}"), preflight(place).header("origin", origin)));
        }
        for lane in LANES {
            cases.push(case(format!("{lane}, a page of {origin:?}"), put(lane).header("origin", origin)));
        }
        cases.push(case(format!("status, a page of {origin:?}"), get().header("origin", origin)));
    }
    for lane in LANES {
        let of_page = || put(lane).header("origin", LISTED_ORIGIN);
        cases.extend([
            case(format!("{lane}, a page with no order"), of_page().body("{}")),
            case(format!("{lane}, a page with no token"), of_page().of(Caller::Anonymous)),
            case(format!("{lane}, a page with a form"), of_page().bare().header("content-type", "text/plain")),
            case(
                format!("{lane}, a page, the header's name in capital letters"),
                put(lane).header("ORIGIN", LISTED_ORIGIN),
            ),
        ]);
    }
    for place in PLACES {
        let tracing = Request::new(Method::OPTIONS, place).of(Caller::Anonymous).header("origin", LISTED_ORIGIN);
        let tracing = tracing.header("access-control-request-headers", "traceparent,tracestate,x-amzn-trace-id");
        cases.push(case(format!("preflight to {place}, of a page that traces"), tracing));
        let text = preflight(place).header("origin", LISTED_ORIGIN).header("content-type", "text/plain");
        let two = preflight(place).header("origin", LISTED_ORIGIN).header("origin", "https://evil.example");
        cases.push(case(format!("preflight to {place}, of text"), text));
        cases.push(case(format!("preflight to {place}, of two origins"), two));
        cases.push(case(format!("preflight to {place}, no origin"), preflight(place)));
    }
    cases
}

/// A browser's preflight never has a token.
fn preflight(place: &str) -> Request {
    let request = Request::new(Method::OPTIONS, place).of(Caller::Anonymous);
    request
        .header("access-control-request-method", "PUT")
        .header("access-control-request-headers", "authorization,content-type")
}
