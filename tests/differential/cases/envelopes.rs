//! Valid orders with unusual media types, queries and headers.

use super::{Case, case, get, put};
use testkit::{
    api_client::LANES,
    hostile_values::{TRACE, trace_headers},
};

const MEDIA_TYPES: [&str; 18] = [
    "application/json; charset=utf-8",
    "application/json;charset=UTF-8",
    "application/json; charset=\"utf-8\"",
    "application/json; v=1; charset=utf-8",
    "application/json;",
    "APPLICATION/JSON",
    "application/json, text/plain",
    "application/problem+json",
    "application/vnd.api+json",
    "application/*",
    "*/*",
    "text/json",
    "text/plain",
    "application/xml",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/octet-stream",
    "json",
];

const ACCEPTED: [&str; 6] =
    ["application/json", "application/problem+json", "application/xml", "text/html,*/*;q=0.8", "image/png", "nonsense"];

const QUERIES: [&str; 7] = [
    "",
    "a=1&a=2&b",
    "orderId=x&owner=mallory&DelaySeconds=900&MessageBody=%7B%7D",
    "%FF=%FE&%00",
    "a=%zz&=&&",
    "$input.body=%23set($x=1)",
    "a=1;b=2#c",
];

/// They must have no effect.
const HEADERS: [(&str, &str); 15] = [
    ("x-http-method-override", "DELETE"),
    ("x-forwarded-for", "1.2.3.4, mallory"),
    ("forwarded", "for=mallory;host=evil.example"),
    ("x-forwarded-host", "evil.example"),
    ("x-forwarded-proto", "ftp"),
    ("x-amzn-requestid", "chosen-by-the-caller"),
    ("x-amz-date", "yesterday"),
    ("x-api-key", "mallory"),
    ("idempotency-key", "1"),
    ("if-match", "\"1\""),
    ("if-none-match", "*"),
    ("range", "bytes=0-3"),
    ("accept-encoding", "gzip, br"),
    ("expect", "100-continue"),
    ("cookie", "a=1; b=\"2\""),
];

pub(super) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for lane in LANES {
        cases.push(case(format!("{lane}, no media type"), put(lane).bare()));
        cases.push(case(format!("{lane}, an empty media type"), put(lane).bare().header("content-type", "")));
        let twice = put(lane).header("content-type", "text/plain");
        cases.push(case(format!("{lane}, two media types"), twice));
        let of_type = |media_type| put(lane).bare().header("content-type", media_type);
        cases.extend(MEDIA_TYPES.map(|it| case(format!("{lane}, the media type {it}"), of_type(it))));
        cases.extend(ACCEPTED.map(|it| case(format!("{lane}, Accept: {it}"), put(lane).header("accept", it))));
        let asked = |query: &'static str| put(lane).to(move |id| format!("{lane}/orders/{id}?{query}"));
        cases.extend(QUERIES.map(|query| case(format!("{lane}, the query {query:?}"), asked(query))));
        cases.extend(HEADERS.map(|it| case(format!("{lane}, {}", it.0), put(lane).header(it.0, it.1))));
        cases.extend(
            large_headers().map(|(name, value)| case(format!("{lane}, {name}"), put(lane).header("x-large", value))),
        );
    }
    cases.extend(ACCEPTED.map(|it| case(format!("status, Accept: {it}"), get().header("accept", it))));
    cases.extend(HEADERS.map(|it| case(format!("status, {}", it.0), get().header(it.0, it.1))));
    cases.extend(large_headers().map(|(name, value)| case(format!("status, {name}"), get().header("x-large", value))));
    cases.push(case("status, with a body", get().header("content-type", "application/json").body("{}")));
    cases.push(case("status, with a body of text", get().header("content-type", "text/plain").body("x")));
    let traces = trace_headers().into_iter().chain([TRACE.to_owned()]);
    cases.extend(
        traces.map(|it| case(format!("async, the trace header {it:.200}"), put("async").header("x-amzn-trace-id", it))),
    );
    cases
}

/// API Gateway takes 10 240 bytes of request line and headers. Source: "Amazon API Gateway quotas", total combined size.
fn large_headers() -> [(&'static str, String); 2] {
    [("a header of 8 000 bytes", "x".repeat(8_000)), ("a header of 12 000 bytes", "x".repeat(12_000))]
}
