//! `samples/order-socket.mjs` in Node.js, with the WebSocket API of browsers.

use crate::terminal::session_with_wscat;
use std::fs;
use std::process::Command;
use testkit::{node::search_path, repository::root, socket::SOCKETS};

#[tokio::test]
async fn the_sample_keeps_its_socket_open_and_catches_up_after_a_cut() {
    let _shared = SOCKETS.read().await;

    let printed = session_with_wscat("node tests/e2e/order_socket.mjs").await;

    assert!(printed.contains("order-socket: all well"), "{printed}");
}

#[test]
fn the_sample_waits_longer_for_each_socket_that_opens_and_is_closed_at_once() {
    let mut node = Command::new("node");
    let ran =
        node.arg("tests/e2e/order_socket_pauses.mjs").current_dir(root()).env("PATH", search_path()).output().unwrap();

    let printed = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success() && printed.contains("order-socket-pauses: all well"), "{printed}");
}

#[test]
fn the_page_about_sockets_names_the_sample_and_the_limits() {
    let page = fs::read_to_string(root().join("docs/websocket.md")).unwrap();
    let sample = fs::read_to_string(root().join("samples/order-socket.mjs")).unwrap();

    for fact in ["samples/order-socket.mjs", "ten minutes", "two hours", r#"{"action":"ping"}"#, r#"{"type":"pong"}"#] {
        assert!(page.contains(fact), "docs/websocket.md: say {fact}");
    }
    assert!(sample.contains("PING_EVERY_MS = 5 * 60_000"), "pings must be less than ten minutes apart");
}
