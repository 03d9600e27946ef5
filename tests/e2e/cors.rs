//! Pages of other origins: only those on the allow-list can call the API from a browser.
//!
//! A browser hides an answer from a page unless the answer names the page's origin. Before a request with a token or a
//! JSON body, it sends a preflight. Source: Fetch Standard, "HTTP-network-or-cache fetch", "CORS check".

use reqwest::{
    Method,
    header::{CONTENT_TYPE, HeaderName, ORIGIN},
};
use testkit::{
    api_client::{ApiClient, LANES, Response, send},
    hostile_values::{LISTED_ORIGIN as LISTED, UNLISTED_ORIGINS as UNLISTED, VELOCITY_ORIGINS},
    order_bodies::{new_id, order_of},
};

const ALLOWED_ORIGIN: &str = "access-control-allow-origin";

/// Of a page with CloudWatch RUM or OpenTelemetry, as a browser lists them. Sources: Amazon CloudWatch User Guide,
/// "CloudWatch RUM", X-Ray; W3C Trace Context, Baggage.
const ASKED_HEADERS: &str = "authorization,baggage,content-type,traceparent,tracestate,x-amzn-trace-id";

async fn page_request(api: &ApiClient, method: Method, path: &str, origin: &str) -> Response {
    let request = api.request(method.clone(), path).header(ORIGIN, origin);
    let request = match method {
        Method::PUT => request.header(CONTENT_TYPE, "application/json").body(order_of("SKU-1").to_string()),
        _ => request,
    };
    send(request).await
}

async fn preflight(path: &str, method: &str, origin: &str) -> Response {
    // A preflight never has a token.
    let request = ApiClient::with_authorization(None).request(Method::OPTIONS, path).header(ORIGIN, origin);
    let asked = HeaderName::from_static("access-control-request-method");
    let headers = HeaderName::from_static("access-control-request-headers");
    send(request.header(asked, method).header(headers, ASKED_HEADERS)).await
}

fn paths(id: &str) -> [(String, &'static str); 5] {
    [("sync/orders", "PUT"), ("async/orders", "PUT"), ("bus/orders", "PUT"), ("orders", "GET"), ("stock", "GET")]
        .map(|(path, method)| (format!("{path}/{id}"), method))
}

#[tokio::test]
async fn a_preflight_of_a_listed_page_names_what_it_may_send() {
    for (path, method) in paths(&new_id()) {
        let response = preflight(&path, method, LISTED).await;

        assert_eq!(response.status, 200, "{path}");
        assert_eq!(response.header(ALLOWED_ORIGIN), LISTED, "{path}");
        assert_eq!(response.header("access-control-allow-methods"), method, "{path}");
        let allowed = response.header("access-control-allow-headers").to_lowercase();
        for asked in ASKED_HEADERS.split(',') {
            assert!(allowed.split(", ").any(|allowed| allowed == asked), "{path}: {asked} is not in {allowed}");
        }
        assert_eq!(response.header("vary"), "Origin", "{path}");
    }
}

#[tokio::test]
async fn a_preflight_of_another_page_allows_nothing() {
    for origin in UNLISTED {
        for (path, method) in paths(&new_id()) {
            let response = preflight(&path, method, origin).await;

            let allowed: Vec<_> =
                response.headers.keys().filter(|name| name.as_str().starts_with("access-control")).collect();
            assert!(allowed.is_empty() && response.status == 200, "{origin} {path}: {response:?}");
        }
    }
}

#[tokio::test]
async fn a_listed_page_reads_every_answer() {
    let (api, stranger) = (ApiClient::new(), ApiClient::with_authorization(None));

    for lane in LANES {
        let id = new_id();
        let path = format!("{lane}/orders/{id}");
        let placed = page_request(&api, Method::PUT, &path, LISTED).await;
        assert!([201, 202].contains(&placed.status), "{placed:?}");
        api.settled(&id).await;
        let invalid = api.request(Method::PUT, &path).header(ORIGIN, LISTED).header(CONTENT_TYPE, "application/json");
        let invalid = send(invalid.body("{}")).await;
        invalid.problem(400);
        let refused = page_request(&stranger, Method::PUT, &path, LISTED).await;
        refused.problem(401);
        let read = page_request(&api, Method::GET, &format!("orders/{id}"), LISTED).await;
        assert_eq!(read.status, 200);

        assert_eq!(placed.header("access-control-expose-headers"), "Location, Retry-After", "{placed:?}");
        assert_ne!(placed.header("location"), "", "{placed:?}");
        for response in [placed, read] {
            assert_eq!(response.header(ALLOWED_ORIGIN), LISTED, "{response:?}");
        }
        // A function knows the allow-list. API Gateway's own answers allow all origins, and contain only what was sent.
        assert_eq!(invalid.header(ALLOWED_ORIGIN), if lane == "async" { "*" } else { LISTED }, "{invalid:?}");
        assert_eq!(refused.header(ALLOWED_ORIGIN), "*", "{refused:?}");
    }
}

#[tokio::test]
async fn another_page_reads_no_order() {
    let api = ApiClient::new();

    for origin in UNLISTED {
        for lane in LANES {
            let id = new_id();
            // A browser would not send these: their preflights allow nothing.
            let placed = page_request(&api, Method::PUT, &format!("{lane}/orders/{id}"), origin).await;
            let read = page_request(&api, Method::GET, &format!("orders/{id}"), origin).await;

            for response in [placed, read] {
                assert!(
                    response.status < 300 && response.headers.get(ALLOWED_ORIGIN).is_none(),
                    "{origin}: {response:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn an_origin_that_is_velocity_is_not_rendered() {
    let api = ApiClient::new();

    for origin in VELOCITY_ORIGINS {
        let (id, path) = (new_id(), "async/orders");
        let asked = preflight(&format!("{path}/{id}"), "PUT", origin).await;
        let placed = page_request(&api, Method::PUT, &format!("{path}/{id}"), origin).await;

        assert_eq!((asked.status, placed.status), (200, 202), "{origin}");
        for response in [asked, placed] {
            assert!(response.headers.get(ALLOWED_ORIGIN).is_none(), "{origin}: {response:?}");
        }
    }
}

#[tokio::test]
async fn an_origin_in_the_query_opens_nothing_to_the_page_that_asks() {
    let path = format!("orders/{}?Origin={LISTED}", new_id());

    let response = preflight(&path, "GET", "https://evil.example").await;

    let allowed = response.headers.get(ALLOWED_ORIGIN).map(|origin| origin.to_str().unwrap());
    assert_ne!(allowed, Some("https://evil.example"), "{response:?}");
    assert_ne!(allowed, Some("*"), "{response:?}");
}
