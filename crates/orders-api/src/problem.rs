use orders::{Violation, Violations};
use serde::{Deserialize, Serialize};

/// An RFC 9457 problem: the body of an HTTP error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// Always `about:blank`: the status code is the kind.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status code's standard phrase.
    pub title: String,
    /// The HTTP status code. Some of API Gateway's rare errors leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What happened, and what to do.
    pub detail: String,
    /// The request id, for support requests and log searches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Everything wrong with the request's body.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ViolationView>,
}

impl Problem {
    /// Source: RFC 9457, section 6.1.
    pub const MEDIA_TYPE: &str = "application/problem+json";

    /// A problem with this status, title and detail.
    #[must_use]
    pub fn new(status: u16, title: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank".to_owned(),
            title: title.to_owned(),
            status: Some(status),
            detail: detail.into(),
            request_id: None,
            errors: Vec::new(),
        }
    }
}

/// One thing wrong with a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViolationView {
    /// An RFC 6901 JSON pointer; empty for the whole body.
    pub pointer: String,
    /// What is wrong there.
    pub detail: String,
}

impl ViolationView {
    /// All violations, in order.
    #[must_use]
    pub fn list(violations: &Violations) -> Vec<Self> {
        violations.iter().map(Self::from).collect()
    }
}

impl From<&Violation> for ViolationView {
    fn from(violation: &Violation) -> Self {
        Self { pointer: violation.pointer().to_owned(), detail: violation.detail().to_owned() }
    }
}
