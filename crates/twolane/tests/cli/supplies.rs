//! `twolane compare` adds units and money for its bus orders, and finally removes what they did not take.

use crate::server::{Reply, Request, Server, Sockets, answer};
use crate::{Twolane, confirmed, signal, twolane};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Unsigned, with the `sub` alice.
const ALICE: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.x";

/// Each order of `twolane compare` takes these: units of SKU-1, and minor units of alice's account.
const UNITS: i64 = 2;
const TOTAL: i64 = 4497;

/// Default units of SKU-1 that another customer takes.
const TAKEN_BY_OTHERS: i64 = 3;

/// Units of SKU-1 before the run. SKU-2 and alice's account have no number.
const BEFORE: i64 = 7;

#[derive(Default)]
struct Tables {
    /// By key.
    counters: BTreeMap<String, i64>,
    /// Other items of the tables with counters.
    others: BTreeMap<String, Value>,
    /// Each order's look-ups and status.
    orders: BTreeMap<String, (u32, &'static str)>,
    /// When the first order arrives.
    taken_by_others: i64,
    refused: u32,
}

/// Confirms five of six orders. One of the five is still PLACED at its first look-up and gets no callback.
struct Stack {
    server: Server,
    tables: Arc<Mutex<Tables>>,
}

impl Stack {
    fn start(arrived: Option<Sender<()>>) -> Self {
        Self::start_with(TAKEN_BY_OTHERS, arrived)
    }

    /// Sends on `arrived` for each order and each refused transaction.
    fn start_with(taken_by_others: i64, arrived: Option<Sender<()>>) -> Self {
        let counters = BTreeMap::from([("counter#SKU-1".to_owned(), BEFORE)]);
        let tables = Arc::new(Mutex::new(Tables { counters, taken_by_others, ..Tables::default() }));
        let shared = Arc::clone(&tables);
        let server = Server::start(move |request, sockets| {
            let mut tables = shared.lock().expect("no panic");
            let action = request.headers.lines().find_map(|line| line.strip_prefix("x-amz-target: "));
            let body = || serde_json::from_str(&request.body).expect("AWS is asked in JSON");
            let refused = tables.refused;
            let reply = match action.and_then(|action| action.rsplit('.').next()) {
                Some("batchgetitem") => tables.read(&body()),
                Some("transactwriteitems") => tables.transact(&body()),
                Some("deleteitem") => tables.delete_empty(&body()),
                Some("getqueueattributes") => answer(
                    200,
                    r#"{"Attributes": {"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0",
                        "ApproximateNumberOfMessagesDelayed": "0"}}"#,
                ),
                // Denied, so that the command does not wait for logs.
                Some("filterlogevents") => answer(400, r#"{"__type": "AccessDeniedException", "message": "no"}"#),
                None if request.method == "PUT" => tables.place(request, sockets),
                _ => answer(200, "{}"),
            };
            if let Some(arrived) = arrived.as_ref().filter(|_| request.method == "PUT" || tables.refused > refused) {
                arrived.send(()).unwrap_or_default();
            }
            reply
        });
        Self { server, tables }
    }

    fn compare(&self, more: &[&str]) -> Twolane {
        let endpoint = self.server.api_url.trim_end_matches("/live");
        let mut outputs = json!({
            "ApiUrl": self.server.api_url, "WebSocketUrl": self.server.websocket_url, "OrdersTableName": "orders",
            "GetOrderFunctionName": "get",
        });
        for output in lanes::lane("bus").expect("it is in the table").outputs() {
            outputs[output] =
                json!(if output.ends_with("Url") { format!("{endpoint}/1/{output}") } else { output.to_owned() });
        }
        let mut twolane =
            twolane(&["compare", "--only", "bus", "--json", "--output", "out", "--outputs", "outputs.json"]);
        twolane.folder.write("outputs.json", &outputs.to_string());
        twolane
            .command
            .args(["--warm-up", "0", "--max-lag", "600000", "--grace", "1", "--token", ALICE, "--yes"])
            .args(["--settings-file", "settings.json"])
            .args(more)
            .envs([
                ("AWS_ENDPOINT_URL", endpoint),
                ("AWS_REGION", "eu-central-1"),
                ("AWS_ACCESS_KEY_ID", "test"),
                ("AWS_SECRET_ACCESS_KEY", "test"),
            ]);
        twolane
    }

    /// The counters, and whether their tables have other items.
    fn left(&self) -> (BTreeMap<String, i64>, bool) {
        let tables = self.tables.lock().expect("no panic");
        (tables.counters.clone(), !tables.others.is_empty())
    }
}

impl Tables {
    /// Takes units and money; cancels every sixth order.
    fn place(&mut self, request: &Request, sockets: &Sockets) -> Reply {
        if self.orders.is_empty() {
            *self.counters.get_mut("counter#SKU-1").expect("it is there") -= self.taken_by_others;
        }
        let id = request.id();
        let number = u32::from_str_radix(&id[28..], 16).expect("ids end in their order's number");
        let status = match number % 6 {
            0 => "CANCELLED",
            5 => "PLACED",
            _ => "CONFIRMED",
        };
        self.orders.insert(format!("alice#{id}"), (0, status));
        if status != "CANCELLED" {
            for (key, amount) in [("SKU-1", UNITS), ("SKU-2", 1), ("alice#EUR", TOTAL)] {
                *self.counters.get_mut(&format!("counter#{key}")).expect("it was filled") -= amount;
            }
        }
        match status {
            "CANCELLED" => sockets.push(&json!({"type": "order.cancelled", "orderId": id, "reason": "no"})),
            "CONFIRMED" => sockets.push(&confirmed(id)),
            _ => {}
        }
        answer(202, json!({"status": "SUBMITTED", "messageId": "m"}).to_string())
    }

    fn read(&mut self, body: &Value) -> Reply {
        let (table, wanted) =
            body["RequestItems"].as_object().and_then(|tables| tables.iter().next()).expect("a table");
        let keys = wanted["Keys"].as_array().expect("keys").iter().map(|key| key["pk"]["S"].as_str().expect("a text"));
        let item = |key: &str| {
            if table != "orders" {
                return Some(json!({"pk": {"S": key}, "available": {"N": self.counters.get(key)?.to_string()}}));
            }
            let (looks, status) = self.orders.get_mut(key)?;
            *looks += 1;
            let status = if *status == "PLACED" && *looks > 2 { "CONFIRMED" } else { *status };
            let line = |sku: &str, quantity: &str| json!({"M": {"sku": {"S": sku}, "quantity": {"N": quantity}}});
            Some(json!({
                "pk": {"S": key}, "status": {"S": status}, "currency": {"S": "EUR"}, "totalMinor": {"N": TOTAL.to_string()},
                "items": {"L": [line("SKU-1", "2"), line("SKU-2", "1")]},
            }))
        };
        let items: Vec<Value> = keys.filter_map(item).collect();
        answer(200, json!({"Responses": {table: items}, "UnprocessedKeys": {}}).to_string())
    }

    fn transact(&mut self, body: &Value) -> Reply {
        let actions = body["TransactItems"].as_array().expect("actions");
        let failed: Vec<bool> = actions.iter().map(|action| !self.may(action)).collect();
        if failed.contains(&true) {
            self.refused += 1;
            let code = |failed| json!({"Code": if failed { "ConditionalCheckFailed" } else { "None" }});
            let reasons: Vec<Value> = failed.into_iter().map(code).collect();
            let error =
                json!({"__type": "TransactionCanceledException", "CancellationReasons": reasons, "message": "no"});
            return answer(400, error.to_string());
        }
        for action in actions {
            if let Some(update) = action.get("Update") {
                let adds = update["UpdateExpression"].as_str().is_some_and(|expression| expression.starts_with("ADD"));
                let amount = amount(update) * if adds { 1 } else { -1 };
                *self.counters.entry(key(&update["Key"])).or_default() += amount;
            } else if let Some(put) = action.get("Put") {
                self.others.insert(key(&put["Item"]), put["Item"].clone());
            } else {
                self.others.remove(&key(&action["Delete"]["Key"]));
            }
        }
        answer(200, "{}")
    }

    fn may(&self, action: &Value) -> bool {
        match action {
            Value::Object(one) if one.contains_key("Put") => !self.others.contains_key(&key(&one["Put"]["Item"])),
            Value::Object(one) if one.contains_key("Delete") => self.others.contains_key(&key(&one["Delete"]["Key"])),
            one => {
                let update = &one["Update"];
                let available = self.counters.get(&key(&update["Key"]));
                update.get("ConditionExpression").is_none() || available.is_some_and(|number| *number >= amount(update))
            }
        }
    }

    fn delete_empty(&mut self, body: &Value) -> Reply {
        let key = key(&body["Key"]);
        if self.counters.get(&key) != Some(&0) {
            return answer(400, r#"{"__type": "ConditionalCheckFailedException", "message": "no"}"#);
        }
        self.counters.remove(&key);
        answer(200, "{}")
    }
}

fn key(item: &Value) -> String {
    item["pk"]["S"].as_str().expect("a text").to_owned()
}

fn amount(update: &Value) -> i64 {
    let amount = update["ExpressionAttributeValues"][":amount"]["N"].as_str();
    amount.and_then(|amount| amount.parse().ok()).expect("a whole number")
}

/// The tables after the run. What others took stays taken.
fn expected() -> (BTreeMap<String, i64>, bool) {
    (BTreeMap::from([("counter#SKU-1".to_owned(), BEFORE - TAKEN_BY_OTHERS)]), false)
}

#[test]
fn units_that_others_take_during_a_run_stay_taken() {
    let stack = Stack::start(None);

    let (_, _, stderr) = stack.compare(&["--rate", "100", "--orders", "24"]).run();

    assert_eq!(stack.left(), expected(), "{stderr}");
    assert!(stderr.contains("available SKU-1 7, SKU-2 none\n    → adds 48 to SKU-1, 24 to SKU-2"), "{stderr}");
    assert!(stderr.contains("Waiting for 4 orders before taking back"), "{stderr}");
}

#[test]
fn units_that_others_take_stay_taken_after_an_interruption() {
    let (sender, arrived) = channel();
    let stack = Stack::start(Some(sender));
    let mut command = stack.compare(&["--rate", "10", "--duration", "60"]);
    let child = command.start();
    for _ in 0..8 {
        arrived.recv_timeout(Duration::from_mins(1)).expect("orders arrive");
    }

    signal(&child, "INT");

    let output = child.wait_with_output().expect("it ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), stack.left()), (Some(130), expected()), "{stderr}");
    assert!(!command.folder.0.join("settings.json").exists());
}

#[test]
fn an_interruption_ends_the_wait_for_units_that_others_took() {
    const ORDERS: usize = 24;
    let (sender, arrived) = channel();
    let stack = Stack::start_with(10, Some(sender));
    let mut command = stack.compare(&["--rate", "100", "--orders", "24"]);
    let child = command.start();
    // Cancelled orders left 8 units, but only 5 remain: removing 8 is refused.
    for _ in 0..ORDERS + 2 {
        arrived.recv_timeout(Duration::from_mins(1)).expect("orders arrive, and units are missing");
    }

    signal(&child, "INT");

    let output = child.wait_with_output().expect("it ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains("Not taken back, because other orders have taken what the run added: 3 of SKU-1"),
        "{stderr}"
    );
    let left = BTreeMap::from([("counter#SKU-1".to_owned(), 0)]);
    assert_eq!((output.status.code(), stack.left()), (Some(130), (left, false)), "{stderr}");
    // One attempt a second: 60 without the interruption.
    assert!(stack.tables.lock().expect("no panic").refused < 20);
}

#[test]
fn a_killed_run_is_undone_once() {
    let (sender, arrived) = channel();
    let stack = Stack::start(Some(sender));
    let mut command = stack.compare(&["--rate", "10", "--duration", "60"]);
    let mut child = command.start();
    for _ in 0..8 {
        arrived.recv_timeout(Duration::from_mins(1)).expect("orders arrive");
    }
    signal(&child, "KILL");
    child.wait().expect("it ends");
    let settings = std::fs::read_to_string(command.folder.0.join("settings.json")).expect("it is saved");

    for _ in 0..2 {
        let restore = || {
            let restore = stack.compare(&["--restore"]);
            restore.folder.write("settings.json", &settings);
            restore
        };
        let (code, _, stderr) = restore().run();

        assert_eq!((code, stack.left()), (0, expected()), "{stderr}");
    }
}
