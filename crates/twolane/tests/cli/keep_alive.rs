//! A server that closes a kept-alive connection just as the next request arrives, as at an idle time-out.

use crate::{line, record, reports, twolane};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// When a connection closes, unannounced, after one answer.
#[derive(Clone, Copy)]
enum Closes {
    /// Once it has answered.
    AtOnce,
    /// Once it has read the next request.
    Afterwards,
    /// While the next request arrives: resets the connection.
    Meanwhile,
    /// Long after it read the next request: not an idle connection.
    Late,
}

/// Ends with the test's process.
struct Server {
    api_url: String,
    /// Unanswered requests.
    left: Arc<AtomicU64>,
}

impl Server {
    /// Confirms each connection's first order if `answers` accepts its id. Closes on other requests.
    fn start(closes: Closes, answers: fn(&str) -> bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let api_url = format!("http://{}/live", listener.local_addr().expect("it is bound"));
        let left = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&left);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let left = Arc::clone(&counted);
                std::thread::spawn(move || serve(&stream, closes, answers, &left));
            }
        });
        Self { api_url, left }
    }

    fn left(&self) -> u64 {
        self.left.load(Ordering::SeqCst)
    }
}

fn serve(stream: &TcpStream, closes: Closes, answers: fn(&str) -> bool, left: &AtomicU64) {
    let mut reader = BufReader::with_capacity(1, stream);
    let Some(id) = read(&mut reader) else { return };
    if !answers(&id) {
        left.fetch_add(1, Ordering::SeqCst);
        return;
    }
    let body = record(&id, "CONFIRMED").to_string();
    let head = format!("HTTP/1.1 201 Created\r\nContent-Length: {}\r\n\r\n", body.len());
    let mut writer = stream;
    if writer.write_all(format!("{head}{body}").as_bytes()).is_err() {
        return;
    }
    let arrived = match closes {
        Closes::AtOnce => false,
        Closes::Afterwards => read(&mut reader).is_some(),
        Closes::Late => {
            let arrived = read(&mut reader).is_some();
            std::thread::sleep(std::time::Duration::from_secs(6));
            arrived
        }
        // Closing a socket with unread data sends a reset. Source: RFC 9293, section 3.6.1.
        Closes::Meanwhile => reader.fill_buf().is_ok_and(|bytes| !bytes.is_empty()),
    };
    left.fetch_add(u64::from(arrived), Ordering::SeqCst);
}

/// Reads one request, and returns the order's id.
fn read(reader: &mut impl BufRead) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        (reader.read_line(&mut head).ok()? > 0).then_some(())?;
    }
    let length = head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    reader.read_exact(&mut vec![0; length.unwrap_or(0)]).ok()?;
    Some(head.split(' ').nth(1)?.rsplit('/').next()?.to_owned())
}

fn compare(server: &Server, orders: &str) -> (i32, Value) {
    let mut twolane = twolane(&["compare", "--json", "--output", "out", "--api-url", &server.api_url]);
    twolane.command.args([
        "--only",
        "sync",
        "--rate",
        "100",
        "--orders",
        orders,
        "--warm-up",
        "0",
        "--max-lag",
        "600000",
    ]);
    let (code, stdout, stderr) = twolane.run();
    (code, serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{stdout}{stderr}")))
}

#[test]
fn sends_an_order_again_if_its_connection_was_just_closed() {
    for closes in [Closes::Afterwards, Closes::Meanwhile] {
        let server = Server::start(closes, |_| true);

        let (code, report) = compare(&server, "60");

        let counts = &report["lanes"][0]["counts"];
        assert_eq!((&counts["sent"], &counts["confirmed"]), (&json!(60), &json!(60)), "{counts}");
        assert_eq!(counts["refused"]["noAnswer"], 0, "{counts}");
        let resent = &report["run"]["generator"]["resent"];
        assert!(server.left() > 0, "no connection was used again");
        assert_eq!((resent, code), (&json!(server.left()), 0));
        assert!(report["verdict"].to_string().contains("sent again over a new connection"), "{}", report["verdict"]);
    }
}

#[test]
fn confirms_all_orders_if_connections_close_after_their_answer() {
    let server = Server::start(Closes::AtOnce, |_| true);

    let (code, report) = compare(&server, "300");

    let counts = &report["lanes"][0]["counts"];
    assert_eq!((code, &counts["confirmed"], &counts["refused"]["noAnswer"]), (0, &json!(300), &json!(0)), "{counts}");
}

#[test]
fn counts_a_closed_new_connection_as_no_answer() {
    // No order is answered.
    let server = Server::start(Closes::Afterwards, |_| false);

    let (_, report) = compare(&server, "10");

    assert_eq!(report["lanes"][0]["counts"]["refused"]["noAnswer"], 10, "{}", report["lanes"][0]["counts"]);
    assert_eq!((&report["run"]["generator"]["resent"], server.left()), (&json!(0), 10));
}

#[test]
fn counts_a_request_that_the_server_drops_late_as_no_answer() {
    let server = Server::start(Closes::Late, |_| true);

    let (_, report) = compare(&server, "60");

    let (counts, left) = (&report["lanes"][0]["counts"], server.left());
    assert!(left > 0, "no connection was used again");
    assert_eq!((&counts["refused"]["noAnswer"], &counts["confirmed"]), (&json!(left), &json!(60 - left)), "{counts}");
    assert_eq!(report["run"]["generator"]["resent"], 0);
}

#[test]
fn counts_an_order_once_if_it_gets_no_answer_again() {
    // The last 10 orders get no answer. The first of them arrive on reused connections.
    let server =
        Server::start(Closes::Afterwards, |id| u32::from_str_radix(&id[28..], 16).is_ok_and(|number| number < 30));

    let (_, report) = compare(&server, "40");

    let counts = &report["lanes"][0]["counts"];
    assert_eq!((&counts["confirmed"], &counts["refused"]["noAnswer"]), (&json!(30), &json!(10)), "{counts}");
    let resent = report["run"]["generator"]["resent"].as_u64().expect("a count");
    // Each of the last 10, plus each repeated request.
    assert_eq!(server.left(), 10 + resent);
}

#[test]
fn the_order_command_sends_an_order_again_too() {
    let server = Server::start(Closes::Afterwards, |_| true);
    let ids = ["1f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b", "2f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b"];
    let arguments = ["order", "--lane", "sync", "--file", "orders.jsonl", "--concurrency", "1", "--json"];
    let mut twolane = twolane(&arguments);
    twolane.folder.write("orders.jsonl", &ids.map(line).concat());
    twolane.command.args(["--api-url", &server.api_url]);

    let (code, stdout, stderr) = twolane.run();

    assert_eq!(code, 0, "{stdout}{stderr}");
    let statuses: Vec<_> = reports(&stdout).iter().map(|report| report["status"].clone()).collect();
    assert_eq!((statuses, server.left()), (vec![json!("CONFIRMED"); 2], 1), "{stdout}");
}
