//! CORS. For responses that API Gateway creates itself, see `infra/openapi.yaml`.

use lambda_http::{
    Body, Response,
    http::{HeaderMap, HeaderValue, header},
};

/// Headers that a page may read besides the CORS-safelisted ones.
const EXPOSED_HEADERS: HeaderValue = HeaderValue::from_static("Location, Retry-After");

/// Lets the page read the response, if its `origin` is in `allowed_origins`, a comma-separated list.
#[must_use]
pub(crate) fn allow_origin(
    origin: Option<&str>,
    allowed_origins: Option<&str>,
    mut response: Response<Body>,
) -> Response<Body> {
    if let Some(origin) = allowed_origin(origin, allowed_origins) {
        response.headers_mut().extend(HeaderMap::from_iter([
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, origin),
            (header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS),
            (header::VARY, HeaderValue::from_static("Origin")),
        ]));
    }
    response
}

fn allowed_origin(origin: Option<&str>, allowed_origins: Option<&str>) -> Option<HeaderValue> {
    let origin = origin?;
    let is_allowed = allowed_origins?.split(',').any(|allowed| allowed == origin);
    is_allowed.then(|| HeaderValue::from_str(origin).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::RestRequest;
    use serde_json::{Value, json};

    fn answered(origin: &str, allowed: Value) -> HeaderMap {
        let event = include_str!("../../../functions/get-order/tests/fixtures/apigw-rest-get.json");
        let mut event: Value = serde_json::from_str(event).expect("the fixture is JSON");
        event["stageVariables"] = allowed;
        event["headers"]["origin"] = json!(origin);
        let request: RestRequest = serde_json::from_value(event).expect("the event is one of API Gateway's");
        allow_origin(request.origin(), request.allowed_origins(), Response::new(Body::Empty)).headers().clone()
    }

    fn listed(origins: &str) -> Value {
        json!({"corsAllowedOrigins": origins})
    }

    #[test]
    fn lets_a_page_of_a_listed_origin_read() {
        for origin in ["https://shop.example.com", "http://localhost:3000"] {
            let headers = answered(origin, listed("https://shop.example.com,http://localhost:3000"));

            assert_eq!(headers["access-control-allow-origin"], origin);
            assert_eq!(headers["access-control-expose-headers"], "Location, Retry-After");
            assert_eq!(headers["vary"], "Origin");
        }
    }

    #[test]
    fn adds_nothing_for_a_page_of_another_origin() {
        for origin in [
            "https://shop.example.co",
            "https://shop.example.com.evil.example",
            "http://shop.example.com",
            "https://shop.example.com,http://localhost:3000",
            "null",
            "",
            "*",
        ] {
            assert!(
                answered(origin, listed("https://shop.example.com,http://localhost:3000")).is_empty(),
                "{origin:?}"
            );
        }
    }

    #[test]
    fn adds_nothing_for_any_page_without_a_list() {
        for allowed in [Value::Null, json!({}), listed("none")] {
            assert!(answered("https://shop.example.com", allowed.clone()).is_empty(), "{allowed}");
        }
    }
}
