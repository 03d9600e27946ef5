//! The lines of docs/tutorial.md in a shell, with the real curl and wscat.

use crate::terminal::{session, session_with_wscat};
use serde_json::Value;
use std::fs;
use testkit::{
    order_bodies::new_id,
    repository::{blocks, root},
    socket::SOCKETS,
};

const TUTORIAL: &str = "docs/tutorial.md";
/// Before a block of shell lines that are run here.
const TESTED: &str = "<!-- tested: walkthrough -->";
/// It points a shell at a stack. The session here already has the environment of the stack under test.
const ENVIRONMENT: &str = "eval \"$(make -s env)\"";
/// Before a block that shows what those lines print. `…` stands for any text.
const PRINTED: &str = "<!-- printed: walkthrough -->";

/// Whether a line has the pieces of `shown` between `…`, in this order.
fn fits(line: &str, shown: &str) -> bool {
    let mut rest = line;
    shown.trim().split('…').all(|piece| {
        let found = rest.split_once(piece);
        rest = found.map_or(rest, |(_, after)| after);
        found.is_some()
    })
}

/// Frames in a session's output. HTTP answers do not end with a line break, so frames may start within a line.
fn frames(printed: &str) -> impl Iterator<Item = Value> {
    let starts = printed.match_indices(r#"{"type":"order."#).map(|(at, _)| &printed[at..]);
    starts.filter_map(|rest| serde_json::Deserializer::from_str(rest).into_iter().next()?.ok())
}

#[tokio::test]
async fn the_tutorial_does_what_it_says() {
    let tutorial = fs::read_to_string(root().join(TUTORIAL)).expect("the tutorial exists");
    let tested = blocks(&tutorial, TESTED);
    assert!(
        !tested.is_empty(),
        "{TUTORIAL} has no walkthrough: put the line {TESTED} before its blocks of shell lines"
    );
    let _open = SOCKETS.read().await;

    let lines: Vec<_> = tested.into_iter().flatten().filter(|line| !line.starts_with(ENVIRONMENT)).collect();
    let printed = session_with_wscat(&lines.join("\n")).await;

    for fact in [r#""status":"CONFIRMED""#, r#""status":"QUEUED""#] {
        assert!(printed.contains(fact), "the walkthrough must show {fact}; it printed\n{printed}");
    }
    // Other tests use the same owner. Only the order that the walkthrough subscribes to counts.
    let frames: Vec<_> = frames(&printed).collect();
    let has_frame =
        |kind: &str, id: &Value| frames.iter().any(|frame| frame["type"] == kind && frame["orderId"] == *id);
    let called_back = frames
        .iter()
        .any(|frame| has_frame("order.status", &frame["orderId"]) && has_frame("order.confirmed", &frame["orderId"]));
    assert!(
        called_back,
        "the walkthrough must subscribe to an order and show its order.confirmed; it printed\n{printed}"
    );
    for status in printed.lines().filter_map(|line| line.strip_prefix("HTTP/")?.split_whitespace().nth(1)) {
        assert!(status.starts_with('2'), "the walkthrough got {status}:\n{printed}");
    }
    let mut left = printed.lines();
    for shown in blocks(&tutorial, PRINTED).into_iter().flatten().filter(|line| !line.trim().is_empty()) {
        assert!(left.any(|line| fits(line, shown)), "{TUTORIAL} shows {shown:?}; the walkthrough printed\n{printed}");
    }
}

#[tokio::test]
async fn curl_places_orders_down_both_lanes() {
    let (id, queued_id) = (new_id(), new_id());
    let order = r#"{"currency":"EUR","items":[{"sku":"SKU-1","quantity":2,"unitPriceMinor":1999}]}"#;
    let put = |lane: &str, id: &str| {
        format!(
            r#"curl -sS -w '\n%{{http_code}}\n' -X PUT "$TWOLANE_API_URL/{lane}/orders/{id}" -H "Authorization: Bearer $TWOLANE_TOKEN" -H 'Content-Type: application/json' -d '{order}'"#
        )
    };

    let printed = session(&format!("{}\n{}\n", put("sync", &id), put("async", &queued_id))).await;

    let lines: Vec<_> = printed.lines().collect();
    assert!(lines[0].contains(r#""status":"CONFIRMED""#) && lines[2].contains(r#""status":"QUEUED""#), "{printed}");
    assert_eq!((lines[1], lines[3]), ("201", "202"));
}

#[tokio::test]
async fn wscat_shows_the_answer_to_a_subscription_and_the_callback_of_an_order() {
    let id = new_id();
    let order = r#"{"currency":"EUR","items":[{"sku":"SKU-1","quantity":2,"unitPriceMinor":1999}]}"#;
    let _open = SOCKETS.read().await;

    // wscat needs the terminal's input, so a background job sends the order once wscat has subscribed.
    let printed = session_with_wscat(&format!(
        r#"received=$(mktemp)
           trap 'rm -f "$received"' EXIT
           (until grep -q PENDING "$received"; do sleep 0.1; done
            curl -sS -o /dev/null -X PUT "$TWOLANE_API_URL/async/orders/{id}" -H "Authorization: Bearer $TWOLANE_TOKEN" -H 'Content-Type: application/json' -d '{order}') &
           wscat -c "$TWOLANE_WEBSOCKET_URL" -H "Authorization: Bearer $TWOLANE_TOKEN" -w 10 -x '{{"action":"subscribe","orderId":"{id}"}}' | tee "$received""#
    ))
    .await;

    let own: Vec<_> = frames(&printed).filter(|frame| frame["orderId"] == id.as_str()).collect();
    assert_eq!((&own[0]["type"], &own[0]["status"]), (&"order.status".into(), &"PENDING".into()), "{printed}");
    assert_eq!(own[1]["type"], "order.confirmed", "{printed}");
    assert_eq!(own[1]["order"]["status"], "CONFIRMED", "{printed}");
}

#[test]
fn finds_lines_and_frames() {
    assert!(fits(r#"< {"status":"QUEUED","messageId":"1"}"#, r#"{"status":"QUEUED",…}"#));
    assert!(!fits("201", "200"));
    let printed = r#"HTTP/1.1 202 Accepted {"status":"QUEUED"}{"type":"order.status","orderId":"x"}"#;
    assert_eq!(frames(printed).count(), 1);
}
