//! The body of `PUT /{lane}/orders/{orderId}` and of the queue message: JSON in, an order's content out.

use crate::unambiguous::Unambiguous;
use orders::{ItemDraft, OrderContent, OrderDraft, Violation, Violations};
use serde_json::{Map, Value};

/// Largest body that both lanes take, in bytes: the 1 MiB that one SQS message holds, less 1 KiB for its attributes.
/// Source: Amazon SQS Developer Guide, "Amazon SQS message quotas", message size.
pub const MAX_BODY_BYTES: usize = 1023 * 1024;

/// Longest piece of a caller's own text repeated in a violation, in characters.
const MAX_ECHO_CHARS: usize = 64;

/// Reads a body.
///
/// # Errors
/// Every violation at once, each with its JSON pointer: text that is not JSON, a field that is unknown, missing or of
/// the wrong type, a value against the domain's rules.
pub fn parse_order_body(body: &[u8]) -> Result<OrderContent, Violations> {
    let value = serde_json::from_slice(body)
        .map_err(|error| Violation::new("", format!("the body must be JSON without a field twice: {error}")))?;
    let Unambiguous(Value::Object(fields)) = value else {
        return Err(Violation::new("", "the body must be a JSON object").into());
    };
    let mut shape = Shape::default();
    let draft = shape.order(fields);

    match OrderContent::parse(draft) {
        Ok(content) if shape.violations.is_empty() => Ok(content),
        Ok(_) => Err(shape.violations),
        Err(violations) => {
            shape.violations.extend(violations);
            Err(shape.violations)
        }
    }
}

/// Takes fields out of JSON objects and remembers those of the wrong type.
#[derive(Default)]
struct Shape {
    violations: Violations,
}

impl Shape {
    fn order(&mut self, mut fields: Map<String, Value>) -> OrderDraft {
        let draft = OrderDraft {
            currency: self.string("", &mut fields, "currency"),
            items: self.items(&mut fields),
            note: self.string("", &mut fields, "note"),
        };
        self.refuse_rest("", &fields);
        draft
    }

    fn items(&mut self, fields: &mut Map<String, Value>) -> Option<Vec<ItemDraft>> {
        match fields.remove("items")? {
            Value::Array(items) => {
                Some(items.into_iter().enumerate().map(|(index, item)| self.item(index, item)).collect())
            }
            _ => self.wrong("/items", "must be an array of items"),
        }
    }

    fn item(&mut self, index: usize, item: Value) -> ItemDraft {
        let at = format!("/items/{index}");
        // Beyond the most items there may be, the number of items is what is wrong.
        if index >= OrderContent::MAX_ITEMS {
            return ItemDraft::default();
        }
        let Value::Object(mut fields) = item else {
            self.wrong::<()>(&at, "must be an object");
            return ItemDraft::default();
        };
        let draft = ItemDraft {
            sku: self.string(&at, &mut fields, "sku"),
            quantity: self.integer(&at, &mut fields, "quantity"),
            unit_price_minor: self.integer(&at, &mut fields, "unitPriceMinor"),
        };
        self.refuse_rest(&at, &fields);
        draft
    }

    fn string(&mut self, parent: &str, fields: &mut Map<String, Value>, name: &str) -> Option<String> {
        match fields.remove(name)? {
            Value::String(text) => Some(text),
            _ => self.wrong(&format!("{parent}/{name}"), "must be a string"),
        }
    }

    fn integer(&mut self, parent: &str, fields: &mut Map<String, Value>, name: &str) -> Option<i64> {
        match fields.remove(name)? {
            Value::Number(number) if number.is_i64() => number.as_i64(),
            // Far out of every range, but an integer: let the domain say which range.
            Value::Number(number) if number.is_u64() => Some(i64::MAX),
            _ => self.wrong(&format!("{parent}/{name}"), "must be an integer"),
        }
    }

    fn refuse_rest(&mut self, parent: &str, fields: &Map<String, Value>) {
        for name in fields.keys() {
            let echo: String = name.chars().take(MAX_ECHO_CHARS).collect();
            let token = echo.replace('~', "~0").replace('/', "~1");
            self.wrong::<()>(&format!("{parent}/{token}"), "is not a known field");
        }
    }

    fn wrong<T>(&mut self, pointer: &str, detail: &str) -> Option<T> {
        self.violations.push(Violation::new(pointer, detail));
        None
    }
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
    fn reads_the_same_order_from_any_spelling() {
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
    fn refuses_what_is_not_a_json_object() {
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
    fn survives_nesting_without_end() {
        assert_eq!(violations(&"[".repeat(100_000)).len(), 1);
    }

    #[test]
    fn keeps_the_refusal_of_a_huge_body_small() {
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
