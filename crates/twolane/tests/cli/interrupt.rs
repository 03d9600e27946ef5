//! `twolane order`, interrupted.

use crate::server::{Reply, Server, answer};
use crate::{confirmed, line, order, queued, record, reports, signal};
use serde_json::{Value, json};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// Longer than any wait of these tests on a busy machine, shorter than any time-out of the command.
const PATIENCE: Duration = Duration::from_secs(30);
/// What `--timeout` is given: nothing here may end by it.
const NEVER: &str = "--timeout=86400";

/// Ids of orders.
fn id(number: usize) -> String {
    format!("{number}f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b")
}

fn lines(numbers: std::ops::RangeInclusive<usize>) -> String {
    numbers.map(|number| line(&id(number))).collect()
}

/// Confirms the first order and leaves all others without an answer. Tells when the third has come: by then the first
/// has its outcome, as two are under way at a time.
fn stalling() -> (Server, Receiver<()>) {
    let (sender, stalled): (Sender<()>, _) = channel();
    let server = Server::start(move |request, _| match &request.id()[..1] {
        "1" => answer(201, record(request.id(), "CONFIRMED").to_string()),
        "3" => {
            let _ = sender.send(());
            Reply::Silence
        }
        _ => Reply::Silence,
    });
    (server, stalled)
}

/// Runs the command until the condition is told, sends the signal, and waits for the end.
fn interrupted(mut command: crate::Twolane, condition: &Receiver<()>, name: &str) -> (Option<i32>, String, String) {
    let child = command.start();
    condition.recv_timeout(PATIENCE).expect("the condition is met");

    signal(&child, name);

    let output = child.wait_with_output().expect("it ends");
    let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8"));
    (output.status.code(), stdout, stderr)
}

#[test]
fn ctrl_c_draws_what_is_known_so_far() {
    let (server, stalled) = stalling();
    let command = order(&server, "sync", &lines(1..=5), &["--concurrency", "2", NEVER]);

    let (code, stdout, stderr) = interrupted(command, &stalled, "INT");

    assert_eq!(code, Some(130), "{stdout}{stderr}");
    assert!(stdout.contains("5 orders: 1 confirmed, 2 unanswered, 2 not sent"), "{stdout}");
    for unanswered in [2, 3] {
        let told = format!("└ interrupted; it may yet be confirmed (order {})", id(unanswered));
        assert!(stdout.contains(&told), "{stdout}");
    }
    assert!(stderr.contains("Interrupted (SIGINT). Orders not sent: 2 of 5."), "{stderr}");
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn ctrl_c_reports_what_is_known_so_far() {
    let (server, stalled) = stalling();
    let command = order(&server, "sync", &lines(1..=5), &["--concurrency", "2", "--json", NEVER]);

    let (code, stdout, _) = interrupted(command, &stalled, "INT");

    let told: Vec<Value> = reports(&stdout)
        .iter()
        .map(|report| json!([report["orderId"], report["status"], report["httpStatus"], report["doneMs"].is_null()]))
        .collect();
    let unanswered = |number| json!([id(number), "UNANSWERED", null, true]);
    assert_eq!(told, [json!([id(1), "CONFIRMED", 201, false]), unanswered(2), unanswered(3)]);
    assert_eq!(code, Some(130));
}

#[test]
fn a_later_order_of_an_interrupted_one_s_id_is_not_sent() {
    let (server, stalled) = stalling();
    let command = order(&server, "sync", &lines(3..=3).repeat(3), &["--json", NEVER]);

    let (code, stdout, stderr) = interrupted(command, &stalled, "INT");

    assert_eq!((code, reports(&stdout).len(), server.requests().len()), (Some(130), 1, 1));
    assert!(stderr.contains("Orders not sent: 2 of 3."), "{stderr}");
}

#[test]
fn a_termination_keeps_what_is_known_of_queued_orders() {
    let (sender, asked): (Sender<()>, _) = channel();
    let server = Server::start(move |request, sockets| match (request.method.as_str(), &request.id()[..1]) {
        ("PUT", "1") => {
            sockets.push(&confirmed(request.id()));
            answer(202, queued())
        }
        ("PUT", _) => answer(202, queued()),
        ("GET", "1") => Reply::Silence,
        _ => {
            // It is asked for: its acknowledgement has come.
            let _ = sender.send(());
            Reply::Silence
        }
    });
    let command = order(&server, "async", &lines(1..=2), &["--poll-after=0", "--concurrency=1", "--json", NEVER]);

    let (code, stdout, _) = interrupted(command, &asked, "TERM");

    let reports = reports(&stdout);
    assert_eq!((&reports[0]["status"], &reports[1]["status"]), (&json!("CONFIRMED"), &json!("UNANSWERED")));
    assert_eq!((&reports[1]["httpStatus"], &reports[1]["messageId"]), (&json!(202), &json!("m-1")));
    assert!(reports[1]["acknowledgedMs"].is_number() && reports[1]["doneBy"].is_null(), "{stdout}");
    assert_eq!(code, Some(143));
}
