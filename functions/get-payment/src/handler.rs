use holds::HoldRepository;
use lambda_http::{Body, Response, http::StatusCode};
use lambda_support::http::{Problem, Resource, RestRequest, json, problem, problem_response, repository_problem};
use payments::{PaymentId, find_payment};
use payments_api::PaymentView;
use shared_kernel::Owner;

/// Answers with a payment.
///
/// # Responses
/// - 200: the payment, `CAPTURED`, or `DECLINED` with the reason.
/// - 400: the payment id is malformed.
/// - 404: the caller has no payment with that id.
/// - 503: the database is over its limit. Safe to repeat.
/// - 500: an error of the deployment.
pub(crate) async fn handle<R: HoldRepository>(holds: &R, request: &RestRequest) -> Response<Body> {
    let (owner, id) = match parse(request) {
        Ok(parsed) => parsed,
        Err(problem) => return problem_response(request.id(), problem),
    };
    match find_payment(holds, &owner, id).await {
        Ok(Some(payment)) => json(StatusCode::OK, &PaymentView::from(&payment)),
        Ok(None) => {
            let detail = "You have no payment with this id.";
            problem_response(request.id(), problem(StatusCode::NOT_FOUND, detail))
        }
        Err(error) => problem_response(request.id(), repository_problem(Resource::Payment(&id), &error)),
    }
}

fn parse(request: &RestRequest) -> Result<(Owner, PaymentId), Problem> {
    let id = PaymentId::parse(request.path_parameter("paymentId"))
        .map_err(|error| problem(StatusCode::BAD_REQUEST, format!("The payment id in the path {error}.")))?;
    Ok((request.owner()?, id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use holds::fakes::{self, Failing, InMemoryHolds};
    use lambda_support::http;
    use payments::{Amount, capture_payment};
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use shared_kernel::Currency;

    const ID: &str = "0d9c3f52-7d43-4c0a-8a5e-1f2e3d4c5b6a";

    const FIXTURE: &str = include_str!("../tests/fixtures/apigw-rest-get.json");

    fn event() -> Value {
        http::fakes::event(FIXTURE, [])
    }

    async fn answer<R: HoldRepository>(holds: &R, event: &Value) -> (u16, Value, Response<Body>) {
        http::fakes::answer(event, async |request| handle(holds, request).await).await
    }

    /// Requests a payment of 39.98 EUR.
    async fn pay(holds: &InMemoryHolds, owner: &str) {
        let amount = Amount::new(Currency::parse("EUR").expect("a currency"), 3998).expect("in range");
        let owner = Owner::parse(owner).expect("visible ASCII");
        let id = PaymentId::parse(ID).expect("a UUID");
        capture_payment(holds, &owner, id, amount, fakes::moment()).await.expect("in memory");
    }

    #[tokio::test]
    async fn answers_with_a_captured_payment() {
        let holds = InMemoryHolds::with([("demo#EUR", 5000)]);
        pay(&holds, "demo").await;

        let (status, body, _) = answer(&holds, &event()).await;

        let expected = json!({
            "paymentId": ID, "status": "CAPTURED", "currency": "EUR", "amountMinor": 3998,
            "createdAt": "2026-11-30T10:00:00.000Z",
        });
        assert_eq!((status, body), (200, expected));
    }

    #[tokio::test]
    async fn answers_with_a_declined_payment_and_its_reason() {
        let holds = InMemoryHolds::default();
        pay(&holds, "demo").await;

        let (status, body, _) = answer(&holds, &event()).await;

        assert_eq!((status, &body["status"]), (200, &json!("DECLINED")));
        assert_eq!(body["reason"], "the account does not cover EUR 39.98");
    }

    #[tokio::test]
    async fn answers_404_for_an_unknown_payment_and_for_another_owners() {
        let holds = InMemoryHolds::with([("alice#EUR", 5000)]);
        pay(&holds, "alice").await;

        let (foreign_status, foreign, _) = answer(&holds, &event()).await;
        let (unknown_status, unknown, _) = answer(&InMemoryHolds::default(), &event()).await;

        assert_eq!((foreign_status, foreign), (404, unknown));
        assert_eq!(unknown_status, 404);
    }

    #[tokio::test]
    async fn refuses_a_malformed_id_with_400() {
        let mut event = event();
        event["pathParameters"]["paymentId"] = json!("1");

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
        fn no_request_makes_the_handler_panic(parameters in proptest::collection::hash_map(any::<String>(), any::<String>(), 0..3)) {
            let mut event = event();
            event["pathParameters"] = json!(parameters);
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            let (status, _, _) = runtime.block_on(answer(&InMemoryHolds::default(), &event));
            prop_assert_eq!(status, 400);
        }
    }
}
