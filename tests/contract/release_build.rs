//! What AWS runs: `Cargo.toml`'s release profile, as cargo-lambda builds with it.

use crate::repository;
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};
use twolane_tests::node::local_tool;

/// A function that survives a panic, as a worker does whose batch has a message that panics.
const PROGRAM: &str = r#"
fn main() {
    assert!(std::panic::catch_unwind(|| panic!("one message")).is_err());
}
"#;

/// The lines of `[profile.release]`.
fn release_profile() -> String {
    let manifest = repository::read("Cargo.toml");
    let section = manifest.split("\n\n").find_map(|part| part.find("[profile.release]").map(|start| &part[start..]));
    section.unwrap().to_owned()
}

/// Builds a program with that profile as SAM builds functions, but linked for this machine.
fn build(folder: &Path, profile: &str) -> PathBuf {
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("src/main.rs"), PROGRAM).unwrap();
    let package = "[package]\nname = \"survivor\"\nedition = \"2024\"\n\n[workspace]\n";
    fs::write(folder.join("Cargo.toml"), format!("{package}\n{profile}")).unwrap();

    let tools = PathBuf::from(local_tool(&["tools", "sam"]));
    let rest = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([tools].into_iter().chain(env::split_paths(&rest))).unwrap();
    let mut command = Command::new("cargo");
    command.args(["lambda", "build", "--release", "--offline", "--compiler", "cargo"]).env("PATH", path);
    // As in `make build`: cargo-lambda chooses.
    command.env_remove("CARGO_BUILD_TARGET").env("CARGO_TARGET_DIR", folder.join("target"));
    let output = command.current_dir(folder).output().unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo lambda build failed:\n{complaints}");
    folder.join("target/lambda/survivor/bootstrap")
}

#[test]
fn a_panic_of_a_function_that_was_built_for_aws_can_be_caught() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("release-build");
    let _ = fs::remove_dir_all(&folder);

    let bootstrap = build(&folder, &release_profile());

    let survived = Command::new(bootstrap).output().unwrap().status;
    fs::remove_dir_all(folder).unwrap();
    // What the profile leaves open, cargo-lambda decides, and it would have panics abort.
    assert!(survived.success(), "{survived}: a panic ends the process; set panic = \"unwind\" in [profile.release]");
}
