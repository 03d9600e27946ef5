//! `twolane order`, interrupted.

use crate::server::{Reply, Server, answer};
use crate::{confirmed, line, order, queued, record, reports, signal};
use serde_json::{Value, json};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// Longest wait for a condition: enough for a busy machine, below the command's time-outs.
const WAIT: Duration = Duration::from_secs(30);
/// Never expires in these tests.
const NEVER: &str = "--timeout=86400";

fn id(number: usize) -> String {
    format!("{number}f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b")
}

fn lines(numbers: std::ops::RangeInclusive<usize>) -> String {
    numbers.map(|number| line(&id(number))).collect()
}

/// Confirms the first order and answers no other. Signals when the third arrives: two are under way at a time, so the
/// first has its outcome.
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

/// Runs the command, sends the signal `name` when the condition is signalled, and waits for the end.
fn interrupted(mut command: crate::Twolane, condition: &Receiver<()>, name: &str) -> (Option<i32>, String, String) {
    let child = command.start();
    condition.recv_timeout(WAIT).expect("the condition is met");

    signal(&child, name);

    let output = child.wait_with_output().expect("it ends");
    let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8"));
    (output.status.code(), stdout, stderr)
}

#[test]
fn ctrl_c_draws_the_results_so_far() {
    let (server, stalled) = stalling();
    let command = order(&server, "sync", &lines(1..=5), &["--concurrency", "2", NEVER]);

    let (code, stdout, stderr) = interrupted(command, &stalled, "INT");

    assert_eq!(code, Some(130), "{stdout}{stderr}");
    assert!(stdout.contains("5 orders: 1 confirmed, 2 unanswered, 2 not sent"), "{stdout}");
    for unanswered in [2, 3] {
        let line = format!("└ interrupted; it may yet be confirmed (order {})", id(unanswered));
        assert!(stdout.contains(&line), "{stdout}");
    }
    assert!(stderr.contains("Interrupted (SIGINT). Orders not sent: 2 of 5."), "{stderr}");
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn ctrl_c_writes_the_results_so_far_as_json() {
    let (server, stalled) = stalling();
    let command = order(&server, "sync", &lines(1..=5), &["--concurrency", "2", "--json", NEVER]);

    let (code, stdout, _) = interrupted(command, &stalled, "INT");

    let reported: Vec<Value> = reports(&stdout)
        .iter()
        .map(|report| json!([report["orderId"], report["status"], report["httpStatus"], report["doneMs"].is_null()]))
        .collect();
    let unanswered = |number| json!([id(number), "UNANSWERED", null, true]);
    assert_eq!(reported, [json!([id(1), "CONFIRMED", 201, false]), unanswered(2), unanswered(3)]);
    assert_eq!(code, Some(130));
}

#[test]
fn does_not_send_a_second_order_with_the_id_of_an_interrupted_one() {
    let (server, stalled) = stalling();
    let command = order(&server, "sync", &lines(3..=3).repeat(3), &["--json", NEVER]);

    let (code, stdout, stderr) = interrupted(command, &stalled, "INT");

    assert_eq!((code, reports(&stdout).len(), server.requests().len()), (Some(130), 1, 1));
    assert!(stderr.contains("Orders not sent: 2 of 3."), "{stderr}");
}

#[test]
fn sigterm_keeps_what_is_known_of_queued_orders() {
    let (sender, asked): (Sender<()>, _) = channel();
    let server = Server::start(move |request, sockets| match (request.method.as_str(), &request.id()[..1]) {
        ("PUT", "1") => {
            sockets.push(&confirmed(request.id()));
            answer(202, queued())
        }
        ("PUT", _) => answer(202, queued()),
        ("GET", "1") => Reply::Silence,
        _ => {
            // The command polls: it has the acknowledgement.
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
