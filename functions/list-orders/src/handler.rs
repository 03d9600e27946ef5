use lambda_http::{Body, Response, http::StatusCode};
use lambda_support::http::{Problem, Resource, RestRequest, json, problem, problem_response, repository_problem};
use orders::{OrderIndex, OrderListQuery, PageLimit, Timestamp};
use orders_api::{OrderListView, parse_cursor};

/// Answers with one page of the caller's orders, newest first.
///
/// # Responses
/// - 200: the orders, and `next` if another page follows.
/// - 400: `limit`, `since` or `next` is not valid.
/// - 404: the stack was deployed without the index.
/// - 503: the database is over its limit. Safe to repeat.
/// - 500: an error of the deployment.
pub(crate) async fn handle<I: OrderIndex>(index: Option<&I>, request: &RestRequest) -> Response<Body> {
    answer(index, request).await.unwrap_or_else(|problem| problem_response(request.id(), problem))
}

async fn answer<I: OrderIndex>(index: Option<&I>, request: &RestRequest) -> Result<Response<Body>, Problem> {
    let wanted = parse(request)?;
    let index = index.ok_or_else(|| {
        let detail = "This stack does not list orders: it was deployed with OrderListing=none. Get each order with \
                      GET /orders/{orderId}.";
        problem(StatusCode::NOT_FOUND, detail)
    })?;
    let page = index.list(&wanted).await.map_err(|error| repository_problem(Resource::OrderList, &error))?;
    Ok(json(StatusCode::OK, &OrderListView::new(&wanted, &page)))
}

fn parse(request: &RestRequest) -> Result<OrderListQuery, Problem> {
    let owner = request.owner()?;
    let mut wrong = Vec::new();
    let limit = request.query_parameter("limit").map_or(Some(PageLimit::DEFAULT), PageLimit::parse);
    if limit.is_none() {
        wrong.push(format!("limit must be a whole number from 1 to {}.", PageLimit::MAX));
    }
    let since = request.query_parameter("since").map(Timestamp::parse).transpose();
    if let Err(rule) = since {
        wrong.push(format!("since {rule}, with + written as %2B."));
    }
    let since = since.ok().flatten();
    let after = request.query_parameter("next").map(|text| parse_cursor(text, &owner, since));
    if after == Some(None) {
        wrong.push("next must be the value from an earlier page of your list, with the same since.".to_owned());
    }
    match limit {
        Some(limit) if wrong.is_empty() => Ok(OrderListQuery { owner, since, after: after.flatten(), limit }),
        _ => Err(problem(StatusCode::BAD_REQUEST, wrong.join(" "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_support::http;
    use orders::{
        Order, OrderId,
        fakes::{self, InMemoryOrders, Unavailable},
    };
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const FIXTURE: &str = include_str!("../tests/fixtures/apigw-rest-get.json");

    fn event(query: &Value) -> Value {
        let mut event = http::fakes::event(FIXTURE, []);
        event["queryStringParameters"] = query.clone();
        event
    }

    async fn answer<I: OrderIndex>(index: Option<&I>, query: &Value) -> (u16, Value, Response<Body>) {
        http::fakes::answer(&event(query), async |request| handle(index, request).await).await
    }

    fn id(number: u16) -> String {
        format!("5f0c1b0e-6a54-4a2e-9d0b-{number:012}")
    }

    /// Orders of demo, and the same of alice. Order N was placed in second N, or N - 1 if N is odd.
    fn orders(numbers: impl IntoIterator<Item = u16>) -> InMemoryOrders {
        let orders = InMemoryOrders::default();
        for number in numbers {
            for owner in ["demo", "alice"] {
                let (id, owner) = (OrderId::parse(&id(number)).expect("a UUID"), fakes::owner(owner));
                orders.insert(Order { id, owner, placed_at: fakes::moment(number & !1), ..fakes::failed() });
            }
        }
        orders
    }

    fn ids(body: &Value) -> Vec<String> {
        let orders = body["orders"].as_array().expect("a list").iter();
        orders.map(|order| order["orderId"].as_str().expect("an id").to_owned()).collect()
    }

    #[tokio::test]
    async fn lists_the_callers_orders_newest_first_a_page_at_a_time() {
        let orders = orders(0..45);
        let (mut query, mut pages) = (Value::Null, Vec::new());
        loop {
            let (status, body, _) = answer(Some(&orders), &query).await;
            assert_eq!(status, 200, "{body}");
            pages.push(ids(&body));
            match &body["next"] {
                Value::Null => break,
                next => query = json!({"next": next}),
            }
        }

        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [20, 20, 5]);
        assert_eq!(pages.concat(), (0..45).rev().map(id).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn applies_limit_and_since() {
        let orders = orders(0..10);
        let query = json!({"limit": "3", "since": "2026-01-01T01:00:06+01:00"});

        let (_, first, _) = answer(Some(&orders), &query).await;
        let query = json!({"limit": "3", "since": "2026-01-01T00:00:06Z", "next": first["next"]});
        let (_, second, _) = answer(Some(&orders), &query).await;

        assert_eq!((ids(&first), ids(&second)), (vec![id(9), id(8), id(7)], vec![id(6)]));
        assert_eq!(second["next"], Value::Null);
    }

    #[tokio::test]
    async fn answers_an_empty_list_without_orders() {
        assert_eq!(answer(Some(&InMemoryOrders::default()), &Value::Null).await.1, json!({"orders": []}));
    }

    #[tokio::test]
    async fn reports_everything_that_is_wrong_with_the_query() {
        let orders = orders(0..3);
        let cases = [
            (json!({"limit": "0"}), "limit must be a whole number from 1 to 100."),
            (
                json!({"since": "yesterday"}),
                "since must be an RFC 3339 date and time from year 0 to 9999, with + written as %2B.",
            ),
            (
                json!({"next": "1.2.3", "limit": "1000"}),
                "limit must be a whole number from 1 to 100. next must be the value from an earlier page of your list, with the \
                 same since.",
            ),
        ];
        for (query, detail) in cases {
            let (status, body, _) = answer(Some(&orders), &query).await;
            assert_eq!((status, &body["detail"]), (400, &json!(detail)), "{query}");
        }
    }

    #[tokio::test]
    async fn refuses_a_cursor_of_another_owner_or_of_another_since() {
        let orders = orders(0..3);
        let (_, page, _) = answer(Some(&orders), &json!({"limit": "1"})).await;
        let mut event = event(&json!({"next": page["next"]}));
        event["requestContext"]["authorizer"]["owner"] = json!("alice");

        let (alices, ..) = http::fakes::answer(&event, async |request| handle(Some(&orders), request).await).await;
        let (other, ..) = answer(Some(&orders), &json!({"next": page["next"], "since": "2026-01-01T00:00:00Z"})).await;

        assert_eq!((alices, other), (400, 400));
    }

    #[tokio::test]
    async fn answers_404_if_the_stack_has_no_index() {
        let (status, body, _) = answer(None::<&InMemoryOrders>, &Value::Null).await;

        assert_eq!(status, 404);
        assert!(body["detail"].as_str().is_some_and(|detail| detail.contains("OrderListing=none")), "{body}");
    }

    #[tokio::test]
    async fn answers_503_with_retry_after_while_the_database_is_unavailable() {
        let (status, _, response) = answer(Some(&Unavailable), &Value::Null).await;

        assert_eq!(status, 503);
        assert_eq!(response.headers()["retry-after"], "1");
    }

    proptest! {
        #[test]
        fn no_request_makes_the_handler_panic(
            query in proptest::collection::hash_map("limit|next|since", any::<String>(), 1..4),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            let (status, ..) = runtime.block_on(answer(Some(&InMemoryOrders::default()), &json!(query)));
            prop_assert!(status == 400 || status == 200);
        }
    }
}
