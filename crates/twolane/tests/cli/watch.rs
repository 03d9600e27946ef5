//! `twolane watch`.

use crate::server::{Server, answer};
use crate::{ID, confirmed, signal, twolane};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};

fn watching(server: &Server, more: &[&str]) -> Child {
    let mut twolane = twolane(&["watch", "--order", ID, "--websocket-url", &server.websocket_url]);
    twolane.command.args(more);
    twolane.start()
}

#[test]
fn prints_frames_as_received_and_ends_on_ctrl_c() {
    let server = Server::with_frames(|_, _| answer(500, ""), |_, sockets| sockets.push(&confirmed(ID)));
    let mut child = watching(&server, &["--json"]);

    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let frame = lines.next().expect("a line").expect("UTF-8");
    signal(&child, "INT");

    assert_eq!(serde_json::from_str::<Value>(&frame).expect("JSON"), confirmed(ID));
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn opens_a_closed_socket_and_subscribes_again() {
    let closed = AtomicBool::new(false);
    let server = Server::with_frames(
        |_, _| answer(500, ""),
        move |_, sockets| {
            if closed.swap(true, Ordering::SeqCst) {
                sockets.push(&json!({"type": "order.status", "orderId": ID, "status": "PENDING"}));
            } else {
                sockets.close();
            }
        },
    );
    let mut child = watching(&server, &[]);

    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let line = lines.next().expect("a line").expect("UTF-8");
    let mut notices = BufReader::new(child.stderr.take().expect("a pipe")).lines().map_while(Result::ok);

    assert!(line.ends_with(&format!("order.status     {ID}  PENDING")), "{line}");
    assert!(notices.any(|line| line.contains("the server closed it")));
    assert!(notices.any(|line| line.contains("open again")));
    signal(&child, "INT");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn reports_after_a_gap_which_results_may_be_missing() {
    for more in [&["--json"][..], &[]] {
        let closed = AtomicBool::new(false);
        let server = Server::with_frames(
            |_, _| answer(500, ""),
            move |_, sockets| {
                if closed.swap(true, Ordering::SeqCst) { sockets.push(&confirmed(ID)) } else { sockets.close() }
            },
        );
        let mut child = watching(&server, &[&["--api-url", &server.api_url], more].concat());

        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let line = lines.next().expect("a line").expect("UTF-8");
        let mut printed = BufReader::new(child.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
        let missing = printed.find(|line| line.starts_with("Results between ")).expect("a message");
        signal(&child, "INT");

        assert!(line.contains("order.confirmed"), "standard output has more than frames: {line}");
        assert!(
            missing.contains(&format!("may be missing. Subscribed again to {ID}: its state follows.")),
            "{missing}"
        );
        assert!(missing.ends_with(&format!("or send GET {}/orders/ORDER_ID.", server.api_url)), "{missing}");
        assert_eq!(child.wait().expect("it ends").code(), Some(0));
    }
}

#[test]
fn reports_at_the_end_since_when_results_may_be_missing() {
    let (code, stderr) = watching_until_refused("mine", REFUSED);

    assert_eq!(code, 1, "{stderr}");
    let last = stderr.lines().last().unwrap_or_default();
    assert!(last.starts_with("Results since 20") && last.contains("`twolane watch --order ORDER_ID`"), "{stderr}");
}

#[test]
fn subscribes_with_ids_in_lower_case() {
    let server =
        Server::with_frames(|_, _| answer(500, ""), |text, sockets| sockets.push(&json!({"type": "x", "sent": text})));
    let typed = format!("{{{}}}", ID.to_uppercase());
    let mut child = twolane(&["watch", "--json", "--order", &typed, "--websocket-url", &server.websocket_url]).start();

    let line = BufReader::new(child.stdout.take().expect("a pipe")).lines().next().expect("a line").expect("UTF-8");
    signal(&child, "INT");

    assert!(line.contains(ID), "{line}");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn ends_when_the_reader_closes_the_output() {
    let server = Server::with_frames(|_, _| answer(500, ""), |_, sockets| sockets.push(&confirmed(ID)));
    let mut child = watching(&server, &[]);

    drop(child.stdout.take());

    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn reports_a_socket_that_does_not_open() {
    let (code, _, stderr) = twolane(&["watch", "--websocket-url", "ws://127.0.0.1:1"]).run();

    assert_eq!(code, 1);
    assert!(stderr.contains("error: Failed to open the WebSocket ws://127.0.0.1:1/: Connection refused"), "{stderr}");
    assert!(stderr.contains("Addresses change with every `make down`") && !stderr.contains("token"), "{stderr}");
}

/// Expired in 2001. The stand-in does not verify it.
const EXPIRED: &str = "e30.eyJleHAiOjEwMDAwMDAwMDB9.AA";

/// How a WebSocket API refuses a token, and how API Gateway answers for a missing API.
const REFUSED: (u16, &str) = (403, r#"{"message":"Forbidden","connectionId":"c-1","requestId":"r-1"}"#);
const GONE: (u16, &str) = (403, "");

/// The server closes the first socket and answers the next handshake with `refusal`. Returns exit code and standard
/// error.
fn watching_until_refused(token: &str, refusal: (u16, &'static str)) -> (i32, String) {
    let refusals = vec![None, Some(refusal)];
    let server = Server::with_refusals(|_, _| answer(500, ""), |_, sockets| sockets.close(), refusals);
    let arguments = ["watch", "--order", ID, "--websocket-url", &server.websocket_url, "--token", token];
    let (code, _, stderr) = twolane(&arguments).run();
    (code, stderr)
}

#[test]
fn ends_when_a_given_token_is_refused() {
    for (token, message) in [
        (EXPIRED, "the token of --token or TWOLANE_TOKEN expired at 2001-09-09T01:46:40.000Z"),
        ("mine", "the stack does not accept the token of --token or TWOLANE_TOKEN"),
    ] {
        for refusal in [REFUSED, (401, "")] {
            let (code, stderr) = watching_until_refused(token, refusal);

            assert_eq!(code, 1, "{stderr}");
            assert!(
                stderr.contains("error: The WebSocket does not open again: the handshake was answered"),
                "{stderr}"
            );
            assert!(stderr.contains(message) && !stderr.contains("make down"), "{stderr}");
            assert!(!stderr.contains(token), "{stderr}");
        }
    }
}

#[test]
fn does_not_blame_the_token_if_the_stack_may_not_exist() {
    let (code, stderr) = watching_until_refused("mine", GONE);

    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("the stack no longer exists, or the stack does not accept the token"), "{stderr}");
    assert!(stderr.contains("Is this still the address of a running stack?"), "{stderr}");
}

#[test]
fn asks_whether_the_address_is_outdated() {
    let refusals = vec![Some((404, ""))];
    let server = Server::with_refusals(|_, _| answer(500, ""), |_, _| (), refusals);
    let (code, _, stderr) = twolane(&["watch", "--websocket-url", &server.websocket_url, "--token", "mine"]).run();

    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("404 Not Found\nIs this still the address of a running stack?"), "{stderr}");
    assert!(!stderr.contains("token"), "{stderr}");
}

#[test]
fn continues_with_a_new_token_when_one_of_the_local_issuer_is_refused() {
    let pushed = AtomicBool::new(false);
    let server = Server::with_refusals(
        |_, _| answer(500, ""),
        move |_, sockets| {
            if pushed.swap(true, Ordering::SeqCst) { sockets.push(&confirmed(ID)) } else { sockets.close() }
        },
        vec![None, Some(REFUSED), Some(GONE)],
    );
    let mut twolane = crate::token::local(&server, &["watch", "--order", ID, "--json"]);
    let mut child = twolane.start();

    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let frame = lines.next().expect("a line").expect("UTF-8");
    signal(&child, "INT");

    assert_eq!(serde_json::from_str::<Value>(&frame).expect("JSON"), confirmed(ID));
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn rejects_an_invalid_order_id() {
    let (code, _, stderr) = twolane(&["watch", "--order", "7"]).run();

    assert_eq!(code, 2);
    assert!(stderr.contains("must be a UUID"), "{stderr}");
}
