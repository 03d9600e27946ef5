//! Commands as people type them, with the real curl and the real wscat.

use std::{
    env,
    path::PathBuf,
    process::{Command, Stdio},
    sync::OnceLock,
};
use tokio::time::timeout;
use twolane_tests::{
    eventually::DEADLINE,
    stack::{OWNER, output, root},
    tokens::token,
};

/// Longest session in a shell.
const SESSION_DEADLINE: std::time::Duration = DEADLINE.saturating_mul(3);

/// Runs shell lines in one session at the repository's root, as a person would who has `curl`, `wscat`, the URLs of the
/// stack and a token: what they print.
///
/// # Panics
/// When a line fails.
pub(crate) async fn session(lines: &str) -> String {
    let path = tokio::task::spawn_blocking(|| search_path().to_owned()).await.unwrap();
    let child = tokio::process::Command::new("bash")
        .args(["-euo", "pipefail", "-c", lines])
        .current_dir(root())
        .env("PATH", path)
        .env("TWOLANE_API_URL", output("ApiUrl"))
        .env("TWOLANE_WEBSOCKET_URL", output("WebSocketUrl"))
        .env("TWOLANE_TOKEN", token(OWNER))
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
        let node = node_programs();
        let wscat = root().join("tests/wscat/node_modules/.bin");
        let rest = env::var_os("PATH").unwrap_or_default();
        let with_node = env::join_paths([node.clone()].into_iter().chain(env::split_paths(&rest))).unwrap();
        install_wscat(&with_node);
        let all = env::join_paths([wscat, node].into_iter().chain(env::split_paths(&rest))).unwrap();
        all.into_string().expect("PATH is text")
    })
}

/// The folder of the pinned Node.js, installed if need be.
fn node_programs() -> PathBuf {
    let output = Command::new("python3").args(["infra/local", "tools", "test"]).current_dir(root()).output();
    let output = output.expect("Failed to run python3: install Python 3.10 or newer");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "python3 infra/local tools test failed:\n{complaints}");
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}

/// Installs the locked wscat unless it is there.
fn install_wscat(path: &std::ffi::OsStr) {
    let folder = root().join("tests/wscat");
    let modified = |file: &str| folder.join(file).metadata().and_then(|metadata| metadata.modified()).ok();
    // npm writes the first when it is done.
    if modified("node_modules/.package-lock.json") > modified("package-lock.json") {
        return;
    }
    let output = Command::new("npm").arg("ci").current_dir(&folder).env("PATH", path).output().unwrap();
    assert!(output.status.success(), "npm ci in tests/wscat failed:\n{}", String::from_utf8_lossy(&output.stderr));
}
