//! Compares the schemas of payments in `infra/openapi.yaml` with the domain's limits and the wire types.

use crate::cloudformation::rest_api;
use payments::Amount;
use payments_api::{MAX_BODY_BYTES, PaymentView, parse_payment_body};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn schema(name: &str) -> Value {
    rest_api()["components"]["schemas"][name].clone()
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn the_schema_and_the_function_agree_on_what_a_payment_is() {
    let validator = jsonschema::draft4::new(&schema("PaymentRequest")).unwrap();
    let amounts =
        [json!(-1), json!(0), json!(1), json!(3998), json!(Amount::MAX), json!(Amount::MAX + 1), json!(u64::MAX)];
    let odd = [json!(1.5), json!("1"), json!(true), json!(null), json!([1])];
    let amounts = amounts.into_iter().chain(odd).map(|amount| json!({"currency": "EUR", "amountMinor": amount}));
    let currencies = [json!("JPY"), json!("eur"), json!("EURO"), json!(""), json!(1), json!(null)];
    let currencies = currencies.into_iter().map(|currency| json!({"currency": currency, "amountMinor": 1}));
    let others = [
        json!({}),
        json!([]),
        json!(null),
        json!({"currency": "EUR"}),
        json!({"amountMinor": 1}),
        json!({"currency": "EUR", "amountMinor": 1, "owner": "alice"}),
    ];

    for body in amounts.chain(currencies).chain(others) {
        let in_the_function = parse_payment_body(body.to_string().as_bytes()).is_ok();
        assert_eq!(
            validator.is_valid(&body),
            in_the_function,
            "PaymentRequest (left), parse_payment_body (right): {body}"
        );
    }
}

#[test]
fn a_payment_has_the_properties_that_the_functions_write() {
    let text = || "text".to_owned();
    let full = PaymentView {
        payment_id: text(),
        status: text(),
        currency: text(),
        amount_minor: 1,
        created_at: text(),
        reason: Some(text()),
    };
    let least = PaymentView { reason: None, ..full.clone() };
    let [full, least] = [full, least].map(|payment| keys(&serde_json::to_value(payment).unwrap()));
    let schema = schema("Payment");

    assert_eq!(keys(&schema["properties"]), full, "Payment (left), PaymentView (right)");
    let required = schema["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned());
    assert_eq!(required.collect::<BTreeSet<_>>(), least, "required of Payment (left), what every payment has (right)");
}

#[test]
fn the_definition_has_the_limit_of_payment_bodies() {
    let answers = &rest_api()["paths"]["/payments/{paymentId}"]["put"]["responses"];

    assert_eq!(answers["413"]["description"], format!("The body is larger than {} KiB", MAX_BODY_BYTES / 1024));
}
