//! The requests that both emulators get.

mod bodies;
mod callers;
mod envelopes;
mod identifiers;
mod methods_and_paths;
mod orders;
mod origins;

use reqwest::Method;
use std::collections::HashMap;
use testkit::{order_bodies::order_of, stack::OWNER};

pub(crate) struct Case {
    /// Unique.
    pub(crate) name: String,
    /// Sent and settled before.
    pub(crate) before: Vec<Request>,
    /// With the compared answer.
    pub(crate) request: Request,
    pub(crate) record: Record,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Record {
    /// If the order is accepted. The test waits for it.
    Left,
    /// Perhaps a record. The test does not wait.
    Perhaps,
    /// Never a record.
    None,
}

impl Case {
    pub(crate) fn is_queued(&self) -> bool {
        self.before.is_empty() && (self.request.path)("").starts_with("async/")
    }
}

/// About an order with a new id.
pub(crate) struct Request {
    pub(crate) method: Method,
    /// Below the API's base URL, by the order's id.
    pub(crate) path: Box<dyn Fn(&str) -> String + Send + Sync>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) caller: Caller,
}

#[derive(Clone)]
pub(crate) enum Caller {
    /// With a valid token.
    Subject(String),
    Anonymous,
    /// With that `Authorization` header; `{token}` stands for the token.
    With(&'static str, Token),
}

#[derive(Clone, Copy)]
pub(crate) enum Token {
    Good,
    Expired,
    NotYetValid,
    OfAnImpostor,
    ForAnotherAudience,
    OfAnotherIssuer,
    Unsigned,
    WithoutSubject,
    OfSubject(&'static str),
}

/// Add new groups here.
pub(crate) fn all() -> Vec<Case> {
    let groups = [
        orders::all(),
        callers::all(),
        methods_and_paths::all(),
        envelopes::all(),
        identifiers::all(),
        origins::all(),
        bodies::all(),
    ];
    numbered(groups.into_iter().flatten().collect())
}

/// Numbers names that repeat.
fn numbered(mut cases: Vec<Case>) -> Vec<Case> {
    let mut seen = HashMap::new();
    for case in &mut cases {
        let count = seen.entry(case.name.clone()).and_modify(|count| *count += 1).or_insert(1);
        if *count > 1 {
            case.name = format!("{} ({count})", case.name);
        }
    }
    cases
}

fn case(name: impl Into<String>, request: Request) -> Case {
    Case { name: name.into(), before: Vec::new(), request, record: Record::Left }
}

/// A valid order of [`OWNER`].
fn put(lane: &str) -> Request {
    let request = Request::new(Method::PUT, &format!("{lane}/orders/{{id}}"));
    request.header("content-type", "application/json").body(order_of("SKU-1").to_string())
}

fn get() -> Request {
    Request::new(Method::GET, "orders/{id}")
}

impl Request {
    /// By [`OWNER`], without a body. In `path`, `{id}` stands for the order's id.
    fn new(method: Method, path: &str) -> Self {
        let path = path.to_owned();
        let of_id = move |id: &str| path.replace("{id}", id);
        let caller = Caller::Subject(OWNER.to_owned());
        Self { method, path: Box::new(of_id), headers: Vec::new(), body: Vec::new(), caller }
    }

    /// With one more header.
    fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    fn bare(mut self) -> Self {
        self.headers.clear();
        self
    }

    fn of(mut self, caller: Caller) -> Self {
        self.caller = caller;
        self
    }

    /// To another path, by the order's id.
    fn to(mut self, path: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        self.path = Box::new(path);
        self
    }
}
