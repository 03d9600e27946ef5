//! The local cloud of the stack under test.

use std::{env, path::Path};
use testkit::repository::root;
use tokio::process::Command;

/// Restarts the emulator and its functions like a rebooting machine: data stay, connections break.
pub(crate) async fn restart() {
    // It is in the instance's folder.
    let outputs = env::var("TWOLANE_OUTPUTS").expect("faults need a local cloud: run them by infra/local exec");
    let folder = Path::new(&outputs).parent().expect("a file is in a folder");
    let mut command = Command::new("python3");
    command.arg("infra/local").arg("restart").arg("--dir").arg(folder).current_dir(root()).kill_on_drop(true);
    let ran = command.output().await.expect("python3 runs");
    assert!(ran.status.success(), "{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
}
