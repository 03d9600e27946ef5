use orders_api::{SUBPROTOCOL, SUBPROTOCOL_TOKEN_PREFIX};
use serde::Deserialize;
use std::collections::HashMap;

/// Source: Amazon API Gateway Developer Guide, "Input to an API Gateway Lambda authorizer".
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "UPPERCASE", rename_all_fields = "camelCase")]
pub(crate) enum AuthorizerEvent {
    /// From the REST API.
    Token { authorization_token: String, method_arn: String },
    /// From a WebSocket's `$connect`.
    Request {
        #[serde(default)]
        multi_value_headers: Option<HashMap<String, Vec<String>>>,
        method_arn: String,
    },
}

impl AuthorizerEvent {
    /// The requested method or route.
    pub(crate) fn method_arn(&self) -> &str {
        match self {
            Self::Token { method_arn, .. } | Self::Request { method_arn, .. } => method_arn,
        }
    }

    /// `None` unless the request has exactly one token: with two, the owner is ambiguous.
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

/// Header names are case-insensitive.
fn values<'a>(headers: &'a HashMap<String, Vec<String>>, name: &str) -> impl Iterator<Item = &'a str> {
    let of_that_name = headers.iter().filter(move |(own, _)| own.eq_ignore_ascii_case(name));
    of_that_name.flat_map(|(_, values)| values).map(String::as_str)
}

/// Source: RFC 6750, section 2.1; RFC 9110, section 11.1 (case).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_matches(' '))
}

/// Tokens among the subprotocols, the only header that a browser can set for a WebSocket. They count only if the client
/// also offers [`SUBPROTOCOL`]: the server must select an offered subprotocol, and never a token.
fn subprotocol_tokens(headers: &HashMap<String, Vec<String>>) -> impl Iterator<Item = &str> {
    let offered: Vec<_> =
        values(headers, "sec-websocket-protocol").flat_map(|value| value.split(',')).map(str::trim).collect();
    let can_select = offered.contains(&SUBPROTOCOL);
    let tokens = offered.into_iter().filter_map(|name| name.strip_prefix(SUBPROTOCOL_TOKEN_PREFIX));
    tokens.filter(move |_| can_select)
}
