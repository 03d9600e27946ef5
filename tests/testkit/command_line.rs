//! The command line `twolane`.

use crate::repository::root;
use std::{env, path::PathBuf};
use tokio::process::Command;

/// What `twolane` prints with those arguments.
///
/// # Panics
/// When it fails.
pub async fn twolane(arguments: &[&str]) -> String {
    let ran = command(arguments).output().await.expect("twolane can be run");
    let (printed, errors) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(
        ran.status.success(),
        "twolane {}: {}\n--- stdout\n{printed}\n--- stderr\n{errors}",
        arguments.join(" "),
        ran.status
    );
    printed.into_owned()
}

/// `twolane` with those arguments. It ends when it is dropped.
///
/// # Panics
/// When it is not built.
#[must_use]
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(arguments).current_dir(root()).kill_on_drop(true);
    command
}

/// Next to this test: Cargo builds both into one folder.
fn binary() -> PathBuf {
    let test = env::current_exe().unwrap();
    let path = test.ancestors().nth(2).unwrap().join("twolane");
    assert!(path.is_file(), "{} is missing: run `cargo build -p twolane` first, or test the workspace", path.display());
    path
}
