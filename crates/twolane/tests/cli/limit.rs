//! `twolane compare --find-limit`, against a server of a known capacity.

use crate::compare::{compare, stored};
use crate::server::{Server, answer};
use serde_json::Value;
use std::fs;
use std::sync::Mutex;
use std::time::Instant;

/// Requests per second that the server takes.
const CAPACITY: f64 = 100.0;

/// Requests that it takes at once: what a busy machine may send late together.
const AT_ONCE: f64 = 8.0;

#[test]
fn finds_the_capacity_of_a_server_within_5_per_cent() {
    // A token bucket, as API Gateway has.
    let bucket = Mutex::new((AT_ONCE, Instant::now()));
    let server = Server::start(move |request, _| {
        let mut bucket = bucket.lock().expect("no request panics");
        let (tokens, at) = *bucket;
        let tokens = (tokens + at.elapsed().as_secs_f64() * CAPACITY).min(AT_ONCE);
        *bucket = ((tokens - 1.0).max(0.0), Instant::now());
        if tokens >= 1.0 { stored(request) } else { answer(429, "") }
    });
    let options = ["--find-limit", "--only", "sync", "--rate", "30", "--duration", "3", "--require", "*.refused==0"];
    let mut command = compare(&server, &options);

    let (code, stdout, stderr) = command.run();

    let found: Value = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}\n{stderr}"));
    assert_eq!(code, 0, "{found}\n{stderr}");
    let limit = &found["limits"][0];
    let [kept, broken] = ["kept", "broken"].map(|end| limit[end]["rate"].as_f64().expect("both ends are found"));
    assert!((CAPACITY * 0.95..=CAPACITY * 1.05).contains(&kept), "{found}");
    assert!(kept < broken && broken <= kept * 1.05, "{found}");
    let picture = fs::read_to_string(command.folder.0.join("out/limit.svg")).expect("it is written");
    assert!(picture.contains(">sync</text>"), "{picture}");
}

#[test]
fn needs_a_promise_and_one_rate() {
    let server = Server::start(|request, _| stored(request));
    for (options, why) in [
        (&["--find-limit"][..], "--find-limit needs a promise to search by"),
        (&["--find-limit", "--require", "*.lost==0", "--parallel"], "leave out --parallel"),
        (&["--find-limit", "--require", "*.lost==0", "--abort-on-fail"], "leave out --abort-on-fail"),
        (&["--find-limit", "--require", "bus.lost==0", "--only", "sync"], "No promise is about the sync lane"),
    ] {
        let (code, _, stderr) = compare(&server, options).run();

        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains(why), "{options:?}: {stderr}");
    }
}
