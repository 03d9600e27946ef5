//! Runs shell lines with the real curl and wscat.

use std::process::Stdio;
use testkit::{
    eventually::DEADLINE, node::search_path, outputs::output, repository::root, stack::OWNER, tokens::token,
};
use tokio::{process::Command, time::timeout};

const SESSION_DEADLINE: std::time::Duration = DEADLINE.saturating_mul(3);

/// Runs shell lines in one session at the repository's root, and returns their output. The environment has the URL of
/// the stack's REST API and a token.
///
/// # Panics
/// When a line fails.
pub(crate) async fn session(lines: &str) -> String {
    run(shell(), lines).await
}

/// The same with `wscat` and the WebSocket API's URL.
///
/// # Panics
/// When a line fails.
pub(crate) async fn session_with_wscat(lines: &str) -> String {
    let path = tokio::task::spawn_blocking(search_path).await.unwrap();
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
        // Stays open, because wscat ends with its input.
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("bash is installed");
    let ended = wait_with_open_input(child);
    let ended = timeout(SESSION_DEADLINE, ended).await.unwrap_or_else(|_| panic!("the session hangs:\n{lines}"));
    let (printed, errors) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{}\n{lines}\n--- stdout\n{printed}\n--- stderr\n{errors}", ended.status);
    printed.into_owned()
}

async fn wait_with_open_input(mut child: tokio::process::Child) -> std::process::Output {
    let _input = child.stdin.take();
    child.wait_with_output().await.expect("the session ends")
}
