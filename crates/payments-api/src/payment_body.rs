//! The body of `PUT /payments/{paymentId}`.

use payments::Amount;
use shared_kernel::{Currency, Violation, Violations};
use strict_json::{FieldReader, parse_object};

/// Largest body, in bytes. The longest valid body without white space has 52 bytes.
pub const MAX_BODY_BYTES: usize = 4096;

/// Reads a body such as `{"currency":"EUR","amountMinor":3998}`.
///
/// # Errors
/// Every violation at once, each with its JSON pointer: text that is not JSON, unknown, missing or mistyped fields, and
/// broken rules.
pub fn parse_payment_body(body: &[u8]) -> Result<Amount, Violations> {
    let mut fields = parse_object(body)?;
    let mut reader = FieldReader::default();
    let currency = reader.string("", &mut fields, "currency");
    let amount = reader.integer("", &mut fields, "amountMinor");
    reader.refuse_rest("", &fields);
    let mut violations = reader.into_violations();

    let currency = required("/currency", currency, &mut violations)
        .and_then(|code| ruled("/currency", Currency::RULE, Currency::parse(&code), &mut violations));
    let minor_units = required("/amountMinor", amount, &mut violations).and_then(|minor_units| {
        let minor_units = u64::try_from(minor_units).ok().filter(|units| Amount::RANGE.contains(units));
        ruled("/amountMinor", Amount::RULE, minor_units, &mut violations)
    });
    let amount = currency.zip(minor_units).and_then(|(currency, minor_units)| Amount::new(currency, minor_units));
    amount.filter(|_| violations.is_empty()).ok_or(violations)
}

/// Records a missing field. A field of the wrong type has been recorded already.
fn required<T>(pointer: &str, field: Option<T>, violations: &mut Violations) -> Option<T> {
    if field.is_none() {
        violations.push(Violation::new(pointer, "is required"));
    }
    field
}

fn ruled<T>(pointer: &str, rule: &str, value: Option<T>, violations: &mut Violations) -> Option<T> {
    if value.is_none() {
        violations.push(Violation::new(pointer, rule));
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn violations(body: &str) -> Vec<String> {
        let violations = parse_payment_body(body.as_bytes()).expect_err("the body is wrong");
        violations.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn reads_the_documented_body() {
        let amount = parse_payment_body(br#"{"currency":"EUR","amountMinor":3998}"#).expect("the body is right");

        assert_eq!(amount.to_string(), "EUR 39.98");
    }

    #[test]
    fn takes_every_amount_in_range() {
        for amount in [1, Amount::MAX] {
            let body = format!(r#"{{"currency":"EUR","amountMinor":{amount}}}"#);

            assert_eq!(parse_payment_body(body.as_bytes()).map(Amount::minor_units), Ok(amount));
        }
    }

    #[test]
    fn reports_every_violation_once() {
        assert_eq!(violations("{}"), ["/currency: is required", "/amountMinor: is required"]);
        assert_eq!(
            violations(r#"{"currency":7,"amountMinor":"1","note":""}"#),
            ["/currency: must be a string", "/amountMinor: must be an integer", "/note: is not a known field"]
        );
        for amount in ["0", "-1", "1000000000000001", "18446744073709551615"] {
            let body = format!(r#"{{"currency":"XX","amountMinor":{amount}}}"#);
            let expected = [format!("/currency: {}", Currency::RULE), format!("/amountMinor: {}", Amount::RULE)];
            assert_eq!(violations(&body), expected, "{amount}");
        }
    }

    #[test]
    fn refuses_a_body_that_is_not_a_json_object_without_duplicate_keys() {
        for body in ["", "[]", "null", r#"{"currency":"EUR","amountMinor":1,"amountMinor":2}"#] {
            assert_eq!(violations(body).len(), 1, "{body:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(body in any::<Vec<u8>>()) {
            let _ = parse_payment_body(&body);
        }

        #[test]
        fn no_json_makes_the_parser_panic(currency in any::<String>(), amount in any::<f64>()) {
            let body = serde_json::json!({"currency": currency, "amountMinor": amount});
            prop_assert!(parse_payment_body(body.to_string().as_bytes()).is_err());
        }
    }
}
