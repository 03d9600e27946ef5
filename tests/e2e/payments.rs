//! Payments, a synchronous use case: the answer is the outcome.
//!
//! Tests run concurrently and share accounts, so each uses a different currency.

use futures_util::future::join_all;
use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::{Value, json};
use testkit::{
    api_client::{ApiClient, Response, send, url},
    order_bodies::{new_id, new_sku, order_in},
    services::account,
    stack::{OWNER, Stack},
};

async fn put_bytes(api: &ApiClient, id: &str, body: impl Into<String>) -> Response {
    let request = api.request(Method::PUT, &format!("payments/{id}")).header(CONTENT_TYPE, "application/json");
    send(request.body(body.into())).await
}

async fn get(api: &ApiClient, id: &str) -> Response {
    send(api.request(Method::GET, &format!("payments/{id}"))).await
}

async fn balance(stack: &Stack, currency: &str) -> i64 {
    stack.available("payment", &account(OWNER, currency)).await.unwrap_or_default()
}

#[tokio::test]
async fn captures_a_payment_once_and_answers_its_repeat_with_the_same_payment() {
    let (api, stack, id) = (ApiClient::new(), Stack::from_env().await, new_id());
    stack.add_money(OWNER, "AUD", 5000).await;
    let before = balance(&stack, "AUD").await;

    let created = api.put_payment(&id, "AUD", 3998).await;
    let repeated = api.put_payment(&id, "AUD", 3998).await;

    assert_eq!((created.status, repeated.status), (201, 200), "{created:?} {repeated:?}");
    for (name, value) in [
        ("paymentId", json!(id)),
        ("status", json!("CAPTURED")),
        ("currency", json!("AUD")),
        ("amountMinor", json!(3998)),
    ] {
        assert_eq!(created.body[name], value, "{name}");
    }
    assert!(created.body["createdAt"].as_str().is_some_and(|time| time.ends_with('Z')), "{created:?}");
    assert_eq!(repeated.body, created.body);
    assert_eq!(get(&api, &id).await.body, created.body);
    let location = url(&format!("payments/{id}")).join(created.header("location")).unwrap();
    assert_eq!(location, url(&format!("payments/{id}")));
    assert_eq!(balance(&stack, "AUD").await, before - 3998);
}

#[tokio::test]
async fn declines_a_payment_that_the_account_does_not_cover_for_good_without_revealing_the_balance() {
    let (api, stack, id) = (ApiClient::new(), Stack::from_env().await, new_id());
    stack.add_money(OWNER, "NZD", 777).await;
    let before = balance(&stack, "NZD").await;
    let amount = before + 1;

    let declined = api.put_payment(&id, "NZD", amount).await;
    stack.add_money(OWNER, "NZD", 1_000_000).await;
    let repeated = api.put_payment(&id, "NZD", amount).await;

    let reason = format!("the account does not cover NZD {}.{:02}", amount / 100, amount % 100);
    for response in [&declined, &repeated] {
        let problem = response.problem(402);
        assert!(problem.detail.contains(&reason), "{problem:?}");
    }
    let shown = get(&api, &id).await;
    assert_eq!((shown.status, &shown.body["status"], &shown.body["reason"]), (200, &json!("DECLINED"), &json!(reason)));
    assert_eq!(balance(&stack, "NZD").await, before + 1_000_000);
}

#[tokio::test]
async fn refuses_another_payment_under_the_same_id_with_409_and_keeps_the_first() {
    let (api, stack, id) = (ApiClient::new(), Stack::from_env().await, new_id());
    stack.add_money(OWNER, "CAD", 1000).await;
    let first = api.put_payment(&id, "CAD", 100).await;
    let before = balance(&stack, "CAD").await;

    api.put_payment(&id, "CAD", 101).await.problem(409);
    api.put_payment(&id, "SGD", 100).await.problem(409);

    assert_eq!(get(&api, &id).await.body, first.body);
    assert_eq!(balance(&stack, "CAD").await, before);
}

#[tokio::test]
async fn takes_a_payment_once_that_is_sent_ten_times_at_once() {
    const TIMES: usize = 10;
    let (api, stack, id) = (ApiClient::new(), Stack::from_env().await, new_id());
    stack.add_money(OWNER, "ZAR", 1000).await;
    let before = balance(&stack, "ZAR").await;

    let responses = join_all((0..TIMES).map(|_| api.put_payment(&id, "ZAR", 100))).await;

    let count = |status: u16| responses.iter().filter(|response| response.status == status).count();
    assert_eq!((count(201), count(200)), (1, TIMES - 1), "{responses:?}");
    assert!(responses.iter().all(|response| response.body == responses[0].body), "{responses:?}");
    assert_eq!(balance(&stack, "ZAR").await, before - 100);
}

#[tokio::test]
async fn never_overdraws_an_account() {
    const COVERED: i64 = 3;
    let (api, stack) = (ApiClient::new(), Stack::from_env().await);
    stack.add_money(OWNER, "MXN", 300).await;
    let (before, amount) = (balance(&stack, "MXN").await, 100);
    // An earlier run may have left money there.
    let covered = usize::try_from(before / amount).unwrap();
    assert!(before / amount >= COVERED);
    let ids: Vec<_> = (0..covered + 7).map(|_| new_id()).collect();

    let responses = join_all(ids.iter().map(|id| api.put_payment(id, "MXN", amount))).await;

    let count = |status: u16| responses.iter().filter(|response| response.status == status).count();
    assert_eq!((count(201), count(402)), (covered, 7), "{responses:?}");
    assert_eq!(balance(&stack, "MXN").await, before % amount);
}

#[tokio::test]
async fn lists_everything_that_is_wrong_by_pointer() {
    let (api, id) = (ApiClient::new(), new_id());
    let cases: [(Value, &[&str]); 9] = [
        (json!({}), &["/amountMinor", "/currency"]),
        (json!([]), &[""]),
        (json!({"currency": "EUR", "amountMinor": 0}), &["/amountMinor"]),
        (json!({"currency": "EUR", "amountMinor": 1_000_000_000_000_001_i64}), &["/amountMinor"]),
        (json!({"currency": "EUR", "amountMinor": "1"}), &["/amountMinor"]),
        (json!({"currency": "EUR", "amountMinor": 1.5}), &["/amountMinor"]),
        (json!({"currency": "ABC", "amountMinor": 1}), &["/currency"]),
        (json!({"currency": 7, "amountMinor": -1}), &["/amountMinor", "/currency"]),
        (json!({"currency": "EUR", "amountMinor": 1, "payer": "mallory"}), &["/payer"]),
    ];

    for (body, expected) in cases {
        let problem = put_bytes(&api, &id, body.to_string()).await.problem(400);

        let mut pointers: Vec<_> = problem.errors.iter().map(|error| error.pointer.as_str()).collect();
        pointers.sort_unstable();
        assert_eq!(pointers, expected, "{body}: {problem:?}");
    }
    for text in ["", "{", r#"{"currency":"EUR","currency":"USD","amountMinor":1}"#] {
        put_bytes(&api, &id, text).await.problem(400);
    }
    api.put_payment("payment-1", "EUR", 1).await.problem(400);
    get(&api, "payment-1").await.problem(400);
    get(&api, &id).await.problem(404);
}

#[tokio::test]
async fn refuses_other_methods_and_media_types() {
    let (api, path) = (ApiClient::new(), format!("payments/{}", new_id()));

    for method in [Method::POST, Method::DELETE, Method::PATCH] {
        let response = send(api.request(method, &path).header(CONTENT_TYPE, "application/json").body("{}")).await;
        response.problem(405);
        assert_eq!(response.header("allow"), "GET, OPTIONS, PUT");
    }
    let other = api.request(Method::PUT, &path).header(CONTENT_TYPE, "text/plain");
    send(other.body(r#"{"currency":"EUR","amountMinor":1}"#)).await.problem(415);
}

#[tokio::test]
async fn a_payment_belongs_to_its_owner_and_is_paid_from_their_account() {
    let (stack, id) = (Stack::from_env().await, new_id());
    let (api, mallory) = (ApiClient::new(), ApiClient::for_user("mallory"));
    stack.add_money(OWNER, "ILS", 100).await;
    let captured = api.put_payment(&id, "ILS", 100).await;
    let before = balance(&stack, "ILS").await;

    get(&mallory, &id).await.problem(404);
    let theirs = mallory.put_payment(&id, "ILS", 900_000_000_000).await;

    assert_eq!(captured.status, 201, "{captured:?}");
    theirs.problem(402);
    assert_eq!(get(&api, &id).await.body, captured.body);
    assert_eq!(balance(&stack, "ILS").await, before);
}

#[tokio::test]
async fn a_payment_never_pays_for_the_order_with_the_same_id() {
    let (api, stack, id, sku) = (ApiClient::new(), Stack::from_env().await, new_id(), new_sku());
    let order = order_in("KRW", &[(&sku, 1, 100)]);
    stack.supply(OWNER, &order).await;
    stack.add_money(OWNER, "KRW", 100).await;
    let before = balance(&stack, "KRW").await;

    let captured = api.put_payment(&id, "KRW", 100).await;
    api.put("bus", &id, &order).await;

    assert_eq!(captured.status, 201, "{captured:?}");
    assert_eq!(api.settled(&id).await["status"], "CONFIRMED");
    assert_eq!(balance(&stack, "KRW").await, before - 200);
    assert_eq!(get(&api, &id).await.body, captured.body);
}
