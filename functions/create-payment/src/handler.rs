use holds::HoldRepository;
use lambda_http::{
    Body, Response,
    http::{HeaderValue, StatusCode, header},
};
use lambda_support::{
    clock,
    http::{
        Problem, Resource, RestRequest, invalid_body, json, problem, problem_response, repository_problem, with_header,
    },
};
use payments::{Amount, Capture, PaymentId, capture_payment};
use payments_api::{MAX_BODY_BYTES, PaymentView, parse_payment_body};

/// Takes the payment of one request.
///
/// # Responses
/// - 201: captured now. The payment, and its URL as `Location`.
/// - 200: the same payment was captured before. The stored payment.
/// - 400: the payment id or the body is not valid. Lists every violation in the body.
/// - 402: the account does not cover the amount. The payment stays declined.
/// - 409: the id was used for another amount or currency.
/// - 413, 415: the body is too large, or not JSON.
/// - 503: the database is over its limit. Safe to repeat.
/// - 500: an error of the deployment.
pub(crate) async fn handle<R: HoldRepository>(holds: &R, request: &RestRequest) -> Response<Body> {
    answer(holds, request).await.unwrap_or_else(|problem| problem_response(request.id(), problem))
}

async fn answer<R: HoldRepository>(holds: &R, request: &RestRequest) -> Result<Response<Body>, Problem> {
    let owner = request.owner()?;
    let id = payment_id(request)?;
    let amount = amount(request)?;
    let now = request.received_at().unwrap_or_else(clock::now);

    let captured = capture_payment(holds, &owner, id, amount, now).await;
    match captured.map_err(|error| repository_problem(Resource::Payment(&id), &error))? {
        Capture::Captured(payment) => {
            tracing::info!(payment.id = %id, "Captured payment {id}");
            let location = HeaderValue::try_from(format!("../payments/{id}")).expect("a UUID is visible ASCII");
            Ok(with_header(json(StatusCode::CREATED, &PaymentView::from(&payment)), header::LOCATION, location))
        }
        Capture::Repeated(payment) => {
            tracing::info!(payment.id = %id, "Payment {id} was captured before");
            Ok(json(StatusCode::OK, &PaymentView::from(&payment)))
        }
        Capture::Declined(reason) => {
            let detail = format!("The payment is declined: {reason}. To try again, use a new UUID.");
            Err(refusal(id, StatusCode::PAYMENT_REQUIRED, detail))
        }
        Capture::Conflict => {
            let detail = "The payment id was used before for another amount or currency. Use a new UUID.";
            Err(refusal(id, StatusCode::CONFLICT, detail.to_owned()))
        }
    }
}

fn payment_id(request: &RestRequest) -> Result<PaymentId, Problem> {
    PaymentId::parse(request.path_parameter("paymentId"))
        .map_err(|error| problem(StatusCode::BAD_REQUEST, format!("The payment id in the path {error}.")))
}

fn amount(request: &RestRequest) -> Result<Amount, Problem> {
    let body = request.json_body("payment", MAX_BODY_BYTES)?;
    parse_payment_body(&body).map_err(|violations| invalid_body("payment", &violations))
}

/// Logs the reason once.
fn refusal(id: PaymentId, status: StatusCode, detail: String) -> Problem {
    tracing::info!(payment.id = %id, http.status = status.as_u16(), "Did not capture payment {id}");
    problem(status, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use holds::fakes::{Failing, InMemoryHolds};
    use lambda_support::http;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const ID: &str = "0d9c3f52-7d43-4c0a-8a5e-1f2e3d4c5b6a";

    const FIXTURE: &str = include_str!("../tests/fixtures/apigw-rest-put.json");

    fn event() -> Value {
        http::fakes::event(FIXTURE, [])
    }

    fn with(pointer: &str, value: Value) -> Value {
        http::fakes::event(FIXTURE, [(pointer, value)])
    }

    async fn answer<R: HoldRepository>(holds: &R, event: &Value) -> (u16, Value, Response<Body>) {
        http::fakes::answer(event, async |request| handle(holds, request).await).await
    }

    #[tokio::test]
    async fn answers_a_new_payment_with_201_and_its_location() {
        let holds = InMemoryHolds::with([("demo#EUR", 5000)]);

        let (status, body, response) = answer(&holds, &event()).await;

        let expected = json!({
            "paymentId": ID, "status": "CAPTURED", "currency": "EUR", "amountMinor": 3998,
            "createdAt": "2026-11-22T09:30:00.123Z",
        });
        assert_eq!((status, body), (201, expected));
        assert_eq!(response.headers()["location"], format!("../payments/{ID}"));
        assert_eq!(holds.counter("demo#EUR"), Some(1002));
    }

    #[tokio::test]
    async fn answers_a_repeat_with_200_and_the_same_payment() {
        let holds = InMemoryHolds::with([("demo#EUR", 5000)]);

        let (_, first, _) = answer(&holds, &event()).await;
        let (status, second, _) =
            answer(&holds, &with("/requestContext/requestTimeEpoch", json!(1_795_339_900_000_i64))).await;

        assert_eq!((status, second), (200, first));
        assert_eq!(holds.counter("demo#EUR"), Some(1002));
    }

    #[tokio::test]
    async fn answers_402_without_the_balance_and_again_after_money_is_added() {
        let holds = InMemoryHolds::with([("demo#EUR", 1234)]);

        let (first, body, response) = answer(&holds, &event()).await;
        holds.set("demo#EUR", 5000);
        let (second, _, _) = answer(&holds, &event()).await;

        assert_eq!((first, second), (402, 402));
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let detail = body["detail"].as_str().expect("a detail");
        assert!(detail.contains("the account does not cover EUR 39.98"), "{detail}");
        assert!(!body.to_string().contains("1234") && !body.to_string().contains("12.34"), "{body}");
        assert_eq!(body["title"], "Payment Required");
    }

    #[tokio::test]
    async fn answers_another_amount_under_the_same_id_with_409() {
        let holds = InMemoryHolds::with([("demo#EUR", 5000)]);
        answer(&holds, &event()).await;

        let other = with("/body", json!(r#"{"currency":"EUR","amountMinor":1}"#));

        assert_eq!(answer(&holds, &other).await.0, 409);
        assert_eq!(holds.counter("demo#EUR"), Some(1002));
    }

    #[tokio::test]
    async fn lists_every_violation_in_a_body() {
        let wrong = with("/body", json!(r#"{"currency":"euro","amountMinor":0,"tip":1}"#));

        let (status, body, _) = answer(&InMemoryHolds::default(), &wrong).await;

        assert_eq!(status, 400);
        let errors = body["errors"].as_array().expect("violations are listed");
        let pointers: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().expect("a pointer")).collect();
        assert_eq!(pointers, ["/tip", "/currency", "/amountMinor"]);
    }

    #[tokio::test]
    async fn refuses_a_malformed_id_another_media_type_and_a_large_body() {
        let padded = format!(r#"{{"currency":"EUR","amountMinor":1}}{}"#, " ".repeat(MAX_BODY_BYTES));
        for (pointer, value, expected) in [
            ("/pathParameters/paymentId", json!("payment-1"), 400),
            ("/headers/Content-Type", json!("text/plain"), 415),
            ("/body", json!(padded), 413),
            ("/requestContext/authorizer", json!({}), 500),
        ] {
            let (status, _, _) = answer(&InMemoryHolds::default(), &with(pointer, value)).await;

            assert_eq!(status, expected, "{pointer}");
        }
    }

    #[tokio::test]
    async fn answers_503_with_retry_after_while_the_database_is_unavailable() {
        let (status, body, response) = answer(&Failing::Unavailable, &event()).await;

        assert_eq!(status, 503);
        assert_eq!(response.headers()["retry-after"], "1");
        assert!(!body.to_string().contains("no answer"), "only the log has the cause: {body}");
        assert_eq!(answer(&Failing::Refusing, &event()).await.0, 500);
    }

    #[tokio::test]
    async fn reads_the_account_only_from_the_authorizers_context() {
        let holds = InMemoryHolds::with([("demo#EUR", 5000), ("mallory#EUR", 5000)]);
        let mut event = event();
        event["headers"]["owner"] = json!("mallory");
        event["queryStringParameters"] = json!({"owner": "mallory"});
        event["pathParameters"]["owner"] = json!("mallory");

        answer(&holds, &event).await;

        assert_eq!(holds.counter("mallory#EUR"), Some(5000));
    }

    proptest! {
        #[test]
        fn no_request_makes_the_handler_panic(event in http::fakes::any_request(FIXTURE)) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            let (status, _, _) = runtime.block_on(answer(&InMemoryHolds::default(), &event));
            prop_assert!((400..500).contains(&status));
        }
    }
}
