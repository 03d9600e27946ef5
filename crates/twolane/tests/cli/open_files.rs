//! `twolane compare` with too few open files or an unreachable server: not counted against a lane.

use crate::server::{Server, answer};
use crate::tls::Authority;
use crate::{Twolane, line, order, record, twolane};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// Runs the command in a shell with that limit of open files.
fn limited(twolane: Twolane, limit: &str) -> Twolane {
    let Twolane { command, folder } = twolane;
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("ulimit {limit} && exec \"$0\" \"$@\"")]).arg(command.get_program());
    shell.args(command.get_args()).current_dir(&folder.0).stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    Twolane { command: shell, folder }
}

/// The sync lane, with the report in `out` and no bound on the send delay.
fn compare(api_url: &str, more: &[&str]) -> Twolane {
    let arguments = ["compare", "--json", "--output", "out", "--only", "sync", "--warm-up", "0", "--max-lag", "600000"];
    let mut twolane = twolane(&arguments);
    twolane.command.args(["--api-url", api_url]).args(more);
    twolane
}

fn report(stdout: &str, stderr: &str) -> Value {
    serde_json::from_str(stdout).unwrap_or_else(|_| panic!("{stdout}{stderr}"))
}

/// URL of a server that answers only once that many requests are under way, and all from then on.
fn answers_together(requests: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let api_url = format!("http://{}/live", listener.local_addr().expect("it is bound"));
    let waiting = Arc::new((Mutex::new(0), Condvar::new()));
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let waiting = Arc::clone(&waiting);
            std::thread::spawn(move || {
                let Some(id) = read(&stream) else { return };
                let (count, changed) = &*waiting;
                let mut count = count.lock().expect("no panic");
                *count += 1;
                changed.notify_all();
                drop(changed.wait_while(count, |count| *count < requests).expect("no panic"));
                let body = record(&id, "CONFIRMED").to_string();
                let head =
                    format!("HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
                let _ = (&stream).write_all(format!("{head}{body}").as_bytes());
            });
        }
    });
    api_url
}

/// Reads one request, and returns the order's id.
fn read(stream: &TcpStream) -> Option<String> {
    let (mut reader, mut head) = (BufReader::new(stream), String::new());
    while !head.ends_with("\r\n\r\n") {
        (reader.read_line(&mut head).ok()? > 0).then_some(())?;
    }
    let length = head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    reader.read_exact(&mut vec![0; length.unwrap_or(0)]).ok()?;
    Some(head.split(' ').nth(1)?.rsplit('/').next()?.to_owned())
}

#[test]
fn raises_a_low_soft_limit_to_the_hard_limit() {
    // 40 orders, then 400 within 250 ms, then 40. The burst has 300 concurrent requests: 256 files are too few.
    let api_url = answers_together(300);
    let burst = ["--rate", "40", "--arrivals", "burst", "--duration", "3"];

    let (code, stdout, stderr) = limited(compare(&api_url, &burst), "-Sn 256").run();

    let report = report(&stdout, &stderr);
    let counts = &report["lanes"][0]["counts"];
    assert_eq!((&counts["sent"], &counts["confirmed"], &counts["notSent"]), (&json!(480), &json!(480), &json!(0)));
    assert_eq!((code, &report["run"]["generator"]["inFlightBound"]), (0, &json!(1000)), "{stderr}");
    assert!(!stderr.contains("ulimit"), "{stderr}");
}

#[test]
fn a_hard_limit_bounds_the_requests_under_way() {
    let server = Server::start(|request, _| answer(201, record(request.id(), "CONFIRMED").to_string()));

    let (code, stdout, stderr) =
        limited(compare(&server.api_url, &["--rate", "100", "--orders", "200"]), "-n 128").run();

    let report = report(&stdout, &stderr);
    let (counts, generator) = (&report["lanes"][0]["counts"], &report["run"]["generator"]);
    assert_eq!((code, &counts["confirmed"], &counts["notSent"]), (0, &json!(200), &json!(0)), "{stderr}");
    let bound = generator["inFlightBound"].as_u64().expect("a number");
    assert!((1..64).contains(&bound), "{generator}");
    let expected = format!("This process may open 128 files: at most {bound} concurrent requests per lane");
    assert!(stderr.contains(&expected) && stderr.contains("run `ulimit -n "), "{stderr}");
}

#[test]
fn slow_tls_handshakes_do_not_use_up_the_open_files() {
    let authority = Authority::new();
    let server = Server::start(|request, _| answer(201, record(request.id(), "CONFIRMED").to_string()));
    let port = authority.front_after("localhost", server.address(), Duration::from_millis(700)).port();
    let load = ["--rate", "300", "--orders", "900"];
    let twolane = compare(&format!("https://localhost:{port}/live"), &load).env("AWS_CA_BUNDLE", "authority.pem");
    twolane.folder.write("authority.pem", &authority.pem());

    let (code, stdout, stderr) = limited(twolane, "-n 128").run();

    let report = report(&stdout, &stderr);
    let counts = &report["lanes"][0]["counts"];
    assert_eq!((code, &counts["confirmed"], &counts["notSent"]), (0, &json!(900), &json!(0)), "{counts}{stderr}");
}

#[test]
fn a_wrong_proxy_or_certificate_of_this_machine_does_not_count_as_a_refusal() {
    let authority = Authority::new();
    let server = Server::start(|_, _| answer(500, ""));
    let port = authority.front("localhost", server.address()).port();
    let load = ["--rate", "50", "--orders", "5"];
    let untrusted = compare(&format!("https://localhost:{port}/live"), &load);
    let dead_proxy = compare("https://api.stack.example/live", &load).env("HTTPS_PROXY", "http://127.0.0.1:1");

    for (mut twolane, reason) in [(untrusted, "AWS_CA_BUNDLE"), (dead_proxy, "proxy http://127.0.0.1:1")] {
        let (code, stdout, stderr) = twolane.run();

        let report = report(&stdout, &stderr);
        let (counts, generator) = (&report["lanes"][0]["counts"], &report["run"]["generator"]);
        assert_eq!((&counts["notSent"], &counts["refused"]["noAnswer"]), (&json!(5), &json!(0)), "{counts}");
        assert_eq!((code, &generator["onSchedule"]), (1, &json!(false)), "{stderr}");
        assert!(generator["reason"].as_str().is_some_and(|why| why.contains(reason)), "{generator}");
    }
}

#[test]
fn rejects_max_in_flight_above_the_limit_and_says_what_to_type() {
    let server = Server::start(|_, _| answer(500, ""));

    let (code, stdout, stderr) =
        limited(compare(&server.api_url, &["--orders", "1000", "--max-in-flight", "500"]), "-n 128").run();

    assert_eq!((code, stdout.as_str(), server.requests().len()), (2, "", 0), "{stderr}");
    assert!(stderr.contains("too few for --max-in-flight 500: run `ulimit -n "), "{stderr}");
    assert!(stderr.contains("Or pass --max-in-flight "), "{stderr}");
}

#[test]
fn rejects_a_concurrency_above_the_limit() {
    let server = Server::start(|request, _| answer(201, record(request.id(), "CONFIRMED").to_string()));
    let ids = (0..100).map(|number| format!("00000000-0000-4000-8000-{number:012}"));
    let lines: String = ids.map(|id| line(&id)).collect();
    let order = |concurrency| order(&server, "sync", &lines, &["--concurrency", concurrency]);

    let (refused, _, stderr) = limited(order("100"), "-n 128").run();
    let (placed, stdout, _) = limited(order("15"), "-n 128").run();

    assert_eq!((refused, placed, server.requests().len()), (2, 0, 100), "{stderr}{stdout}");
    assert!(stderr.contains("too few for --concurrency 100: run `ulimit -n "), "{stderr}");
}

/// Limits a running process to the files that it has open or in reserve.
#[cfg(target_os = "linux")]
fn let_run_out(process: u32) {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};
    let files = std::fs::read_dir(format!("/proc/{process}/fd")).expect("it runs").map_while(Result::ok);
    let held = files
        .filter(|file| std::fs::read_link(file.path()).is_ok_and(|path| path == std::path::Path::new("/dev/null")));
    let highest = held.filter_map(|file| file.file_name().to_str()?.parse::<u64>().ok()).max().expect("some are held");
    let limit = Rlimit { current: Some(highest + 1), maximum: Some(highest + 1) };
    let process = Pid::from_raw(process.try_into().expect("a process id")).expect("a process id");
    prlimit(Some(process), Resource::Nofile, limit).expect("the process is our child");
}

#[cfg(target_os = "linux")]
#[test]
fn reports_orders_that_could_not_be_sent_as_a_failure_of_the_generator() {
    let (sender, process) = std::sync::mpsc::channel();
    let process = Mutex::new(process);
    let server = Server::start(move |request, _| {
        // Only the first request gets a process id.
        if let Ok(process) = process.lock().expect("no panic").recv() {
            let_run_out(process);
        }
        answer(201, record(request.id(), "CONFIRMED").to_string())
    });
    let mut twolane = compare(&server.api_url, &["--rate", "20", "--orders", "40"]);
    let child = twolane.start();
    sender.send(child.id()).expect("the server waits for it");
    drop(sender);

    let output = child.wait_with_output().expect("it ends");

    let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8"));
    let report = report(&stdout, &stderr);
    let (lane, generator) = (&report["lanes"][0], &report["run"]["generator"]);
    let count = |name: &str| lane["counts"][name].as_u64().expect("a count");
    assert_eq!((count("sent") + count("notSent"), count("confirmed")), (40, count("sent")), "{}", lane["counts"]);
    assert!(count("notSent") > 0, "{}", lane["counts"]);
    let refused = lane["counts"]["refused"].as_object().expect("classes");
    assert!(refused.values().all(|count| count == 0), "{refused:?}");
    assert_eq!((output.status.code(), &generator["onSchedule"]), (Some(1), &json!(false)), "{stderr}");
    let reason = generator["reason"].as_str().expect("a reason");
    assert!(reason.contains("could not send") && reason.contains("Too many open files"), "{reason}");
    assert_eq!(lane["latencies"]["acknowledge"], Value::Null);
    assert!(report["verdict"].to_string().contains("the generator failed, not the lane"), "{}", report["verdict"]);
    let refused = lane["timeline"].as_array().expect("seconds").iter().map(|second| &second["refused"]);
    assert!(refused.clone().all(|refused| refused == 0), "{}", lane["timeline"]);
    let page = std::fs::read_to_string(twolane.folder.0.join("out/report.html")).expect("the page is there");
    assert!(page.contains("not sent by the generator"), "{page}");
}

#[test]
fn a_failed_name_look_up_does_not_count_as_a_refusal() {
    // A label of 64 octets never resolves. Source: RFC 1035, section 2.3.4.
    let api_url = format!("http://{}.invalid/live", "a".repeat(64));

    let (code, stdout, stderr) =
        compare(&api_url, &["--rate", "50", "--orders", "5"]).env("NO_PROXY", "*").env("no_proxy", "*").run();

    let report = report(&stdout, &stderr);
    let counts = &report["lanes"][0]["counts"];
    assert_eq!(
        (&counts["sent"], &counts["notSent"], &counts["refused"]["noAnswer"]),
        (&json!(0), &json!(5), &json!(0))
    );
    assert_eq!((code, &report["run"]["generator"]["onSchedule"]), (1, &json!(false)), "{stderr}");
}
