use lambda_http::{
    Body, Response,
    http::{HeaderValue, StatusCode, header},
};
use lambda_support::http::{RestRequest, json, problem_response, repository_problem, with_header};
use orders::{OrderId, OrderRepository, Owner};
use orders_api::{OrderView, PendingView, Problem};

/// Seconds until the next poll of an order without a record.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// Answers with the present state of an order.
///
/// # Responses
/// - 200: the order. Without a record of it: `PENDING` and `Retry-After`. It was accepted and is not processed yet, or
///   was never accepted.
/// - 400: the order id is malformed.
/// - 503: the database is over its limit. Safe to repeat.
/// - 500: an error of the deployment.
pub(crate) async fn handle<R: OrderRepository>(repository: &R, request: &RestRequest) -> Response<Body> {
    let (owner, id) = match parse(request) {
        Ok(parsed) => parsed,
        Err(problem) => return problem_response(request.id(), problem),
    };
    match repository.find(&owner, &id).await {
        Ok(Some(order)) => json(StatusCode::OK, &OrderView::from(&order)),
        Ok(None) => {
            let pending = json(StatusCode::OK, &PendingView::new(id.to_string()));
            with_header(pending, header::RETRY_AFTER, RETRY_AFTER)
        }
        Err(error) => problem_response(request.id(), repository_problem(&id, &error)),
    }
}

fn parse(request: &RestRequest) -> Result<(Owner, OrderId), Problem> {
    Ok((request.owner()?, request.order_id()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_support::http;
    use orders::{
        Order,
        fakes::{self, InMemoryOrders, Unavailable},
    };
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const FIXTURE: &str = include_str!("../tests/fixtures/apigw-rest-get.json");

    fn event() -> Value {
        http::fakes::event(FIXTURE, [])
    }

    async fn answer<R: OrderRepository>(repository: &R, event: &Value) -> (u16, Value, Response<Body>) {
        http::fakes::answer(event, async |request| handle(repository, request).await).await
    }

    #[tokio::test]
    async fn answers_with_a_recorded_order() {
        let orders = InMemoryOrders::default();
        orders.insert(Order { owner: fakes::owner("demo"), ..fakes::failed() });

        let (status, body, _) = answer(&orders, &event()).await;

        assert_eq!((status, &body["status"]), (200, &json!("FAILED")));
    }

    #[tokio::test]
    async fn answers_with_the_steps_of_an_order_of_the_bus_lane() {
        let orders = [fakes::placed(), fakes::confirmed_by_steps(), fakes::cancelled("no")];
        let mut answers = Vec::new();
        for order in orders {
            let stored = InMemoryOrders::default();
            stored.insert(Order { owner: fakes::owner("demo"), ..order });

            let (status, body, _) = answer(&stored, &event()).await;

            assert_eq!(status, 200);
            answers.push(format!("{} {}", body["status"], body["steps"][0]["state"]));
        }

        assert_eq!(answers, [r#""PLACED" "PENDING""#, r#""CONFIRMED" "DONE""#, r#""CANCELLED" "REFUSED""#]);
    }

    #[tokio::test]
    async fn answers_pending_with_retry_after_without_a_record() {
        let (status, body, response) = answer(&InMemoryOrders::default(), &event()).await;

        assert_eq!(status, 200);
        assert_eq!(body, json!({"orderId": "5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b", "status": "PENDING"}));
        assert_eq!(response.headers()["retry-after"], "1");
    }

    #[tokio::test]
    async fn answers_the_same_for_another_owners_order_and_an_unknown_one() {
        let orders = InMemoryOrders::default();
        orders.insert(fakes::failed());

        let (_, foreign, _) = answer(&orders, &event()).await;
        let (_, unknown, _) = answer(&InMemoryOrders::default(), &event()).await;

        assert_eq!(foreign, unknown);
    }

    #[tokio::test]
    async fn refuses_a_malformed_id_with_400() {
        let mut event = event();
        event["pathParameters"]["orderId"] = json!("1");

        assert_eq!(answer(&InMemoryOrders::default(), &event).await.0, 400);
    }

    #[tokio::test]
    async fn answers_503_with_retry_after_while_the_database_is_unavailable() {
        let (status, _, response) = answer(&Unavailable, &event()).await;

        assert_eq!(status, 503);
        assert_eq!(response.headers()["retry-after"], "1");
    }

    proptest! {
        #[test]
        fn no_request_makes_the_handler_panic(parameters in proptest::collection::hash_map(any::<String>(), any::<String>(), 0..3)) {
            let mut event = event();
            event["pathParameters"] = json!(parameters);
            let request = serde_json::from_value(event.clone()).expect("the event is one of API Gateway's");
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            let response = runtime.block_on(handle(&InMemoryOrders::default(), &request));
            prop_assert_eq!(response.status().as_u16(), 400);
        }
    }
}
