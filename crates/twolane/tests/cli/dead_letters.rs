//! `twolane dlq` and `twolane redrive`.

use crate::fake_aws::{ALWAYS, FakeAws, MoveTask, State, event, message};
use crate::{ID, signal, twolane};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};

const OTHER: &str = "00000000-0000-4000-8000-000000000002";

/// A FAILED order, one without a record, and a message not from the API.
fn three() -> State {
    State {
        dead: vec![
            message("m-1", Some(ID), "{\"secret\":1}"),
            message("m-2", Some(OTHER), "{\"secret\":2}"),
            message("m-3", None, "secret"),
        ],
        records: [(format!("alice#{ID}"), ("FAILED", "it could not be stored"))].into(),
        ..State::default()
    }
}

fn reports(stdout: &str) -> Vec<Value> {
    let mut reports: Vec<Value> =
        stdout.lines().map(|line| serde_json::from_str(line).expect("every line is JSON")).collect();
    reports.sort_by_key(|report| report["messageId"].as_str().map(str::to_owned));
    reports
}

#[test]
fn shows_dead_letters_with_their_reason_and_releases_them() {
    let aws = FakeAws::start(three());

    let (code, stdout, stderr) = aws.twolane(&["dlq", "--json"]).run();

    assert_eq!(code, 0, "{stderr}");
    assert!(!stdout.contains("secret"), "it shows bodies without --show-bodies: {stdout}");
    let reports = reports(&stdout);
    assert_eq!(reports.len(), 3);
    assert_eq!(reports[0]["orderId"], ID);
    assert_eq!(reports[0]["owner"], "alice");
    assert_eq!(reports[0]["status"], "FAILED");
    assert_eq!(reports[0]["reason"], "it could not be stored");
    assert_eq!(reports[0]["acceptedAt"], "2026-01-01T00:00:00.000Z");
    assert_eq!(reports[0]["receiveCount"], 6);
    assert_eq!(reports[0]["bodyBytes"], 12);
    assert!(reports[0]["ageSeconds"].as_u64().is_some_and(|seconds| seconds > 86_400), "{}", reports[0]);
    assert_eq!((&reports[1]["status"], &reports[2]["status"]), (&Value::Null, &Value::Null));
    assert!(reports[1]["reason"].as_str().expect("a text").starts_with("no record"), "{}", reports[1]);
    assert_eq!(reports[2]["reason"], "not from the API: message attribute orderId is missing or not a String");
    let state = aws.state.lock().expect("no panic");
    assert!(state.held.is_empty() && state.dead.len() == 3, "it removed or kept a message");
}

#[test]
fn shows_bodies_only_with_the_option() {
    let aws = FakeAws::start(three());

    let (_, json, _) = aws.twolane(&["dlq", "--json", "--show-bodies"]).run();
    let (_, text, _) = aws.twolane(&["dlq", "--show-bodies"]).run();

    assert_eq!(reports(&json)[0]["body"], "{\"secret\":1}");
    assert!(text.contains(&format!("{ID}:\n{{\"secret\":1}}")), "{text}");
}

#[test]
fn draws_a_table() {
    let aws = FakeAws::start(three());

    let (code, stdout, stderr) = aws.twolane(&["dlq", "--limit", "2"]).run();

    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.starts_with("dead-letter queue · 3 messages · http://"), "{stdout}");
    assert!(stdout.contains(" order                                 accepted"), "{stdout}");
    assert!(stdout.contains(&format!(" {ID}  2026-01-01T00:00:00.000Z  ")), "{stdout}");
    assert!(stdout.contains("6         FAILED  it could not be stored"), "{stdout}");
    assert!(stdout.contains("1 message not shown"), "{stdout}");
    assert!(stdout.contains("`twolane redrive`"), "{stdout}");
}

#[test]
fn says_that_no_message_has_failed() {
    let aws = FakeAws::start(State::default());

    let (code, shown, _) = aws.twolane(&["dlq"]).run();
    let (redriven, stdout, _) = aws.twolane(&["redrive"]).run();

    assert_eq!((code, redriven), (0, 0));
    assert!(shown.contains("0 messages") && shown.contains("No message has failed."), "{shown}");
    assert_eq!(stdout, "Nothing to move.\n");
}

#[test]
fn moves_all_messages_by_a_task_of_sqs() {
    let aws = FakeAws::start(State { move_task: Some(MoveTask::Completes), outcome: Some("CONFIRMED"), ..three() });

    let (code, stdout, stderr) = aws.twolane(&["redrive", "--json", "--max-per-second", "7"]).run();

    // One of the three is not an order.
    assert_eq!(code, 1, "{stderr}");
    let reports = reports(&stdout);
    assert_eq!(reports.iter().map(|report| &report["moved"]).collect::<Vec<_>>(), [true, true, true]);
    assert_eq!((&reports[0]["statusBefore"], &reports[0]["status"]), (&json!("FAILED"), &json!("CONFIRMED")));
    assert_eq!((&reports[1]["statusBefore"], &reports[1]["status"]), (&Value::Null, &json!("CONFIRMED")));
    assert_eq!(reports[2]["status"], Value::Null);
    let state = aws.state.lock().expect("no panic");
    let task = json!({"SourceArn": "arn:aws:sqs:eu-central-1:1:dead", "MaxNumberOfMessagesPerSecond": 7});
    assert_eq!(state.sent, [task]);
}

#[test]
fn moves_messages_itself_if_sqs_cannot_and_sends_before_it_deletes() {
    let aws = FakeAws::start(State { outcome: Some("CONFIRMED"), ..three() });

    let (code, stdout, stderr) = aws.twolane(&["redrive"]).run();

    assert_eq!(code, 1, "one is not an order: {stderr}");
    assert!(stdout.contains(&format!(" {ID}  FAILED  CONFIRMED  1")), "{stdout}");
    assert!(stdout.ends_with("3 messages: 2 confirmed, 1 not an order\n"), "{stdout}");
    let state = aws.state.lock().expect("no panic");
    assert!(state.dead.is_empty() && state.held.is_empty());
    assert_eq!(state.sent.len(), 3);
    let sent = state.sent.iter().find(|entry| entry["MessageBody"] == "{\"secret\":1}").expect("it was sent");
    assert_eq!(sent["MessageAttributes"], message("m-1", Some(ID), "")["MessageAttributes"]);
    assert_eq!(sent["MessageSystemAttributes"]["AWSTraceHeader"]["StringValue"], "Root=1-2");
    let place = |action: &str| state.actions.iter().position(|done| done == action).expect("it was done");
    assert!(place("sendmessagebatch") < place("deletemessagebatch"), "{:?}", state.actions);
}

#[test]
fn keeps_messages_that_the_orders_queue_refuses() {
    let aws = FakeAws::start(State { outcome: Some("CONFIRMED"), refused: ["secret"].into(), ..three() });

    let (code, stdout, stderr) = aws.twolane(&["redrive"]).run();

    assert_eq!(code, 1);
    assert!(
        stderr.contains("The orders queue refused a message, which stays in the dead-letter queue: refused it"),
        "{stderr}"
    );
    assert!(stdout.ends_with("3 messages: 2 confirmed, 1 not moved\n"), "{stdout}");
    let state = aws.state.lock().expect("no panic");
    assert_eq!(state.dead.iter().map(|message| &message["MessageId"]).collect::<Vec<_>>(), ["m-3"]);
    assert!(state.held.is_empty(), "the message was not released");
}

/// `count` messages of different orders.
fn many(count: u32) -> State {
    let id = |number: u32| format!("00000000-0000-4000-8000-{number:012}");
    let message = |number: u32| message(&format!("m-{number}"), Some(&id(number)), &number.to_string());
    State { dead: (0..count).map(message).collect(), outcome: Some("CONFIRMED"), ..State::default() }
}

#[test]
fn sends_a_refused_message_once_and_moves_the_others() {
    let aws = FakeAws::start(State { refused: ["3", "14"].into(), ..many(25) });

    let (code, stdout, stderr) = aws.twolane(&["redrive"]).run();

    assert_eq!(code, 1, "{stderr}");
    assert!(stdout.ends_with("25 messages: 23 confirmed, 2 not moved\n"), "{stdout}");
    assert_eq!(stderr.matches("refused a message").count(), 2, "{stderr}");
    let state = aws.state.lock().expect("no panic");
    assert_eq!((state.dead.len(), state.held.len(), state.sent.len()), (2, 0, 23));
}

#[test]
fn keeps_all_messages_when_sending_is_denied() {
    let aws = FakeAws::start(State { denied: Some(("SendMessageBatch", ALWAYS)), ..many(25) });

    let (code, stdout, stderr) = aws.twolane(&["redrive"]).run();

    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    assert!(stderr.contains("Failed to send messages to the orders queue"), "{stderr}");
    assert!(stderr.contains("AccessDeniedException: not allowed to do that"), "{stderr}");
    let state = aws.state.lock().expect("no panic");
    assert_eq!(state.actions.iter().filter(|action| *action == "sendmessagebatch").count(), 1);
    assert_eq!((state.dead.len(), state.held.len()), (25, 0));
}

#[test]
fn reports_what_was_moved_before_sending_failed() {
    let aws = FakeAws::start(State { denied: Some(("SendMessageBatch", 2..3)), ..many(25) });

    let (code, stdout, stderr) = aws.twolane(&["redrive"]).run();

    assert_eq!(code, 1, "{stderr}");
    assert!(stdout.ends_with("25 messages: 20 confirmed, 5 not moved\n"), "{stdout}");
    assert!(aws.state.lock().expect("no panic").held.is_empty());
}

#[test]
fn a_message_that_was_sent_but_not_deleted_does_not_count_as_failed_again() {
    let aws = FakeAws::start(State { undeletable: ["m-1"].into(), outcome: None, ..three() });

    let (code, stdout, stderr) = aws.twolane(&["redrive", "--order", ID, "--timeout", "6"]).run();

    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("1 message sent, but not deleted from the dead-letter queue"), "{stderr}");
    assert!(stdout.ends_with("1 message: 1 without an outcome yet\n"), "{stdout}");
}

#[test]
fn moves_other_messages_despite_one_that_is_not_from_the_api() {
    let mut state = State { outcome: Some("CONFIRMED"), ..three() };
    for (id, owner) in [("m-4", "x".repeat(3000)), ("m-5", "two words".to_owned())] {
        let mut odd = message(id, Some(OTHER), "{}");
        odd["MessageAttributes"]["owner"]["StringValue"] = json!(owner);
        state.dead.push(odd);
    }
    let aws = FakeAws::start(state);

    let (shown, stdout, stderr) = aws.twolane(&["dlq", "--json"]).run();
    let (redriven, ..) = aws.twolane(&["redrive", "--order", ID]).run();

    assert_eq!((shown, redriven), (0, 0), "{stderr}");
    let why = "not from the API: message attribute owner must be 1 to 255 visible ASCII characters";
    assert_eq!((&reports(&stdout)[3]["reason"], &reports(&stdout)[4]["reason"]), (&json!(why), &json!(why)));
}

#[test]
fn requests_unprocessed_keys_again() {
    let aws = FakeAws::start(State { unprocessed: 2, ..three() });

    let (code, stdout, stderr) = aws.twolane(&["dlq", "--json"]).run();

    assert_eq!(code, 0, "{stderr}");
    assert_eq!(reports(&stdout)[0]["status"], "FAILED");
}

#[test]
fn finds_every_outcome_despite_an_error_while_waiting() {
    let state = State { move_task: Some(MoveTask::Completes), outcome: Some("CONFIRMED"), ..three() };
    let aws = FakeAws::start(State { denied: Some(("BatchGetItem", 1..2)), ..state });

    let (_, stdout, stderr) = aws.twolane(&["redrive"]).run();

    assert!(stderr.contains("but reading their results failed: Failed to read the orders table"), "{stderr}");
    assert!(stdout.ends_with("3 messages: 2 confirmed, 1 not an order\n"), "{stdout}");
}

#[test]
fn waits_for_a_task_that_is_not_listed_yet() {
    let state = State { move_task: Some(MoveTask::Completes), outcome: Some("CONFIRMED"), ..three() };
    let aws = FakeAws::start(State { lists_late: 2, ..state });

    let (_, stdout, stderr) = aws.twolane(&["redrive"]).run();

    assert!(stdout.ends_with("3 messages: 2 confirmed, 1 not an order\n"), "{stdout}{stderr}");
}

#[test]
fn a_signal_cancels_the_task_and_no_message_counts_as_moved() {
    let aws = FakeAws::start(State { move_task: Some(MoveTask::Runs), ..three() });
    let mut command = aws.twolane(&["redrive", "--json"]);
    let mut child = command.start();
    let mut notices = BufReader::new(child.stderr.take().expect("a pipe")).lines().map_while(Result::ok);

    assert!(notices.any(|line| line == "Moving 3 messages back to the orders queue."));
    signal(&child, "INT");

    let mut stdout = String::new();
    child.stdout.take().expect("a pipe").read_to_string(&mut stdout).expect("UTF-8");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    let reports = reports(&stdout);
    assert_eq!(reports.iter().map(|report| &report["moved"]).collect::<Vec<_>>(), [false, false, false]);
    assert!(aws.state.lock().expect("no panic").held.is_empty());
}

#[test]
fn reports_why_a_task_failed() {
    let aws = FakeAws::start(State { move_task: Some(MoveTask::Fails), ..three() });

    let (code, stdout, stderr) = aws.twolane(&["redrive"]).run();

    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    assert!(stderr.contains("Moving messages failed midway: the queue is gone"), "{stderr}");
}

#[test]
fn reports_moved_as_unknown_if_the_queue_cannot_be_read() {
    // Two receives find all messages; the third, after the task failed, is denied.
    let state = State { move_task: Some(MoveTask::Fails), ..three() };
    let aws = FakeAws::start(State { denied: Some(("ReceiveMessage", 2..usize::MAX)), ..state });

    let (code, stdout, stderr) = aws.twolane(&["redrive", "--json", "--timeout", "0"]).run();

    assert_eq!(code, 1, "{stderr}");
    assert!(reports(&stdout).iter().all(|report| report["moved"].is_null()), "{stdout}");
}

#[test]
fn does_not_count_messages_of_another_reader_as_moved() {
    let state = State { move_task: Some(MoveTask::Completes), outcome: Some("CONFIRMED"), ..many(3) };
    let aws = FakeAws::start(State { held: ["m-1".to_owned()].into(), ..state });

    let (code, stdout, stderr) = aws.twolane(&["redrive"]).run();

    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("1 message not seen: another reader holds them"), "{stderr}");
    assert!(stdout.ends_with("2 messages: 2 confirmed\n"), "{stdout}");
}

#[test]
fn deletes_only_the_named_messages() {
    let aws = FakeAws::start(State { held: ["m-2".to_owned()].into(), ..three() });

    let (code, stdout, stderr) = aws.twolane(&["dlq", "--delete", "m-3", "--delete", "m-2"]).run();

    assert_eq!((code, stdout.as_str()), (1, "1 message deleted.\n"), "{stderr}");
    assert!(stderr.contains("Not deleted: message m-2 is not in the queue, or another reader holds it."), "{stderr}");
    let state = aws.state.lock().expect("no panic");
    assert_eq!(state.dead.iter().map(|message| &message["MessageId"]).collect::<Vec<_>>(), ["m-1", "m-2"]);
    assert_eq!(state.held, ["m-2".to_owned()].into());
}

#[test]
fn does_not_wait_for_an_order_with_a_malformed_id() {
    let aws = FakeAws::start(State { dead: vec![message("m-1", Some("order-7"), "{}")], ..State::default() });

    let (code, stdout, stderr) = aws.twolane(&["redrive"]).run();

    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("its order id must be a UUID"), "{stdout}");
    assert!(stdout.ends_with("1 message: 1 rejected for its order id\n"), "{stdout}");
}

#[test]
fn reports_on_standard_error_what_json_does_not_show() {
    let aws = FakeAws::start(three());

    let (_, stdout, stderr) = aws.twolane(&["dlq", "--json", "--limit", "1"]).run();

    assert_eq!(stdout.lines().count(), 1);
    assert!(stderr.contains("2 messages not shown"), "{stderr}");
}

#[test]
fn finds_an_order_by_every_spelling_of_its_id() {
    let upper = ID.to_uppercase();
    for typed in [format!("{{{upper}}}"), format!("urn:uuid:{ID}"), ID.replace('-', "")] {
        let dead = vec![message("m-1", Some(&upper), "{}")];
        let aws = FakeAws::start(State { dead, outcome: Some("CONFIRMED"), ..State::default() });

        let (_, listed, _) = aws.twolane(&["dlq", "--json"]).run();
        let (code, stdout, stderr) = aws.twolane(&["redrive", "--json", "--order", &typed]).run();

        assert_eq!(code, 0, "{typed}: {stderr}");
        assert_eq!((&reports(&listed)[0]["orderId"], &reports(&stdout)[0]["orderId"]), (&json!(ID), &json!(ID)));
    }
}

#[test]
fn moves_only_the_messages_of_one_order() {
    let aws = FakeAws::start(State { move_task: Some(MoveTask::Completes), outcome: Some("CONFIRMED"), ..three() });

    let (code, stdout, stderr) = aws.twolane(&["redrive", "--json", "--order", &ID.to_uppercase()]).run();

    assert_eq!(code, 0, "{stderr}");
    let reports = reports(&stdout);
    assert_eq!((reports.len(), &reports[0]["orderId"], &reports[0]["status"]), (1, &json!(ID), &json!("CONFIRMED")));
    let state = aws.state.lock().expect("no panic");
    assert_eq!((state.sent.len(), state.dead.len(), state.held.len()), (1, 2, 0));
}

#[test]
fn names_an_order_without_a_dead_letter() {
    let aws = FakeAws::start(State { outcome: Some("CONFIRMED"), ..three() });
    let unknown = "00000000-0000-4000-8000-00000000000f";

    let (code, _, stderr) = aws.twolane(&["redrive", "--order", ID, "--order", unknown]).run();

    assert_eq!(code, 1);
    assert!(stderr.contains(&format!("Found no message of order {unknown} in the dead-letter queue.")), "{stderr}");
    assert_eq!(aws.state.lock().expect("no panic").sent.len(), 1, "the other order's message was not moved");
}

#[test]
fn reports_messages_that_failed_again() {
    // The messages are back at once.
    let aws = FakeAws::start(State { move_task: Some(MoveTask::Completes), outcome: Some("FAILED"), ..three() });

    let (code, stdout, stderr) = aws.twolane(&["redrive"]).run();

    assert_eq!(code, 1, "{stderr}");
    assert!(stdout.contains("failed all deliveries again; it is back in the dead-letter queue"), "{stdout}");
    assert!(stdout.ends_with("3 messages: 2 failed again, 1 not an order\n"), "{stdout}");
}

#[test]
fn does_not_wait_longer_than_the_timeout() {
    let aws = FakeAws::start(State { move_task: Some(MoveTask::Completes), ..three() });

    let (code, stdout, _) = aws.twolane(&["redrive", "--timeout", "0"]).run();

    assert_eq!(code, 1);
    assert!(stdout.ends_with("3 messages: 2 without an outcome yet, 1 not an order\n"), "{stdout}");
}

#[test]
fn a_signal_ends_the_wait_and_shows_the_results_so_far() {
    let aws = FakeAws::start(State { move_task: Some(MoveTask::Completes), ..three() });
    for (name, expected) in [("INT", 130), ("TERM", 143)] {
        aws.state.lock().expect("no panic").dead = three().dead;
        let mut command = aws.twolane(&["redrive"]);
        let mut child = command.start();
        let mut notices = BufReader::new(child.stderr.take().expect("a pipe")).lines().map_while(Result::ok);

        assert!(notices.any(|line| line == "Waiting up to 900 s for the outcome of 2 orders."));
        signal(&child, name);

        let mut stdout = String::new();
        child.stdout.take().expect("a pipe").read_to_string(&mut stdout).expect("UTF-8");
        assert_eq!(child.wait().expect("it ends").code(), Some(expected));
        assert!(stdout.ends_with("3 messages: 2 without an outcome yet, 1 not an order\n"), "{stdout}");
        assert!(notices.any(|line| line.ends_with("Moved messages stay moved.")));
    }
}

#[test]
fn changes_nothing_when_aws_refuses() {
    for (command, denied, message) in [
        ("dlq", "ReceiveMessage", "Failed to read the dead-letter queue"),
        ("dlq", "BatchGetItem", "Failed to read the orders table orders-table"),
        ("redrive", "BatchGetItem", "Failed to read the orders table orders-table"),
        ("redrive", "StartMessageMoveTask", "Failed to start moving messages"),
    ] {
        let aws =
            FakeAws::start(State { move_task: Some(MoveTask::Completes), denied: Some((denied, ALWAYS)), ..three() });

        let (code, stdout, stderr) = aws.twolane(&[command]).run();

        assert_eq!((code, stdout.as_str()), (2, ""), "{command} {denied}: {stderr}");
        assert!(stderr.contains(message) && stderr.contains("not allowed to do that"), "{stderr}");
        let state = aws.state.lock().expect("no panic");
        assert!(state.dead.len() == 3 && state.held.is_empty(), "{command} {denied}");
    }
}

#[test]
fn does_not_look_for_a_local_stack_on_aws() {
    let mut twolane = twolane(&["dlq"]);
    let outputs = json!({
        "ApiUrl": "http://localhost:1/live", "OrdersQueueUrl": "http://localhost:1/q",
        "DeadLetterQueueUrl": "http://localhost:1/d", "OrdersTableName": "t",
    });
    twolane.folder.write(".local/outputs.json", &outputs.to_string());

    let (code, _, stderr) = twolane.run();

    assert_eq!(code, 2);
    assert!(
        stderr.contains(
            "neither AWS_ENDPOINT_URL nor endpoint_url of your AWS profile is set, or AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is. Run: eval \"$(make -s env)\""
        ),
        "{stderr}"
    );
}

#[test]
fn names_the_output_that_a_stack_lacks() {
    let mut twolane = twolane(&["redrive"]);
    twolane.folder.write(".local/outputs.json", "{}");

    let (code, _, stderr) = twolane.run();

    assert_eq!(code, 2);
    assert!(
        stderr.contains("outputs.json has no output DeadLetterQueueUrl: deploy this version of the stack"),
        "{stderr}"
    );
}

#[test]
fn never_asks_aws_about_a_local_stack_whatever_is_configured() {
    let elsewhere = "http://127.0.0.1:1";
    let configuration =
        format!("[default]\nservices = other\n[services other]\ndynamodb =\n  endpoint_url = {elsewhere}\n");
    let aws = FakeAws::start(three());
    let configured = |more: &[(&str, &str)]| {
        let mut twolane = aws.twolane(&["dlq", "--json"]);
        twolane.folder.write("config", &configuration);
        twolane.command.env("AWS_CONFIG_FILE", "config").envs(more.iter().copied());
        twolane.run()
    };

    let (code, stdout, stderr) = configured(&[
        ("AWS_ENDPOINT_URL_SQS", elsewhere),
        ("AWS_USE_FIPS_ENDPOINT", "true"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "true"),
    ]);
    assert_eq!((code, reports(&stdout).len()), (0, 3), "{stderr}");

    for ignoring in [("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"), ("AWS_ENDPOINT_URL", "nowhere")] {
        let (code, _, stderr) = configured(&[ignoring]);

        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains("The stack is local, but these settings lead to AWS"), "{stderr}");
    }
}

/// A malformed order id, and events of a CANCELLED and of a PLACED order in the bus lane's queues.
fn bus() -> State {
    let records =
        [(format!("alice#{OTHER}"), ("CANCELLED", "stock failed")), (format!("alice#{ID}"), ("PLACED", ""))].into();
    let stock = vec![event("m-2", "order.cancelled", OTHER), event("m-4", "order.placed", ID)];
    let outcomes = vec![event("m-5", "stock.held", ID)];
    let strange = json!({"MessageId": "m-6", "ReceiptHandle": "handle-m-6", "Body": "x", "Attributes": {}});
    let bus = [("stock", stock), ("outcomes", outcomes), ("deadline", vec![strange])].into();
    State { dead: vec![message("m-1", Some("order-7"), "{}")], bus: Some(bus), records, ..State::default() }
}

#[test]
fn shows_messages_of_every_queue_and_what_they_leave_undone() {
    let aws = FakeAws::start(bus());

    let (code, stdout, stderr) = aws.twolane(&["dlq", "--json"]).run();
    let (_, text, _) = aws.twolane(&["dlq"]).run();

    assert_eq!(code, 0, "{stderr}");
    let reports = reports(&stdout);
    let shown: Vec<_> = reports.iter().map(|report| [&report["queue"], &report["event"], &report["orderId"]]).collect();
    assert_eq!(shown[1], [&json!("stock"), &json!("order.cancelled"), &json!(OTHER)]);
    assert_eq!(shown[3], [&json!("outcomes"), &json!("stock.held"), &json!(ID)]);
    assert_eq!(shown[0][..2], [&json!("orders"), &Value::Null]);
    assert_eq!(reports[1]["reason"], "the step may not have undone its part; its order is CANCELLED: stock failed");
    assert_eq!(reports[2]["acceptedAt"], "2026-01-01T00:00:00.000Z");
    assert!(reports[4]["reason"].as_str().is_some_and(|why| why.starts_with("not an event of the bus: ")), "{stdout}");
    assert!(text.starts_with("7 dead-letter queues · 5 messages\n\n queue     event            order "), "{text}");
    assert!(text.contains(&format!("\n stock     order.placed     {ID}  ")), "{text}");
}

#[test]
fn shows_only_one_queue() {
    let aws = FakeAws::start(bus());

    let (code, text, stderr) = aws.twolane(&["dlq", "--queue", "outcomes"]).run();
    let (_, empty, _) = aws.twolane(&["dlq", "--queue", "payment"]).run();
    let old = FakeAws::start(three());
    let (missing, _, why) = old.twolane(&["dlq", "--queue", "stock"]).run();

    assert_eq!(code, 0, "{stderr}");
    assert!(text.starts_with("dead-letter queue · 1 message · http://") && text.contains("/1/outcomes-dead"), "{text}");
    assert!(empty.contains("No message has failed."), "{empty}");
    assert_eq!(missing, 2);
    assert!(why.contains("has no output StockDeadLetterQueueUrl"), "{why}");
}

#[test]
fn moves_each_message_back_to_its_own_queue() {
    let aws = FakeAws::start(State { move_task: Some(MoveTask::Completes), ..bus() });

    let (code, stdout, stderr) = aws.twolane(&["redrive", "--json", "--timeout", "0"]).run();

    assert_eq!(code, 1, "one is not an event, and another has no outcome yet: {stderr}");
    let reports = reports(&stdout);
    assert!(reports.iter().all(|report| report["moved"] == true), "{stdout}");
    assert_eq!(
        (&reports[1]["status"], &reports[1]["reason"]),
        (
            &json!("CANCELLED"),
            &json!(
                "not known to be handled: its queue did not become empty; `twolane dlq` shows whether it fails again"
            )
        )
    );
    assert_eq!(reports[2]["status"], "PENDING");
    let state = aws.state.lock().expect("no panic");
    let queues: Vec<_> = state.sent.iter().map(|sent| sent["queue"].as_str()).collect();
    // A task of SQS moves the orders: they have no queue here.
    assert_eq!(queues, [None, Some("stock"), Some("stock"), Some("outcomes"), Some("deadline")]);
    let attribute = &state.sent[1]["MessageAttributes"]["eventType"]["StringValue"];
    assert_eq!(attribute, "order.cancelled", "subscriptions and workers use it");
}

/// Undoes a step of a cancelled order.
fn cancelled() -> State {
    let records = [(format!("alice#{OTHER}"), ("CANCELLED", "stock failed"))].into();
    let bus = [("stock", vec![event("m-2", "order.cancelled", OTHER)])].into();
    State { bus: Some(bus), records, ..State::default() }
}

#[test]
fn waits_for_an_event_of_a_decided_order_until_its_queue_is_empty() {
    let aws = FakeAws::start(State { depths: [("stock", vec![1])].into(), ..cancelled() });

    let (code, stdout, stderr) = aws.twolane(&["redrive", "--queue", "stock"]).run();

    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(stderr.contains("Waiting up to 900 s for events of 1 order with an outcome."), "{stderr}");
    assert!(stdout.contains("handled: its queue is empty") && stdout.ends_with("1 message: 1 handled\n"), "{stdout}");
    assert!(aws.state.lock().expect("no panic").depths["stock"].is_empty(), "it looked only once");
}

#[test]
fn an_event_of_a_decided_order_that_fails_again_is_not_handled() {
    let aws = FakeAws::start(State { failing: Some("stock"), ..cancelled() });

    let (code, stdout, stderr) = aws.twolane(&["redrive", "--queue", "stock"]).run();

    assert_eq!(code, 1, "{stdout}{stderr}");
    assert!(stdout.ends_with("1 message: 1 failed again\n"), "{stdout}");
}

#[test]
fn an_event_of_a_decided_order_in_a_busy_queue_is_not_known_to_be_handled() {
    let aws = FakeAws::start(State { depths: [("stock", vec![1; 1000])].into(), ..cancelled() });

    let (code, stdout, stderr) = aws.twolane(&["redrive", "--queue", "stock", "--timeout", "1"]).run();

    assert_eq!(code, 1, "{stdout}{stderr}");
    assert!(stdout.ends_with("1 message: 1 not known to be handled\n"), "{stdout}");
}

#[test]
fn moves_only_the_messages_of_one_queue_and_deletes_from_any() {
    let aws = FakeAws::start(bus());

    let (_, stdout, stderr) = aws.twolane(&["redrive", "--queue", "outcomes", "--timeout", "0"]).run();
    let (deleted, _, _) = aws.twolane(&["dlq", "--delete", "m-6"]).run();

    assert!(stdout.starts_with(" queue     event       order "), "{stdout}");
    assert!(stdout.ends_with("1 message: 1 without an outcome yet\n"), "{stdout}{stderr}");
    assert_eq!(deleted, 0);
    let state = aws.state.lock().expect("no panic");
    let left: Vec<_> = state.bus.iter().flatten().map(|(queue, messages)| (*queue, messages.len())).collect();
    assert_eq!((state.dead.len(), state.held.len()), (1, 0));
    assert!(left.contains(&("stock", 2)) && left.contains(&("outcomes", 0)) && left.contains(&("deadline", 0)));
}

#[test]
fn moves_other_queues_when_one_cannot_be_moved() {
    let aws = FakeAws::start(State { denied: Some(("SendMessageBatch", 0..1)), ..bus() });

    let (code, stdout, stderr) = aws.twolane(&["redrive", "--json", "--timeout", "0"]).run();

    assert_eq!(code, 1);
    assert!(stderr.contains("error: Failed to send messages to the orders queue"), "{stderr}");
    let moved: Vec<_> = reports(&stdout).iter().map(|report| report["moved"].clone()).collect();
    assert_eq!(moved, [json!(false), json!(true), json!(true), json!(true), json!(true)]);
}
