use holds::HoldRepository;
use lambda_http::{Body, Response, http::StatusCode};
use lambda_support::http::{Problem, Resource, RestRequest, json, problem, problem_response, repository_problem};
use serde::Serialize;
use shared_kernel::Sku;
use stock::units_left;

#[derive(Debug, Serialize)]
struct StockView<'a> {
    sku: &'a str,
    /// Units that no order holds.
    available: u64,
}

/// Answers with a SKU's stock.
///
/// # Responses
/// - 200: the number of units that no order holds.
/// - 400: the SKU is malformed.
/// - 404: the service has no such SKU.
/// - 503: the database is over its limit. Safe to repeat.
/// - 500: an error of the deployment.
pub(crate) async fn handle<R: HoldRepository>(holds: &R, request: &RestRequest) -> Response<Body> {
    answer(holds, request).await.unwrap_or_else(|problem| problem_response(request.id(), problem))
}

async fn answer<R: HoldRepository>(holds: &R, request: &RestRequest) -> Result<Response<Body>, Problem> {
    let sku = Sku::parse(request.path_parameter("sku"))
        .ok_or_else(|| problem(StatusCode::BAD_REQUEST, format!("The SKU in the path {}.", Sku::RULE)))?;
    let resource = Resource::Stock(&sku.as_str());
    match units_left(holds, &sku).await.map_err(|error| repository_problem(resource, &error))? {
        Some(available) => Ok(json(StatusCode::OK, &StockView { sku: sku.as_str(), available })),
        None => Err(problem(StatusCode::NOT_FOUND, "The SKU is unknown.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holds::fakes::{Failing, InMemoryHolds};
    use lambda_support::http;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const FIXTURE: &str = include_str!("../tests/fixtures/apigw-rest-get.json");

    fn event() -> Value {
        http::fakes::event(FIXTURE, [])
    }

    async fn answer<R: HoldRepository>(holds: &R, event: &Value) -> (u16, Value, Response<Body>) {
        http::fakes::answer(event, async |request| handle(holds, request).await).await
    }

    #[tokio::test]
    async fn answers_with_the_units_left() {
        for available in [0, 7] {
            let holds = InMemoryHolds::with([("SKU-1", available)]);

            let (status, body, _) = answer(&holds, &event()).await;

            assert_eq!((status, body), (200, json!({"sku": "SKU-1", "available": available})));
        }
    }

    #[tokio::test]
    async fn answers_404_for_a_sku_without_a_counter() {
        let (status, body, response) = answer(&InMemoryHolds::with([("SKU-2", 7)]), &event()).await;

        assert_eq!((status, &body["status"]), (404, &json!(404)));
        assert_eq!(response.headers()["content-type"], "application/problem+json");
    }

    #[tokio::test]
    async fn refuses_a_malformed_sku_with_400() {
        let mut event = event();
        event["pathParameters"]["sku"] = json!("SKU%201");

        assert_eq!(answer(&InMemoryHolds::default(), &event).await.0, 400);
    }

    #[tokio::test]
    async fn answers_503_with_retry_after_while_the_database_is_unavailable() {
        let (status, _, response) = answer(&Failing::Unavailable, &event()).await;

        assert_eq!(status, 503);
        assert_eq!(response.headers()["retry-after"], "1");
        assert_eq!(answer(&Failing::Refusing, &event()).await.0, 500);
    }

    proptest! {
        #[test]
        fn no_request_makes_the_handler_panic(sku in any::<Option<String>>()) {
            let mut event = event();
            event["pathParameters"] = json!({"sku": sku});
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            let (status, _, _) = runtime.block_on(answer(&InMemoryHolds::default(), &event));
            prop_assert!([400, 404].contains(&status));
        }
    }
}
