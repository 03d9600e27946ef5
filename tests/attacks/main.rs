//! Callers without a valid token: both APIs refuse them, and nothing is stored or queued.
//!
//! The tests compare all tables and queues, so no other suite may use the stack concurrently.
#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test, and names its place")]

use reqwest::{Method, header::CONTENT_TYPE};
use ring::hmac;
use serde_json::{Value, json};
use testkit::{
    api_client::{ApiClient, LANES, send, try_send},
    eventually::{DEADLINE, eventually},
    order_bodies::{new_id, order_of},
    outputs::output,
    socket::{SOCKETS, Socket, handshake, handshake_at},
    stack::{OWNER, Stack},
    tokens::{encode, issuer, now, token},
};
use tokio_tungstenite::tungstenite::{self, handshake::client::Response};

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().unwrap().remove(name);
    object
}

fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}.", encode(header.to_string()), encode(claims.to_string()))
}

/// Signed by HMAC with a public value as its secret.
fn by_hmac(secret: &[u8]) -> String {
    let (header, claims) = (with(issuer().header(), "alg", json!("HS256")), issuer().claims(OWNER));
    let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
    format!("{message}.{}", encode(tag))
}

/// Must not be revealed: what is wrong with the token, its owner, or a part of it. `eyJ` is the base64 of `{"`.
const LEAKS: [&str; 12] = [
    "kid",
    "issuer",
    "audience",
    "subject",
    "signature",
    "algorithm",
    "expire",
    "jwt",
    "authorize-request",
    "lambda",
    "eyj",
    OWNER,
];

#[track_caller]
fn assert_reveals_nothing(name: &str, response: &str) {
    let response = response.to_lowercase();
    let leaked = LEAKS.iter().find(|leak| response.contains(**leak));
    assert_eq!(leaked, None, "{name}: the answer reveals too much: {response}");
}

/// Values of `Authorization`, by their fault.
fn attacks() -> Vec<(&'static str, Option<String>)> {
    let (issuer, header, claims) = (issuer(), issuer().header(), issuer().claims(OWNER));
    let good = token(OWNER);
    let (message, signature) = good.rsplit_once('.').unwrap();
    let none = with(header.clone(), "alg", json!("none"));
    let public_key = issuer.public_key();
    let other_claims = encode(with(claims.clone(), "sub", json!("admin")).to_string());
    let header_of_good = message.split('.').next().unwrap();
    let bearer = [
        ("garbage", "garbage".to_owned()),
        ("garbage in three parts", "a.b.c".to_owned()),
        ("alg none", unsigned(&none, &claims)),
        ("alg none, signed", issuer.signed(&none, &claims)),
        ("alg None", unsigned(&with(header.clone(), "alg", json!("None")), &claims)),
        ("no signature", format!("{message}.")),
        ("no algorithm", issuer.signed(&without(header.clone(), "alg"), &claims)),
        ("HS256 with the public key", by_hmac(public_key["x"].as_str().unwrap().as_bytes())),
        ("HS256 with the public JWK", by_hmac(public_key.to_string().as_bytes())),
        ("HS256 with nothing", by_hmac(b"")),
        ("another algorithm", issuer.signed(&with(header.clone(), "alg", json!("RS256")), &claims)),
        ("another issuer", issuer.token(&with(claims.clone(), "iss", json!("https://mallory.example")))),
        ("no issuer", issuer.token(&without(claims.clone(), "iss"))),
        ("another audience", issuer.token(&with(claims.clone(), "aud", json!("mallory")))),
        ("no audience", issuer.token(&without(claims.clone(), "aud"))),
        ("another key", issuer.impostor().token(&claims)),
        (
            "a key in the header",
            issuer.impostor().signed(&with(header.clone(), "jwk", issuer.impostor().public_key()), &claims),
        ),
        ("an unknown key", issuer.signed(&with(header.clone(), "kid", json!("unknown")), &claims)),
        ("no key", issuer.signed(&without(header.clone(), "kid"), &claims)),
        ("expired", issuer.token(&with(claims.clone(), "exp", json!(now() - 60)))),
        ("never expires", issuer.token(&without(claims.clone(), "exp"))),
        ("not yet valid", issuer.token(&with(claims.clone(), "nbf", json!(now() + 600)))),
        ("an extension", issuer.signed(&with(header.clone(), "crit", json!(["b64"])), &claims)),
        ("another type", issuer.signed(&with(header.clone(), "typ", json!("logout+jwt")), &claims)),
        ("no subject", issuer.token(&without(claims.clone(), "sub"))),
        ("an empty subject", issuer.token(&with(claims.clone(), "sub", json!("")))),
        ("a subject with a space", issuer.token(&with(claims.clone(), "sub", json!("demo demo")))),
        ("a subject with a line break", issuer.token(&with(claims.clone(), "sub", json!("demo\nowner: x")))),
        ("a subject that is not text", issuer.token(&with(claims.clone(), "sub", json!({"a": 1})))),
        ("other claims", format!("{header_of_good}.{other_claims}.{signature}")),
        ("a huge token", issuer.token(&with(claims.clone(), "padding", json!("x".repeat(6_500))))),
    ];
    let mut attacks = vec![
        ("no token", None),
        ("an empty header", Some(String::new())),
        ("no scheme", Some(good.clone())),
        ("another scheme", Some(format!("Basic {good}"))),
        ("two tokens", Some(format!("Bearer {good}, Bearer {good}"))),
        (
            "an AWS signature",
            Some("AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/execute-api/aws4_request".into()),
        ),
    ];
    attacks.extend(bearer.map(|(name, token)| (name, Some(format!("Bearer {token}")))));
    attacks
}

fn service_requests(id: &str) -> [(Method, String); 3] {
    [
        (Method::PUT, format!("payments/{id}")),
        (Method::GET, format!("payments/{id}")),
        (Method::GET, format!("stock/{id}")),
    ]
}

#[tokio::test]
async fn the_rest_api_refuses_every_attack_with_401_and_stores_nothing() {
    let stack = Stack::from_env().await;
    let stored = stack.statuses().await;
    let failed = stack.messages_in("DeadLetterQueueUrl").await;
    let mut ids = Vec::new();

    for (name, authorization) in attacks() {
        let api = ApiClient::with_authorization(authorization.clone());
        let id = new_id();
        let mut responses = vec![api.get(&id).await];
        for lane in LANES {
            responses.push(api.put(lane, &id, &order_of("SKU-1")).await);
        }
        for (method, path) in service_requests(&id) {
            responses.push(send(api.request(method, &path)).await);
        }
        for response in responses {
            assert_eq!(response.status, 401, "{name}: {response:?}");
            let problem = response.problem(401);
            assert!(response.header("www-authenticate").starts_with("Bearer"), "{name}: {response:?}");
            assert_reveals_nothing(name, &format!("{} {}", problem.title, problem.detail));
        }
        ids.push(id);
    }

    // The authorizer still accepts valid tokens. A later order is settled, so an earlier one would be, too.
    let (api, next) = (ApiClient::new(), new_id());
    assert_eq!(api.put("async", &next, &order_of("SKU-1")).await.status, 202);
    api.settled(&next).await;
    eventually(DEADLINE, "the orders queue is empty", async || {
        (stack.messages_in("OrdersQueueUrl").await == 0).then_some(())
    })
    .await;
    assert_eq!(
        stack.messages_in("DeadLetterQueueUrl").await,
        failed,
        "no order of an attack may reach the dead-letter queue"
    );
    for id in ids {
        assert!(stack.items_with_order_id(&id).await.is_empty(), "{id}");
    }
    let mut stored_since = stack.statuses().await;
    assert_eq!(stored_since.remove(&format!("{OWNER}#{next}")).as_deref(), Some("CONFIRMED"));
    assert_eq!(stored_since, stored, "no other order may be stored");
}

/// Asserts a refusal that reveals nothing.
#[track_caller]
fn assert_refused(name: &str, opened: tungstenite::Result<(Socket, Response)>) {
    let response = match opened {
        Err(tungstenite::Error::Http(response)) => response,
        Err(error) => panic!("{name}: {error}"),
        Ok(_) => panic!("{name}: the socket opened"),
    };
    assert_eq!(response.status(), 403, "{name}: {response:?}");
    assert!(response.headers().get("sec-websocket-protocol").is_none(), "{name}: {response:?}");
    let body = response.body().as_deref().unwrap_or_default();
    assert_reveals_nothing(name, &format!("{:?} {}", response.headers(), String::from_utf8_lossy(body)));
}

#[tokio::test]
async fn the_websocket_api_refuses_every_attack_and_stores_no_connection() {
    let stack = Stack::from_env().await;
    let _alone = SOCKETS.write().await;
    let connections = stack.connections().await;

    for (name, authorization) in attacks() {
        let headers: Vec<_> = authorization.iter().map(|value| ("authorization", value.as_str())).collect();
        assert_refused(name, Socket::try_open(handshake(&headers)).await);
    }

    assert!(stack.connections().await.is_subset(&connections), "no connection of an attack may be stored");
    let mut socket = Socket::open_alone().await;
    assert_eq!(socket.subscribe(&new_id()).await["status"], "PENDING", "the authorizer must still accept valid tokens");
    assert_eq!(stack.connections().await.difference(&connections).count(), 1, "a valid socket must be stored");
}

#[tokio::test]
async fn a_token_in_a_url_a_cookie_or_a_body_is_ignored() {
    let (anonymous, id, good) = (ApiClient::with_authorization(None), new_id(), token(OWNER));

    for query in ["access_token", "token", "Authorization", "authorization", "bearer"] {
        for value in [good.clone(), format!("Bearer%20{good}")] {
            send(anonymous.request(Method::GET, &format!("orders/{id}?{query}={value}"))).await.problem(401);
            let url = format!("{}?{query}={value}", output("WebSocketUrl"));
            assert_refused(query, Socket::try_open(handshake_at(&url, &[])).await);
        }
    }
    for cookie in [
        format!("Authorization=Bearer {good}; access_token={good}; token={good}"),
        format!("Authorization=\"Bearer {good}\""),
        format!("twolane.token.{good}; twolane.v1"),
        format!("Bearer {good}"),
    ] {
        send(anonymous.request(Method::GET, &format!("orders/{id}")).header("cookie", &cookie)).await.problem(401);
        assert_refused("a cookie", Socket::try_open(handshake(&[("cookie", &cookie)])).await);
        // A browser sends its cookies, and the subprotocol without a token.
        let headers = [("cookie", cookie.as_str()), ("sec-websocket-protocol", "twolane.v1")];
        assert_refused("a cookie and a subprotocol", Socket::try_open(handshake(&headers)).await);
    }
    let form = anonymous.request(Method::PUT, &format!("async/orders/{id}"));
    let form = form.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(format!("access_token={good}"));
    send(form).await.problem(401);
}

#[tokio::test]
async fn a_token_of_any_size_breaks_nothing() {
    let id = new_id();

    for size in [8 * 1024, 32 * 1024, 256 * 1024] {
        let api = ApiClient::with_authorization(Some(format!("Bearer a.b.{}", "c".repeat(size))));
        // Above its limit for headers, a platform may refuse the request without our problem body, or close the
        // connection.
        if let Ok(response) = try_send(api.request(Method::GET, &format!("orders/{id}"))).await {
            assert!((400..500).contains(&response.status), "{size}: {response:?}");
        }
    }
    assert_eq!(ApiClient::new().get(&id).await.status, 200);
}

#[tokio::test]
async fn a_browser_offers_its_token_as_a_subprotocol_and_the_answer_selects_the_other_one() {
    let _shared = SOCKETS.read().await;
    let (good, other) = (token(OWNER), token("another"));
    let offered = |value: &str| handshake(&[("sec-websocket-protocol", value)]);

    for value in [format!("twolane.v1, twolane.token.{good}"), format!("twolane.token.{good}, twolane.v1")] {
        let (mut socket, response) = Socket::try_open(offered(&value)).await.expect("the token is good");
        assert_eq!(response.headers()["sec-websocket-protocol"], "twolane.v1");
        assert_eq!(socket.subscribe(&new_id()).await["status"], "PENDING");
    }
    for value in [
        "twolane.v1".to_owned(),
        format!("twolane.token.{good}"),
        format!("twolane.v1, {good}"),
        format!("twolane.v1, twolane.token.{good}x"),
        format!("twolane.v1, twolane.token.{good}, twolane.token.{other}"),
    ] {
        assert_refused("subprotocols", Socket::try_open(offered(&value)).await);
    }
    let both = handshake(&[
        ("authorization", &format!("Bearer {good}")),
        ("sec-websocket-protocol", &format!("twolane.v1, twolane.token.{other}")),
    ]);
    assert_refused("two tokens", Socket::try_open(both).await);
}
