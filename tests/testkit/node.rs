//! The pinned Node.js and the locked npm packages.

use crate::repository::root;
use std::{
    env,
    ffi::{OsStr, OsString},
    fs::File,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The only line of `python3 infra/local` with those arguments.
///
/// # Panics
/// When it fails.
pub fn local_tool(arguments: &[&str]) -> String {
    let output = Command::new("python3").arg("infra/local").args(arguments).current_dir(root()).output();
    let output = output.expect("Failed to run python3: install Python 3.10 or newer");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "python3 infra/local {} failed:\n{errors}", arguments.join(" "));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// `PATH` with that set of tools first. Installs missing tools.
pub fn search_path_with_tools(set: &str) -> OsString {
    let tools = PathBuf::from(local_tool(&["tools", set]));
    let rest = env::var_os("PATH").unwrap_or_default();
    env::join_paths([tools].into_iter().chain(env::split_paths(&rest))).unwrap()
}

/// `PATH` with the tests' npm packages and the pinned Node.js first. Installs them if missing.
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

fn install_packages(folder: &Path, search_path: &OsStr) {
    let lock = folder.join("package-lock.json");
    // Concurrent suites share the packages: one installs, the others wait.
    let held = File::open(&lock).unwrap();
    held.lock().unwrap();
    let modified = |path: PathBuf| path.metadata().and_then(|metadata| metadata.modified()).ok();
    // npm writes this file last.
    if modified(folder.join("node_modules/.package-lock.json")) > modified(lock) {
        return;
    }
    let output = Command::new("npm").arg("ci").current_dir(folder).env("PATH", search_path).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "npm ci in {} failed:\n{errors}", folder.display());
}
