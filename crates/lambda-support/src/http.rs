//! HTTP requests and answers of functions behind a REST API.

use crate::caller::{self, CallerError};
use lambda_http::{
    Body, Request, RequestExt, Response,
    http::{HeaderName, HeaderValue, StatusCode, header},
    request::RequestContext,
};
use orders::{ErrorChain, OrderId, Owner, RepositoryError, Timestamp};
use orders_api::{OWNER_CONTEXT, Problem};
use std::future::Future;
use tracing::Instrument;

/// The media type of orders.
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// The media type of problems.
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static(Problem::MEDIA_TYPE);
/// When to try again, in seconds, after a dependency was over its limit.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// What every answer says to browsers and to whatever is between: orders are for their owner's eyes, come over TLS, and
/// are what they say they are. The answers that no function gives say the same, in `infra/openapi.yaml`.
pub const SECURITY_HEADERS: [(HeaderName, HeaderValue); 3] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=63072000; includeSubDomains")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
];

/// Does `work` within the span of the request, so that its log lines are found by the id that the caller was given:
/// API Gateway's, which is not that of the invocation.
pub async fn in_span<F: Future>(request: &Request, work: F) -> F::Output {
    let id = request_id(request);
    let span = tracing::info_span!("API request", api.request.id = id.as_deref().unwrap_or("(none)"));
    work.instrument(span).await
}

/// An answer of `status` with a JSON body.
#[must_use]
pub fn json(status: StatusCode, body: &impl serde::Serialize) -> Response<Body> {
    respond(status, JSON, body)
}

/// A problem of `status`, explained by `detail`.
#[must_use]
pub fn problem(status: StatusCode, detail: impl Into<String>) -> Problem {
    Problem::new(status.as_u16(), status.canonical_reason().unwrap_or_default(), detail)
}

/// The answer that carries a problem, with the id of the request that had it.
#[must_use]
pub fn problem_response(request: &Request, problem: Problem) -> Response<Body> {
    let status = problem.status.and_then(|status| StatusCode::from_u16(status).ok());
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = Problem { request_id: request_id(request), ..problem };
    let response = respond(status, PROBLEM_JSON, &body);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        with_header(response, header::RETRY_AFTER, RETRY_AFTER)
    } else {
        response
    }
}

/// The same answer with one more header.
#[must_use]
pub fn with_header(mut response: Response<Body>, name: HeaderName, value: HeaderValue) -> Response<Body> {
    response.headers_mut().insert(name, value);
    response
}

fn respond(status: StatusCode, media_type: HeaderValue, body: &impl serde::Serialize) -> Response<Body> {
    let body = serde_json::to_string(body).expect("every body here has only string keys, so it is always JSON");
    let mut response = with_header(Response::new(Body::Text(body)), header::CONTENT_TYPE, media_type);
    *response.status_mut() = status;
    response.headers_mut().extend(SECURITY_HEADERS);
    response
}

/// Whose request it is.
///
/// # Errors
/// A 500 problem when the API layer does not say: the deployment is wrong, and the log says how.
pub fn owner(request: &Request) -> Result<Owner, Problem> {
    let owner = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(context)) => caller::owner(|name| context.authorizer.fields.get(name)),
        _ => Err(CallerError::Missing(OWNER_CONTEXT)),
    };
    owner.map_err(|error| {
        let error = ErrorChain(&error);
        tracing::error!(%error, "Failed to tell whose request this is");
        internal_error()
    })
}

/// The order id in the path.
///
/// # Errors
/// A 400 problem when it is malformed.
pub fn order_id(request: &Request) -> Result<OrderId, Problem> {
    let parameters = request.path_parameters_ref();
    let text = parameters.and_then(|parameters| parameters.first("orderId")).unwrap_or_default();
    OrderId::parse(text).map_err(|error| problem(StatusCode::BAD_REQUEST, format!("The order id in the path {error}.")))
}

/// When API Gateway took the request.
#[must_use]
pub fn received_at(request: &Request) -> Option<Timestamp> {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(context)) => Timestamp::from_unix_ms(context.request_time_epoch).ok(),
        _ => None,
    }
}

/// What a repository's failure means to the caller; the log has the cause.
#[must_use]
pub fn repository_problem(error: &RepositoryError) -> Problem {
    if error.is_retryable() {
        tracing::warn!(error = %ErrorChain(error), "The database could not serve a request");
        let detail = "The database cannot serve the request right now. It is safe to repeat it as it is.";
        problem(StatusCode::SERVICE_UNAVAILABLE, detail)
    } else {
        tracing::error!(error = %ErrorChain(error), "The database will not serve a request");
        internal_error()
    }
}

fn internal_error() -> Problem {
    let detail = "The service failed. It is safe to repeat the request; if it fails again, report the request id.";
    problem(StatusCode::INTERNAL_SERVER_ERROR, detail)
}

fn request_id(request: &Request) -> Option<String> {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(context)) => context.request_id.clone(),
        _ => None,
    }
}
