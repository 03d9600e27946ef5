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
fn prints_frames_as_they_came_and_ends_on_ctrl_c() {
    let server = Server::with_frames(|_, _| answer(500, ""), |_, sockets| sockets.push(&confirmed(ID)));
    let mut child = watching(&server, &["--json"]);

    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let frame = lines.next().expect("a line").expect("UTF-8");
    signal(&child, "INT");

    assert_eq!(serde_json::from_str::<Value>(&frame).expect("JSON"), confirmed(ID));
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn opens_a_closed_socket_again_and_subscribes_again() {
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
    let mut told = BufReader::new(child.stderr.take().expect("a pipe")).lines().map_while(Result::ok);

    assert!(line.ends_with(&format!("order.status     {ID}  PENDING")), "{line}");
    assert!(told.any(|line| line.contains("the server closed it")));
    assert!(told.any(|line| line.contains("open again")));
    signal(&child, "INT");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn ends_when_nobody_reads_any_more() {
    let server = Server::with_frames(|_, _| answer(500, ""), |_, sockets| sockets.push(&confirmed(ID)));
    let mut child = watching(&server, &[]);

    drop(child.stdout.take());

    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn tells_that_the_socket_does_not_open() {
    let (code, _, stderr) = twolane(&["watch", "--websocket-url", "ws://127.0.0.1:1"]).run();

    assert_eq!(code, 1);
    assert!(stderr.contains("error: Failed to open the WebSocket ws://127.0.0.1:1/: Connection refused"), "{stderr}");
}

#[test]
fn refuses_an_order_id_that_is_none() {
    let (code, _, stderr) = twolane(&["watch", "--order", "7"]).run();

    assert_eq!(code, 2);
    assert!(stderr.contains("must be a UUID"), "{stderr}");
}
