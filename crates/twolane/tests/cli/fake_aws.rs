//! A stand-in for SQS and DynamoDB: queues with dead-letter queues, tables, and AWS's errors.

use crate::server::{Reply, Request, Server, answer};
use crate::{Twolane, twolane};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::{Arc, Mutex};

/// Messages have the shape that `ReceiveMessage` returns.
#[derive(Default)]
pub(crate) struct State {
    /// In the orders queue's dead-letter queue.
    pub(crate) dead: Vec<Value>,
    /// Events in the bus lane's dead-letter queues, by queue. `None`: the stack has no bus lane.
    pub(crate) bus: Option<BTreeMap<&'static str, Vec<Value>>>,
    /// By table and partition key.
    pub(crate) counters: BTreeMap<(&'static str, String), u64>,
    /// Ids of messages in flight.
    pub(crate) held: BTreeSet<String>,
    /// Entries of `SendMessageBatch`, each with its `queue`.
    pub(crate) sent: Vec<Value>,
    /// Status and reason by partition key.
    pub(crate) records: BTreeMap<String, (&'static str, &'static str)>,
    /// `None`: SQS does not have the action.
    pub(crate) move_task: Option<MoveTask>,
    /// How often the list of tasks at first lacks the new one.
    pub(crate) lists_late: usize,
    pub(crate) started: bool,
    pub(crate) moved: usize,
    pub(crate) cancelled: bool,
    /// An order's status after its message was moved back; `None`: unchanged.
    pub(crate) outcome: Option<&'static str>,
    /// Bodies that the orders queue refuses.
    pub(crate) refused: BTreeSet<&'static str>,
    /// In order.
    pub(crate) actions: Vec<String>,
    /// An action, and which of its calls are denied, from 0.
    pub(crate) denied: Option<(&'static str, Range<usize>)>,
    /// Messages that cannot be deleted.
    pub(crate) undeletable: BTreeSet<&'static str>,
    /// Depths of a source queue at consecutive reads, then 0.
    pub(crate) depths: BTreeMap<&'static str, Vec<usize>>,
    /// Messages in this queue of the bus lane fail again at once.
    pub(crate) failing: Option<&'static str>,
    /// How often DynamoDB returns all keys as unprocessed.
    pub(crate) unprocessed: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum MoveTask {
    Completes,
    /// Until it is cancelled; moves nothing.
    Runs,
    Fails,
}

/// All calls of an action.
pub(crate) const ALWAYS: Range<usize> = 0..usize::MAX;

pub(crate) struct FakeAws {
    server: Server,
    pub(crate) state: Arc<Mutex<State>>,
}

/// In the orders queue; without an `order_id`, not from the API.
pub(crate) fn message(id: &str, order_id: Option<&str>, body: &str) -> Value {
    let text = |value: &str| json!({"DataType": "String", "StringValue": value});
    let mut attributes = json!({"owner": text("alice"), "requestTimeEpoch": text("1767225600000")});
    if let Some(order_id) = order_id {
        attributes["orderId"] = text(order_id);
    }
    json!({
        "MessageId": id, "ReceiptHandle": format!("handle-{id}"), "Body": body, "MessageAttributes": attributes,
        "Attributes": {"ApproximateReceiveCount": "6", "SentTimestamp": "1767225601000", "AWSTraceHeader": "Root=1-2"},
    })
}

/// An event that failed all deliveries.
pub(crate) fn event(id: &str, r#type: &str, order_id: &str) -> Value {
    let body = json!({
        "version": 1, "type": r#type, "orderId": order_id, "owner": "alice", "fingerprint": "00",
        "occurredAt": "2026-01-01T00:00:00.000Z",
    });
    json!({
        "MessageId": id, "ReceiptHandle": format!("handle-{id}"), "Body": body.to_string(),
        "MessageAttributes": {"eventType": {"DataType": "String", "StringValue": r#type}},
        "Attributes": {"ApproximateReceiveCount": "6", "SentTimestamp": "1767225601000"},
    })
}

/// Name, and prefix of the stack outputs.
const BUS_QUEUES: [(&str, &str); 6] = [
    ("submissions", "Submissions"),
    ("stock", "Stock"),
    ("payments", "Payments"),
    ("shipments", "Shipments"),
    ("outcomes", "Outcomes"),
    ("deadline", "Deadline"),
];

impl FakeAws {
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.server.requests()
    }

    pub(crate) fn start(state: State) -> Self {
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let server = Server::start(move |request, _| {
            let target = request.headers.lines().find_map(|line| line.strip_prefix("x-amz-target: "));
            let body: Value = serde_json::from_str(&request.body).expect("every request is JSON");
            let (_, action) = target.and_then(|target| target.rsplit_once('.')).expect("every request has a target");
            shared.lock().expect("no panic").answer(action, &body)
        });
        Self { server, state }
    }

    /// The command, with the stand-in as stack and AWS.
    pub(crate) fn twolane(&self, arguments: &[&str]) -> Twolane {
        let has_bus = self.state.lock().expect("no panic").bus.is_some();
        twolane_with(self.server.api_url.trim_end_matches("/live"), arguments, has_bus)
    }
}

/// With a stack and AWS at that URL.
pub(crate) fn twolane_at(endpoint: &str, arguments: &[&str]) -> Twolane {
    twolane_with(endpoint, arguments, false)
}

/// With a stack and AWS at that URL. `has_bus`: it has a bus lane.
fn twolane_with(endpoint: &str, arguments: &[&str], has_bus: bool) -> Twolane {
    let mut twolane = twolane(arguments);
    let mut outputs = json!({
        "ApiUrl": format!("{endpoint}/live"), "OrdersQueueUrl": format!("{endpoint}/1/orders"),
        "DeadLetterQueueUrl": format!("{endpoint}/1/dead"), "OrdersTableName": "orders-table",
    });
    if has_bus {
        for (name, prefix) in BUS_QUEUES {
            outputs[format!("{prefix}QueueUrl")] = json!(format!("{endpoint}/1/{name}"));
            outputs[format!("{prefix}DeadLetterQueueUrl")] = json!(format!("{endpoint}/1/{name}-dead"));
        }
        outputs["StockTableName"] = json!("stock-table");
        outputs["PaymentsTableName"] = json!("payments-table");
    }
    twolane.folder.write(".local/outputs.json", &outputs.to_string());
    twolane.command.envs([
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_CONFIG_FILE", "none"),
        ("AWS_SHARED_CREDENTIALS_FILE", "none"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ]);
    twolane
}

impl State {
    fn answer(&mut self, action: &str, body: &Value) -> Reply {
        let calls = self.actions.iter().filter(|done| *done == action).count();
        self.actions.push(action.to_owned());
        if let Some((denied, which)) = &self.denied
            && denied.to_lowercase() == action
            && which.contains(&calls)
        {
            return refusal("AccessDeniedException", "not allowed to do that");
        }
        match action {
            "getqueueattributes" => self.attributes(body),
            "receivemessage" => self.receive(body),
            "changemessagevisibilitybatch" => self.release(body),
            "sendmessagebatch" => self.send(body),
            "deletemessagebatch" => self.delete(body),
            "startmessagemovetask" if self.move_task.is_some() => self.move_all(body),
            "listmessagemovetasks" if self.move_task.is_some() => self.tasks(),
            "cancelmessagemovetask" if self.move_task.is_some() => {
                assert_eq!(body["TaskHandle"], "task");
                self.cancelled = true;
                reply(&json!({"ApproximateNumberOfMessagesMoved": 0}))
            }
            "batchgetitem" if body["RequestItems"]["orders-table"].is_object() => self.items(body),
            "batchgetitem" => self.numbers(body),
            "updateitem" => self.set_number(body),
            "transactwriteitems" => self.add_number(body),
            _ => refusal("com.amazonaws.sqs#UnsupportedOperation", "no such action"),
        }
    }

    fn dead_in(&mut self, body: &Value) -> &mut Vec<Value> {
        let queue = queue_of(body);
        match queue.strip_suffix("-dead") {
            None => &mut self.dead,
            Some(name) => {
                let (name, _) = BUS_QUEUES.into_iter().find(|(queue, _)| *queue == name).expect("a queue of the lane");
                self.bus.as_mut().expect("the stack has the lane").entry(name).or_default()
            }
        }
    }

    fn attributes(&mut self, body: &Value) -> Reply {
        if !queue_of(body).ends_with("dead") {
            let depths = self.depths.get_mut(queue_of(body));
            let depth = depths.filter(|depths| !depths.is_empty()).map_or(0, |depths| depths.remove(0));
            return reply(&json!({"Attributes": {"ApproximateNumberOfMessages": depth.to_string()}}));
        }
        let dead: Vec<String> = self.dead_in(body).iter().map(|message| id(message).to_owned()).collect();
        let held = dead.iter().filter(|id| self.held.contains(*id)).count();
        let attributes = json!({
            "ApproximateNumberOfMessages": (dead.len() - held).to_string(),
            "ApproximateNumberOfMessagesNotVisible": held.to_string(),
            "QueueArn": format!("arn:aws:sqs:eu-central-1:1:{}", queue_of(body)),
        });
        reply(&json!({ "Attributes": attributes }))
    }

    fn receive(&mut self, body: &Value) -> Reply {
        let most = usize::try_from(body["MaxNumberOfMessages"].as_u64().expect("a number")).expect("a small one");
        let dead = self.dead_in(body).clone();
        let free = dead.iter().filter(|message| !self.held.contains(id(message)));
        let messages: Vec<Value> = free.take(most).cloned().collect();
        self.held.extend(messages.iter().map(|message| id(message).to_owned()));
        reply(&json!({ "Messages": messages }))
    }

    fn release(&mut self, body: &Value) -> Reply {
        for entry in entries(body) {
            assert_eq!(entry["VisibilityTimeout"], 0);
            self.held.remove(held_id(entry));
        }
        reply(&json!({"Successful": ids(body), "Failed": []}))
    }

    fn send(&mut self, body: &Value) -> Reply {
        let refused = |entry: &Value| self.refused.contains(entry["MessageBody"].as_str().expect("a body"));
        let (failed, taken): (Vec<_>, Vec<_>) = entries(body).iter().cloned().partition(refused);
        if let Some(queue) = self.failing.filter(|queue| *queue == queue_of(body)) {
            let failed = taken.iter().map(|entry| {
                let body: Value =
                    serde_json::from_str(entry["MessageBody"].as_str().expect("a body")).expect("an event");
                event("m-again", body["type"].as_str().expect("a type"), body["orderId"].as_str().expect("an id"))
            });
            self.bus.as_mut().expect("the stack has the lane").entry(queue).or_default().extend(failed);
        }
        if queue_of(body) == "orders" {
            self.settle(taken.iter().map(|entry| key(&entry["MessageAttributes"])).collect());
        }
        let successful: Vec<_> =
            taken.iter().map(|entry| json!({"Id": entry["Id"], "MessageId": "new", "MD5OfMessageBody": "-"})).collect();
        let failed: Vec<_> = failed
            .iter()
            .map(|entry| json!({"Id": entry["Id"], "Code": "X", "SenderFault": true, "Message": "refused it"}))
            .collect();
        self.sent.extend(taken.into_iter().map(|mut entry| {
            entry["queue"] = json!(queue_of(body));
            entry
        }));
        reply(&json!({"Successful": successful, "Failed": failed}))
    }

    fn delete(&mut self, body: &Value) -> Reply {
        let (kept, gone): (Vec<_>, Vec<_>) =
            entries(body).iter().partition(|entry| self.undeletable.contains(held_id(entry)));
        for entry in &gone {
            self.held.remove(held_id(entry));
            self.dead_in(body).retain(|message| id(message) != held_id(entry));
        }
        let failed = |entry: &&Value| json!({"Id": entry["Id"], "Code": "InternalError", "SenderFault": false});
        let failed: Vec<_> = kept.iter().map(failed).collect();
        let successful: Vec<_> = gone.iter().map(|entry| json!({"Id": entry["Id"]})).collect();
        reply(&json!({"Successful": successful, "Failed": failed}))
    }

    fn move_all(&mut self, body: &Value) -> Reply {
        self.sent.push(body.clone());
        self.started = true;
        if self.move_task == Some(MoveTask::Completes) {
            let (held, free): (Vec<_>, Vec<_>) =
                self.dead.iter().cloned().partition(|message| self.held.contains(id(message)));
            let keys: Vec<_> = free.iter().map(|message| key(&message["MessageAttributes"])).collect();
            self.moved = free.len();
            if self.outcome != Some("FAILED") {
                self.dead = held;
            }
            self.settle(keys);
        }
        reply(&json!({"TaskHandle": "task"}))
    }

    fn tasks(&mut self) -> Reply {
        let earlier = json!({"Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": 9, "StartedTimestamp": 1000});
        if !self.started || self.lists_late > 0 {
            self.lists_late = self.lists_late.saturating_sub(usize::from(self.started));
            return reply(&json!({ "Results": [earlier] }));
        }
        let status = match self.move_task {
            Some(MoveTask::Runs) if self.cancelled => "CANCELLED",
            Some(MoveTask::Runs) => "RUNNING",
            Some(MoveTask::Fails) => "FAILED",
            _ => "COMPLETED",
        };
        let mut task =
            json!({"Status": status, "ApproximateNumberOfMessagesMoved": self.moved, "StartedTimestamp": 2000});
        // SQS returns a handle only while the task runs, and a reason only if it failed.
        if status == "RUNNING" {
            task["TaskHandle"] = json!("task");
        }
        if status == "FAILED" {
            task["FailureReason"] = json!("the queue is gone");
        }
        reply(&json!({ "Results": [task] }))
    }

    fn settle(&mut self, keys: Vec<String>) {
        if let Some(status) = self.outcome {
            self.records.extend(keys.into_iter().map(|key| (key, (status, ""))));
        }
    }

    fn items(&mut self, body: &Value) -> Reply {
        let keys = body["RequestItems"]["orders-table"]["Keys"].as_array().expect("keys");
        assert!((1..=100).contains(&keys.len()), "DynamoDB takes one to a hundred keys");
        if keys.iter().any(|key| key["pk"]["S"].as_str().is_none_or(|key| key.len() > 2048)) {
            return refusal("ValidationException", "One or more parameter values were invalid");
        }
        if self.unprocessed > 0 {
            self.unprocessed -= 1;
            return reply(&json!({"Responses": {"orders-table": []}, "UnprocessedKeys": body["RequestItems"]}));
        }
        let item = |key: &Value| {
            let key = key["pk"]["S"].as_str().expect("a text");
            let (status, reason) = self.records.get(key)?;
            let mut item = json!({"pk": {"S": key}, "status": {"S": status}, "attempts": {"N": "1"}});
            if !reason.is_empty() {
                item["reason"] = json!({"S": reason});
            }
            Some(item)
        };
        let items: Vec<_> = keys.iter().filter_map(item).collect();
        reply(&json!({"Responses": {"orders-table": items}, "UnprocessedKeys": {}}))
    }

    fn numbers(&self, body: &Value) -> Reply {
        let tables = body["RequestItems"].as_object().expect("an object");
        let responses = tables.iter().map(|(table, wanted)| {
            let keys = wanted["Keys"].as_array().expect("keys").iter().filter_map(|key| {
                let pk = key["pk"]["S"].as_str().expect("a text");
                let number = self.counters.iter().find(|((of, key), _)| of == table && key == pk)?.1;
                Some(json!({"pk": {"S": pk}, "available": {"N": number.to_string()}}))
            });
            (table.clone(), keys.collect::<Value>())
        });
        let responses: serde_json::Map<_, _> = responses.collect();
        reply(&json!({"Responses": responses, "UnprocessedKeys": {}}))
    }

    fn add_number(&mut self, body: &Value) -> Reply {
        assert!(body["ClientRequestToken"].is_string(), "the token makes a repeated request safe");
        let update = &body["TransactItems"][0]["Update"];
        let table = ["stock-table", "payments-table"].into_iter().find(|table| update["TableName"] == *table);
        let key = (table.expect("a table of counters"), update["Key"]["pk"]["S"].as_str().expect("a text").to_owned());
        let amount = update["ExpressionAttributeValues"][":amount"]["N"].as_str().expect("a number");
        let amount: u64 = amount.parse().expect("a whole number");
        let number = self.counters.entry(key).or_default();
        match update["UpdateExpression"].as_str() {
            Some("ADD #available :amount") => *number += amount,
            _ if *number < amount => {
                let reasons = json!([{"Code": "ConditionalCheckFailed"}]);
                let error = json!({"__type": "TransactionCanceledException", "CancellationReasons": reasons});
                return answer(400, error.to_string());
            }
            _ => *number -= amount,
        }
        reply(&json!({}))
    }

    fn set_number(&mut self, body: &Value) -> Reply {
        assert_eq!(body["UpdateExpression"], "SET #available = :available");
        assert_eq!(body["ReturnValues"], "UPDATED_OLD");
        let table = ["stock-table", "payments-table"].into_iter().find(|table| body["TableName"] == *table);
        let key = (table.expect("a table of counters"), body["Key"]["pk"]["S"].as_str().expect("a text").to_owned());
        let number = body["ExpressionAttributeValues"][":available"]["N"].as_str().expect("a number");
        let was = self.counters.insert(key, number.parse().expect("a whole number"));
        reply(&was.map_or_else(|| json!({}), |was| json!({"Attributes": {"available": {"N": was.to_string()}}})))
    }
}

/// Last part of the request's queue URL.
fn queue_of(body: &Value) -> &str {
    body["QueueUrl"].as_str().and_then(|url| url.rsplit('/').next()).expect("every request names a queue")
}

/// The order's partition key from a message's attributes, as the worker builds it.
fn key(attributes: &Value) -> String {
    let text = |name: &str| attributes[name]["StringValue"].as_str().unwrap_or_default();
    format!("{}#{}", text("owner"), text("orderId").to_lowercase())
}

fn id(message: &Value) -> &str {
    message["MessageId"].as_str().expect("an id")
}

/// The message id of an entry's receipt handle.
fn held_id(entry: &Value) -> &str {
    entry["ReceiptHandle"].as_str().and_then(|handle| handle.strip_prefix("handle-")).expect("a handle")
}

fn entries(body: &Value) -> &[Value] {
    let entries = body["Entries"].as_array().expect("entries");
    assert!((1..=10).contains(&entries.len()), "SQS takes one to ten entries");
    entries
}

fn ids(body: &Value) -> Vec<Value> {
    entries(body).iter().map(|entry| json!({"Id": entry["Id"]})).collect()
}

fn reply(body: &Value) -> Reply {
    Reply::Answer { status: 200, headers: "content-type: application/x-amz-json-1.0\r\n", body: body.to_string() }
}

fn refusal(code: &str, why: &str) -> Reply {
    answer(400, json!({"__type": code, "message": why}).to_string())
}
