//! The HTML pages of reports and of a plan, in a browser.
//!
//! Chromium opens pages of the real `twolane report` and `twolane plan`. `look.mjs` inspects them, and keeps
//! screenshots in the target folder, under `tmp/report-page`.
#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test, and names its place")]

mod reports;

use lanes::LANES;
use reports::reports;
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use testkit::{
    command_line::twolane,
    node::{local_tool, search_path},
    repository::root,
};

/// In the target folder.
fn fresh_folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report-page");
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A report's page by the real command. Costs and verdict are those of the changed report.
async fn page(folder: &Path, name: &str, report: &Value) -> PathBuf {
    let path = |end: &str| folder.join(format!("{name}.{end}"));
    let (json, html) = (path("json"), path("html"));
    fs::write(&json, report.to_string()).unwrap();
    let prices = root().join("crates/twolane-report/prices/us-east-1.toml");
    let [json, prices] = [json, prices].map(|path| path.into_os_string().into_string().unwrap());
    twolane(&["report", &json, "--prices", &prices, "--html", html.to_str().unwrap()]).await;
    html
}

/// Every lane passes.
async fn plan_page(folder: &Path) -> PathBuf {
    let html = folder.join("plan.html");
    twolane(&["plan", "--rate", "100", "--duration", "15m", "--html", html.to_str().unwrap()]).await;
    html
}

#[tokio::test]
async fn every_page_is_readable_in_light_and_dark_on_phones_and_desks() {
    let folder = fresh_folder();
    let mut pages = Vec::new();
    for (name, charts, report) in reports() {
        let file = page(&folder, name, &report).await;
        pages.push(json!({"name": name, "file": file, "charts": charts}));
    }

    pages.push(json!({"name": "plan", "file": plan_page(&folder).await, "charts": 2 + LANES.len()}));

    let problems = look(&json!({"browser": local_tool(&["browser"]), "screenshots": folder, "pages": pages}));

    assert_eq!(problems, "", "the screenshots are in {}", folder.display());
}

fn look(plan: &Value) -> String {
    let mut command = Command::new("node");
    command.arg("look.mjs").arg(plan.to_string()).current_dir(root().join("tests/report-page"));
    let ran = command.env("PATH", search_path()).output().unwrap();
    let (found, errors) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success() || !found.is_empty(), "look.mjs failed: {}\n{errors}", ran.status);
    found.into_owned()
}
