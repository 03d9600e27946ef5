//! `twolane stock` and `twolane account`.

use crate::fake_aws::{FakeAws, State};
use serde_json::{Value, json};

fn stack(counters: &[(&'static str, &str, u64)]) -> FakeAws {
    let counters = counters.iter().map(|(table, key, number)| ((*table, (*key).to_owned()), *number));
    FakeAws::start(State { bus: Some([].into()), counters: counters.collect(), ..State::default() })
}

fn counter(aws: &FakeAws, table: &'static str, key: &str) -> Option<u64> {
    aws.state.lock().expect("no panic").counters.get(&(table, key.to_owned())).copied()
}

fn lines(stdout: &str) -> Vec<Value> {
    stdout.lines().map(|line| serde_json::from_str(line).expect("every line is JSON")).collect()
}

#[test]
fn shows_available_units_and_skus_without_a_number() {
    let aws = stack(&[("stock-table", "counter#SKU-1", 7), ("payments-table", "counter#SKU-2", 9)]);

    let (code, text, stderr) = aws.twolane(&["stock", "show", "SKU-1", "SKU-2"]).run();
    let (_, json, _) = aws.twolane(&["stock", "show", "SKU-1", "SKU-2", "--json"]).run();

    assert_eq!((code, text.as_str()), (0, " sku    available\n SKU-1  7\n SKU-2  –\n"), "{stderr}");
    let unset = json!({"sku": "SKU-2", "was": null, "available": null});
    assert_eq!(lines(&json), [json!({"sku": "SKU-1", "was": null, "available": 7}), unset]);
}

#[test]
fn overwrites_a_number_and_shows_both() {
    let aws = stack(&[("stock-table", "counter#SKU-1", 7)]);

    let (code, text, stderr) = aws.twolane(&["stock", "set", "SKU-1", "100"]).run();

    assert_eq!((code, text.as_str()), (0, " sku    was  available\n SKU-1  7    100\n"), "{stderr}");
    assert_eq!(counter(&aws, "stock-table", "counter#SKU-1"), Some(100));
}

#[test]
fn adds_to_a_number_and_never_subtracts_more_than_available() {
    let aws = stack(&[("stock-table", "counter#SKU-1", 7)]);

    let (code, text, stderr) = aws.twolane(&["stock", "add", "SKU-1", "40"]).run();
    let (_, less, _) = aws.twolane(&["stock", "add", "SKU-1", "-5", "--json"]).run();
    let (refused, _, why) = aws.twolane(&["stock", "add", "SKU-1", "-43"]).run();
    let (_, account, error) = aws.twolane(&["account", "add", "demo", "EUR", "12.50"]).run();

    assert_eq!((code, text.as_str()), (0, " sku    available\n SKU-1  47\n"), "{stderr}");
    assert_eq!(lines(&less), [json!({"sku": "SKU-1", "was": null, "available": 42})]);
    assert_eq!(refused, 2);
    assert!(why.contains("SKU-1 has less than 43 available in the table stock-table"), "{why}");
    assert_eq!(account, " owner  currency  available\n demo   EUR       12.50\n", "{error}");
}

#[test]
fn loads_a_file_of_many_skus() {
    let aws = stack(&[("stock-table", "counter#SKU-2", 5)]);
    let mut command = aws.twolane(&["stock", "load", "stock.csv", "--json"]);
    let skus: Vec<_> = (1..=40).map(|number| format!("SKU-{number},{}", number * 10)).collect();
    command.folder.write("stock.csv", &format!("sku,units\n{}", skus.join("\n")));

    let (code, stdout, stderr) = command.run();

    assert_eq!(code, 0, "{stderr}");
    let lines = lines(&stdout);
    assert_eq!((lines.len(), &lines[1]), (40, &json!({"sku": "SKU-2", "was": 5, "available": 20})));
    assert_eq!(counter(&aws, "stock-table", "counter#SKU-40"), Some(400));
}

#[test]
fn sets_nothing_from_an_invalid_file() {
    let aws = stack(&[]);
    let mut command = aws.twolane(&["stock", "load", "stock.json"]);
    command.folder.write("stock.json", r#"{"SKU-1":1,"SKU-1":2}"#);

    let (code, stdout, stderr) = command.run();

    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("Nothing was set: stock.json cannot be used: SKU-1 occurs twice"), "{stderr}");
    assert!(aws.state.lock().expect("no panic").actions.is_empty());
}

#[test]
fn shows_the_numbers_that_were_set_before_aws_refused() {
    let state = State { bus: Some([].into()), denied: Some(("UpdateItem", 16..usize::MAX)), ..State::default() };
    let aws = FakeAws::start(state);
    let mut command = aws.twolane(&["stock", "load", "stock.csv", "--json"]);
    let skus: Vec<_> = (1..=40).map(|number| format!("SKU-{number},1")).collect();
    command.folder.write("stock.csv", &skus.join("\n"));

    let (code, stdout, stderr) = command.run();

    assert_eq!((code, lines(&stdout).len()), (1, 16), "{stderr}");
    assert!(stderr.contains("error: Only the numbers shown were set: Failed to set SKU-"), "{stderr}");
    assert!(stderr.contains("AccessDeniedException"), "{stderr}");
}

#[test]
fn shows_and_sets_amounts_with_the_decimals_of_the_currency() {
    let aws = stack(&[("payments-table", "counter#demo#EUR", 3998)]);

    let (_, shown, stderr) = aws.twolane(&["account", "show", "demo", "EUR", "JPY"]).run();
    let (code, set, _) = aws.twolane(&["account", "set", "demo", "EUR", "250.00"]).run();
    let (_, json, _) = aws.twolane(&["account", "set", "a#b", "JPY", "1200", "--json"]).run();

    assert_eq!(shown, " owner  currency  available\n demo   EUR       39.98\n demo   JPY       –\n", "{stderr}");
    assert_eq!((code, set.as_str()), (0, " owner  currency  was    available\n demo   EUR       39.98  250.00\n"));
    let report = json!({"owner": "a#b", "currency": "JPY", "wasMinor": null, "availableMinor": 1200});
    assert_eq!(lines(&json), [report]);
    assert_eq!(counter(&aws, "payments-table", "counter#demo#EUR"), Some(25_000));
}

#[test]
fn rejects_invalid_arguments() {
    let aws = stack(&[]);
    for (arguments, why) in [
        (&["account", "set", "demo", "EUR", "250"][..], "an amount of EUR has 2 decimals, such as 250.00, not \"250\""),
        (&["account", "set", "demo", "EURO", "1.00"], "\"EURO\" is not an ISO 4217 currency code"),
        (&["account", "show", "demo", "eur"], "\"eur\" is not an ISO 4217 currency code"),
        (&["account", "set", "two words", "EUR", "1.00"], "must be 1 to 255 visible ASCII characters"),
        (&["stock", "set", "S/1", "1"], "a SKU must be 1 to 64 of the characters"),
        (&["stock", "set", "SKU-1", "-1"], "unexpected argument"),
        (&["account", "add", "demo", "EUR", "-1"], "an amount of EUR has 2 decimals, such as 250.00, not \"1\""),
        (&["stock", "set", "SKU-1", "1000000000000001"], "is not in 0..=1000000000000000"),
    ] {
        let (code, stdout, stderr) = aws.twolane(arguments).run();

        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(stderr.contains(why), "{arguments:?}: {stderr}");
    }
    assert!(aws.state.lock().expect("no panic").actions.is_empty());
}

#[test]
fn reports_a_stack_without_a_bus_lane() {
    let aws = FakeAws::start(State::default());
    for arguments in [&["stock", "show", "SKU-1"][..], &["account", "show", "demo", "EUR"]] {
        let (code, _, stderr) = aws.twolane(arguments).run();

        assert_eq!(code, 2);
        assert!(stderr.contains("This stack has no bus lane: deploy a newer template"), "{stderr}");
    }
}
