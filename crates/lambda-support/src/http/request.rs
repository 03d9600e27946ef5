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
use std::{borrow::Cow, collections::HashMap, fmt};

/// A request as API Gateway's REST API passes it to a Lambda proxy integration. Unused parts of the event are skipped.
/// Source: API Gateway Developer Guide, "Input format of a Lambda function for proxy integration".
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RestRequest {
    headers: Option<Headers>,
    path_parameters: Option<HashMap<String, Option<String>>>,
    query_string_parameters: Option<HashMap<String, Option<String>>>,
    stage_variables: Option<StageVariables>,
    request_context: RequestContext,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
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

/// The headers that functions read, in any case.
#[derive(Debug, Default)]
struct Headers {
    content_type: Option<String>,
    origin: Option<String>,
}

impl RestRequest {
    /// The order id in the path.
    ///
    /// # Errors
    /// A 400 problem if it is malformed.
    pub fn order_id(&self) -> Result<OrderId, Problem> {
        OrderId::parse(self.path_parameter("orderId"))
            .map_err(|error| problem(StatusCode::BAD_REQUEST, format!("The order id in the path {error}.")))
    }

    /// A path parameter, by its name in the API's definition; empty if missing.
    #[must_use]
    pub fn path_parameter(&self, name: &str) -> &str {
        self.path_parameters.as_ref().and_then(|parameters| parameters.get(name)?.as_deref()).unwrap_or_default()
    }

    /// A query parameter, decoded. Of several with that name, the last.
    #[must_use]
    pub fn query_parameter(&self, name: &str) -> Option<&str> {
        self.query_string_parameters.as_ref()?.get(name)?.as_deref()
    }

    /// The caller, as the owner of orders.
    ///
    /// # Errors
    /// A 500 problem if the authorizer's context does not identify the caller. The log has the cause.
    pub fn owner(&self) -> Result<Owner, Problem> {
        caller::owner(|name| self.request_context.authorizer.as_ref()?.get(name)).map_err(|error| {
            let error = ErrorChain(&error);
            tracing::error!(%error, "Failed to identify the caller");
            internal_error()
        })
    }

    /// When API Gateway received it.
    #[must_use]
    pub fn received_at(&self) -> Option<Timestamp> {
        Timestamp::from_unix_ms(self.request_context.request_time_epoch?).ok()
    }

    /// Its id from API Gateway, not the invocation's.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.request_context.request_id.as_deref()
    }

    /// Its `Content-Type`. Of several, the last.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.headers.as_ref()?.content_type.as_deref()
    }

    /// The bytes of its body.
    ///
    /// # Errors
    /// `isBase64Encoded` is true, and the body is not valid base64.
    pub fn body(&self) -> Result<Cow<'_, [u8]>, DecodeError> {
        let text = self.body.as_deref().unwrap_or_default();
        if self.is_base64_encoded == Some(true) {
            BASE64_STANDARD.decode(text).map(Cow::Owned)
        } else {
            Ok(text.as_bytes().into())
        }
    }

    /// The bytes of a JSON body of at most `max_bytes`. `what` names its content in problems, for example `order`. As
    /// in API Gateway, a body without a media type counts as JSON.
    ///
    /// # Errors
    /// A problem: 415 for another media type, 400 for a body that is not valid base64, 413 for a larger body.
    pub fn json_body(&self, what: &str, max_bytes: usize) -> Result<Cow<'_, [u8]>, Problem> {
        let essence = self.content_type().and_then(|value| value.split(';').next()).unwrap_or_default().trim_ascii();
        if !essence.is_empty() && !essence.eq_ignore_ascii_case("application/json") {
            let detail = format!("Send the {what} as application/json.");
            return Err(problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
        }
        let bytes = self.body().map_err(|error| {
            let detail = format!("The body is not valid base64: {error}.");
            problem(StatusCode::BAD_REQUEST, detail)
        })?;
        if bytes.len() > max_bytes {
            let detail = format!("The body has {} bytes; the maximum is {max_bytes}.", bytes.len());
            return Err(problem(StatusCode::PAYLOAD_TOO_LARGE, detail));
        }
        Ok(bytes)
    }

    pub(crate) fn origin(&self) -> Option<&str> {
        self.headers.as_ref()?.origin.as_deref()
    }

    /// Separated by commas.
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
    fn takes_a_json_body_up_to_its_limit() {
        let status = |media_type: Value, body: &str, is_base64_encoded: bool| {
            let event = json!({
                "headers": {"content-type": media_type},
                "requestContext": {}, "body": body, "isBase64Encoded": is_base64_encoded,
            });
            request(event).json_body("order", 4).map(Cow::into_owned).map_err(|problem| problem.status)
        };

        assert_eq!(status(json!("Application/JSON; charset=utf-8"), "{  }", false), Ok(b"{  }".to_vec()));
        assert_eq!(status(Value::Null, "e30=", true), Ok(b"{}".to_vec()));
        assert_eq!(status(json!("text/plain"), "{}", false), Err(Some(415)));
        assert_eq!(status(Value::Null, "e30", true), Err(Some(400)));
        assert_eq!(status(Value::Null, "{   }", false), Err(Some(413)));
    }

    #[test]
    fn reads_an_event_without_values() {
        let request = request(json!({
            "headers": null, "multiValueHeaders": null, "pathParameters": null, "queryStringParameters": null,
            "stageVariables": null, "requestContext": {"authorizer": null}, "body": null, "isBase64Encoded": null,
        }));

        assert!(request.order_id().is_err() && request.owner().is_err());
        assert_eq!((request.path_parameter("sku"), request.query_parameter("limit")), ("", None));
        assert_eq!((request.received_at(), request.id(), request.allowed_origins()), (None, None, None));
        assert_eq!(request.body().expect("it is not encoded"), b"".as_slice());
    }
}
