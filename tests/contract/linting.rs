//! The linters of AWS: over the template, and over what SAM makes of it.

use crate::repository;
use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

/// The region whose rules the linters apply. Nothing is called there.
const REGION: &str = "us-east-1";

/// The folder with the programs of the pinned SAM, installed if need be.
fn tools() -> &'static Path {
    static TOOLS: OnceLock<PathBuf> = OnceLock::new();
    TOOLS.get_or_init(|| {
        let output = Command::new("python3")
            .args(["infra/local", "tools", "sam"])
            .current_dir(repository::root())
            .output()
            .expect("Failed to run python3: install Python 3.10 or newer");
        assert!(output.status.success(), "python3 infra/local tools sam failed:\n{}", text(&output));
        PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
    })
}

fn run(program: &str, arguments: &[&OsStr]) -> Output {
    let mut command = Command::new(tools().join(program));
    command.args(arguments).current_dir(repository::root()).env("AWS_DEFAULT_REGION", REGION);
    // cfn-lint finds its own Python packages, sam its own programs.
    command.env("SAM_CLI_TELEMETRY", "0").output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A file of this test run, gone with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = std::env::temp_dir().join(format!("twolane-{}-{name}", std::process::id()));
        fs::write(&path, content).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Runs cfn-lint, all rules on, over the expansion of a template.
fn lint_expansion(name: &str, template: &str) -> Output {
    let root = repository::root();
    let source = Scratch::new(&format!("{name}.yaml"), template);
    let script = root.join("tests/contract/expand_template.py");
    let openapi = root.join("infra/openapi.yaml");
    let expansion = run("python", &[script.as_os_str(), source.0.as_os_str(), openapi.as_os_str()]);
    assert!(expansion.status.success(), "SAM cannot expand the template:\n{}", text(&expansion));
    let expanded = Scratch::new(&format!("{name}.json"), expansion.stdout);

    run("cfn-lint", &["--regions".as_ref(), REGION.as_ref(), "--template".as_ref(), expanded.0.as_os_str()])
}

#[test]
fn sam_finds_nothing_wrong_with_the_template() {
    let output = run("sam", &["validate", "--lint", "--region", REGION].map(OsStr::new));

    assert!(output.status.success(), "sam validate --lint:\n{}", text(&output));
}

#[test]
fn cfn_lint_finds_nothing_wrong_with_the_template_as_sam_expands_it() {
    let output = lint_expansion("whole", &repository::read("template.yaml"));

    assert!(output.status.success(), "cfn-lint:\n{}", text(&output));
}

#[test]
fn a_name_that_does_not_exist_inside_a_function_is_found() {
    let template = repository::read("template.yaml");
    let broken = template.replacen("Resource: !GetAtt OrdersTable.Arn", "Resource: !GetAtt Nothing.Arn", 1);
    assert_ne!(broken, template, "the template no longer has the line that this test breaks");

    let output = lint_expansion("broken", &broken);

    assert!(text(&output).contains("Nothing"), "cfn-lint did not notice !GetAtt Nothing.Arn:\n{}", text(&output));
    assert!(!output.status.success());
}
