//! The built command line against a stand-in for a deployed stack.

mod compare;
mod counters;
mod dead_letters;
mod fake_aws;
mod gate;
mod interrupt;
mod keep_alive;
mod limit;
mod network;
mod open_files;
mod order;
mod outputs;
mod page;
mod plan;
mod profiles;
mod proxy;
mod readme;
mod report;
mod server;
mod stack;
mod supplies;
mod terminal;
mod tls;
mod token;
mod usage;
mod watch;

use serde_json::{Value, json};
use server::Server;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

const ID: &str = "5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b";
const BODY: &str = r#"{"currency":"EUR","items":[{"quantity":3,"sku":"SKU-1","unitPriceMinor":1999}],"note":"x & y"}"#;

/// A temporary folder, outside the repository so that no stack is found there. Dropping it removes the folder.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static FOLDERS: AtomicU32 = AtomicU32::new(0);
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("twolane-test-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).expect("a temporary folder");
        Self(folder)
    }

    /// `path` is inside the folder.
    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().expect("it is inside")).expect("a temporary folder");
        fs::write(path, text).expect("a temporary file");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The command in its folder.
struct Twolane {
    command: Command,
    folder: Folder,
}

impl Twolane {
    /// Exit code, standard output and standard error. Fails on a stack trace.
    fn run(&mut self) -> (i32, String, String) {
        let Output { status, stdout, stderr } = self.command.output().expect("the command starts");
        let [stdout, stderr] = [stdout, stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8"));
        assert!(!stderr.contains("panicked") && !stderr.contains("backtrace"), "{stderr}");
        (status.code().expect("it ends by itself"), stdout, stderr)
    }

    fn start(&mut self) -> Child {
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts")
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }
}

/// The command in its own folder, without the caller's stack and proxy. It asks for stack traces, and names a dead
/// proxy that loopback must not use.
fn twolane(arguments: &[&str]) -> Twolane {
    let mut command = Command::new(env!("CARGO_BIN_EXE_twolane"));
    for (name, _) in std::env::vars_os() {
        let shown = name.to_string_lossy();
        let names_a_stack = ["TWOLANE_", "AWS_"].iter().any(|prefix| shown.starts_with(prefix));
        if names_a_stack || shown.to_lowercase().ends_with("_proxy") {
            command.env_remove(name);
        }
    }
    let folder = Folder::new();
    command.env("RUST_BACKTRACE", "1").env("HTTP_PROXY", "http://127.0.0.1:9").env("ALL_PROXY", "http://127.0.0.1:9");
    // Neither the developer's AWS profiles nor those of an EC2 instance.
    command.env("HOME", &folder.0).env("AWS_EC2_METADATA_DISABLED", "true");
    command.args(arguments).current_dir(&folder.0).stdin(Stdio::null());
    Twolane { command, folder }
}

/// `twolane order` with orders from a file.
fn order(server: &Server, lane: &str, lines: &str, more: &[&str]) -> Twolane {
    let mut twolane = twolane(&["order", "--lane", lane, "--file", "orders.jsonl", "--api-url", &server.api_url]);
    twolane.folder.write("orders.jsonl", lines);
    twolane.command.args(["--websocket-url", &server.websocket_url]).args(more);
    twolane
}

/// Such as `INT` or `TERM`.
fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
    assert!(sent.expect("kill is there").success());
}

/// A line of an order file.
fn line(id: &str) -> String {
    format!("{{\"orderId\":\"{id}\",\"order\":{BODY}}}\n")
}

/// A stored order with the content of [`BODY`].
fn record(id: &str, status: &str) -> Value {
    let mut record: Value = serde_json::from_str(BODY).expect("the body is JSON");
    let more = json!({
        "orderId": id, "status": status, "lane": "sync", "totalMinor": 5997, "attempts": 1,
        "placedAt": "2026-01-01T00:00:00.000Z", "confirmedAt": "2026-01-01T00:00:01.000Z",
    });
    record.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    record
}

fn problem(status: u16, detail: &str) -> String {
    json!({"type": "about:blank", "title": "T", "status": status, "detail": detail, "requestId": "r-1"}).to_string()
}

fn confirmed(id: &str) -> Value {
    json!({"type": "order.confirmed", "orderId": id, "order": record(id, "CONFIRMED")})
}

fn queued() -> String {
    json!({"status": "QUEUED", "messageId": "m-1"}).to_string()
}

/// Objects of `--json`, by line of the file.
fn reports(stdout: &str) -> Vec<Value> {
    let mut reports: Vec<Value> =
        stdout.lines().map(|line| serde_json::from_str(line).expect("every line is JSON")).collect();
    reports.sort_by_key(|report| report["line"].as_u64());
    reports
}

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
