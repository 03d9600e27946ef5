use lambda_http::{
    Body, Response,
    http::{HeaderValue, StatusCode, header},
};
use lambda_support::{
    clock,
    http::{RestRequest, json, order_content, problem, problem_response, repository_problem, with_header},
};
use orders::{Lane, Order, OrderId, OrderRepository, PlaceOrder, PlaceOrderError, Placement, place_order};
use orders_api::{OrderView, Problem};

/// Places the order of one request.
///
/// # Responses
/// - 201: stored now. The order, and its status URL as `Location`.
/// - 200: the same order was stored before. Its present state: `CONFIRMED`, or `PLACED` by the bus lane.
/// - 400: the order id or the body is not valid. Lists every violation in the body.
/// - 409: the id was used for a different order, or the order was rejected or cancelled before.
/// - 413, 415: the body is too large, or not JSON.
/// - 503: the database is over its limit. Safe to repeat.
/// - 500: an error of the deployment.
pub(crate) async fn handle<R: OrderRepository>(repository: &R, request: &RestRequest) -> Response<Body> {
    let order = match parse(request) {
        Ok(order) => Order::from(order),
        Err(problem) => return problem_response(request.id(), problem),
    };
    let id = order.id;
    match place_order(repository, &order).await {
        Ok(Placement::Placed) => {
            tracing::info!(order.id = %id, "Confirmed order {id}");
            let location = HeaderValue::try_from(format!("../../orders/{id}")).expect("a UUID is visible ASCII");
            with_header(json(StatusCode::CREATED, &OrderView::from(&order)), header::LOCATION, location)
        }
        Ok(Placement::Repeated(order)) => {
            tracing::info!(order.id = %id, "Order {id} was stored before");
            json(StatusCode::OK, &OrderView::from(&order))
        }
        Err(error) => problem_response(request.id(), refusal(&id, &error)),
    }
}

fn parse(request: &RestRequest) -> Result<PlaceOrder, Problem> {
    let now = clock::now();
    Ok(PlaceOrder {
        id: request.order_id()?,
        owner: request.owner()?,
        lane: Lane::Sync,
        content: order_content(request)?,
        placed_at: request.received_at().unwrap_or(now),
        now,
        attempts: 1,
    })
}

/// Logs the reason once.
fn refusal(id: &OrderId, error: &PlaceOrderError) -> Problem {
    let detail = match error {
        PlaceOrderError::Conflict => "The order id was used before for a different order. Use a new UUID.".to_owned(),
        PlaceOrderError::RejectedBefore(reason) => format!("The order was rejected before: {reason}. Use a new UUID."),
        PlaceOrderError::CancelledBefore(order) => {
            format!("The order was cancelled before: {}. Use a new UUID.", order.reason().unwrap_or_default())
        }
        PlaceOrderError::Repository(error) => return repository_problem(id, error),
    };
    let problem = problem(StatusCode::CONFLICT, detail);
    tracing::info!(order.id = %id, http.status = problem.status, "Did not place order {id}");
    problem
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_support::http;
    use orders::{
        Outcome,
        fakes::{self, InMemoryOrders, Refusing, Unavailable},
    };
    use orders_api::MAX_BODY_BYTES;
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use std::{
        io::{self, Write},
        sync::{Mutex, Once},
    };

    /// The log of this process's tests, one JSON object a line.
    static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

    struct ToLog;

    impl Write for ToLog {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            LOG.lock().expect("no test panicked").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Every test calls this first: concurrent tests with and without a subscriber may lose events
    /// (<https://github.com/tokio-rs/tracing/issues/3611>).
    fn start_log() {
        static STARTED: Once = Once::new();
        STARTED.call_once(|| tracing_subscriber::fmt().json().flatten_event(true).with_writer(|| ToLog).init());
    }

    fn logged(order_id: &str) -> Vec<Value> {
        let log = LOG.lock().expect("no test panicked");
        let lines = str::from_utf8(&log).expect("a log is text").lines();
        let lines = lines.map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"));
        lines.filter(|line| line["order.id"] == order_id).collect()
    }

    const BODY: &str = r#"{"currency":"EUR","items":[{"sku":"SKU-1","quantity":2,"unitPriceMinor":1999}]}"#;

    const FIXTURE: &str = include_str!("../tests/fixtures/apigw-rest-put.json");

    fn event() -> Value {
        http::fakes::event(FIXTURE, [])
    }

    async fn answer<R: OrderRepository>(repository: &R, event: &Value) -> (u16, Value, Response<Body>) {
        start_log();
        http::fakes::answer(event, async |request| handle(repository, request).await).await
    }

    fn with(pointer: &str, value: Value) -> Value {
        http::fakes::event(FIXTURE, [(pointer, value)])
    }

    #[tokio::test]
    async fn answers_a_new_order_with_201_and_its_location() {
        let orders = InMemoryOrders::default();

        let (status, body, response) = answer(&orders, &event()).await;

        assert_eq!(status, 201);
        assert_eq!(body["status"], "CONFIRMED");
        assert_eq!(body["lane"], "sync");
        assert_eq!(body["totalMinor"], 3998);
        assert_eq!(body["placedAt"], "2026-11-22T09:30:00.123Z");
        assert_eq!(response.headers()["location"], "../../orders/5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b");
        assert_eq!(orders.all()[0].owner, fakes::owner("demo"));
    }

    #[tokio::test]
    async fn answers_a_repeat_with_200_and_the_same_order() {
        let orders = InMemoryOrders::default();

        let (_, first, _) = answer(&orders, &event()).await;
        let (status, second, _) = answer(&orders, &event()).await;

        assert_eq!((status, second), (200, first));
    }

    #[tokio::test]
    async fn answers_a_different_order_under_the_same_id_with_409() {
        let orders = InMemoryOrders::default();
        answer(&orders, &event()).await;

        let (status, body, response) = answer(&orders, &with("/body", json!(BODY.replace("SKU-1", "SKU-2")))).await;

        assert_eq!(status, 409);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!(body["requestId"], "c6af9ac6-7b61-11e6-9a41-93e8deadbeef");
        assert_eq!(orders.all().len(), 1);
    }

    #[tokio::test]
    async fn lists_every_violation_in_a_body() {
        let wrong =
            json!(r#"{"currency":"euro","items":[{"sku":"SKU-1","quantity":0,"unitPriceMinor":1}],"vip":true}"#);

        let (status, body, _) = answer(&InMemoryOrders::default(), &with("/body", wrong)).await;

        assert_eq!(status, 400);
        let errors = body["errors"].as_array().expect("violations are listed");
        let pointers: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().expect("a pointer")).collect();
        assert_eq!(pointers, ["/vip", "/currency", "/items/0/quantity"]);
    }

    #[tokio::test]
    async fn refuses_a_malformed_id_with_400() {
        let (status, body, _) =
            answer(&InMemoryOrders::default(), &with("/pathParameters/orderId", json!("order-1"))).await;

        assert_eq!(status, 400);
        assert!(body["detail"].as_str().expect("a detail").contains("UUID"), "{body}");
    }

    #[tokio::test]
    async fn accepts_only_json_in_any_spelling_of_its_media_type() {
        for media_type in ["application/json; charset=utf-8", "Application/JSON", "application/json;"] {
            let event = with("/headers/Content-Type", json!(media_type));
            assert_eq!(answer(&InMemoryOrders::default(), &event).await.0, 201, "{media_type}");
        }
        let event = with("/headers/Content-Type", json!("text/plain"));
        assert_eq!(answer(&InMemoryOrders::default(), &event).await.0, 415);
    }

    #[tokio::test]
    async fn accepts_a_body_of_1023_kib_and_refuses_a_larger_one() {
        let padded = |bytes: usize| json!(format!("{BODY}{}", " ".repeat(bytes - BODY.len())));

        let (largest, _, _) = answer(&InMemoryOrders::default(), &with("/body", padded(MAX_BODY_BYTES))).await;
        let (too_large, _, _) = answer(&InMemoryOrders::default(), &with("/body", padded(MAX_BODY_BYTES + 1))).await;

        assert_eq!((largest, too_large), (201, 413));
    }

    #[tokio::test]
    async fn answers_503_with_retry_after_while_the_database_is_unavailable() {
        let (status, body, response) = answer(&Unavailable, &event()).await;

        assert_eq!(status, 503);
        assert_eq!(response.headers()["retry-after"], "1");
        assert!(!body.to_string().contains("no answer"), "only the log has the cause: {body}");
    }

    #[tokio::test]
    async fn logs_why_an_order_was_not_placed_once() {
        let cases = [
            ("1d3a4f5e-0000-4000-8000-000000000001", "WARN", "The database could not serve a request for order "),
            ("1d3a4f5e-0000-4000-8000-000000000002", "ERROR", "The database refused a request for order "),
            ("1d3a4f5e-0000-4000-8000-000000000003", "INFO", "Did not place order "),
        ];
        let [unavailable, refusing, conflicting] = cases.map(|(id, _, _)| with("/pathParameters/orderId", json!(id)));
        let orders = InMemoryOrders::default();
        let taken = Order {
            owner: fakes::owner("demo"),
            id: OrderId::parse(cases[2].0).expect("a UUID"),
            outcome: Outcome::Rejected { reason: "too late".into() },
            ..fakes::failed()
        };
        orders.insert(taken);

        let statuses = [
            answer(&Unavailable, &unavailable).await.0,
            answer(&Refusing, &refusing).await.0,
            answer(&orders, &conflicting).await.0,
        ];

        assert_eq!(statuses, [503, 500, 409]);
        for ((id, level, message), status) in cases.into_iter().zip(statuses) {
            let [line] = &logged(id)[..] else { panic!("not one line: {:?}", logged(id)) };
            assert_eq!(
                (&line["level"], &line["message"], &line["http.status"]),
                (&json!(level), &json!(format!("{message}{id}")), &json!(status))
            );
        }
    }

    #[tokio::test]
    async fn answers_500_if_the_authorizer_does_not_name_the_owner() {
        assert_eq!(answer(&InMemoryOrders::default(), &with("/requestContext/authorizer", json!({}))).await.0, 500);
    }

    #[tokio::test]
    async fn reads_the_owner_only_from_the_authorizers_context() {
        let orders = InMemoryOrders::default();
        let mut event = event();
        event["stageVariables"] = json!({"owner": "mallory"});
        event["headers"]["owner"] = json!("mallory");
        event["multiValueHeaders"]["owner"] = json!(["mallory"]);
        event["queryStringParameters"] = json!({"owner": "mallory"});
        event["pathParameters"]["owner"] = json!("mallory");

        answer(&orders, &event).await;

        assert_eq!(orders.all()[0].owner, fakes::owner("demo"));
    }

    #[tokio::test]
    async fn answers_an_order_that_was_rejected_before_with_409() {
        let orders = InMemoryOrders::default();
        let rejected = Order {
            owner: fakes::owner("demo"),
            outcome: Outcome::Rejected { reason: "too late".into() },
            ..fakes::failed()
        };
        orders.insert(rejected);

        let (status, body, _) = answer(&orders, &event()).await;

        assert_eq!(status, 409);
        assert!(body["detail"].as_str().expect("a detail").contains("too late"), "{body}");
    }

    #[tokio::test]
    async fn answers_an_order_of_the_bus_lane_with_its_present_state_and_a_cancelled_one_with_409() {
        let of_demo = |order| Order { owner: fakes::owner("demo"), ..order };
        let orders = [fakes::placed(), fakes::confirmed_by_steps(), fakes::cancelled("2 ordered, 1 left")].map(of_demo);
        let mut answers = Vec::new();
        for order in orders {
            let stored = InMemoryOrders::default();
            stored.insert(order.clone());

            let (status, body, _) = answer(&stored, &event()).await;

            assert_eq!(stored.all(), [order]);
            answers.push((status, body));
        }

        let [(placed, order), (confirmed, _), (cancelled, problem)] = &answers[..] else { panic!("three answers") };
        assert_eq!((placed, confirmed, cancelled), (&200, &200, &409));
        assert_eq!((&order["status"], &order["lane"]), (&json!("PLACED"), &json!("bus")));
        assert!(problem["detail"].as_str().expect("a detail").contains("2 ordered, 1 left"), "{problem}");
    }

    proptest! {
        #[test]
        fn no_request_makes_the_handler_panic(event in http::fakes::any_request(FIXTURE)) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            let (status, _, _) = runtime.block_on(answer(&InMemoryOrders::default(), &event));
            prop_assert!((400..500).contains(&status));
        }
    }
}
