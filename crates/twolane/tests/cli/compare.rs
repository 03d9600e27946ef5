//! `twolane compare` against a scripted server: it counts what the server injects, and measures its stalls.

use crate::server::{Reply, Request, Server, Sockets, answer};
use crate::{Twolane, confirmed, queued, record, signal, twolane};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// The end of the order's id.
pub(crate) fn number(request: &Request) -> u32 {
    u32::from_str_radix(&request.id()[28..], 16).expect("ids end in their order's number")
}

/// With reports in `out` and no warm-up.
pub(crate) fn compare(server: &Server, more: &[&str]) -> Twolane {
    let mut twolane = twolane(&["compare", "--json", "--output", "out", "--api-url", &server.api_url]);
    let warm_up: &[&str] = if more.contains(&"--replay") { &[] } else { &["--warm-up", "0"] };
    // On a busy machine requests leave late. Only one test is about that.
    let lag: &[&str] = if more.contains(&"--max-in-flight") { &[] } else { &["--max-lag", "600000"] };
    twolane.command.args(["--websocket-url", &server.websocket_url]).args(warm_up).args(lag).args(more);
    twolane
}

/// Exit code and report, after a check that the report's file has the same.
pub(crate) fn measured(mut command: Twolane) -> (i32, Value) {
    let (code, stdout, stderr) = command.run();
    let report: Value = serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{stdout}{stderr}"));
    let file = std::fs::read_to_string(command.folder.0.join("out/report.json")).expect("the report is there");
    assert_eq!(serde_json::from_str::<Value>(&file).expect("it is JSON"), report);
    (code, report)
}

pub(crate) fn stored(request: &Request) -> Reply {
    answer(201, record(request.id(), "CONFIRMED").to_string())
}

#[test]
fn counts_refusals_of_the_sync_lane_by_class() {
    let server = Server::start(|request, _| match number(request) % 10 {
        0 => answer(429, ""),
        1 => answer(503, ""),
        2 => answer(500, ""),
        3 => answer(504, ""),
        4 => answer(400, ""),
        5 => Reply::HangUp,
        6 => answer(200, record(request.id(), "CONFIRMED").to_string()),
        _ => stored(request),
    });

    let (code, report) = measured(compare(&server, &["--only", "sync", "--rate", "100", "--orders", "50"]));

    let counts = &report["lanes"][0]["counts"];
    let refused = json!({"throttled": 5, "unavailable": 5, "serverError": 10, "clientError": 5, "noAnswer": 5});
    assert_eq!(counts["refused"], refused);
    assert_eq!((&counts["sent"], &counts["accepted"], &counts["confirmed"]), (&json!(50), &json!(20), &json!(20)));
    assert_eq!(report["lanes"][0]["latencies"]["acknowledge"]["count"], 20);
    assert_eq!((code, server.requests().len()), (0, 50));
}

/// Answers 202. By an order's number modulo 6: confirmed; confirmed by two callbacks; rejected; failed; no callback and
/// not stored; stored, without a callback.
fn queue(request: &Request, sockets: &Sockets) -> Reply {
    let (id, kind) = (request.id(), number(request) % 6);
    if request.method == "GET" {
        let pending = json!({"orderId": id, "status": "PENDING"});
        let status = ["CONFIRMED", "CONFIRMED", "REJECTED", "FAILED", "", "CONFIRMED"][kind as usize];
        return answer(200, if kind == 4 { pending } else { record(id, status) }.to_string());
    }
    let frames = match kind {
        0 => vec![confirmed(id)],
        1 => vec![confirmed(id), confirmed(id)],
        2 => vec![json!({"type": "order.rejected", "orderId": id, "reason": "not valid"})],
        3 => vec![json!({"type": "order.failed", "orderId": id, "reason": "five deliveries failed"})],
        _ => Vec::new(),
    };
    for frame in frames {
        sockets.push(&frame);
    }
    answer(202, queued())
}

/// Counts of 60 orders at [`queue`].
fn check_counts_of_sixty(counts: &Value) {
    for (name, expected) in [
        ("sent", 60),
        ("accepted", 60),
        ("confirmed", 30),
        ("rejected", 10),
        ("failed", 10),
        ("lost", 10),
        ("unsettled", 0),
        ("repeated", 0),
    ] {
        assert_eq!(counts[name], expected, "{name}: {counts}");
    }
}

#[test]
fn counts_lost_orders_and_duplicate_callbacks_and_fails_the_run() {
    let server = Server::start(queue);
    let arguments = ["--only", "async", "--rate", "100", "--orders", "60", "--grace", "2"];

    let (code, report) = measured(compare(&server, &arguments));

    let lane = &report["lanes"][0];
    check_counts_of_sixty(&lane["counts"]);
    assert_eq!(lane["counts"]["duplicateCallbacks"], 10);
    assert_eq!(lane["counts"]["withoutCallback"], 10);
    assert_eq!(lane["latencies"]["doneByCallback"]["count"], 40);
    assert_eq!(code, 1, "an accepted order was lost");
    let verdict = report["verdict"].to_string();
    assert!(verdict.contains("LOST 10"), "{verdict}");
}

#[test]
fn a_failed_order_that_is_confirmed_later_needs_no_poll_and_does_not_count_as_a_duplicate() {
    let server = Server::start(|request, sockets| {
        if request.method == "GET" {
            return answer(200, record(request.id(), "CONFIRMED").to_string());
        }
        sockets.push(&json!({"type": "order.failed", "orderId": request.id(), "reason": "five deliveries failed"}));
        sockets.push(&confirmed(request.id()));
        answer(202, queued())
    });

    let (code, report) = measured(compare(&server, &["--only", "async", "--rate", "50", "--orders", "20"]));

    let lane = &report["lanes"][0];
    let counts = ["confirmed", "failed", "duplicateCallbacks"].map(|name| &lane["counts"][name]);
    assert_eq!((code, counts), (0, [&json!(20), &json!(0), &json!(0)]), "{lane}");
    assert_eq!((&lane["usage"]["websocketMessages"], &lane["usage"]["statusRequests"]), (&json!(40), &json!(0)));
}

#[test]
fn contradictory_answers_are_an_error_of_the_run() {
    // Refused by the answer, confirmed by a callback; confirmed and rejected by callbacks.
    let refused = Server::start(|request, sockets| {
        sockets.push(&confirmed(request.id()));
        answer(429, "")
    });
    let contradicted = Server::start(|request, sockets| {
        sockets.push(&confirmed(request.id()));
        sockets.push(&json!({"type": "order.rejected", "orderId": request.id(), "reason": "not valid"}));
        answer(202, queued())
    });
    for (server, error) in [
        (refused, "20 orders were refused, but have an outcome"),
        (contradicted, "20 callbacks contradict an earlier callback of the same order"),
    ] {
        let (code, report) = measured(compare(&server, &["--only", "async", "--rate", "50", "--orders", "20"]));

        assert_eq!(code, 1, "{report}");
        assert!(report["errors"].to_string().contains(error), "{}", report["errors"]);
    }
}

#[test]
fn a_large_order_costs_more_writes_than_a_small_one() {
    let server = Server::start(|request, _| stored(request));
    let command = compare(&server, &["--only", "sync", "--replay", "traffic.jsonl"]);
    let note = "x".repeat(4096);
    command.folder.write("traffic.jsonl", &format!("{{\"at\":0}}\n{{\"at\":1,\"order\":{{\"note\":\"{note}\"}}}}\n"));

    let (_, report) = measured(command);

    // The sample order takes 1 unit, the large one 5 (4 KB plus the rest of the record). Each takes 1 in the index of
    // orders.
    assert_eq!(report["lanes"][0]["usage"]["writeUnits"], 8.0, "{}", report["lanes"][0]["usage"]);
}

#[test]
fn polling_finds_the_same_outcomes() {
    let server = Server::start(queue);
    let arguments = ["--only", "async", "--rate", "100", "--orders", "60", "--grace", "2", "--confirm", "poll"];

    let (code, report) = measured(compare(&server, &arguments));

    let lane = &report["lanes"][0];
    check_counts_of_sixty(&lane["counts"]);
    assert_eq!(lane["latencies"]["doneByPoll"]["count"], 50);
    assert_eq!(
        (&lane["latencies"]["doneByCallback"], &lane["counts"]["withoutCallback"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(code, 1);
}

#[test]
fn counts_orders_that_are_sent_twice_once() {
    let server = Server::start(|request, sockets| {
        sockets.push(&confirmed(request.id()));
        answer(202, queued())
    });
    let arguments =
        ["--only", "async", "--rate", "100", "--orders", "20", "--scenario", "duplicates", "--percent", "100"];

    let (code, report) = measured(compare(&server, &arguments));

    let counts = &report["lanes"][0]["counts"];
    for (name, expected) in
        [("sent", 40), ("accepted", 40), ("confirmed", 20), ("repeated", 20), ("duplicateCallbacks", 20)]
    {
        assert_eq!(counts[name], expected, "{name}: {counts}");
    }
    // One order every 10 ms, repeats left out.
    let arrivals = &report["run"]["arrivals"];
    assert_eq!((&arrivals["orders"], &arrivals["ratePerSecond"]), (&json!(20), &json!(100.0)));
    // The backlog is empty: accepted requests are twice the orders.
    let last = report["lanes"][0]["timeline"].as_array().and_then(|seconds| seconds.last()).expect("a second");
    assert_eq!(last["backlog"], 0, "{}", report["lanes"][0]["timeline"]);
    assert_eq!(code, 0);
}

#[test]
fn sends_the_same_schedule_to_both_lanes() {
    let server = Server::start(|request, sockets| {
        if request.path.contains("/sync/") {
            return stored(request);
        }
        sockets.push(&confirmed(request.id()));
        answer(202, queued())
    });
    for more in [&[][..], &["--parallel"]] {
        let mut arguments = vec!["--rate", "50", "--duration", "1", "--arrivals", "poisson", "--seed", "7"];
        arguments.extend(more);

        let (code, report) = measured(compare(&server, &arguments));

        let arrivals = |lane: usize| -> Vec<&Value> {
            report["lanes"][lane]["timeline"]
                .as_array()
                .expect("seconds")
                .iter()
                .map(|second| &second["arrivals"])
                .collect()
        };
        let sum = |lane| arrivals(lane).iter().filter_map(|due| due.as_u64()).sum::<u64>();
        assert_eq!((code, sum(0)), (0, sum(1)));
        assert_eq!((&report["lanes"][0]["lane"], &report["lanes"][1]["lane"]), (&json!("sync"), &json!("async")));
        assert_eq!((&report["run"]["seed"], &report["run"]["arrivals"]["orders"]), (&json!(7), &json!(sum(0))));
    }
}

#[test]
fn measures_the_named_lanes_in_their_order() {
    let server = Server::start(|request, sockets| {
        if request.path.contains("/sync/") {
            return stored(request);
        }
        sockets.push(&confirmed(request.id()));
        answer(202, queued())
    });
    for (named, expected) in [("async,sync", &["async", "sync"][..]), ("sync", &["sync"]), ("async", &["async"])] {
        let (code, report) = measured(compare(&server, &["--lanes", named, "--rate", "50", "--orders", "5"]));

        let lanes = report["lanes"].as_array().expect("lanes").iter();
        let lanes: Vec<_> = lanes.map(|lane| lane["lane"].as_str().expect("a name")).collect();
        assert_eq!((code, lanes.as_slice()), (0, expected));
    }
}

#[test]
fn names_a_missing_lane_and_the_outputs_that_it_lacks() {
    let server = Server::start(|request, _| stored(request));
    let outputs = json!({"ApiUrl": server.api_url, "OrdersTableName": "orders", "CreateOrderFunctionName": "create"});
    let compare = |outputs: Value, more: &[&str]| {
        let mut twolane = twolane(&["compare", "--outputs", "outputs.json"]);
        twolane.folder.write("outputs.json", &outputs.to_string());
        twolane.command.args(more);
        twolane.run()
    };

    let (code, _, stderr) = compare(outputs, &["--lanes", "sync,async"]);
    let (none, _, why) = compare(json!({"ApiUrl": server.api_url, "OrdersTableName": "orders"}), &[]);

    let lacks = "no async lane: it lacks the outputs ProcessOrdersFunctionName, OrdersQueueUrl, DeadLetterQueueUrl";
    assert!(stderr.contains(lacks), "{stderr}");
    assert!(why.contains("The stack has no lane"), "{why}");
    assert_eq!((code, none, server.requests().len()), (2, 2, 0));
}

#[test]
fn leaves_out_a_lane_without_outputs_and_rejects_one_that_lacks_some() {
    let server = Server::start(|request, _| stored(request));
    // The file of arrivals does not exist: nothing is sent.
    let compare = |more: &[(&str, &str)], parallel: &[&str]| {
        let mut twolane = twolane(&["compare", "--outputs", "outputs.json", "--replay", "none.jsonl"]);
        let mut outputs = json!({
            "ApiUrl": server.api_url, "OrdersTableName": "orders", "GetOrderFunctionName": "get",
            "CreateOrderFunctionName": "create",
        });
        for (name, value) in more {
            outputs[name] = json!(value);
        }
        twolane.folder.write("outputs.json", &outputs.to_string());
        twolane
            .command
            .args(parallel)
            .envs([("AWS_ENDPOINT_URL", "http://127.0.0.1:9"), ("AWS_REGION", "eu-central-1")]);
        twolane.run()
    };
    let partly = [("ProcessOrdersFunctionName", "process"), ("OrdersQueueUrl", "http://127.0.0.1:9/1/orders")];

    let (refused, _, why) = compare(&partly, &[]);
    let (_, _, notice) = compare(&[], &[]);
    let (alone, _, needs) = compare(&[], &["--parallel"]);

    assert!(why.contains("has no output DeadLetterQueueUrl: deploy this version of the stack"), "{why}");
    assert!(notice.contains("The stack has no async lane: it is left out"), "{notice}");
    assert!(notice.contains("Failed to read the arrivals in none.jsonl"), "the sync lane is planned: {notice}");
    assert!(needs.contains("--parallel needs at least two lanes"), "{needs}");
    assert_eq!((refused, alone, server.requests().len()), (2, 2, 0));
}

const EMPTY_QUEUE: &str = r#"{"Attributes": {"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0",
    "ApproximateNumberOfMessagesDelayed": "0"}}"#;

/// Refuses every order. The first `times` reads of its orders queue's depth are denied.
fn unread(times: usize) -> Server {
    let asked = AtomicUsize::new(0);
    Server::start(move |request, _| {
        let action = request.headers.lines().find_map(|line| line.strip_prefix("x-amz-target: "));
        match action.and_then(|action| action.rsplit('.').next()) {
            Some("getqueueattributes") if request.body.contains("/1/orders") => {
                if asked.fetch_add(1, Ordering::Relaxed) < times {
                    return answer(400, r#"{"__type": "AccessDeniedException", "message": "not allowed to do that"}"#);
                }
                answer(200, EMPTY_QUEUE)
            }
            Some("getqueueattributes") => answer(200, EMPTY_QUEUE),
            Some("batchgetitem") => answer(200, r#"{"Responses": {}, "UnprocessedKeys": {}}"#),
            // No function settings, and no logs.
            Some(_) => answer(200, "{}"),
            None if request.method == "GET" => answer(200, "{}"),
            None => answer(429, ""),
        }
    })
}

#[test]
fn fails_the_run_only_if_the_depth_of_the_queue_can_never_be_read() {
    for (times, expected) in [(1, 0), (usize::MAX, 1)] {
        let server = unread(times);
        let endpoint = server.api_url.trim_end_matches("/live");
        // Unsigned, with the `sub` alice.
        let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.x";
        let arguments = ["--only", "async", "--confirm", "poll", "--rate", "50", "--orders", "5", "--grace", "1"];
        let mut twolane = twolane(&["compare", "--json", "--output", "out", "--outputs", "outputs.json"]);
        let outputs = json!({
            "ApiUrl": server.api_url, "OrdersTableName": "orders", "GetOrderFunctionName": "get",
            "ProcessOrdersFunctionName": "process", "OrdersQueueUrl": format!("{endpoint}/1/orders"),
            "DeadLetterQueueUrl": format!("{endpoint}/1/dead"),
        });
        twolane.folder.write("outputs.json", &outputs.to_string());
        twolane.command.args(["--warm-up", "0", "--max-lag", "600000", "--token", token]).args(arguments).envs([
            ("AWS_ENDPOINT_URL", endpoint),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ]);

        let (code, stdout, stderr) = twolane.run();

        let report: Value = serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{stdout}{stderr}"));
        let errors = report["errors"].to_string();
        assert_eq!(
            (code, report["errors"].as_array().map(Vec::len)),
            (expected, Some(usize::from(expected == 1))),
            "{errors}"
        );
        let shown = if expected == 0 { &stderr } else { &errors };
        assert!(shown.contains("async lane: The depth of the queues could not be read"), "{stderr}{errors}");
        assert!(shown.contains("not allowed to do that"), "{stderr}{errors}");
    }
}

#[test]
fn a_stall_shows_in_the_tail_although_few_requests_are_open_during_it() {
    const STALL: Duration = Duration::from_secs(5);
    let (ended, stalled) = channel();
    let server = Server::start(move |request, _| {
        // The server's only thread sleeps: nothing is accepted, read or answered.
        if number(request) == 40 {
            let began = Instant::now();
            std::thread::sleep(STALL);
            let _ = ended.send(began.elapsed());
        }
        stored(request)
    });

    let (_, report) = measured(compare(&server, &["--only", "sync", "--rate", "20", "--orders", "200"]));

    // Lower bounds only: a busy machine adds time. Tests with a paused clock check exact percentiles (`measure::load`).
    let stall = stalled.try_recv().expect("it stalled").as_secs_f64() * 1000.0;
    let latency = &report["lanes"][0]["latencies"]["acknowledge"];
    let at_least = |name: &str, least: f64| {
        assert!(latency[name].as_f64().expect("measured") >= least, "{name} is less than {least}: {latency}");
    };
    // 5 of 200 orders, more than 1 %, are due in the first 200 ms of the stall and wait for the rest.
    at_least("p99Ms", stall - 300.0);
    // Half of the orders are due during the stall, a tenth of all in its first second.
    at_least("p90Ms", stall - 1500.0);
    assert_eq!(report["run"]["generator"]["onSchedule"], true, "{}", report["run"]["generator"]);
}

#[test]
fn shows_no_times_if_the_load_was_not_kept_up() {
    let server = Server::start(|request, _| {
        std::thread::sleep(Duration::from_millis(20));
        stored(request)
    });
    // One request at a time, of 20 ms or more, cannot reach 200 per second.
    let arguments = ["--only", "sync", "--rate", "200", "--orders", "100", "--max-in-flight", "1"];

    let (code, report) = measured(compare(&server, &arguments));

    assert_eq!(code, 1);
    assert_eq!(
        (&report["run"]["generator"]["onSchedule"], &report["lanes"][0]["counts"]["confirmed"]),
        (&json!(false), &json!(100))
    );
    assert_eq!(report["lanes"][0]["latencies"]["acknowledge"], Value::Null);
    assert!(report["errors"].to_string().contains("p99 send delay"), "{}", report["errors"]);
}

#[test]
fn an_interrupted_run_reports_its_results_so_far() {
    for (name, expected) in [("INT", 130), ("TERM", 143)] {
        let (sender, arrived) = channel();
        let server = Server::start(move |request, _| {
            let _ = sender.send(());
            stored(request)
        });
        let mut command = compare(&server, &["--only", "sync", "--rate", "10", "--duration", "3600"]);
        let child = command.start();
        for _ in 0..3 {
            arrived.recv_timeout(Duration::from_mins(1)).expect("orders arrive");
        }

        signal(&child, name);

        let output = child.wait_with_output().expect("it ends");
        let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
        let counts = &report["lanes"][0]["counts"];
        assert!(counts["sent"].as_u64() >= Some(3) && counts["sent"] == counts["confirmed"], "{counts}");
        assert_eq!((output.status.code(), &report["run"]["interrupted"]), (Some(expected), &json!(true)));
    }
}

#[test]
fn replays_the_arrivals_of_a_file() {
    let server = Server::start(|request, _| stored(request));
    let command = compare(&server, &["--only", "sync", "--replay", "traffic.jsonl"]);
    let body = r#"{"currency":"JPY","items":[]}"#;
    command.folder.write("traffic.jsonl", &format!("{{\"at\":2500}}\n{{\"at\":2000,\"order\":{body}}}\n"));

    let (code, report) = measured(command);

    let bodies: Vec<String> = server.requests().iter().map(|request| request.body.clone()).collect();
    assert_eq!((code, bodies[0].as_str(), bodies.len()), (0, body, 2));
    assert_eq!(
        (&report["run"]["arrivals"]["kind"], &report["run"]["arrivals"]["durationSeconds"]),
        (&json!("replay"), &json!(0.5))
    );
}

#[test]
fn rejects_wrong_usage_before_it_sends_anything() {
    let server = Server::start(|request, _| stored(request));
    for (arguments, message) in [
        (&["--replay", "none.jsonl"][..], "Failed to read the arrivals in none.jsonl"),
        (&["--replay", "none.jsonl", "--warm-up", "1"], "cannot be used with"),
        (&["--rate", "0"], "a number above 0"),
        (&["--rate", "0.1", "--duration", "0"], "No order is due after the warm-up"),
        (&["--rate", "1000000", "--duration", "86400"], "86400000000 orders; the maximum is 20000000"),
        (&["--orders", "5", "--duration", "5"], "cannot be used with"),
        (&["--lanes", "sync", "--only", "sync"], "cannot be used with"),
        (&["--lanes", "sync,nowhere"], "invalid value 'nowhere' for '--lanes <LANES>'"),
        (&["--lanes", "sync,async,sync"], "--lanes names sync twice"),
        (&["--lanes", "sync", "--parallel"], "--parallel needs at least two lanes"),
        (&["--only", "sync", "--parallel"], "cannot be used with"),
        (&["--scenario", "burst"], "pass --stack-name or --outputs"),
        (&["--owners", "2", "--token", "typed"], "2 owners need 2 tokens"),
        (&["--prices", "none.toml"], "none.toml"),
        (&["--restore"], "pass --stack-name or --outputs"),
    ] {
        let (code, stdout, stderr) = compare(&server, arguments).run();

        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains(message), "{arguments:?}: {stderr}");
    }
    assert!(server.requests().is_empty());
}

#[test]
fn the_help_has_examples() {
    let (code, help, _) = twolane(&["compare", "--help"]).run();

    assert_eq!(code, 0);
    for part in ["Examples:", "Exit code:", "coordinated omission", "--restore", "kill -9", "The stack is found"] {
        assert!(help.contains(part), "{part}: {help}");
    }
}

#[test]
fn shows_progress_and_a_summary() {
    let server = Server::start(|request, _| stored(request));
    let mut command = twolane(&["compare", "--output", "out", "--api-url", &server.api_url, "--warm-up", "0"]);
    // On a busy machine requests leave late. Another test is about that.
    command.command.args(["--only", "sync", "--rate", "10", "--duration", "6", "--max-lag", "600000"]);

    let (code, stdout, stderr) = command.run();

    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("sync ") && stderr.contains("/60 sent") && stderr.contains("p99"), "{stderr}");
    assert!(stdout.contains("accepted") && stdout.contains("Measured on an emulator"), "{stdout}");
    assert!(stderr.contains("Report: out/report.json and out/report.html"), "{stderr}");
}
