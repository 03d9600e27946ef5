//! Results are never lost: commands check their destination first, and save the results elsewhere if writing fails.

use crate::fake_aws::{FakeAws, State, message};
use crate::server::{Server, answer};
use crate::{ID, Twolane, line, order, record, reports, twolane};
use serde_json::Value;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::channel;

fn confirming() -> Server {
    Server::start(|request, _| answer(201, record(request.id(), "CONFIRMED").to_string()))
}

/// Ten orders in the sync lane, with a home folder inside the command's folder.
fn compare(server: &Server, output: &str, more: &[&str]) -> Twolane {
    let arguments =
        ["compare", "--output", output, "--only", "sync", "--rate", "50", "--orders", "10", "--warm-up", "0"];
    let mut twolane = twolane(&arguments);
    twolane.command.args(["--max-lag", "600000", "--api-url", &server.api_url]).args(more);
    at_home(twolane)
}

fn at_home(mut twolane: Twolane) -> Twolane {
    twolane.command.env_remove("XDG_STATE_HOME").env("HOME", twolane.folder.0.join("home"));
    twolane
}

/// Fails like a full disk.
#[cfg(target_os = "linux")]
fn full() -> File {
    File::options().write(true).open("/dev/full").expect("Linux has it")
}

/// The only entry in that home's state folder.
fn saved(home: &Path) -> PathBuf {
    let mut saved = fs::read_dir(home.join(".local/state/twolane")).expect("a state folder").map_while(Result::ok);
    let first = saved.next().expect("a saved file").path();
    assert!(saved.next().is_none(), "more than one file was saved");
    first
}

#[test]
fn rejects_an_unwritable_folder_before_it_sends_anything() {
    let server = confirming();
    for (output, expected) in [
        ("file/below", "Failed to make the folder file/below"),
        ("file", "Failed to make the folder file"),
        ("taken", "taken/report.html is a folder"),
        #[cfg(target_os = "linux")]
        ("/proc/self", "Failed to write /proc/self/report.json"),
    ] {
        let mut command = compare(&server, output, &[]);
        command.folder.write("file", "");
        command.folder.write("taken/report.html/x", "");

        let (code, stdout, stderr) = command.run();

        assert_eq!((code, stdout.as_str(), server.requests().len()), (2, "", 0), "{output}: {stderr}");
        assert!(stderr.contains(expected), "{output}: {stderr}");
    }
}

#[test]
fn a_run_that_does_not_start_leaves_no_folder_and_removes_no_file() {
    let server = confirming();
    for output in ["out", "a/b/c", "a/../a/b", "there/b/c", "there"] {
        let mut command = compare(&server, output, &["--scenario", "burst"]);
        command.folder.write("there/report.json.new", "the user's");

        let (code, _, stderr) = command.run();

        let folder = &command.folder.0;
        let made: Vec<_> = ["out", "a", "there/b"].into_iter().filter(|made| folder.join(made).exists()).collect();
        let existing = fs::read_to_string(folder.join("there/report.json.new"));
        assert_eq!((code, made, server.requests().len()), (2, Vec::new(), 0), "{output}: {stderr}");
        assert_eq!(existing.ok().as_deref(), Some("the user's"), "{output}: {stderr}");
    }
}

/// Makes the run's folder unwritable at the first order. The test sends the folder's path.
fn removing_the_folder() -> (Server, std::sync::mpsc::Sender<PathBuf>) {
    let (sender, folder) = channel::<PathBuf>();
    let folder = Mutex::new(folder);
    let server = Server::start(move |request, _| {
        if let Ok(folder) = folder.lock().expect("no panic").recv() {
            fs::remove_dir_all(&folder).expect("it is there");
            fs::write(&folder, "").expect("a temporary file");
        }
        answer(201, record(request.id(), "CONFIRMED").to_string())
    });
    (server, sender)
}

#[test]
fn saves_a_report_elsewhere_if_its_folder_became_unwritable() {
    let (server, sender) = removing_the_folder();
    let mut command = compare(&server, "out", &[]);
    sender.send(command.folder.0.join("out")).expect("the server waits for it");
    drop(sender);

    let (code, stdout, stderr) = command.run();

    assert_eq!(code, 1, "{stderr}");
    assert!(stdout.contains("confirmed"), "the summary is missing: {stdout}");
    assert!(stderr.contains("error: Failed to write out/report.json"), "{stderr}");
    let folder = saved(&command.folder.0.join("home"));
    let (report, page) = (folder.join("report.json"), folder.join("report.html"));
    assert!(stderr.contains(&format!("Report: {} and {}", report.display(), page.display())), "{stderr}");
    let report: Value = serde_json::from_str(&fs::read_to_string(report).expect("it is there")).expect("a report");
    assert_eq!(report["lanes"][0]["counts"]["confirmed"], 10);
    assert!(page.exists());
}

#[test]
fn saves_a_report_in_the_temporary_folder_if_the_home_folder_is_unwritable() {
    let (server, sender) = removing_the_folder();
    let mut command = compare(&server, "out", &["--json"]);
    command.folder.write("home", "a file");
    command.folder.write("tmp/x", "");
    command.command.env("TMPDIR", command.folder.0.join("tmp"));
    sender.send(command.folder.0.join("out")).expect("the server waits for it");
    drop(sender);

    let (code, stdout, stderr) = command.run();

    assert_eq!(code, 1, "{stderr}");
    let report: Value = serde_json::from_str(&stdout).expect("the report is shown");
    let temporary = fs::read_dir(command.folder.0.join("tmp")).expect("a folder").map_while(Result::ok);
    let saved = temporary.map(|entry| entry.path().join("report.json")).find(|path| path.exists()).expect("a report");
    let saved: Value = serde_json::from_str(&fs::read_to_string(saved).expect("it is there")).expect("a report");
    assert_eq!(saved, report);
}

#[cfg(target_os = "linux")]
#[test]
fn writes_the_report_even_if_it_cannot_be_shown() {
    let server = confirming();
    for json in [&[][..], &["--json"]] {
        let mut command = compare(&server, "out", json);
        command.command.stdout(full());

        let (code, _, stderr) = command.run();

        assert_eq!(code, 1, "{stderr}");
        assert!(stderr.contains("error: Failed to write to standard output: No space left on device"), "{stderr}");
        assert!(stderr.contains("confirmed") && stderr.contains("Report: out/report.json"), "{stderr}");
        assert!(command.folder.0.join("out/report.html").exists());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn places_all_orders_and_saves_the_results_on_a_full_disk() {
    let server = confirming();
    let ids = ["1f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b", "2f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b"];
    let mut command = at_home(order(&server, "sync", &ids.map(line).concat(), &["--json"]));
    command.command.stdout(full());

    let (code, _, stderr) = command.run();

    let file = saved(&command.folder.0.join("home"));
    assert_eq!((code, server.requests().len()), (1, 2), "{stderr}");
    assert!(stderr.contains("error: Failed to write the result: No space left on device"), "{stderr}");
    assert!(stderr.contains(&format!("is in {}", file.display())), "{stderr}");
    assert!(stderr.contains("2 orders: 2 confirmed"), "{stderr}");
    assert_eq!(reports(&fs::read_to_string(file).expect("it is there")).len(), 2);
}

#[cfg(target_os = "linux")]
#[test]
fn reports_redriven_and_deleted_messages_on_a_full_disk() {
    let state = || State {
        dead: vec![message("m-1", Some(ID), "{}"), message("m-2", None, "stray")],
        outcome: Some("CONFIRMED"),
        ..State::default()
    };
    let aws = [FakeAws::start(state()), FakeAws::start(state())];

    let mut redrive = at_home(aws[0].twolane(&["redrive", "--json"]));
    redrive.command.stdout(full());
    let (code, _, redriven) = redrive.run();
    let mut delete = at_home(aws[1].twolane(&["dlq", "--delete", "m-2"]));
    delete.command.stdout(full());
    let (other_code, _, deleted) = delete.run();

    let file = fs::read_to_string(saved(&redrive.folder.0.join("home"))).expect("it is there");
    assert_eq!((code, reports(&file).len()), (1, 2), "{redriven}");
    assert!(redriven.contains("2 messages: 1 confirmed, 1 not an order"), "{redriven}");
    assert_eq!(other_code, 1, "{deleted}");
    assert!(deleted.contains("1 message deleted."), "{deleted}");
}
