//! Commands as people type them, with the real curl and the real wscat.

use std::{env, process::Stdio, sync::OnceLock};
use tokio::{process::Command, time::timeout};
use twolane_tests::{
    eventually::DEADLINE,
    node,
    stack::{OWNER, output, root},
    tokens::token,
};

/// Longest session in a shell.
const SESSION_DEADLINE: std::time::Duration = DEADLINE.saturating_mul(3);

/// Runs shell lines in one session at the repository's root, as a person would who has `curl`, the URL of the stack's
/// REST API and a token: what they print.
///
/// # Panics
/// When a line fails.
pub(crate) async fn session(lines: &str) -> String {
    run(shell(), lines).await
}

/// The same for a person who has `wscat`, too, and the URL of the stack's WebSocket API.
///
/// # Panics
/// When a line fails.
pub(crate) async fn session_with_wscat(lines: &str) -> String {
    let path = tokio::task::spawn_blocking(|| search_path().to_owned()).await.unwrap();
    let mut shell = shell();
    shell.env("PATH", path).env("TWOLANE_WEBSOCKET_URL", output("WebSocketUrl"));
    run(shell, lines).await
}

fn shell() -> Command {
    let mut shell = Command::new("bash");
    shell.current_dir(root()).env("TWOLANE_API_URL", output("ApiUrl")).env("TWOLANE_TOKEN", token(OWNER));
    shell
}

async fn run(mut shell: Command, lines: &str) -> String {
    let child = shell
        .args(["-euo", "pipefail", "-c", lines])
        // wscat ends when its input does: like a terminal, it stays open.
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("bash is installed");
    let ended = wait_with_open_input(child);
    let ended = timeout(SESSION_DEADLINE, ended).await.unwrap_or_else(|_| panic!("the session hangs:\n{lines}"));
    let (printed, complaints) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{}\n{lines}\n--- printed\n{printed}\n--- complaints\n{complaints}", ended.status);
    printed.into_owned()
}

async fn wait_with_open_input(mut child: tokio::process::Child) -> std::process::Output {
    let _input = child.stdin.take();
    child.wait_with_output().await.expect("the session can be waited for")
}

/// Where programs are found: the pinned wscat and its Node.js first.
fn search_path() -> &'static str {
    static PATH: OnceLock<String> = OnceLock::new();
    PATH.get_or_init(|| {
        let wscat = root().join("tests/wscat");
        let with_node = node::search_path();
        node::install_packages(&wscat, &with_node);
        let programs = wscat.join("node_modules/.bin");
        let all = env::join_paths([programs].into_iter().chain(env::split_paths(&with_node))).unwrap();
        all.into_string().expect("PATH is text")
    })
}
