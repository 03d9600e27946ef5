//! The binaries that AWS runs: cargo-lambda builds them with the release profile of `Cargo.toml`, for Linux.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use testkit::node::search_path_with_tools;
use testkit::repository;

/// It survives a panic, as a worker survives a message that panics.
const PROGRAM: &str = r#"
fn main() {
    assert!(std::panic::catch_unwind(|| panic!("one message")).is_err());
}
"#;

fn release_profile() -> String {
    let manifest = repository::read("Cargo.toml");
    let start = manifest.find("[profile.release]").unwrap();
    manifest[start..].split("\n[").next().unwrap().to_owned()
}

/// With that profile, as SAM builds functions, but linked for this machine.
fn build(folder: &Path, profile: &str) -> PathBuf {
    let package = folder.join("survivor");
    fs::create_dir_all(package.join("src")).unwrap();
    fs::write(package.join("src/main.rs"), PROGRAM).unwrap();
    fs::write(package.join("Cargo.toml"), "[package]\nname = \"survivor\"\nedition = \"2024\"\n").unwrap();
    let workspace = "[workspace]\nresolver = \"3\"\nmembers = [\"survivor\"]\n";
    fs::write(folder.join("Cargo.toml"), format!("{workspace}\n{profile}")).unwrap();

    let mut command = Command::new("cargo");
    command.args(["lambda", "build", "--release", "--offline", "--compiler", "cargo"]);
    command.env("PATH", search_path_with_tools("sam")).env("CARGO_TARGET_DIR", folder.join("target"));
    // Only the profile and cargo-lambda may decide how to build.
    for variable in ["CARGO_BUILD_TARGET", "CARGO_PROFILE_RELEASE_PANIC"] {
        command.env_remove(variable);
    }
    let output = command.current_dir(package).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo lambda build failed:\n{errors}");
    folder.join("target/lambda/survivor/bootstrap")
}

#[test]
fn a_panic_of_a_function_that_was_built_for_aws_can_be_caught() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("release-build");
    let _ = fs::remove_dir_all(&folder);

    let bootstrap = build(&folder, &release_profile());

    let survived = Command::new(bootstrap).output().unwrap().status;
    fs::remove_dir_all(folder).unwrap();
    // Unless the profile sets `panic`, cargo-lambda makes panics abort.
    assert!(survived.success(), "{survived}: a panic ends the process; set panic = \"unwind\" in [profile.release]");
}
