//! `twolane compare` against a scripted server: what is counted is what was injected, and a stall shows.

use crate::server::{Reply, Request, Server, Sockets, answer};
use crate::{Twolane, confirmed, queued, record, signal, twolane};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// Number of an order, which its id ends in.
pub(crate) fn number(request: &Request) -> u32 {
    u32::from_str_radix(&request.id()[28..], 16).expect("ids end in their order's number")
}

/// The command against the server, with reports in a folder of its own and nothing before the figures begin.
pub(crate) fn compare(server: &Server, more: &[&str]) -> Twolane {
    let mut twolane = twolane(&["compare", "--json", "--output", "out", "--api-url", &server.api_url]);
    let warm_up: &[&str] = if more.contains(&"--replay") { &[] } else { &["--warm-up", "0"] };
    // The machine may be busy: that requests leave late is what one test is about, and must not disturb others.
    let lag: &[&str] = if more.contains(&"--max-in-flight") { &[] } else { &["--max-lag", "600000"] };
    twolane.command.args(["--websocket-url", &server.websocket_url]).args(warm_up).args(lag).args(more);
    twolane
}

/// Runs it: exit code and report, which is also what the file says.
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
fn refusals_of_the_sync_lane_are_counted_by_class() {
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

/// Queues every order and tells what becomes of it, in sixes: confirmed, confirmed twice, rejected, failed, never told
/// and never stored, stored and never told.
fn queue(request: &Request, sockets: &Sockets) -> Reply {
    let (id, kind) = (request.id(), number(request) % 6);
    if request.method == "GET" {
        let pending = json!({"orderId": id, "status": "PENDING"});
        let status = ["CONFIRMED", "CONFIRMED", "REJECTED", "FAILED", "", "CONFIRMED"][kind as usize];
        return answer(200, if kind == 4 { pending } else { record(id, status) }.to_string());
    }
    let told = match kind {
        0 => vec![confirmed(id)],
        1 => vec![confirmed(id), confirmed(id)],
        2 => vec![json!({"type": "order.rejected", "orderId": id, "reason": "not valid"})],
        3 => vec![json!({"type": "order.failed", "orderId": id, "reason": "given up"})],
        _ => Vec::new(),
    };
    for frame in told {
        sockets.push(&frame);
    }
    answer(202, queued())
}

/// What comes of 60 orders by [`queue`].
fn told_of_sixty(counts: &Value) {
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
fn losses_and_duplicates_of_the_async_lane_are_counted_and_fail_the_run() {
    let server = Server::start(queue);
    let arguments = ["--only", "async", "--rate", "100", "--orders", "60", "--grace", "2"];

    let (code, report) = measured(compare(&server, &arguments));

    let lane = &report["lanes"][0];
    told_of_sixty(&lane["counts"]);
    assert_eq!(lane["counts"]["duplicateCallbacks"], 10);
    assert_eq!(lane["counts"]["withoutCallback"], 10);
    assert_eq!(lane["latencies"]["doneByCallback"]["count"], 40);
    assert_eq!(code, 1, "an accepted order was lost");
    let verdict = report["verdict"].to_string();
    assert!(verdict.contains("LOST 10"), "{verdict}");
}

#[test]
fn a_failed_order_that_is_confirmed_later_is_no_duplicate_and_costs_no_status_request() {
    let server = Server::start(|request, sockets| {
        if request.method == "GET" {
            return answer(200, record(request.id(), "CONFIRMED").to_string());
        }
        sockets.push(&json!({"type": "order.failed", "orderId": request.id(), "reason": "given up"}));
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
fn what_cannot_be_is_an_error_of_the_run() {
    // Told to be refused for good, and to be confirmed; told to be confirmed, and to be rejected.
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

    // One unit for the sample, five for 4 KB and what a record has besides, and one for each in the index of orders.
    assert_eq!(report["lanes"][0]["usage"]["writeUnits"], 8.0, "{}", report["lanes"][0]["usage"]);
}

#[test]
fn a_caller_that_only_asks_learns_the_same() {
    let server = Server::start(queue);
    let arguments = ["--only", "async", "--rate", "100", "--orders", "60", "--grace", "2", "--confirm", "poll"];

    let (code, report) = measured(compare(&server, &arguments));

    let lane = &report["lanes"][0];
    told_of_sixty(&lane["counts"]);
    assert_eq!(lane["latencies"]["doneByPoll"]["count"], 50);
    assert_eq!(
        (&lane["latencies"]["doneByCallback"], &lane["counts"]["withoutCallback"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(code, 1);
}

#[test]
fn orders_that_are_sent_twice_are_counted_once() {
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
    // One order each 10 ms, whatever is sent twice.
    let arrivals = &report["run"]["arrivals"];
    assert_eq!((&arrivals["orders"], &arrivals["ratePerSecond"]), (&json!(20), &json!(100.0)));
    // Nobody waits any more, although twice as many requests were accepted as orders were done.
    let last = report["lanes"][0]["timeline"].as_array().and_then(|seconds| seconds.last()).expect("a second");
    assert_eq!(last["backlog"], 0, "{}", report["lanes"][0]["timeline"]);
    assert_eq!(code, 0);
}

#[test]
fn both_lanes_get_the_same_schedule() {
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
fn lanes_are_measured_as_they_are_named() {
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
fn a_missing_lane_is_named_with_the_outputs_that_it_lacks() {
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
fn a_lane_without_outputs_is_left_out_and_one_that_lacks_some_is_refused() {
    let server = Server::start(|request, _| stored(request));
    // What is planned has no arrivals: nothing is sent.
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
    let (_, _, told) = compare(&[], &[]);
    let (alone, _, needs) = compare(&[], &["--parallel"]);

    assert!(why.contains("has no output DeadLetterQueueUrl: deploy this version of the stack"), "{why}");
    assert!(told.contains("The stack has no async lane: it is left out"), "{told}");
    assert!(told.contains("Failed to read the arrivals in none.jsonl"), "the sync lane is planned: {told}");
    assert!(needs.contains("--parallel needs at least two lanes"), "{needs}");
    assert_eq!((refused, alone, server.requests().len()), (2, 2, 0));
}

/// What SQS says of a queue without messages.
const EMPTY_QUEUE: &str = r#"{"Attributes": {"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0",
    "ApproximateNumberOfMessagesDelayed": "0"}}"#;

/// A stack that refuses every order, and of whose orders queue the depth cannot be read so many times.
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
            // Of its functions, nothing is known; its logs are empty.
            Some(_) => answer(200, "{}"),
            None if request.method == "GET" => answer(200, "{}"),
            None => answer(429, ""),
        }
    })
}

#[test]
fn a_depth_of_the_queue_that_cannot_be_read_fails_the_run_only_when_none_can() {
    for (times, expected) in [(1, 0), (usize::MAX, 1)] {
        let server = unread(times);
        let endpoint = server.api_url.trim_end_matches("/live");
        // Says that it is alice's.
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
        let told = if expected == 0 { &stderr } else { &errors };
        assert!(told.contains("async lane: The depth of the queues could not be read"), "{stderr}{errors}");
        assert!(told.contains("not allowed to do that"), "{stderr}{errors}");
    }
}

#[test]
fn a_stall_shows_in_the_tail_although_few_requests_meet_it_open() {
    const STALL: Duration = Duration::from_secs(5);
    let (ended, stalled) = channel();
    let server = Server::start(move |request, _| {
        // The server's only thread: while it sleeps, nothing is accepted, read or answered.
        if number(request) == 40 {
            let began = Instant::now();
            std::thread::sleep(STALL);
            let _ = ended.send(began.elapsed());
        }
        stored(request)
    });

    let (_, report) = measured(compare(&server, &["--only", "sync", "--rate", "20", "--orders", "200"]));

    // Only how long it takes at least: how much longer is the machine's. That the others' times are none of it, and what
    // each percentile is, is tested with a clock that stands still (`measure::load`).
    let stall = stalled.try_recv().expect("it stalled").as_secs_f64() * 1000.0;
    let latency = &report["lanes"][0]["latencies"]["acknowledge"];
    let at_least = |name: &str, least: f64| {
        assert!(latency[name].as_f64().expect("measured") >= least, "{name} is less than {least}: {latency}");
    };
    // A fifth of a second after it begins, all of it but that is left: that is 5 of 200 orders, more than 1 %.
    at_least("p99Ms", stall - 300.0);
    // Half of the orders were due while it lasted: a tenth of all in its first second.
    at_least("p90Ms", stall - 1500.0);
    assert_eq!(report["run"]["generator"]["honest"], true, "{}", report["run"]["generator"]);
}

#[test]
fn figures_of_a_load_that_was_not_kept_up_are_refused() {
    let server = Server::start(|request, _| {
        std::thread::sleep(Duration::from_millis(20));
        stored(request)
    });
    // Two requests at a time, each of 20 ms and more, cannot be 200 a second.
    let arguments = ["--only", "sync", "--rate", "200", "--orders", "100", "--max-in-flight", "1"];

    let (code, report) = measured(compare(&server, &arguments));

    assert_eq!(code, 1);
    assert_eq!(
        (&report["run"]["generator"]["honest"], &report["lanes"][0]["counts"]["confirmed"]),
        (&json!(false), &json!(100))
    );
    assert_eq!(report["lanes"][0]["latencies"]["acknowledge"], Value::Null);
    assert!(report["errors"].to_string().contains("p99 send delay"), "{}", report["errors"]);
}

#[test]
fn an_interrupted_run_reports_what_it_knows() {
    for (name, expected) in [("INT", 130), ("TERM", 143)] {
        let (sender, came) = channel();
        let server = Server::start(move |request, _| {
            let _ = sender.send(());
            stored(request)
        });
        let mut command = compare(&server, &["--only", "sync", "--rate", "10", "--duration", "3600"]);
        let child = command.start();
        for _ in 0..3 {
            came.recv_timeout(Duration::from_mins(1)).expect("orders come");
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
fn wrong_usage_is_told_before_anything_is_sent() {
    let server = Server::start(|request, _| stored(request));
    for (arguments, told) in [
        (&["--replay", "none.jsonl"][..], "Failed to read the arrivals in none.jsonl"),
        (&["--replay", "none.jsonl", "--warm-up", "1"], "cannot be used with"),
        (&["--rate", "0"], "a number above 0"),
        (&["--rate", "0.1", "--duration", "0"], "No order is due after the warm-up"),
        (&["--rate", "1000000", "--duration", "86400"], "86400000000 orders, and 20000000 is the most"),
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
        assert!(stderr.contains(told), "{arguments:?}: {stderr}");
    }
    assert!(server.requests().is_empty());
}

#[test]
fn explains_itself_with_examples() {
    let (code, help, _) = twolane(&["compare", "--help"]).run();

    assert_eq!(code, 0);
    for part in ["Examples:", "Exit code:", "coordinated omission", "--restore", "kill -9", "The stack is found"] {
        assert!(help.contains(part), "{part}: {help}");
    }
}

#[test]
fn shows_progress_and_a_summary_to_people() {
    let server = Server::start(|request, _| stored(request));
    let mut command = twolane(&["compare", "--output", "out", "--api-url", &server.api_url, "--warm-up", "0"]);
    // The machine may be busy: that requests leave late is what another test is about.
    command.command.args(["--only", "sync", "--rate", "10", "--duration", "6", "--max-lag", "600000"]);

    let (code, stdout, stderr) = command.run();

    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("sync ") && stderr.contains("/60 sent") && stderr.contains("p99"), "{stderr}");
    assert!(stdout.contains("accepted") && stdout.contains("Measured on an emulator"), "{stdout}");
    assert!(stderr.contains("Report: out/report.json and out/report.html"), "{stderr}");
}
