//! `twolane plan` without a stack.

use crate::{repository, twolane};
use serde_json::Value;
use std::fs;
use std::io::Read;

/// If set, the test writes the output into the document instead of comparing it.
const UPDATE: &str = "UPDATE_DOCS";

#[test]
fn shows_what_limits_a_lane_and_what_to_change() {
    let (code, shown, stderr) = twolane(&["plan", "--lanes", "sync", "--rate", "1000", "--duration", "1m"]).run();

    assert_eq!((code, stderr.as_str()), (1, ""));
    for part in [
        "sync lane: does not pass",
        "limited by  SyncRateLimit from",
        "refused with 429",
        "--set SyncRateLimit=1200 (template parameter)",
        "then        passes",
        "not measured on AWS",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn passes_with_the_settings_that_it_printed() {
    let set = ["--set", "SyncRateLimit=1200", "--set", "SyncBurstLimit=1200"];
    let plan = ["plan", "--lanes", "sync", "--rate", "1000", "--duration", "1m", "--json"];

    let (code, shown, _) = twolane(&[&plan[..], &set].concat()).run();

    let plan: Value = serde_json::from_str(&shown).expect("it is JSON");
    assert_eq!(code, 0);
    assert_eq!(plan["lanes"][0]["lane"], "sync");
    assert_eq!(plan["lanes"][0]["passes"], true);
    assert_eq!(plan["settings"]["SyncRateLimit"], 1200.0);
    assert_eq!(plan["lanes"][0]["orders"]["confirmed"].as_f64().map(f64::round), Some(60_000.0));
}

/// With all figures.
const LARGE: [&str; 6] = ["plan", "--rate", "10000", "--arrivals", "day", "--json"];

#[test]
fn the_same_options_print_the_same_bytes() {
    let [first, second] = [(); 2].map(|()| twolane(&LARGE).run().1);

    assert!(first == second && first.len() > 10_000, "{} and {} bytes", first.len(), second.len());
}

/// The output exceeds the pipe's 64 KB: the process still runs when all is computed.
#[cfg(target_os = "linux")]
#[test]
fn a_day_at_10_000_orders_a_second_takes_less_than_50_mb() {
    let mut command = twolane(&LARGE);
    let mut child = command.start();
    let mut output = child.stdout.take().expect("it is piped");
    output.read_exact(&mut [0]).expect("the plan begins");

    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).expect("it runs");
    output.read_to_end(&mut Vec::new()).expect("the plan ends");
    child.wait().expect("it ends");

    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB")).expect("it has memory");
    let peak: u64 = peak.trim().parse().expect("a number");
    assert!((1_000..50_000).contains(&peak), "{peak} kB");
}

#[test]
fn plans_for_recorded_arrivals() {
    let twolane = twolane(&["plan", "--lanes", "async", "--replay", "arrivals.jsonl", "--json"]);
    let lines: Vec<_> = (0..500).map(|arrival| format!("{{\"at\":{}}}", arrival * 4)).collect();
    twolane.folder.write("arrivals.jsonl", &lines.join("\n"));

    let (code, shown, stderr) = { twolane }.run();

    let plan: Value = serde_json::from_str(&shown).expect("it is JSON");
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert_eq!(plan["lanes"][0]["orders"]["confirmed"].as_f64().map(f64::round), Some(500.0));
}

#[test]
fn writes_a_page_without_scripts_and_requests() {
    let mut twolane = twolane(&["plan", "--arrivals", "burst", "--duration", "2m", "--html", "plan.html"]);

    twolane.run();

    let page = fs::read_to_string(twolane.folder.0.join("plan.html")).expect("the page is there");
    assert!(page.contains("Twolane plan") && page.contains("sync lane"), "{page}");
    assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("NaN"), "{page}");
}

#[test]
fn lists_the_settings_with_their_values() {
    let (code, shown, _) = twolane(&["plan", "--settings", "--set", "MaximumConcurrency=50"]).run();

    assert_eq!(code, 0);
    let line = shown.lines().find(|line| line.contains("MaximumConcurrency ")).expect("it is listed");
    assert!(line.contains("50  Concurrent invocations for each queue"), "{line}");
}

#[test]
fn rejects_what_it_cannot_plan_for() {
    for (arguments, why) in [
        (vec!["--set", "MaxConcurrency=5"], "unknown setting MaxConcurrency; `twolane plan --settings` lists all"),
        (vec!["--set", "MaximumConcurrency=0"], "MaximumConcurrency must be from 2 to 1000, not 0"),
        (vec!["--set", "MaximumConcurrency"], "a setting and its value, such as MaximumConcurrency=50"),
        (vec!["--peak", "5"], "a constant load has no peak"),
        (vec!["--rate", "0"], "the rate must be more than 0"),
        (vec!["--replay", "none.jsonl"], "Failed to read the arrivals in none.jsonl"),
        (vec!["--limits", "none.toml"], "Failed to read the limits in none.toml"),
        (vec!["--prices", "none.toml"], "Failed to read the prices in none.toml"),
    ] {
        let (code, _, stderr) = twolane(&[&["plan"], &arguments[..]].concat()).run();

        assert_eq!(code, 2, "{arguments:?}");
        assert!(stderr.contains(why), "{arguments:?}: {stderr}");
    }
}

/// Each block of `docs/scale.md` that begins with a command has its output. A block that ends with `…` leaves out the
/// assumptions and what follows them: all plans have the same.
#[test]
fn the_document_about_scale_has_the_output_of_its_commands() {
    let path = repository().join("docs/scale.md");
    let document = fs::read_to_string(&path).expect("the document is there");
    let mut written = String::new();
    let mut commands = 0;

    for (index, block) in document.split("```").enumerate() {
        let command = block.strip_prefix("text\n$ twolane ").and_then(|block| block.lines().next());
        let block = if let (Some(command), false) = (command, index % 2 == 0) {
            commands += 1;
            let (_, shown, stderr) = twolane(&command.split(' ').collect::<Vec<_>>()).run();
            assert_eq!(stderr, "", "{command}");
            let shown = match shown.split_once("\nassumed ") {
                Some((before, _)) if block.ends_with("…\n") => format!("{before}\n…\n"),
                _ => shown,
            };
            format!("text\n$ twolane {command}\n{shown}")
        } else {
            block.to_owned()
        };
        written += if index == 0 { "" } else { "```" };
        written += &block;
    }

    assert!(commands >= 3, "{commands}");
    if std::env::var_os(UPDATE).is_some() {
        fs::write(&path, &written).expect("the document can be written");
    }
    assert!(
        document == written || std::env::var_os(UPDATE).is_some(),
        "docs/scale.md differs from the output of `twolane plan`. Run this test with {UPDATE}=1, and review the changes."
    );
}
