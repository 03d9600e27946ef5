//! Terminals without a size or escape sequences.

use crate::server::{Server, answer};
use crate::{ID, Twolane, line, record, twolane};
use std::process::Command;

/// Python: runs a command in a terminal without a size, as editors and containers make them.
const IN_A_TERMINAL: &str = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";

/// Exit code and output of `twolane order` with two orders in such a terminal.
fn order(server: &Server, term: &str) -> (i32, String) {
    let Twolane { command, folder } =
        twolane(&["order", "--lane", "sync", "--file", "orders.jsonl", "--api-url", &server.api_url]);
    folder.write("orders.jsonl", &line(ID).repeat(2));
    let mut python = Command::new("python3");
    python.args(["-c", IN_A_TERMINAL]).arg(command.get_program()).args(command.get_args());
    python.current_dir(&folder.0).stdin(std::process::Stdio::null()).env("TERM", term).env_remove("NO_COLOR");
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => python.env(name, value),
            None => python.env_remove(name),
        };
    }
    let (code, shown, _) = Twolane { command: python, folder }.run();
    (code, shown)
}

fn confirming() -> Server {
    Server::start(|request, _| answer(201, record(request.id(), "CONFIRMED").to_string()))
}

#[test]
fn a_terminal_without_a_size_gets_the_chart_and_the_count() {
    let (code, shown) = order(&confirming(), "xterm");

    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("\r\x1b[K2 of 2 orders done"), "{shown:?}");
    assert!(shown.contains("2 orders: 2 confirmed"), "{shown}");
}

#[test]
fn a_dumb_terminal_gets_no_escape_sequences() {
    let (code, shown) = order(&confirming(), "dumb");

    assert_eq!(code, 0, "{shown}");
    assert!(!shown.contains('\x1b') && !shown.contains("orders done"), "{shown:?}");
    assert!(shown.contains("2 orders: 2 confirmed"), "{shown}");
}
