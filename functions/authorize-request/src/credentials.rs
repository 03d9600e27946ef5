//! The token in a request to either API.

use orders_api::{SUBPROTOCOL, SUBPROTOCOL_TOKEN_PREFIX};
use serde::Deserialize;
use std::collections::HashMap;

/// What API Gateway asks: may this request go on?
/// Source: Amazon API Gateway Developer Guide, "Input to an API Gateway Lambda authorizer".
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "UPPERCASE", rename_all_fields = "camelCase")]
pub(crate) enum Question {
    /// Of a request to the REST API.
    Token {
        /// The header `Authorization`.
        authorization_token: String,
        /// What it wants to do.
        method_arn: String,
    },
    /// Of a WebSocket's `$connect`.
    Request {
        /// Every value of every header.
        #[serde(default)]
        multi_value_headers: Option<HashMap<String, Vec<String>>>,
        /// What it wants to do.
        method_arn: String,
    },
}

impl Question {
    /// What the request wants to do.
    pub(crate) fn method_arn(&self) -> &str {
        match self {
            Self::Token { method_arn, .. } | Self::Request { method_arn, .. } => method_arn,
        }
    }

    /// The one token that the request carries. Two are none: it would be for chance to say whose request it is.
    pub(crate) fn token(&self) -> Option<&str> {
        match self {
            Self::Token { authorization_token, .. } => bearer(authorization_token),
            Self::Request { multi_value_headers, .. } => {
                let headers = multi_value_headers.as_ref()?;
                let mut presented = values(headers, "authorization")
                    .map(|value| bearer(value).unwrap_or_default())
                    .chain(subprotocol_tokens(headers));
                presented.next().filter(|_| presented.next().is_none())
            }
        }
    }
}

/// The values of a header, whatever the case of its name.
fn values<'a>(headers: &'a HashMap<String, Vec<String>>, name: &str) -> impl Iterator<Item = &'a str> {
    let of_that_name = headers.iter().filter(move |(own, _)| own.eq_ignore_ascii_case(name));
    of_that_name.flat_map(|(_, values)| values).map(String::as_str)
}

/// The credentials of the scheme `Bearer`. Source: RFC 6750, section 2.1; RFC 9110, section 11.1 (case).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_matches(' '))
}

/// Tokens among the subprotocols: a browser can set no other header of a WebSocket. They count only beside the
/// subprotocol that is answered, because a browser closes a socket that answers none of those it offered, and a token
/// must not be answered.
fn subprotocol_tokens(headers: &HashMap<String, Vec<String>>) -> impl Iterator<Item = &str> {
    let offered: Vec<_> =
        values(headers, "sec-websocket-protocol").flat_map(|value| value.split(',')).map(str::trim).collect();
    let answerable = offered.contains(&SUBPROTOCOL);
    let tokens = offered.into_iter().filter_map(|name| name.strip_prefix(SUBPROTOCOL_TOKEN_PREFIX));
    tokens.filter(move |_| answerable)
}
