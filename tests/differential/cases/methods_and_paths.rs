//! Unknown paths, and disallowed methods.

use super::{Caller, Case, Request, case, get, put};
use reqwest::Method;
use testkit::order_bodies::order_of;

pub(super) const PLACES: [&str; 3] = ["sync/orders/{id}", "async/orders/{id}", "orders/{id}"];

const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"];

/// Unknown, or known ones in unusual spellings.
const PATHS: [&str; 22] = [
    "",
    "/",
    "orders",
    "orders/",
    "orders/{id}/",
    "sync",
    "sync/orders",
    "sync/orders/",
    "sync/orders/{id}/",
    "sync/orders/{id}/items",
    "sync//orders/{id}",
    "/sync/orders/{id}",
    "SYNC/orders/{id}",
    "Sync/Orders/{id}",
    "sync/orders/{id};v=1",
    "sync%2Forders%2F{id}",
    "%73ync/orders/{id}",
    "async/orders/{id}/",
    "fast/orders/{id}",
    "orders/{id}.json",
    "nothing/here",
    "favicon.ico",
];

pub(super) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for place in PLACES {
        for method in METHODS {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let request = || Request::new(method.clone(), place);
            cases.push(case(format!("{method} {place}"), request()));
            cases.push(case(format!("{method} {place}, no token"), request().of(Caller::Anonymous)));
        }
        let post = |media_type: &str| Request::new(Method::POST, place).header("content-type", media_type).body("{}");
        for media_type in ["application/json", "text/plain", "application/x-www-form-urlencoded", "image/png"] {
            cases.push(case(format!("POST {place}, {media_type}"), post(media_type)));
        }
    }
    // The list of orders is the same at any time only for an owner without orders.
    let without_orders = || Caller::Subject("without-orders".to_owned());
    for path in PATHS {
        cases.push(case(format!("GET {path:?}"), get().to(of_id(path)).of(without_orders())));
        cases.push(case(format!("GET {path:?}, no token"), get().to(of_id(path)).of(Caller::Anonymous)));
        let put = put("sync").to(of_id(path)).body(order_of("SKU-1").to_string());
        cases.push(case(format!("PUT {path:?}"), put));
    }
    cases
}

fn of_id(path: &'static str) -> impl Fn(&str) -> String {
    move |id| path.replace("{id}", id)
}
