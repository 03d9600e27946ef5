//! `twolane compare --find-limit` against a server with a known capacity.

use crate::compare::{compare, stored};
use crate::server::{Server, answer};
use serde_json::Value;
use std::collections::HashMap;
use std::fs;
use std::sync::Mutex;

/// Requests of one run that the server accepts. A run lasts a second, so this is the capacity per second on any
/// machine.
const CAPACITY: u32 = 100;

/// Leading digits that all order ids of a run share.
const RUN: usize = 28;

#[test]
fn finds_the_capacity_of_a_server_within_5_per_cent() {
    let taken: Mutex<HashMap<String, u32>> = Mutex::default();
    let server = Server::start(move |request, _| {
        let mut taken = taken.lock().expect("no request panics");
        let of_run = taken.entry(request.id()[..RUN].to_owned()).or_default();
        *of_run += 1;
        if *of_run <= CAPACITY { stored(request) } else { answer(429, "") }
    });
    let options = ["--find-limit", "--only", "sync", "--rate", "30", "--duration", "1", "--require", "*.refused==0"];
    let mut command = compare(&server, &options);

    let (code, stdout, stderr) = command.run();

    let found: Value = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}\n{stderr}"));
    assert_eq!(code, 0, "{found}\n{stderr}");
    let limit = &found["limits"][0];
    let [kept, broken] = ["kept", "broken"].map(|end| limit[end]["rate"].as_f64().expect("both ends are found"));
    let capacity = f64::from(CAPACITY);
    assert!((capacity * 0.95..=capacity * 1.05).contains(&kept), "{found}");
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
        (&["--find-limit", "--require", "bus.lost==0", "--only", "sync"], "which is not measured: add it to --lanes"),
    ] {
        let (code, _, stderr) = compare(&server, options).run();

        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains(why), "{options:?}: {stderr}");
    }
}
