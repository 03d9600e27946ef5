//! HTTP requests and responses of functions behind a REST API.

mod answer;
#[cfg(feature = "fakes")]
pub mod fakes;
mod order_content;
mod request;

pub use answer::{
    Resource, SECURITY_HEADERS, internal_error, invalid_body, json, problem, problem_response, repository_problem,
    with_header,
};
pub use order_content::{invalid_order, order_content};
pub use orders_api::Problem;
pub use request::RestRequest;

use crate::cors;
use lambda_http::{
    Body, Error, LambdaEvent, Response,
    aws_lambda_events::apigw::ApiGatewayProxyResponse,
    lambda_runtime::{run, service_fn},
};
use std::convert::Infallible;
use tracing::Instrument;

/// Serves requests until Lambda ends the process. Each request has a span with API Gateway's request id, which the
/// caller gets, too. It differs from the invocation's.
///
/// # Errors
/// The Runtime API cannot be reached.
pub async fn serve(handler: impl AsyncFn(&RestRequest) -> Response<Body>) -> Result<(), Error> {
    let handler = &handler;
    run(service_fn(|event: LambdaEvent<RestRequest>| async move {
        let request = event.payload;
        let span = tracing::info_span!("API request", api.request.id = request.id().unwrap_or("(none)"));
        // Boxed, because the type is otherwise deeper than the compiler's recursion limit.
        let answer = Box::pin(handler(&request)).instrument(span).await;
        let answer = cors::allow_origin(request.origin(), request.allowed_origins(), answer);
        Ok::<_, Infallible>(proxy_response(answer))
    }))
    .await
}

fn proxy_response(answer: Response<Body>) -> ApiGatewayProxyResponse {
    let (parts, body) = answer.into_parts();
    let mut response = ApiGatewayProxyResponse::default();
    response.status_code = parts.status.as_u16().into();
    response.multi_value_headers = parts.headers;
    response.body = Some(body);
    response
}
