//! The page, served by the real `twolane page` in front of a deployed stack, in a real browser: see `race.mjs`.
//!
//! The stack must allow pages of `http://localhost:3000`, as a local one does. The screenshots are kept in the target folder, under
//! `tmp/page`, for people to look at.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped is what the test is about; the place says enough")]

use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};
use testkit::{
    command_line::command,
    node::{local_tool, search_path},
    order_bodies::{new_id, order_of},
    repository::root,
    stack::Stack,
    tokens::token,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

/// Orders of the bus lane that the browser places.
const BUS_ORDERS: usize = 100;

/// A separate folder, empty, in the target folder.
fn fresh_folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("page");
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[tokio::test]
async fn orders_race_down_every_lane_and_none_is_missed() {
    let (owner, folder, stack) = (format!("page-{}", new_id()), fresh_folder(), Stack::of_environment().await);
    for _ in 0..BUS_ORDERS {
        stack.supply(&owner, &order_of("SKU-1")).await;
    }
    let mut page =
        command(&["page", "--no-browser"]).env("TWOLANE_TOKEN", token(&owner)).stdout(Stdio::piped()).spawn().unwrap();
    let url = BufReader::new(page.stdout.take().unwrap()).lines().next_line().await.unwrap();
    let url = url.expect("twolane page says where the page is; see its message above");

    let browser = json!({"browser": local_tool(&["browser"]), "screenshots": folder, "url": url});
    let mut race = Command::new("node");
    race.arg("race.mjs").arg(browser.to_string()).current_dir(root().join("tests/page")).env("PATH", search_path());
    let ran = race.kill_on_drop(true).output().await.unwrap();

    let (found, errors) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{found}\n{errors}\nThe screenshots are in {}", folder.display());
}
