use event_bus::{Event, EventKind, EventPublisher, OrderedItems, PublishError};
use lambda_http::{
    Body, Response,
    http::{HeaderValue, StatusCode, header},
};
use lambda_support::{
    clock,
    http::{RestRequest, internal_error, invalid_order, json, order_content, problem, problem_response, with_header},
};
use orders::{ErrorChain, OrderContent, OrderId};
use orders_api::{Problem, SubmittedView};

/// Publishes the order of one request: see `docs/decisions/0031-sns-at-the-edge.md`.
///
/// # Responses
/// - 202: published. The message id, and the order's status URL as `Location`. The outcome follows there and on the
///   owner's sockets, including the rejection of an id that was used for a different order.
/// - 400: the order id or the body is not valid. Lists every violation in the body.
/// - 413, 415: the body is too large, or not JSON.
/// - 503: the topic is over its limit. Safe to repeat.
/// - 500: an error of the deployment.
pub(crate) async fn handle<P: EventPublisher>(submissions: &P, request: &RestRequest) -> Response<Body> {
    let event = match parse(request) {
        Ok(event) => event,
        Err(problem) => return problem_response(request.id(), problem),
    };
    let id = event.order_id;
    match submissions.publish(&event).await {
        Ok(message_id) => {
            tracing::info!(order.id = %id, "Submitted order {id}");
            let location = HeaderValue::try_from(format!("../../orders/{id}")).expect("a UUID is visible ASCII");
            let accepted = json(StatusCode::ACCEPTED, &SubmittedView::new(message_id));
            with_header(accepted, header::LOCATION, location)
        }
        Err(error) => problem_response(request.id(), publish_problem(&id, &error)),
    }
}

fn parse(request: &RestRequest) -> Result<Event, Problem> {
    let (order_id, owner, content) = (request.order_id()?, request.owner()?, order_content(request)?);
    content.check_for_bus().map_err(|violations| invalid_order(&violations))?;
    Ok(Event {
        order_id,
        owner,
        fingerprint: content.fingerprint(),
        occurred_at: request.received_at().unwrap_or_else(clock::now),
        kind: submitted(&content),
    })
}

fn submitted(content: &OrderContent) -> EventKind {
    EventKind::Submitted {
        order: OrderedItems { currency: content.currency(), items: content.items().to_vec() },
        note: content.note().map(|note| note.as_str().to_owned()),
    }
}

/// Logs the cause.
fn publish_problem(id: &OrderId, error: &PublishError) -> Problem {
    let cause = ErrorChain(error);
    if error.is_retryable() {
        let detail = "The order cannot be accepted right now. It is safe to repeat the request as it is.";
        let problem = problem(StatusCode::SERVICE_UNAVAILABLE, detail);
        tracing::warn!(
            order.id = %id, http.status = problem.status, error = %cause, "The topic is not available for order {id}"
        );
        problem
    } else {
        let problem = internal_error();
        tracing::error!(
            order.id = %id, http.status = problem.status, error = %cause, "The topic refused order {id}"
        );
        problem
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use event_bus::fakes::RecordingPublisher;
    use lambda_support::http;
    use orders::fakes;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const FIXTURE: &str = include_str!("../tests/fixtures/apigw-rest-put.json");

    fn event() -> Value {
        http::fakes::event(FIXTURE, [])
    }

    fn with(pointer: &str, value: Value) -> Value {
        http::fakes::event(FIXTURE, [(pointer, value)])
    }

    /// Each item has a different SKU.
    fn body(skus: usize) -> Value {
        let items: Vec<_> =
            (0..skus).map(|sku| json!({"sku": format!("SKU-{sku}"), "quantity": 1, "unitPriceMinor": 1})).collect();
        json!(json!({"currency": "EUR", "items": items}).to_string())
    }

    async fn answer<P: EventPublisher>(topic: &P, event: &Value) -> (u16, Value, Response<Body>) {
        http::fakes::answer(event, async |request| handle(topic, request).await).await
    }

    #[tokio::test]
    async fn publishes_the_order_and_answers_with_the_receipt_and_the_location() {
        let topic = RecordingPublisher::default();
        let order =
            r#"{"currency":"EUR","items":[{"sku":"SKU-1","quantity":2,"unitPriceMinor":1999}],"note":"ring twice"}"#;

        let (status, body, response) = answer(&topic, &with("/body", json!(order))).await;

        assert_eq!((status, body), (202, json!({"status": "SUBMITTED", "messageId": "0"})));
        assert_eq!(response.headers()["location"], "../../orders/5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b");
        let content = orders_api::parse_order_body(order.as_bytes()).expect("it is an order");
        let kind = EventKind::Submitted {
            order: OrderedItems { currency: content.currency(), items: content.items().to_vec() },
            note: Some("ring twice".to_owned()),
        };
        let published = Event {
            order_id: fakes::order_id(),
            owner: fakes::owner("demo"),
            fingerprint: content.fingerprint(),
            occurred_at: orders::Timestamp::parse("2026-11-22T09:30:00.123Z").expect("RFC 3339"),
            kind,
        };
        assert_eq!(topic.published(), [published]);
    }

    #[tokio::test]
    async fn accepts_at_most_99_different_skus() {
        let topic = RecordingPublisher::default();

        let (most, _, _) = answer(&topic, &with("/body", body(99))).await;
        let (too_many, problem, _) = answer(&topic, &with("/body", body(100))).await;

        assert_eq!((most, too_many), (202, 400));
        let detail = "must hold at most 99 different SKUs in the bus lane";
        assert_eq!(problem["errors"], json!([{"pointer": "/items", "detail": detail}]));
        assert_eq!(topic.published().len(), 1);
    }

    #[tokio::test]
    async fn does_not_publish_an_invalid_order() {
        let topic = RecordingPublisher::default();
        let wrong = [
            (with("/pathParameters/orderId", json!("order-1")), 400),
            (with("/body", json!("{}")), 400),
            (with("/headers/Content-Type", json!("text/plain")), 415),
            (with("/body", json!(" ".repeat(orders_api::MAX_BODY_BYTES + 1))), 413),
            (with("/requestContext/authorizer", json!({})), 500),
        ];
        for (event, expected) in wrong {
            assert_eq!(answer(&topic, &event).await.0, expected);
        }

        assert!(topic.published().is_empty());
    }

    #[tokio::test]
    async fn answers_503_with_retry_after_while_the_topic_is_not_available() {
        let (status, body, response) = answer(&RecordingPublisher::failing_first(1), &event()).await;

        assert_eq!(status, 503);
        assert_eq!(response.headers()["retry-after"], "1");
        assert!(!body.to_string().contains("no answer"), "only the log has the cause: {body}");
    }

    #[tokio::test]
    async fn answers_500_when_the_topic_refuses() {
        struct Refusing;
        impl EventPublisher for Refusing {
            async fn publish(&self, _: &Event) -> Result<String, PublishError> {
                Err(PublishError::Refused("not allowed".into()))
            }
        }

        let (status, body, _) = answer(&Refusing, &event()).await;

        assert_eq!(status, 500);
        assert!(!body.to_string().contains("not allowed"), "only the log has the cause: {body}");
    }

    proptest! {
        #[test]
        fn no_request_makes_the_handler_panic(event in http::fakes::any_request(FIXTURE)) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            let (status, _, _) = runtime.block_on(answer(&RecordingPublisher::default(), &event));
            prop_assert!((400..500).contains(&status));
        }
    }
}
