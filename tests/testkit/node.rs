//! Programs from npm: the pinned Node.js, and packages as their lock file says.

use crate::repository::root;
use std::{
    env,
    ffi::{OsStr, OsString},
    fs::File,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// What `python3 infra/local` prints with those arguments: one line.
///
/// # Panics
/// When it fails.
pub fn local_tool(arguments: &[&str]) -> String {
    let output = Command::new("python3").arg("infra/local").args(arguments).current_dir(root()).output();
    let output = output.expect("Failed to run python3: install Python 3.10 or newer");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "python3 infra/local {} failed:\n{complaints}", arguments.join(" "));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Where programs are found: those of that set of tools first, installed if need be.
pub fn search_path_with_tools(set: &str) -> OsString {
    let tools = PathBuf::from(local_tool(&["tools", set]));
    let rest = env::var_os("PATH").unwrap_or_default();
    env::join_paths([tools].into_iter().chain(env::split_paths(&rest))).unwrap()
}

/// Where programs are found: those of the tests' npm packages and the pinned Node.js first, installed if need be.
///
/// # Panics
/// When npm fails.
pub fn search_path() -> OsString {
    static PATH: OnceLock<OsString> = OnceLock::new();
    let install = || {
        let (folder, with_node) = (root().join("tests"), search_path_with_tools("test"));
        install_packages(&folder, &with_node);
        env::join_paths([folder.join("node_modules/.bin")].into_iter().chain(env::split_paths(&with_node))).unwrap()
    };
    PATH.get_or_init(install).clone()
}

/// Installs the locked packages of a folder unless they are there.
fn install_packages(folder: &Path, search_path: &OsStr) {
    let lock = folder.join("package-lock.json");
    // Suites that run at the same time share the packages: one installs, the others wait.
    let held = File::open(&lock).unwrap();
    held.lock().unwrap();
    let modified = |path: PathBuf| path.metadata().and_then(|metadata| metadata.modified()).ok();
    // npm writes the first when it is done.
    if modified(folder.join("node_modules/.package-lock.json")) > modified(lock) {
        return;
    }
    let output = Command::new("npm").arg("ci").current_dir(folder).env("PATH", search_path).output().unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "npm ci in {} failed:\n{complaints}", folder.display());
}
