//! Requests that try to override the path, the body or the owner with headers, queries and ids.

use futures_util::{StreamExt, stream};
use lanes::{Answer, LANES, Lane};
use reqwest::{
    Body, Method,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};
use serde_json::json;
use std::io::{Error, ErrorKind};
use testkit::{
    api_client::{ApiClient, send, try_send},
    hostile_values::{TRACE, malformed_order_ids, order_ids_that_are_not_text, trace_headers},
    order_bodies::{new_id, order_of},
    stack::{OWNER, Stack},
    tokens::subject_of,
};

const CONCURRENCY: usize = 8;

#[tokio::test]
async fn headers_and_queries_change_nothing() {
    let (api, stack) = (ApiClient::new(), Stack::from_env().await);

    for lane in &LANES {
        let (id, other) = (new_id(), new_id());
        let query = format!("orderId={other}&owner=mallory&DelaySeconds=900&MessageBody=%7B%7D");
        let path = format!("{}/{id}?{query}", lane.path);
        let mut request = api.request(Method::PUT, &path).header(CONTENT_TYPE, "application/json");
        for name in ["orderId", "owner", "x-owner", "x-amz-meta-owner", "x-amzn-principal", "MessageAttribute.2.Value"]
        {
            request = request.header(name, other.as_str());
        }
        for name in ["x-forwarded-for", "forwarded", "x-amzn-trace-id", "x-http-method-override", "idempotency-key"] {
            request = request.header(name, "mallory&DelaySeconds=900\t%0A");
        }
        stack.supply(OWNER, &order_of("SKU-1")).await;

        let response = send(request.body(order_of("SKU-1").to_string())).await;

        assert!([201, 202].contains(&response.status), "{response:?}");
        assert_eq!(api.settled(&id).await["status"], "CONFIRMED");
        let items = stack.items_with_order_id(&id).await;
        assert_eq!(items.len(), 1);
        assert_eq!(items[0]["pk"].as_s().unwrap(), &format!("{}#{id}", subject_of(OWNER)));
        assert!(stack.items_with_order_id(&other).await.is_empty());
    }
}

/// The only header of a caller that the mapping template reads. A malformed one must have no effect.
#[tokio::test]
async fn a_trace_header_changes_nothing() {
    let (api, stack, other) = (ApiClient::new(), Stack::from_env().await, new_id());
    let another_id = format!("&MessageAttribute.1.Value.StringValue={other}");
    let another_body = format!("{TRACE}&MessageBody={}", order_of("SKU-2"));
    let headers: Vec<_> = trace_headers().into_iter().chain([TRACE.to_owned(), another_id, another_body]).collect();
    let cases = headers.iter().flat_map(|header| LANES.iter().map(move |lane| (header, lane)));

    let check = async |(header, lane): (&String, Lane)| {
        let id = new_id();
        stack.supply(OWNER, &order_of("SKU-1")).await;
        let request = api.request(Method::PUT, &format!("{}/{id}", lane.path)).header("x-amzn-trace-id", header);
        let request = request.header(CONTENT_TYPE, "application/json").body(order_of("SKU-1").to_string());

        let response = send(request).await;

        let accepted = if lane.answer == Answer::Outcome { 201 } else { 202 };
        assert_eq!(response.status, accepted, "{header}: {response:?}");
        let stored = api.settled(&id).await;
        let sent = json!({"status": "CONFIRMED", "lane": lane.name, "currency": "EUR", "totalMinor": 3998,
            "items": [{"sku": "SKU-1", "quantity": 2, "unitPriceMinor": 1999}]});
        for (name, value) in sent.as_object().unwrap() {
            assert_eq!(&stored[name], value, "{header}");
        }
        assert_eq!(stored.get("note"), None, "{header}");
        let items = stack.items_with_order_id(&id).await;
        let keys: Vec<_> = items.iter().map(|item| item["pk"].as_s().unwrap().as_str()).collect();
        assert_eq!(keys, [format!("{}#{id}", subject_of(OWNER))], "{header}");
    };
    stream::iter(cases).for_each_concurrent(CONCURRENCY, check).await;

    assert!(stack.items_with_order_id(&other).await.is_empty());
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_stored() {
    let (api, id) = (ApiClient::new(), new_id());
    let order = order_of("SKU-1").to_string();

    for lane in &LANES {
        // All of the order, but fewer bytes than `Content-Length` says.
        let pieces = [Ok(order.clone()), Err(Error::from(ErrorKind::ConnectionAborted))];
        let request = api.request(Method::PUT, &format!("{}/{id}", lane.path)).header(CONTENT_TYPE, "application/json");
        let request = request.header(CONTENT_LENGTH, order.len() + 100);
        if let Ok(response) = try_send(request.body(Body::wrap_stream(stream::iter(pieces)))).await {
            assert!((400..500).contains(&response.status), "{response:?}");
        }
    }

    // A later order is settled, so this one would be, too.
    let next = new_id();
    api.put("async", &next, &order_of("SKU-1")).await;
    api.settled(&next).await;
    assert_eq!(api.get(&id).await.body["status"], "PENDING");
}

#[tokio::test]
async fn a_hostile_order_id_is_refused_by_the_sync_lane_and_the_status_service() {
    let (api, id) = (ApiClient::new(), new_id());
    for hostile in malformed_order_ids(&id) {
        api.put("sync", &hostile, &order_of("SKU-1")).await.problem(400);
        api.get(&hostile).await.problem(400);
    }

    assert_eq!(api.get(&id).await.body["status"], "PENDING");
}

#[tokio::test]
async fn a_hostile_order_id_never_breaks_the_async_lane() {
    let (api, id) = (ApiClient::new(), new_id());

    for hostile in order_ids_that_are_not_text(&id) {
        let response = api.put("async", &hostile, &order_of("SKU-1")).await;
        // It depends on the platform whether the queue gets a decoded id: docs/emulators.md.
        if response.status != 202 {
            response.problem(400);
        }
    }

    // A later order is settled.
    assert_eq!(api.put("async", &id, &order_of("SKU-1")).await.status, 202);
    assert_eq!(api.settled(&id).await["status"], "CONFIRMED");
}
