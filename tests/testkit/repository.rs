//! The files of this repository.

use serde_json::Value;
use std::{collections::BTreeSet, fs, path::Path, process::Command};

/// The repository's root folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A file as text. `path` begins at the root.
pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("Failed to read {path}: {error}"))
}

/// A document's fenced blocks that follow a line, as lines.
pub fn blocks<'a>(document: &'a str, marker: &str) -> Vec<Vec<&'a str>> {
    let mut lines = document.lines();
    let mut blocks = Vec::new();
    while lines.any(|line| line.trim() == marker) {
        let fence = lines.next().unwrap_or_default();
        assert!(fence.starts_with("```"), "a fenced block must follow {marker}, not {fence:?}");
        blocks.push(lines.by_ref().take_while(|line| !line.starts_with("```")).collect());
    }
    blocks
}

/// The folders in `functions/`, by name.
pub fn function_folders() -> BTreeSet<String> {
    let entries = fs::read_dir(root().join("functions")).unwrap().map(Result::unwrap);
    let folders = entries.filter(|entry| entry.path().join("Cargo.toml").is_file());
    folders.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

/// A package, as Cargo reads its manifest.
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its folder, from the root.
    pub folder: String,
    /// Folders of its crates' roots, from the root.
    pub roots: BTreeSet<String>,
    /// Dependencies of its build.
    pub dependencies: BTreeSet<String>,
    /// Further ones of its tests.
    pub dev_dependencies: BTreeSet<String>,
    /// Its binaries.
    pub binaries: Vec<String>,
}

/// All packages of the workspace.
pub fn packages() -> Vec<Package> {
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
    let folder = |file: &Value| {
        let folder = Path::new(file.as_str().unwrap()).parent().unwrap();
        folder.strip_prefix(root()).unwrap().to_str().unwrap().to_owned()
    };
    let dependencies = |dev: bool| {
        let all = metadata["dependencies"].as_array().unwrap().iter();
        all.filter(|one| (one["kind"] == "dev") == dev).map(|one| text(&one["name"])).collect()
    };
    let targets = metadata["targets"].as_array().unwrap().iter();
    let binaries = targets.clone().filter(|target| target["kind"].as_array().unwrap().contains(&"bin".into()));
    Package {
        name: text(&metadata["name"]),
        folder: folder(&metadata["manifest_path"]),
        roots: targets.map(|target| folder(&target["src_path"])).collect(),
        dependencies: dependencies(false),
        dev_dependencies: dependencies(true),
        binaries: binaries.map(|target| text(&target["name"])).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_blocks_that_follow_a_line() {
        let document = "text\n<!-- run -->\n```sh\na\nb\n```\n```sh\nc\n```\n<!-- run -->\n```sh\nd\n```\n";

        assert_eq!(blocks(document, "<!-- run -->"), [vec!["a", "b"], vec!["d"]]);
    }
}
