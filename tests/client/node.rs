//! Programs from npm: the pinned Node.js, and packages as their lock files say.

use crate::stack::root;
use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
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

/// Where programs are found: the pinned Node.js first, installed if need be.
pub fn search_path() -> OsString {
    search_path_with("test")
}

/// Where programs are found: those of that set of tools first, installed if need be.
pub fn search_path_with(tools: &str) -> OsString {
    let tools = PathBuf::from(local_tool(&["tools", tools]));
    let rest = env::var_os("PATH").unwrap_or_default();
    env::join_paths([tools].into_iter().chain(env::split_paths(&rest))).unwrap()
}

/// Installs the locked packages of a folder unless they are there.
///
/// # Panics
/// When npm fails.
pub fn install_packages(folder: &Path, search_path: &std::ffi::OsStr) {
    let modified = |file: &str| folder.join(file).metadata().and_then(|metadata| metadata.modified()).ok();
    // npm writes the first when it is done.
    if modified("node_modules/.package-lock.json") > modified("package-lock.json") {
        return;
    }
    let output = Command::new("npm").arg("ci").current_dir(folder).env("PATH", search_path).output().unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "npm ci in {} failed:\n{complaints}", folder.display());
}
