//! `twolane page`.

use crate::{signal, twolane};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

const API_URL: &str = "http://localhost:1/live";

#[test]
fn serves_the_page_with_the_stacks_addresses_until_ctrl_c() {
    let arguments = ["page", "--port", "0", "--no-browser", "--api-url", API_URL];
    let mut twolane = twolane(&arguments).env("TWOLANE_TOKEN", "a.b.c");
    let mut child = twolane.start();

    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let url = lines.next().expect("a line").expect("UTF-8");
    let host = url.strip_prefix("http://").and_then(|rest| rest.strip_suffix('/')).expect("an address");
    let (_, port) = host.split_once(':').expect("a port");
    let mut stream = TcpStream::connect(("127.0.0.1", port.parse().expect("a port"))).expect("it listens");
    write!(stream, "GET /config.json HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").expect("it is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    signal(&child, "INT");

    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    let settings: serde_json::Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(settings, serde_json::json!({"apiUrl": API_URL, "webSocketUrl": null, "hasQueueDepths": false}));
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn needs_a_token() {
    let (code, stdout, stderr) = twolane(&["page", "--no-browser", "--api-url", API_URL]).run();

    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("The page needs a token: give --token or TWOLANE_TOKEN"), "{stderr}");
}
