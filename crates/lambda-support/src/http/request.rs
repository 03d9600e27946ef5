//! A request, as far as it is read here.

use crate::{
    caller,
    http::{internal_error, problem},
};
use base64::{DecodeError, Engine, prelude::BASE64_STANDARD};
use lambda_http::http::StatusCode;
use orders::{ErrorChain, OrderId, Owner, Timestamp};
use orders_api::Problem;
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Map, Value};
use std::{borrow::Cow, fmt};

/// A request as API Gateway's REST API hands it to a Lambda proxy integration. Most of the event is skipped unread.
///
/// Source: API Gateway Developer Guide, "Input format of a Lambda function for proxy integration".
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RestRequest {
    headers: Option<Headers>,
    path_parameters: Option<PathParameters>,
    stage_variables: Option<StageVariables>,
    request_context: RequestContext,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PathParameters {
    order_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StageVariables {
    cors_allowed_origins: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    request_id: Option<String>,
    request_time_epoch: Option<i64>,
    authorizer: Option<Map<String, Value>>,
}

/// The headers that are read, by whatever spelling.
#[derive(Debug, Default)]
struct Headers {
    content_type: Option<String>,
    origin: Option<String>,
}

impl RestRequest {
    /// The order id in the path.
    ///
    /// # Errors
    /// A 400 problem when it is malformed.
    pub fn order_id(&self) -> Result<OrderId, Problem> {
        let text = self.path_parameters.as_ref().and_then(|parameters| parameters.order_id.as_deref());
        OrderId::parse(text.unwrap_or_default())
            .map_err(|error| problem(StatusCode::BAD_REQUEST, format!("The order id in the path {error}.")))
    }

    /// The caller, as the owner of orders.
    ///
    /// # Errors
    /// A 500 problem when the authorizer's context does not identify them: the deployment is wrong, and the log says how.
    pub fn owner(&self) -> Result<Owner, Problem> {
        caller::owner(|name| self.request_context.authorizer.as_ref()?.get(name)).map_err(|error| {
            let error = ErrorChain(&error);
            tracing::error!(%error, "Failed to tell whose request this is");
            internal_error()
        })
    }

    /// When API Gateway took it.
    #[must_use]
    pub fn received_at(&self) -> Option<Timestamp> {
        Timestamp::from_unix_ms(self.request_context.request_time_epoch?).ok()
    }

    /// API Gateway's id of it, which is not that of the invocation.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.request_context.request_id.as_deref()
    }

    /// Its `Content-Type`; of several, the last.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.headers.as_ref()?.content_type.as_deref()
    }

    /// The bytes of its body.
    ///
    /// # Errors
    /// It is said to be in base64, and is not.
    pub fn body(&self) -> Result<Cow<'_, [u8]>, DecodeError> {
        let text = self.body.as_deref().unwrap_or_default();
        if self.is_base64_encoded == Some(true) {
            BASE64_STANDARD.decode(text).map(Cow::Owned)
        } else {
            Ok(text.as_bytes().into())
        }
    }

    /// The origin of the page that sent it.
    pub(crate) fn origin(&self) -> Option<&str> {
        self.headers.as_ref()?.origin.as_deref()
    }

    /// The origins whose pages may read answers, with commas between.
    pub(crate) fn allowed_origins(&self) -> Option<&str> {
        self.stage_variables.as_ref()?.cors_allowed_origins.as_deref()
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeadersVisitor)
    }
}

struct HeadersVisitor;

impl<'de> Visitor<'de> for HeadersVisitor {
    type Value = Headers;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("headers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Headers, A::Error> {
        let mut headers = Headers::default();
        while let Some(name) = map.next_key()? {
            match name {
                HeaderName::ContentType => headers.content_type = map.next_value()?,
                HeaderName::Origin => headers.origin = map.next_value()?,
                HeaderName::Other => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(headers)
    }
}

enum HeaderName {
    ContentType,
    Origin,
    Other,
}

impl<'de> Deserialize<'de> for HeaderName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(HeaderNameVisitor)
    }
}

struct HeaderNameVisitor;

impl Visitor<'_> for HeaderNameVisitor {
    type Value = HeaderName;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the name of a header")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<HeaderName, E> {
        Ok(if name.eq_ignore_ascii_case("content-type") {
            HeaderName::ContentType
        } else if name.eq_ignore_ascii_case("origin") {
            HeaderName::Origin
        } else {
            HeaderName::Other
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request(event: Value) -> RestRequest {
        serde_json::from_value(event).expect("the event is one of API Gateway's")
    }

    #[test]
    fn reads_a_header_by_any_spelling_and_the_last_of_several() {
        let headers =
            json!({"CONTENT-type": "text/plain", "content-TYPE": "application/json", "ORIGIN": null, "x": "y"});
        let request = request(json!({"headers": headers, "requestContext": {}}));

        assert_eq!((request.content_type(), request.origin()), (Some("application/json"), None));
    }

    #[test]
    fn reads_a_body_of_text_or_of_base64() {
        let body = |body: Value, is_base64_encoded: bool| {
            let event = json!({"requestContext": {}, "body": body, "isBase64Encoded": is_base64_encoded});
            request(event).body().map(Cow::into_owned)
        };

        assert_eq!(body(json!("caf\u{e9}"), false), Ok("caf\u{e9}".as_bytes().to_vec()));
        assert_eq!(body(json!("AP8="), true), Ok(vec![0, 255]));
        assert_eq!(body(Value::Null, false), Ok(Vec::new()));
        assert!(body(json!("AP8"), true).is_err());
    }

    #[test]
    fn takes_nothing_for_granted() {
        let request = request(json!({
            "headers": null, "multiValueHeaders": null, "pathParameters": null, "stageVariables": null,
            "requestContext": {"authorizer": null}, "body": null, "isBase64Encoded": null,
        }));

        assert!(request.order_id().is_err() && request.owner().is_err());
        assert_eq!((request.received_at(), request.id(), request.allowed_origins()), (None, None, None));
        assert_eq!(request.body().expect("it is no base64"), b"".as_slice());
    }
}
