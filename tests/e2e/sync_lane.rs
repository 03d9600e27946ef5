//! The sync lane and the status service, and what both refuse.

use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::{Value, json};
use testkit::{
    api_client::{ApiClient, LANES, send, url},
    order_bodies::{new_id, order_of},
    stack::{OWNER, Stack},
};

#[tokio::test]
async fn answers_a_new_order_with_201_and_its_repeat_with_200_and_the_same_order() {
    let (api, id) = (ApiClient::new(), new_id());

    let first = api.put("sync", &id, &order_of("SKU-1")).await;
    let second = api.put("sync", &id, &order_of("SKU-1")).await;

    assert_eq!((first.status, second.status), (201, 200), "{first:?} {second:?}");
    assert_eq!(first.body, second.body);
    let fixed = json!({
        "orderId": id, "status": "CONFIRMED", "lane": "sync", "currency": "EUR", "totalMinor": 3998, "attempts": 1,
        "items": [{"sku": "SKU-1", "quantity": 2, "unitPriceMinor": 1999}],
    });
    for (name, value) in fixed.as_object().unwrap() {
        assert_eq!(&first.body[name], value, "{name}");
    }
}

#[tokio::test]
async fn location_leads_to_the_order() {
    let (api, stack) = (ApiClient::new(), Stack::from_env().await);

    for lane in LANES {
        let id = new_id();
        stack.supply(OWNER, &order_of("SKU-1")).await;
        let placed = api.put(lane, &id, &order_of("SKU-1")).await;

        let location = url(&format!("{lane}/orders/{id}")).join(placed.header("location")).unwrap();
        let path = location.as_str().strip_prefix(url("").as_str()).expect("it is below the URL of the API");
        let stored = api.settled(&id).await;
        let found = send(api.request(Method::GET, path)).await;
        assert_eq!((found.status, &found.body), (200, &stored), "{lane}");
        assert_eq!(found.body["status"], "CONFIRMED", "{lane}");
    }
}

#[tokio::test]
async fn answers_a_different_order_under_the_same_id_with_409_and_keeps_the_first() {
    let (api, id) = (ApiClient::new(), new_id());
    let first = api.put("sync", &id, &order_of("SKU-1")).await;

    let second = api.put("sync", &id, &order_of("SKU-2")).await;

    second.problem(409);
    assert_eq!(api.get(&id).await.body, first.body);
}

#[tokio::test]
async fn lists_everything_that_only_the_domain_finds_wrong() {
    let (api, id) = (ApiClient::new(), new_id());
    let mut order = order_of("SKU-1");
    order["currency"] = "ABC".into();

    let problem = api.put("sync", &id, &order).await.problem(400);

    let pointers: Vec<_> = problem.errors.iter().map(|error| error.pointer.as_str()).collect();
    assert_eq!(pointers, ["/currency"]);
    assert_eq!(api.get(&id).await.body["status"], "PENDING");
}

#[tokio::test]
async fn every_lane_refuses_bodies_that_are_not_orders() {
    let (api, id) = (ApiClient::new(), new_id());
    let mut unknown_field = order_of("SKU-1");
    unknown_field["vip"] = true.into();
    let mut nothing_ordered = order_of("SKU-1");
    nothing_ordered["items"] = json!([]);

    for lane in LANES {
        for order in [&unknown_field, &nothing_ordered, &order_of("no spaces"), &json!({}), &json!([]), &Value::Null] {
            api.put(lane, &id, order).await.problem(400);
        }
    }

    assert_eq!(api.get(&id).await.body["status"], "PENDING");
}

#[tokio::test]
async fn refuses_a_malformed_order_id() {
    let api = ApiClient::new();

    api.put("sync", "order-1", &order_of("SKU-1")).await.problem(400);
    api.get("order-1").await.problem(400);
}

#[tokio::test]
async fn refuses_other_media_types_with_415() {
    let (api, id) = (ApiClient::new(), new_id());

    for lane in LANES {
        for media_type in ["text/plain", "application/x-www-form-urlencoded", "application/xml", "text/json"] {
            let request = api.request(Method::PUT, &format!("{lane}/orders/{id}")).header(CONTENT_TYPE, media_type);
            send(request.body(order_of("SKU-1").to_string())).await.problem(415);
        }
    }

    assert_eq!(api.get(&id).await.body["status"], "PENDING");
}

#[tokio::test]
async fn refuses_other_methods_with_405_and_lists_the_allowed_ones() {
    let (api, id) = (ApiClient::new(), new_id());
    let paths = [
        (format!("sync/orders/{id}"), "PUT"),
        (format!("async/orders/{id}"), "PUT"),
        (format!("orders/{id}"), "GET"),
        ("orders".to_owned(), "GET"),
    ];

    for (path, allowed) in &paths {
        for method in [Method::POST, Method::DELETE, Method::PATCH, Method::PUT, Method::GET] {
            if method.as_str() != *allowed {
                let request = api.request(method, path).header(CONTENT_TYPE, "application/json");
                let response = send(request.body("{}")).await;
                response.problem(405);
                let options = if *allowed == "PUT" { "OPTIONS, PUT" } else { "GET, OPTIONS" };
                assert_eq!(response.header("allow"), options, "{path}");
            }
        }
        // A request without a body has no media type.
        send(api.request(Method::DELETE, path)).await.problem(405);
    }
}

#[tokio::test]
async fn answers_an_unknown_path_with_404() {
    let api = ApiClient::new();

    for path in ["", "sync/orders", "nothing/here", "sync/orders/a/b"] {
        send(api.request(Method::GET, path)).await.problem(404);
    }
}

#[tokio::test]
async fn answers_pending_and_retry_after_for_an_unknown_order() {
    let (api, id) = (ApiClient::new(), new_id());

    let response = api.get(&id).await;

    assert_eq!((response.status, &response.body), (200, &json!({"orderId": id, "status": "PENDING"})));
    assert_eq!(response.header("retry-after"), "1");
}

#[tokio::test]
async fn an_id_in_upper_case_is_the_same_id() {
    let (api, id) = (ApiClient::new(), new_id());

    let lower = api.put("sync", &id, &order_of("SKU-1")).await;
    let upper = api.put("sync", &id.to_uppercase(), &order_of("SKU-1")).await;

    assert_eq!((upper.status, &upper.body), (200, &lower.body));
    assert_eq!(api.get(&id.to_uppercase()).await.body, lower.body);
}
