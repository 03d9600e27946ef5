//! `twolane order` in every lane.

use crate::server::{Reply, Request, Server, Sockets, answer};
use crate::{BODY, ID, confirmed, line, order, problem, queued, record, reports, twolane};
use serde_json::{Value, json};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

fn id(number: usize) -> String {
    format!("{number}f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b")
}

fn confirm(request: &Request, _: &Sockets) -> Reply {
    answer(201, record(request.id(), "CONFIRMED").to_string())
}

/// Answers 202 with an immediate callback.
pub(crate) fn call_back(request: &Request, sockets: &Sockets) -> Reply {
    sockets.push(&confirmed(request.id()));
    answer(202, queued())
}

#[test]
fn reports_every_answer_of_the_sync_lane() {
    let server = Server::start(|request, _| match &request.id()[..1] {
        "1" => answer(201, record(request.id(), "CONFIRMED").to_string()),
        "2" => answer(200, record(request.id(), "CONFIRMED").to_string()),
        "3" => answer(409, problem(409, "Used before.")),
        "4" => answer(400, problem(400, "Not valid.")),
        _ => answer(503, problem(503, "Over its limit.")),
    });
    let lines: String = (1..=5).map(|number| line(&id(number))).collect();

    let (code, stdout, stderr) = order(&server, "sync", &lines, &["--json"]).run();

    let reported: Vec<Value> = reports(&stdout)
        .iter()
        .map(|report| json!([report["httpStatus"], report["status"], report["reason"], report["doneBy"]]))
        .collect();
    assert_eq!(
        reported,
        [
            json!([201, "CONFIRMED", null, "answer"]),
            json!([200, "CONFIRMED", null, "answer"]),
            json!([409, "REJECTED", "Used before.", "answer"]),
            json!([400, "REJECTED", "Not valid.", "answer"]),
            json!([503, "ERROR", "Over its limit. (request r-1)", "answer"]),
        ]
    );
    assert_eq!((code, stderr.as_str()), (1, ""));
}

#[test]
fn an_order_answered_409_is_rejected_and_exits_with_0() {
    let server = Server::start(|_, _| answer(409, problem(409, "Used before.")));

    let (code, stdout, _) = order(&server, "sync", &line(ID), &[]).run();

    assert_eq!(code, 0, "{stdout}");
    assert!(stdout.contains("409 REJECTED") && stdout.contains("└ Used before."), "{stdout}");
    assert!(stdout.contains("1 order: 1 rejected"), "{stdout}");
}

#[test]
fn sends_the_body_as_json_to_the_lane_s_path() {
    let server = Server::start(confirm);

    order(&server, "sync", &line(ID), &[]).run();

    let requests = server.requests();
    assert_eq!(
        (requests[0].method.as_str(), requests[0].path.as_str()),
        ("PUT", format!("/live/sync/orders/{ID}").as_str())
    );
    assert_eq!(requests[0].body, BODY);
    assert!(requests[0].headers.contains("content-type: application/json\r\n"));
}

#[test]
fn sends_the_bytes_of_an_order_unchanged() {
    let server = Server::start(|_, _| answer(400, problem(400, "Not valid.")));
    // Repeated fields, numbers too large for any type, a lone surrogate, spaces and unsorted keys.
    let body = concat!(
        r#"{"note":"\u0078","items":[ {"sku":"é\ud800","quantity":123456789012345678901234567890,"#,
        r#""quantity":2.0,"unitPriceMinor":1e400}],"note" : "y","currency":"EUR" ,"currency":"USD"}"#,
    );

    let (code, stdout, stderr) = order(&server, "sync", &format!("{{\"order\": {body} }}\r\n"), &["--json"]).run();

    assert_eq!(server.requests()[0].body, body);
    assert_eq!((code, &reports(&stdout)[0]["status"], stderr.as_str()), (0, &json!("REJECTED"), ""));
}

#[test]
fn shows_a_problem_without_a_status() {
    let problem = json!({"type": "about:blank", "title": "Conflict", "detail": "Used before.", "requestId": "r-1"});
    let body = problem.to_string();
    let server = Server::start(move |_, _| answer(409, body.clone()));

    let (_, drawn, _) = order(&server, "sync", &line(ID), &[]).run();
    let (_, stdout, _) = order(&server, "sync", &line(ID), &["--json"]).run();

    assert!(drawn.contains("409 REJECTED") && drawn.contains("└ Used before.\n"), "{drawn}");
    assert_eq!(reports(&stdout)[0]["problem"], problem);
}

#[test]
fn a_report_has_every_field() {
    let server = Server::start(call_back);

    let (code, stdout, stderr) = order(&server, "async", &line(ID), &["--json"]).run();

    let mut report = reports(&stdout).remove(0);
    for field in ["acknowledgedMs", "doneMs"] {
        assert!(report[field].take().is_number(), "{stdout}");
    }
    let sent_at = report["sentAt"].take();
    assert!(sent_at.as_str().is_some_and(|text| text.len() == 24 && text.ends_with('Z')), "{sent_at}");
    assert_eq!(
        report,
        json!({
            "orderId": ID, "name": null, "line": 1, "lane": "async", "requests": 1, "sentAt": null,
            "acknowledgedMs": null, "doneMs": null, "doneBy": "callback", "httpStatus": 202, "status": "CONFIRMED",
            "messageId": "m-1", "reason": null, "problem": null, "steps": null,
        })
    );
    assert_eq!((code, stderr.as_str()), (0, ""));
}

#[test]
fn names_a_single_order_by_its_whole_id() {
    let server = Server::start(confirm);

    let (code, stdout, _) = order(&server, "sync", &line(ID), &[]).run();

    assert!(stdout.starts_with(&format!("sync lane · order {ID} · {}\n", server.api_url)), "{stdout}");
    assert_eq!(code, 0, "{stdout}");
}

#[test]
fn draws_queued_and_called_back() {
    let server = Server::start(call_back);
    let lines: String = (1..=3).map(|number| line(&id(number))).collect();

    let (code, stdout, stderr) = order(&server, "async", &lines, &["--concurrency", "2"]).run();

    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.starts_with(&format!("async lane · 3 orders, 2 at a time · {}\n", server.api_url)), "{stdout}");
    assert_eq!(stdout.matches(" CONFIRMED ").count(), 3, "{stdout}");
    assert!(stdout.contains("3 orders: 3 confirmed") && stdout.contains("● called back"), "{stdout}");
    assert!(!stdout.contains('\x1b'), "{stdout}");
}

#[test]
fn shows_the_reason_of_a_rejected_and_of_a_failed_order() {
    let server = Server::start(|request, sockets| {
        let kind = if request.id().starts_with('1') { "order.rejected" } else { "order.failed" };
        sockets.push(&json!({"type": kind, "orderId": request.id(), "reason": format!("why {kind}")}));
        answer(202, queued())
    });

    let (code, stdout, _) = order(&server, "async", &(line(&id(1)) + &line(&id(2))), &["--json"]).run();

    let reports = reports(&stdout);
    assert_eq!((&reports[0]["status"], &reports[0]["reason"]), (&json!("REJECTED"), &json!("why order.rejected")));
    assert_eq!((&reports[1]["status"], &reports[1]["reason"]), (&json!("FAILED"), &json!("why order.failed")));
    assert_eq!(code, 1);
}

#[test]
fn subscribes_again_after_the_socket_was_dropped() {
    let server = Server::with_frames(
        |_, sockets| {
            sockets.close();
            answer(202, queued())
        },
        |frame, sockets| {
            let frame: Value = serde_json::from_str(frame).expect("JSON");
            assert_eq!(frame["action"], "subscribe");
            let order = record(ID, "CONFIRMED");
            sockets.push(&json!({"type": "order.status", "orderId": ID, "status": "CONFIRMED", "order": order}));
        },
    );

    let (code, stdout, stderr) = order(&server, "async", &line(ID), &["--json", "--poll-after", "60"]).run();

    assert_eq!((code, &reports(&stdout)[0]["doneBy"]), (0, &json!("fetch")), "{stdout}");
    assert!(stderr.contains("The WebSocket is not open (the server closed it)"), "{stderr}");
}

/// Answers 202 without a callback, and `PENDING` to the first `times` polls.
fn pending(times: usize) -> Server {
    let asked = AtomicUsize::new(0);
    Server::start(move |request, _| match request.method.as_str() {
        "PUT" => answer(202, queued()),
        _ if asked.fetch_add(1, Ordering::SeqCst) < times => {
            let body = json!({"orderId": request.id(), "status": "PENDING"}).to_string();
            Reply::Answer { status: 200, headers: "Retry-After: 1\r\n", body }
        }
        _ => answer(200, record(request.id(), "CONFIRMED").to_string()),
    })
}

#[test]
fn polls_when_a_callback_is_overdue() {
    let server = pending(1);

    let (code, stdout, _) = order(&server, "async", &line(ID), &["--poll-after", "0"]).run();

    assert_eq!(code, 0, "{stdout}");
    assert!(stdout.contains("◆ fetched"), "{stdout}");
    let paths: Vec<String> = server.requests().into_iter().map(|request| request.path).collect();
    let (put, get) = (format!("/live/async/orders/{ID}"), format!("/live/orders/{ID}"));
    assert_eq!(paths, [put, get.clone(), get]);
}

#[test]
fn polls_without_a_socket() {
    let mut server = pending(0);
    server.websocket_url = "ws://127.0.0.1:1/live".to_owned();

    let (code, stdout, stderr) = order(&server, "async", &line(ID), &["--confirm", "poll", "--json"]).run();

    assert_eq!((code, stderr.as_str()), (0, ""));
    assert_eq!(reports(&stdout)[0]["doneBy"], "fetch");
}

#[test]
fn polls_if_the_stack_has_no_websocket_api_unless_callbacks_are_chosen() {
    let server = pending(0);
    let order = |more: &[&str]| {
        let mut twolane =
            twolane(&["order", "--lane", "async", "--file", "orders.jsonl", "--api-url", &server.api_url]);
        twolane.folder.write("orders.jsonl", &line(ID));
        twolane.command.arg("--json").args(more);
        twolane.run()
    };

    let (polled, stdout, notice) = order(&[]);
    let (refused, _, error) = order(&["--confirm", "callback"]);

    assert_eq!((polled, &reports(&stdout)[0]["doneBy"]), (0, &json!("fetch")), "{stdout}{notice}");
    assert!(notice.contains("No WebSocket API"), "{notice}");
    assert_eq!(refused, 2);
    assert!(error.contains("does not give the URL of the WebSocket API (WebSocketUrl)"), "{error}");
}

#[test]
fn polls_when_the_socket_does_not_open() {
    let mut server = pending(0);
    server.websocket_url = "ws://127.0.0.1:1/live".to_owned();

    let (code, stdout, stderr) = order(&server, "async", &line(ID), &["--poll-after", "0", "--json"]).run();

    assert_eq!((code, &reports(&stdout)[0]["doneBy"]), (0, &json!("fetch")), "{stdout}");
    assert!(stderr.contains("Connection refused"), "{stderr}");
}

#[test]
fn an_order_is_rejected_if_the_record_has_other_content() {
    let server = Server::start(|request, _| match request.method.as_str() {
        "PUT" => answer(202, queued()),
        _ => answer(200, record(request.id(), "CONFIRMED").to_string()),
    });
    let lines = line(ID).replace("\"quantity\":3", "\"quantity\":4");

    let (code, stdout, _) = order(&server, "async", &lines, &["--confirm", "poll", "--json"]).run();

    assert_eq!((code, &reports(&stdout)[0]["status"]), (0, &json!("REJECTED")), "{stdout}");
}

#[test]
fn gives_up_after_the_timeout() {
    let server = pending(usize::MAX);

    let (code, stdout, _) = order(&server, "async", &line(ID), &["--timeout", "3", "--poll-after", "0"]).run();

    assert_eq!(code, 1, "{stdout}");
    assert!(stdout.contains("UNANSWERED"), "{stdout}");
    assert!(stdout.contains("└ no outcome within 3 s; the status service said: PENDING"), "{stdout}");
    assert!(stdout.contains(&format!("{ID})")), "{stdout}");
}

#[test]
fn an_order_without_an_answer_is_unanswered() {
    let server = Server::start(|_, _| Reply::Silence);

    let (code, stdout, _) = order(&server, "sync", &line(ID), &["--timeout", "1", "--json"]).run();

    let report = reports(&stdout).remove(0);
    assert_eq!((&report["status"], &report["reason"]), (&json!("UNANSWERED"), &json!("no answer in time")));
    assert_eq!([&report["doneMs"], &report["doneBy"], &report["httpStatus"]], [&Value::Null; 3]);
    assert_eq!(code, 1);
}

#[test]
fn reports_a_stack_that_is_down() {
    let mut server = Server::start(confirm);
    server.api_url = "http://127.0.0.1:1/live".to_owned();

    let (code, stdout, stderr) = order(&server, "sync", &(line(&id(1)) + &line(&id(2))), &[]).run();

    assert_eq!(code, 1);
    assert!(stdout.contains("no connection: Connection refused"), "{stdout}");
    assert_eq!(stderr.matches("`make up` starts one").count(), 1, "{stderr}");
}

#[test]
fn asks_whether_the_address_is_outdated_unless_the_stack_answered() {
    for (status, body, hint) in [
        (404, r#"{"message":"Not Found"}"#.to_owned(), true),
        (403, r#"{"message":"Forbidden"}"#.to_owned(), true),
        (404, problem(404, "The path does not exist."), false),
        (403, problem(403, "The request was refused by the firewall."), false),
        (401, problem(401, "Send a token."), false),
    ] {
        let server = Server::start(move |_, _| answer(status, body.clone()));

        let (code, stdout, stderr) = order(&server, "sync", &line(ID), &["--token", "mine"]).run();

        assert_eq!(code, 1, "{stdout}");
        assert_eq!(stderr.contains("Is this still the address of a running stack?"), hint, "{status}: {stderr}");
    }
}

#[test]
fn polls_after_a_refused_socket() {
    let server = Server::with_refusals(
        |request, _| match request.method.as_str() {
            "PUT" => answer(202, queued()),
            _ => answer(200, record(request.id(), "CONFIRMED").to_string()),
        },
        |_, _| (),
        vec![Some((401, ""))],
    );

    let arguments = ["--poll-after", "0", "--json", "--token", "mine"];
    let (code, stdout, stderr) = order(&server, "async", &line(ID), &arguments).run();

    assert_eq!((code, &reports(&stdout)[0]["doneBy"]), (0, &json!("fetch")), "{stdout}");
    assert!(stderr.contains("does not accept the token") && stderr.contains("It is not tried again"), "{stderr}");
}

#[test]
fn repeats_a_request_only_with_retries() {
    fn recovering() -> Server {
        let asked = AtomicUsize::new(0);
        Server::start(move |request, _| {
            if asked.fetch_add(1, Ordering::SeqCst) == 0 {
                return Reply::Answer { status: 503, headers: "Retry-After: 0\r\n", body: problem(503, "Busy.") };
            }
            answer(201, record(request.id(), "CONFIRMED").to_string())
        })
    }
    let (once, twice) = (recovering(), recovering());

    let (refused, ..) = order(&once, "sync", &line(ID), &[]).run();
    let (placed, stdout, _) = order(&twice, "sync", &line(ID), &["--retries", "3"]).run();

    assert_eq!((refused, once.requests().len()), (1, 1));
    assert_eq!((placed, twice.requests().len()), (0, 2));
    assert!(stdout.contains("503 Busy. (request r-1) – repeated after"), "{stdout}");
}

#[test]
fn repeats_after_every_temporary_error() {
    // API Gateway answers 500 for a throttled Lambda function.
    for status in [429, 500, 502, 503, 504] {
        let asked = AtomicUsize::new(0);
        let server = Server::start(move |request, sockets| {
            if asked.fetch_add(1, Ordering::SeqCst) == 0 {
                let body = json!({"message": "Internal server error"}).to_string();
                return Reply::Answer { status, headers: "Retry-After: 0\r\n", body };
            }
            confirm(request, sockets)
        });

        let (code, stdout, _) = order(&server, "sync", &line(ID), &["--retries", "1"]).run();

        assert_eq!((code, server.requests().len()), (0, 2), "{stdout}");
        assert!(stdout.contains(&format!("{status} Internal server error – repeated after")), "{stdout}");
    }
}

#[test]
fn a_second_order_with_the_same_id_waits_for_the_first_and_has_its_own_outcome() {
    // The first order's callback follows the second order; the repeat is rejected.
    let puts = Mutex::new(Vec::new());
    let server = Server::start(move |request, sockets| {
        let mut puts = puts.lock().expect("no panic");
        puts.push(request.id().to_owned());
        match puts.len() {
            2 => puts.iter().for_each(|id| sockets.push(&confirmed(id))),
            3 => {
                // A late duplicate callback of the first order precedes this answer.
                sockets.push(&confirmed(request.id()));
                sockets.push(&json!({"type": "order.rejected", "orderId": request.id(), "reason": "used before"}));
            }
            _ => {}
        }
        answer(202, queued())
    });
    let different = line(&id(1)).replace("\"quantity\":3", "\"quantity\":4");
    let lines = line(&id(1)) + &different + &line(&id(2));

    let (code, stdout, _) = order(&server, "async", &lines, &["--json"]).run();

    let statuses: Vec<Value> = reports(&stdout).iter().map(|report| report["status"].clone()).collect();
    assert_eq!(statuses, ["CONFIRMED", "REJECTED", "CONFIRMED"]);
    assert_eq!(server.requests()[2].id(), id(1));
    assert_eq!(code, 0);
}

#[test]
fn lines_with_the_same_name_share_an_id_that_is_new_in_every_run() {
    let server = Server::start(confirm);
    let lines = format!("{{\"name\":\"tea\",\"order\":{BODY}}}\n").repeat(2);

    let (_, stdout, _) = order(&server, "sync", &lines, &[]).run();
    order(&server, "sync", &lines, &[]).run();

    let requests = server.requests();
    assert_eq!(requests[0].id(), requests[1].id());
    assert_ne!(requests[1].id(), requests[2].id());
    assert!(stdout.contains(" tea again "), "{stdout}");
}

#[test]
fn places_all_orders_after_the_reader_closed_the_output() {
    let server = Server::start(confirm);
    let lines: String = (1..=4).map(|number| line(&id(number))).collect();
    for arguments in [["--json", "--concurrency=1"], ["--retries=0", "--concurrency=1"]] {
        let mut command = order(&server, "sync", &lines, &arguments);
        let mut child = command.start();
        drop(child.stdout.take());

        let output = child.wait_with_output().expect("it ends");

        assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{output:?}");
    }
    assert_eq!(server.requests().len(), 8);
}

/// The bus lane's callback.
fn cancelled(id: &str) -> Value {
    let mut order = record(id, "CANCELLED");
    order["lane"] = json!("bus");
    order["reason"] = json!("SKU-1: 3 ordered, 2 left");
    order["steps"] = json!([
        {"step": "stock", "state": "REFUSED", "reason": "SKU-1: 3 ordered, 2 left"},
        {"step": "payment", "state": "UNDONE"}, {"step": "shipment", "state": "UNDONE"},
    ]);
    json!({"type": "order.cancelled", "orderId": id, "reason": order["reason"], "order": order})
}

#[test]
fn shows_the_steps_of_an_order_that_the_bus_lane_cancels() {
    let server = Server::start(|request, sockets| {
        sockets.push(&cancelled(request.id()));
        answer(202, json!({"status": "SUBMITTED", "messageId": "m-1"}).to_string())
    });

    let (code, stdout, stderr) = order(&server, "bus", &line(ID), &["--json"]).run();
    let (_, drawn, _) = order(&server, "bus", &line(ID), &[]).run();

    assert_eq!(code, 0, "{stderr}");
    let report = &reports(&stdout)[0];
    let outcome = json!([report["status"], report["reason"], report["doneBy"], report["messageId"], report["lane"]]);
    assert_eq!(outcome, json!(["CANCELLED", "SKU-1: 3 ordered, 2 left", "callback", "m-1", "bus"]));
    assert_eq!(report["steps"], cancelled(ID)["order"]["steps"]);
    assert_eq!(server.requests()[0].path, format!("/live/bus/orders/{ID}"));
    let steps = "└ stock REFUSED: SKU-1: 3 ordered, 2 left · payment UNDONE · shipment UNDONE\n";
    assert!(drawn.contains(steps) && drawn.contains("1 order: 1 cancelled"), "{drawn}");
}

#[test]
fn names_the_step_that_an_order_without_an_outcome_waits_for() {
    let server = Server::start(|request, _| {
        if request.method == "PUT" {
            return answer(202, json!({"status": "SUBMITTED", "messageId": "m-1"}).to_string());
        }
        let mut placed = record(request.id(), "PLACED");
        placed["steps"] = json!([{"step": "stock", "state": "HELD"}, {"step": "payment", "state": "PENDING"}]);
        answer(200, placed.to_string())
    });

    let (code, stdout, _) = order(&server, "bus", &line(ID), &["--json", "--confirm", "poll", "--timeout", "2"]).run();

    assert_eq!(code, 1);
    let reason = "no outcome within 2 s; the status service said: PLACED (stock HELD, payment PENDING)";
    assert_eq!(reports(&stdout)[0]["reason"], reason);
}
