use super::*;
use aws_smithy_http_client::test_util::infallible_client_fn;
use dynamodb_fake::{client, table};
use futures_util::FutureExt;
use holds::fakes;
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

type Requests = Arc<Mutex<Vec<(String, Value)>>>;

/// A repository on a fake DynamoDB that gives these answers, then fails the test.
fn answering(answers: impl IntoIterator<Item = (u16, Value)>) -> (DynamoDbHoldRepository, Requests) {
    let requests = Requests::default();
    let (seen, answers) = (Arc::clone(&requests), Mutex::new(answers.into_iter().collect::<VecDeque<_>>()));
    let http_client = infallible_client_fn(move |request| {
        let target = request.headers()["x-amz-target"].to_str().expect("a target is ASCII");
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let body = serde_json::from_slice(request.body().bytes().expect("the body is in memory"));
        seen.lock().expect("no test panicked").push((operation, body.expect("a request is JSON")));
        let (status, answer) = answers.lock().expect("no test panicked").pop_front().expect("no more requests");
        http::Response::builder().status(status).body(answer.to_string()).expect("a response")
    });
    let day = Duration::from_hours(24);
    (DynamoDbHoldRepository::new(client(http_client), "stock", Some(day)), requests)
}

fn operations(requests: &Requests) -> Vec<String> {
    requests.lock().expect("no test panicked").iter().map(|(operation, _)| operation.clone()).collect()
}

fn error(code: &str) -> (u16, Value) {
    (400, json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": "internal detail"}))
}

fn cancelled(reasons: &Value) -> (u16, Value) {
    let (status, mut answer) = error("TransactionCanceledException");
    answer["CancellationReasons"] = reasons.clone();
    (status, answer)
}

fn condition_failed(item: &Value) -> (u16, Value) {
    let (status, mut answer) = error("ConditionalCheckFailedException");
    answer["Item"] = item.clone();
    (status, answer)
}

fn hold(state: HoldState) -> Hold {
    let claim = |(key, amount)| Claim { counter: CounterKey::new(key), amount };
    Hold { state, claims: [("SKU-1", 2), ("SKU-2", 1)].map(claim).to_vec(), created_at: fakes::moment() }
}

/// A hold in DynamoDB's JSON.
fn item(state: &str) -> Value {
    json!({
        "pk": {"S": fakes::key(1).as_str()}, "state": {"S": state}, "createdAt": {"S": "2026-11-30T10:00:00.000Z"},
        "claims": {"M": {"SKU-1": {"N": "2"}, "SKU-2": {"N": "1"}}}, "reason": {"S": "no"},
    })
}

#[tokio::test]
async fn keeps_the_rules_of_the_port() {
    let century = Duration::from_hours(100 * 365 * 24);
    for retention in [None, Some(century)] {
        fakes::check_holds(|counters| {
            let counter = |(key, available): &(&str, u64)| {
                json!({"pk": {"S": format!("counter#{key}")}, "available": {"N": available.to_string()}})
            };
            let (client, _) = table(counters.iter().map(counter));
            DynamoDbHoldRepository::new(client, "stock", retention)
        })
        .await;
    }
}

#[tokio::test]
async fn takes_and_records_in_one_transaction() {
    let (holds, requests) = answering([(200, json!({}))]);

    let outcome = holds.take(&fakes::key(1), &hold(HoldState::Held), 0).await.expect("DynamoDB took it");

    assert_eq!(outcome, TakeOutcome::Taken);
    let requests = requests.lock().expect("no test panicked");
    let [(operation, request)] = &requests[..] else { panic!("one request, not {}", requests.len()) };
    assert_eq!(operation, "TransactWriteItems");
    assert!(request["ClientRequestToken"].is_string(), "a retry by the SDK must not take twice");
    let put = &request["TransactItems"][0]["Put"];
    assert_eq!(put["ConditionExpression"], ABSENT);
    assert_eq!(put["ReturnValuesOnConditionCheckFailure"], "ALL_OLD");
    assert_eq!(put["Item"]["pk"]["S"], fakes::key(1).as_str());
    assert_eq!(put["Item"]["state"]["S"], "HELD");
    assert_eq!(put["Item"]["claims"]["M"], item("HELD")["claims"]["M"]);
    assert_eq!(put["Item"]["keepUntil"]["N"], "1796119200", "a day after it was created");
    assert!(put["Item"]["expiresAt"].is_null(), "a HELD hold does not expire");
    let update = &request["TransactItems"][1]["Update"];
    assert_eq!(update["Key"]["pk"]["S"], "counter#SKU-1");
    assert_eq!(update["ConditionExpression"], "#available >= :amount");
    assert_eq!(update["ExpressionAttributeValues"], json!({":amount": {"N": "2"}, ":initial": {"N": "0"}}));
    assert_eq!(request["TransactItems"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn a_counter_without_a_record_has_its_initial_amount() {
    let (holds, requests) = answering([(200, json!({}))]);

    holds.take(&fakes::key(1), &hold(HoldState::Held), 2).await.expect("DynamoDB took it");

    let requests = requests.lock().expect("no test panicked");
    let update = &requests[0].1["TransactItems"][1]["Update"];
    assert_eq!(update["ConditionExpression"], "attribute_not_exists(#available) OR #available >= :amount");
    assert_eq!(update["UpdateExpression"], "SET #available = if_not_exists(#available, :initial) - :amount");
}

#[tokio::test]
async fn returns_the_existing_hold_whatever_the_counters_have() {
    for other in ["None", "ConditionalCheckFailed", "TransactionConflict"] {
        let reasons =
            json!([{"Code": "ConditionalCheckFailed", "Item": item("DONE")}, {"Code": other}, {"Code": "None"}]);
        let (holds, _) = answering([cancelled(&reasons)]);

        let outcome =
            holds.take(&fakes::key(1), &hold(HoldState::Held), 0).await.expect("a failed condition is not an error");

        assert_eq!(outcome, TakeOutcome::Exists(hold(HoldState::Done)), "{other}");
    }
}

#[tokio::test(start_paused = true)]
async fn retries_a_transaction_after_a_conflict() {
    let conflict = json!([{"Code": "None"}, {"Code": "TransactionConflict"}, {"Code": "ConditionalCheckFailed"}]);
    let (holds, requests) = answering([cancelled(&conflict), cancelled(&conflict), (200, json!({}))]);

    let outcome = holds.take(&fakes::key(1), &hold(HoldState::Held), 0).await.expect("the conflict is over");

    assert_eq!(outcome, TakeOutcome::Taken);
    let requests = requests.lock().expect("no test panicked");
    let tokens: Vec<_> = requests.iter().map(|(_, request)| request["ClientRequestToken"].as_str()).collect();
    assert!(tokens[0] != tokens[1] && tokens[1] != tokens[2], "a cancelled transaction's token is used up");
}

#[tokio::test(start_paused = true)]
async fn distinguishes_temporary_cancellations_from_lasting_ones() {
    type Check = fn(&RepositoryError) -> bool;
    let cases: [(&str, Check); 5] = [
        ("TransactionConflict", |error| matches!(error, RepositoryError::Throttled(_))),
        ("ThrottlingError", |error| matches!(error, RepositoryError::Throttled(_))),
        ("ProvisionedThroughputExceeded", |error| matches!(error, RepositoryError::Throttled(_))),
        ("ValidationError", |error| matches!(error, RepositoryError::Refused(_))),
        ("ItemCollectionSizeLimitExceeded", |error| matches!(error, RepositoryError::Refused(_))),
    ];
    for (code, expected) in cases {
        let reasons = json!([{"Code": "None"}, {"Code": code}, {"Code": "ConditionalCheckFailed"}]);
        let (holds, _) = answering(vec![cancelled(&reasons); 8]);

        let error = holds.take(&fakes::key(1), &hold(HoldState::Held), 0).await.expect_err("nothing was decided");

        assert!(expected(&error), "{code}: {error:?}");
    }
}

#[tokio::test]
async fn treats_a_failed_condition_without_the_hold_as_unavailability() {
    let reasons = json!([{"Code": "ConditionalCheckFailed"}, {"Code": "None"}, {"Code": "None"}]);
    let (holds, _) = answering([cancelled(&reasons)]);

    let error = holds.take(&fakes::key(1), &hold(HoldState::Held), 0).await.expect_err("the hold is unknown");

    assert!(matches!(error, RepositoryError::Unavailable(_)), "{error:?}");
}

#[tokio::test]
async fn confirms_with_one_write() {
    let (holds, requests) = answering([(200, json!({}))]);

    holds.confirm(&fakes::key(1), fakes::moment()).await.expect("it is held");

    let requests = requests.lock().expect("no test panicked");
    assert_eq!(requests[0].0, "UpdateItem");
    assert_eq!(requests[0].1["ConditionExpression"], "#state = :held");
    assert_eq!(
        requests[0].1["UpdateExpression"],
        "SET #state = :end, expiresAt = if_not_exists(keepUntil, :expiresAt)"
    );
    assert_eq!(requests[0].1["ExpressionAttributeValues"][":expiresAt"]["N"], "1796119200", "a day after it ended");
}

#[tokio::test]
async fn undoing_before_holding_records_an_undone_hold() {
    let (holds, requests) = answering([(200, json!({}))]);

    holds.undo(&fakes::key(1), fakes::moment()).await.expect("DynamoDB took it");

    let requests = requests.lock().expect("no test panicked");
    assert_eq!(requests[0].1["ConditionExpression"], ABSENT);
    assert_eq!(requests[0].1["Item"]["state"]["S"], "UNDONE");
    assert_eq!(requests[0].1["Item"]["expiresAt"]["N"], "1796119200");
}

#[tokio::test]
async fn undoing_a_hold_gives_its_claims_back_in_one_transaction() {
    let (holds, requests) = answering([condition_failed(&item("HELD")), (200, json!({}))]);

    holds.undo(&fakes::key(1), fakes::moment()).await.expect("DynamoDB took it");

    assert_eq!(operations(&requests), ["PutItem", "TransactWriteItems"]);
    let requests = requests.lock().expect("no test panicked");
    let actions = &requests[1].1["TransactItems"];
    assert_eq!(actions[0]["Update"]["ConditionExpression"], "#state = :held");
    assert_eq!(actions[1]["Update"]["Key"]["pk"]["S"], "counter#SKU-1");
    assert_eq!(actions[1]["Update"]["UpdateExpression"], "ADD #available :amount");
    assert_eq!(actions[1]["Update"]["ExpressionAttributeValues"], json!({":amount": {"N": "2"}}));
    assert_eq!(actions.as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn does_not_undo_a_hold_that_another_delivery_undoes_meanwhile() {
    let undone_meanwhile =
        json!([{"Code": "ConditionalCheckFailed", "Item": item("UNDONE")}, {"Code": "None"}, {"Code": "None"}]);
    let (holds, requests) = answering([condition_failed(&item("HELD")), cancelled(&undone_meanwhile)]);

    holds.undo(&fakes::key(1), fakes::moment()).await.expect("there is nothing to undo");

    assert_eq!(operations(&requests), ["PutItem", "TransactWriteItems"]);
}

#[tokio::test(start_paused = true)]
async fn retries_a_single_write_after_a_conflict() {
    let (holds, requests) = answering([
        error("TransactionConflictException"),
        (200, json!({})),
        error("TransactionConflictException"),
        (200, json!({})),
    ]);

    holds.confirm(&fakes::key(1), fakes::moment()).await.expect("the conflict is over");
    holds.undo(&fakes::key(2), fakes::moment()).await.expect("the conflict is over");

    assert_eq!(operations(&requests), ["UpdateItem", "UpdateItem", "PutItem", "PutItem"]);
}

#[tokio::test]
async fn reads_holds_and_counters_consistently() {
    let counter = json!({"Item": {"pk": {"S": "counter#SKU-1"}, "available": {"N": "7"}}});
    let (holds, requests) =
        answering([(200, json!({"Item": item("HELD")})), (200, json!({})), (200, counter), (200, json!({}))]);

    let found = holds.find(&fakes::key(1)).await.expect("DynamoDB answered");
    let unknown = holds.find(&fakes::key(2)).await.expect("DynamoDB answered");
    let available = holds.available(&CounterKey::new("SKU-1")).await.expect("DynamoDB answered");
    let none = holds.available(&CounterKey::new("SKU-2")).await.expect("DynamoDB answered");

    assert_eq!((found, unknown), (Some(hold(HoldState::Held)), None));
    assert_eq!((available, none), (Some(7), None));
    let requests = requests.lock().expect("no test panicked");
    assert!(requests.iter().all(|(_, request)| request["ConsistentRead"] == true));
    assert_eq!(requests[2].1["Key"]["pk"]["S"], "counter#SKU-1");
}

#[tokio::test]
async fn distinguishes_throttles_faults_and_refusals_of_every_write() {
    type Check = fn(&RepositoryError) -> bool;
    let cases: [(&str, Check); 3] = [
        ("ThrottlingException", |error| matches!(error, RepositoryError::Throttled(_))),
        ("InternalServerError", |error| matches!(error, RepositoryError::Unavailable(_))),
        ("AccessDeniedException", |error| matches!(error, RepositoryError::Refused(_))),
    ];
    for (code, expected) in cases {
        let (holds, _) = answering(vec![error(code); 4]);

        let failures = [
            holds.take(&fakes::key(1), &hold(HoldState::Held), 0).await.map(|_| ()),
            holds.refuse(&fakes::key(1), &hold(HoldState::Refused("no".into()))).await.map(|_| ()),
            holds.confirm(&fakes::key(1), fakes::moment()).await,
            holds.undo(&fakes::key(1), fakes::moment()).await,
        ];

        for failure in failures {
            let failure = failure.expect_err("DynamoDB refused");
            assert!(expected(&failure), "{code}: {failure:?}");
        }
    }
}

#[tokio::test]
async fn takes_nothing_while_this_process_writes_a_counter_of_the_hold() {
    let (holds, requests) = answering([(200, json!({}))]);
    let (key, hold) = (fakes::key(1), hold(HoldState::Held));

    let reserved = holds.in_flight.reserve(&hold.claims[1..]).await;
    let mut taking = Box::pin(holds.take(&key, &hold, 0));
    assert!(taking.as_mut().now_or_never().is_none());
    assert!(operations(&requests).is_empty());
    drop(reserved);

    taking.await.expect("DynamoDB took it");
}

#[tokio::test]
async fn gives_nothing_back_while_this_process_writes_a_counter_of_the_hold() {
    let (holds, requests) = answering([condition_failed(&item("HELD")), (200, json!({}))]);
    let (key, claims) = (fakes::key(1), hold(HoldState::Held).claims);

    let reserved = holds.in_flight.reserve(&claims[1..]).await;
    let mut undoing = Box::pin(holds.undo(&key, fakes::moment()));
    // The first request finds the hold, and writes no counter.
    while operations(&requests).is_empty() {
        assert!(undoing.as_mut().now_or_never().is_none());
        tokio::task::yield_now().await;
    }
    for _ in 0..100 {
        assert!(undoing.as_mut().now_or_never().is_none());
    }
    assert_eq!(operations(&requests), ["PutItem"]);
    drop(reserved);

    undoing.await.expect("DynamoDB took it");
}
