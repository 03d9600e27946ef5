//! The files of this repository.

use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The repository's root folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// A file as text; the path is relative to the root.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("Failed to read {path}: {error}"))
}

/// The folders in `functions/`, by name.
pub(crate) fn function_folders() -> BTreeSet<String> {
    let entries = fs::read_dir(root().join("functions")).unwrap().map(Result::unwrap);
    let folders = entries.filter(|entry| entry.path().join("Cargo.toml").is_file());
    folders.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

/// A package of the workspace, as Cargo reads its manifest.
pub(crate) struct Package {
    pub(crate) name: String,
    /// What it needs to be built.
    pub(crate) dependencies: BTreeSet<String>,
    /// What its tests need besides.
    pub(crate) dev_dependencies: BTreeSet<String>,
    pub(crate) binaries: Vec<String>,
}

/// All packages of the workspace.
pub(crate) fn packages() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();

    metadata["packages"].as_array().unwrap().iter().map(package).collect()
}

fn package(metadata: &Value) -> Package {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let dependencies = |dev: bool| {
        let all = metadata["dependencies"].as_array().unwrap().iter();
        all.filter(|one| (one["kind"] == "dev") == dev).map(|one| text(&one["name"])).collect()
    };
    let targets = metadata["targets"].as_array().unwrap().iter();
    let binaries = targets.filter(|target| target["kind"].as_array().unwrap().contains(&"bin".into()));
    Package {
        name: text(&metadata["name"]),
        dependencies: dependencies(false),
        dev_dependencies: dependencies(true),
        binaries: binaries.map(|target| text(&target["name"])).collect(),
    }
}
