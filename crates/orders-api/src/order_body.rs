//! The body of `PUT /{lane}/orders/{orderId}` and of the queue message.

use orders::{ItemDraft, OrderContent, OrderDraft, Violations};
use serde_json::{Map, Value};
use strict_json::{FieldReader, parse_object};

/// Largest body of every lane, in bytes: 1 MiB, the largest SQS message, less 1 KiB for its attributes.
/// Source: Amazon SQS Developer Guide, "Amazon SQS message quotas", message size.
pub const MAX_BODY_BYTES: usize = 1023 * 1024;

/// Reads a body.
///
/// # Errors
/// Every violation at once, each with its JSON pointer: text that is not JSON, unknown, missing or mistyped fields, and
/// broken rules.
pub fn parse_order_body(body: &[u8]) -> Result<OrderContent, Violations> {
    let mut reader = FieldReader::default();
    let draft = order(&mut reader, parse_object(body)?);
    let mut violations = reader.into_violations();

    match OrderContent::parse(draft) {
        Ok(content) if violations.is_empty() => Ok(content),
        Ok(_) => Err(violations),
        Err(broken_rules) => {
            violations.extend(broken_rules);
            Err(violations)
        }
    }
}

fn order(reader: &mut FieldReader, mut fields: Map<String, Value>) -> OrderDraft {
    let draft = OrderDraft {
        currency: reader.string("", &mut fields, "currency"),
        items: items(reader, &mut fields),
        note: reader.string("", &mut fields, "note"),
    };
    reader.refuse_rest("", &fields);
    draft
}

fn items(reader: &mut FieldReader, fields: &mut Map<String, Value>) -> Option<Vec<ItemDraft>> {
    match fields.remove("items")? {
        Value::Array(items) => {
            Some(items.into_iter().enumerate().map(|(index, value)| item(reader, index, value)).collect())
        }
        _ => reader.wrong("/items", "must be an array of items"),
    }
}

fn item(reader: &mut FieldReader, index: usize, item: Value) -> ItemDraft {
    let at = format!("/items/{index}");
    // Too many items are one violation.
    if index >= OrderContent::MAX_ITEMS {
        return ItemDraft::default();
    }
    let Value::Object(mut fields) = item else {
        reader.wrong::<()>(&at, "must be an object");
        return ItemDraft::default();
    };
    let draft = ItemDraft {
        sku: reader.string(&at, &mut fields, "sku"),
        quantity: reader.integer(&at, &mut fields, "quantity"),
        unit_price_minor: reader.integer(&at, &mut fields, "unitPriceMinor"),
    };
    reader.refuse_rest(&at, &fields);
    draft
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BODY: &str = r#"{"currency":"EUR","items":[{"sku":"SKU-1","quantity":2,"unitPriceMinor":1999}],"note":"x"}"#;

    fn violations(body: &str) -> Vec<String> {
        let violations = parse_order_body(body.as_bytes()).expect_err("the body is wrong");
        violations.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn reads_the_documented_body() {
        let content = parse_order_body(BODY.as_bytes()).expect("the body is right");

        assert_eq!(content.currency().code(), "EUR");
        assert_eq!(content.total_minor_units(), 3998);
        assert_eq!(content.note().map(orders::Note::as_str), Some("x"));
    }

    #[test]
    fn reads_the_same_order_from_any_json_formatting() {
        let spelled = "\n{ \"note\" : \"\\u0078\",\"items\":[ {\"unitPriceMinor\":1999, \"quantity\":2,\
                       \"sku\":\"SKU-1\"} ],\t\"currency\":\"EUR\" }  ";

        let (one, other) = (parse_order_body(BODY.as_bytes()), parse_order_body(spelled.as_bytes()));

        assert_eq!(one.expect("right").fingerprint(), other.expect("right").fingerprint());
    }

    #[test]
    fn reports_wrong_types_unknown_fields_and_broken_rules_together() {
        let body = r#"{"currency":"XX","items":[{"sku":1,"quantity":"2","unitPriceMinor":1.5},7],"a/b~c":1}"#;

        assert_eq!(
            violations(body),
            [
                "/items/0/sku: must be a string",
                "/items/0/quantity: must be an integer",
                "/items/0/unitPriceMinor: must be an integer",
                "/items/1: must be an object",
                "/a~1b~0c: is not a known field",
                "/currency: must be an ISO 4217 currency code such as EUR",
                "/items/1/sku: is required",
                "/items/1/quantity: is required",
                "/items/1/unitPriceMinor: is required",
            ]
        );
    }

    #[test]
    fn does_not_say_that_a_field_of_the_wrong_type_is_missing() {
        assert_eq!(
            violations(r#"{"currency":7,"items":{}}"#),
            ["/currency: must be a string", "/items: must be an array of items"]
        );
    }

    #[test]
    fn refuses_null_where_a_value_may_be_missing() {
        assert_eq!(violations(&BODY.replace("\"x\"", "null")), ["/note: must be a string"]);
    }

    #[test]
    fn refuses_numbers_that_are_not_integers_or_far_out_of_range() {
        for number in ["2.0", "2e0", "-0.0", "1e400"] {
            let listed = violations(&BODY.replace(":2,", &format!(":{number},")));
            assert_eq!(listed.len(), 1, "{number}: {listed:?}");
        }
        assert_eq!(
            violations(&BODY.replace(":2,", ":18446744073709551615,")),
            ["/items/0/quantity: must be an integer from 1 to 10000"]
        );
    }

    #[test]
    fn refuses_a_body_that_is_not_a_json_object() {
        for body in [
            "",
            " ",
            "{",
            "[]",
            "null",
            "\"{}\"",
            "\u{feff}{}",
            "{}{}",
            r#"{"note":"a","note":"a"}"#,
            r#"{"items":[{"quantity":1,"quantity":9}]}"#,
        ] {
            assert_eq!(violations(body).len(), 1, "{body:?}");
        }
        assert!(parse_order_body(b"{\"currency\":\"\xff\"}").is_err());
    }

    #[test]
    fn survives_deep_nesting() {
        assert_eq!(violations(&"[".repeat(100_000)).len(), 1);
    }

    #[test]
    fn keeps_the_error_about_a_huge_body_small() {
        let unknown: Vec<String> = (0..5_000).map(|index| format!("\"{}{index}\":1", "k".repeat(100))).collect();

        let listed = violations(&format!("{{{}}}", unknown.join(",")));

        assert!(listed.len() <= Violations::MAX);
        assert!(listed.iter().map(String::len).sum::<usize>() < 32 * 1024);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(body in any::<Vec<u8>>()) {
            let _ = parse_order_body(&body);
        }

        #[test]
        fn no_json_makes_the_parser_panic(currency in any::<String>(), quantity in any::<f64>(), note in any::<String>()) {
            let body = serde_json::json!({
                "currency": currency, "items": [{"sku": note, "quantity": quantity, "unitPriceMinor": null}], "note": note,
            });
            prop_assert!(parse_order_body(body.to_string().as_bytes()).is_err());
        }

        #[test]
        fn a_damaged_body_never_makes_the_parser_panic(at in 0..BODY.len(), byte in any::<u8>()) {
            let mut body = BODY.as_bytes().to_vec();
            body[at] = byte;
            let _ = parse_order_body(&body);
        }
    }
}
