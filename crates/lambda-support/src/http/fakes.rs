//! Events and responses of API Gateway's REST API, for tests.

use super::RestRequest;
use lambda_http::{Body, Response};
use proptest::prelude::*;
use serde_json::{Value, json};

/// The event in `fixture`, with other values at these JSON pointers.
///
/// # Panics
/// The text is not JSON, or the event has no value at a pointer.
#[must_use]
pub fn event<const N: usize>(fixture: &str, changes: [(&str, Value); N]) -> Value {
    let mut event: Value = serde_json::from_str(fixture).expect("the fixture is JSON");
    for (pointer, value) in changes {
        *event.pointer_mut(pointer).expect("the fixture has a value there") = value;
    }
    event
}

/// Requests with any body and media type, and sometimes with other path parameters.
///
/// # Panics
/// The text is not JSON, or the event has no path parameters.
pub fn any_request(fixture: &str) -> impl Strategy<Value = Value> + use<> {
    let request = event(fixture, []);
    let parts = (any::<Option<String>>(), any::<Option<String>>(), any::<bool>(), any::<Option<String>>());
    parts.prop_map(move |(parameter, body, is_base64_encoded, media_type)| {
        let mut request = request.clone();
        if let Some(parameter) = parameter {
            let parameters = request["pathParameters"].as_object_mut().expect("the fixture has path parameters");
            parameters.values_mut().for_each(|value| *value = json!(parameter));
        }
        request["body"] = json!(body);
        request["isBase64Encoded"] = json!(is_base64_encoded);
        request["headers"]["Content-Type"] = json!(media_type);
        request
    })
}

/// The response of `handler`: the status, the body, and the whole response.
///
/// # Panics
/// The event is not one of API Gateway's REST API, or the response's body is not JSON.
pub async fn answer(
    event: &Value,
    handler: impl AsyncFnOnce(&RestRequest) -> Response<Body>,
) -> (u16, Value, Response<Body>) {
    let request = serde_json::from_value(event.clone()).expect("the event is one of API Gateway's");
    let response = handler(&request).await;
    let body = serde_json::from_slice(response.body().as_ref()).expect("every answer is JSON");
    (response.status().as_u16(), body, response)
}
