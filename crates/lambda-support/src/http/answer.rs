use lambda_http::{
    Body, Response,
    http::{HeaderName, HeaderValue, StatusCode, header},
};
use orders::{ErrorChain, OrderId, RepositoryError, Violations};
use orders_api::{Problem, ViolationView};
use std::fmt;
use tracing::field::display;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static(Problem::MEDIA_TYPE);
/// Seconds until a caller may repeat a request that got a 503.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// Headers of every response. Those that API Gateway creates itself have the same, in `infra/openapi.yaml`.
pub const SECURITY_HEADERS: [(HeaderName, HeaderValue); 3] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=63072000; includeSubDomains")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
];

/// A response with `status` and a JSON body.
#[must_use]
pub fn json(status: StatusCode, body: &impl serde::Serialize) -> Response<Body> {
    respond(status, JSON, body)
}

/// A problem with `status` and `detail`.
#[must_use]
pub fn problem(status: StatusCode, detail: impl Into<String>) -> Problem {
    Problem::new(status.as_u16(), status.canonical_reason().unwrap_or_default(), detail)
}

/// The response with this problem and the request id.
#[must_use]
pub fn problem_response(request_id: Option<&str>, problem: Problem) -> Response<Body> {
    let status = problem.status.and_then(|status| StatusCode::from_u16(status).ok());
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = Problem { request_id: request_id.map(str::to_owned), ..problem };
    let response = respond(status, PROBLEM_JSON, &body);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        with_header(response, header::RETRY_AFTER, RETRY_AFTER)
    } else {
        response
    }
}

/// Adds a header to a response.
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

/// What a request asks for, as the log names it.
#[derive(Clone, Copy)]
pub enum Resource<'a> {
    /// An order, by its id.
    Order(&'a dyn fmt::Display),
    /// The list of the caller's orders. The log does not name the caller.
    OrderList,
    /// A payment, by its id.
    Payment(&'a dyn fmt::Display),
    /// The stock of a SKU.
    Stock(&'a dyn fmt::Display),
}

impl<'a> From<&'a OrderId> for Resource<'a> {
    fn from(id: &'a OrderId) -> Self {
        Self::Order(id)
    }
}

/// `order 5f0c…`, `a list of orders`, `payment 5f0c…` or `stock SKU-1`.
impl fmt::Display for Resource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order(id) => write!(f, "order {id}"),
            Self::OrderList => f.write_str("a list of orders"),
            Self::Payment(id) => write!(f, "payment {id}"),
            Self::Stock(sku) => write!(f, "stock {sku}"),
        }
    }
}

/// The problem that reports a repository's failure. Logs the cause with the resource.
#[must_use]
pub fn repository_problem<'a>(resource: impl Into<Resource<'a>>, error: &RepositoryError) -> Problem {
    let resource = resource.into();
    let (order, payment, sku) = match resource {
        Resource::Order(id) => (Some(display(id)), None, None),
        Resource::OrderList => (None, None, None),
        Resource::Payment(id) => (None, Some(display(id)), None),
        Resource::Stock(sku) => (None, None, Some(display(sku))),
    };
    let cause = ErrorChain(error);
    if error.is_retryable() {
        let detail = "The database cannot serve the request right now. It is safe to repeat it as it is.";
        let problem = problem(StatusCode::SERVICE_UNAVAILABLE, detail);
        tracing::warn!(
            order.id = order, payment.id = payment, stock.sku = sku, http.status = problem.status, error = %cause,
            "The database could not serve a request for {resource}"
        );
        problem
    } else {
        let problem = internal_error();
        tracing::error!(
            order.id = order, payment.id = payment, stock.sku = sku, http.status = problem.status, error = %cause,
            "The database refused a request for {resource}"
        );
        problem
    }
}

/// A 400 problem that lists every violation. `what` names the body's content, for example `order`.
#[must_use]
pub fn invalid_body(what: &str, violations: &Violations) -> Problem {
    Problem {
        errors: ViolationView::list(violations),
        ..problem(StatusCode::BAD_REQUEST, format!("The {what} is not valid: {violations}."))
    }
}

/// A 500 problem, for an error of the deployment. The log has the cause.
#[must_use]
pub fn internal_error() -> Problem {
    let detail = "The service failed. It is safe to repeat the request; if it fails again, report the request id.";
    problem(StatusCode::INTERNAL_SERVER_ERROR, detail)
}
