//! Runs `docs/add-a-step.md`: builds its sample, deploys it next to the stack, and checks that it keeps an order's
//! events.
//!
//! Needs a local cloud, because it deploys and deletes the sample's stack.
#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test, and names its place")]

use std::{collections::BTreeMap, env, path::Path};
use testkit::{
    api_client::ApiClient,
    eventually::{DEADLINE, eventually},
    order_bodies::{new_id, new_sku, order_in},
    outputs::output,
    repository::{blocks, read, root},
    stack::{OWNER, Stack},
    tokens::subject_of,
};
use tokio::process::Command;

const DOCUMENT: &str = "docs/add-a-step.md";

/// Before a block of shell lines that are run here.
const DEPLOY: &str = "<!-- tested: deploy -->";
const DELETE: &str = "<!-- tested: delete -->";

/// The sample has fewer, as the tutorial says.
const LINES: usize = 100;

async fn run(command: &mut Command) -> String {
    let ran = command.current_dir(root()).kill_on_drop(true).output().await.expect("the command runs");
    let (printed, errors) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{command:?}: {}\n{printed}\n{errors}", ran.status);
    printed.into_owned()
}

/// Runs the document's shell lines after that line, as a reader does on the local cloud.
async fn run_lines(marker: &str) {
    let document = read(DOCUMENT);
    let blocks = blocks(&document, marker);
    assert!(!blocks.is_empty(), "{DOCUMENT} has no block after {marker}");
    let tools = run(Command::new("python3").args(["infra/local", "tools", "sam"])).await;
    let path = format!("{}:{}", tools.trim(), env::var("PATH").unwrap_or_default());
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    let mut shell = Command::new("bash");
    // Cargo sets these for this test. With them, build scripts that read them and all dependents would be built again.
    for (name, _) in
        env::vars().filter(|(name, _)| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
    {
        shell.env_remove(name);
    }
    shell.args(["-euo", "pipefail", "-c", &blocks.concat().join("\n")]);
    shell.env("PATH", path).env("ARCHITECTURE", architecture);
    shell.env("ORDER_EVENTS_TOPIC_ARN", output("OrderEventsTopicArn"));
    // For this machine, with its own linker.
    shell.env("SAM_BUILD_MODE", "debug").env("CARGO_LAMBDA_COMPILER", "cargo").env("SAM_CLI_TELEMETRY", "0");
    run(&mut shell).await;
}

async fn audit_table(stack: &Stack) -> Option<String> {
    let tables = stack.dynamodb.list_tables().into_paginator().items().send().collect::<Result<Vec<_>, _>>();
    tables.await.expect("tables can be listed").into_iter().find(|table| table.contains("AuditTable"))
}

async fn logged(stack: &Stack, table: &str, id: &str) -> BTreeMap<String, String> {
    let request = stack.dynamodb.scan().table_name(table).consistent_read(true);
    let items = request.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let key = format!("{}#{id}", subject_of(OWNER));
    let text = |item: &testkit::stack::Item, name: &str| item[name].as_s().unwrap().clone();
    let own = items.expect("the log can be read").into_iter().filter(|item| text(item, "pk") == key);
    own.map(|item| (text(&item, "sk"), text(&item, "event"))).collect()
}

#[tokio::test]
async fn the_audit_log_keeps_every_event_of_an_order_and_can_be_removed() {
    let (api, stack) = (ApiClient::new(), Stack::from_env().await);
    let order = order_in("EUR", &[(&new_sku(), 1, 100)]);
    let [confirmed, cancelled] = [new_id(), new_id()];
    stack.supply(OWNER, &order).await;

    run_lines(DEPLOY).await;
    let table = audit_table(&stack).await.expect("the sample has a table");
    let mut ends = Vec::new();
    for id in [&confirmed, &cancelled] {
        api.put("bus", id, &order).await;
        ends.push(api.settled(id).await["status"].clone());
    }

    assert_eq!(ends, ["CONFIRMED", "CANCELLED"], "the shelves cover only the first order");
    for (id, types) in
        [(&confirmed, ["order.confirmed", "order.placed"]), (&cancelled, ["order.cancelled", "order.placed"])]
    {
        let events = eventually(DEADLINE, &format!("the log has the events of {id}"), async || {
            Some(logged(&stack, &table, id).await).filter(|events| events.len() == types.len())
        })
        .await;
        assert_eq!(events.keys().collect::<Vec<_>>(), types);
        assert!(events.values().all(|event| event.contains(id.as_str())), "{events:?}");
    }

    run_lines(DELETE).await;
    assert_eq!(audit_table(&stack).await, None);
    let next = new_id();
    stack.supply(OWNER, &order).await;
    api.put("bus", &next, &order).await;
    assert_eq!(api.settled(&next).await["status"], "CONFIRMED", "the lane works without the audit log");
}

#[test]
fn the_sample_is_as_short_as_the_tutorial_says() {
    let lines = ["template.yaml", "src/main.rs"].map(|file| {
        let path = Path::new("samples/audit-log").join(file);
        read(path.to_str().unwrap()).lines().count()
    });

    assert!(lines.iter().sum::<usize>() < LINES, "{lines:?}");
    assert!(read(DOCUMENT).contains(&format!("under {LINES} lines")));
}
