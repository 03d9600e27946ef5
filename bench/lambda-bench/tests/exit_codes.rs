//! The exit codes of a whole run, with fake bootstraps that need no build.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const FUNCTIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../functions");

/// Writes fake bootstraps to that folder.
fn bootstraps(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // The interpreter itself, because a launcher on the PATH may need environment variables.
    let python = Command::new("python3").args(["-c", "import sys; print(sys.executable, end='')"]).output();
    let python = String::from_utf8(python.expect("Python is installed").stdout).expect("a path");
    let script = format!("#!{python}\n{}", include_str!("fake_bootstrap.py"));
    let functions = fs::read_dir(FUNCTIONS).expect("the project has functions");
    let functions = functions.map(|entry| entry.expect("it is readable").file_name());
    for bootstrap in functions.chain(["hello-floor", "sdk-floor"].map(Into::into)) {
        let file = folder.join(&bootstrap).join("bootstrap");
        fs::create_dir_all(folder.join(&bootstrap)).expect("the folder is ours");
        fs::write(&file, &script).expect("the folder is ours");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("the file is ours");
    }
    folder
}

fn run(name: &str, bounds: &str) -> Output {
    let folder = bootstraps(name);
    let file = folder.join("bounds.toml");
    fs::write(&file, bounds).expect("the folder is ours");
    let mut bench = Command::new(env!("CARGO_BIN_EXE_lambda-bench"));
    bench.args(["--rounds", "1", "--warm", "2", "--no-counts", "--only", "create-order"]);
    bench.arg("--bootstraps").arg(&folder).arg("--bounds").arg(&file).output().expect("it was built")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const BOUNDS: &str = "[ratios]\nstart = { create-order = 1000 }\nwarm-instructions = { create-order = 1 }\n\
                      [counts]\n[limits]\nrequests = { create-order = 1 }\n";

#[test]
fn a_run_within_its_bounds_exits_with_0() {
    let output = run("bounds-hold", BOUNDS);

    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(
        text(&output.stdout).contains("Bounds: 2 hold, 0 are exceeded, 1 were not measured"),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn a_run_with_a_ratio_above_its_bound_exits_with_1() {
    let output = run("ratio-exceeded", &BOUNDS.replace("1000", "0.01"));

    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("EXCEEDED create-order: start, × sdk-floor: "), "{}", text(&output.stdout));
}

#[test]
fn a_run_that_did_not_measure_a_requested_figure_exits_with_1() {
    let output = run("not-measured", &(BOUNDS.to_owned() + "throttled-ms = { create-order = 1 }\n"));

    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let report = text(&output.stdout);
    assert!(report.contains("EXCEEDED create-order: throttled-ms: not measured, at most 1.00"), "{report}");
    assert!(report.contains("Bounds: 2 hold, 1 are exceeded, 1 were not measured"), "{report}");
}

#[test]
fn a_run_without_valid_bounds_exits_with_2() {
    let output = run("no-bounds", "[ratios]\nspeed = { create-order = 1 }\n[counts]\n[limits]\n");

    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("speed is not a metric"), "{}", text(&output.stderr));
}
