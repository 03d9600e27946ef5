//! Answers and records as comparable fields. Ids and times must only be present.

use aws_sdk_dynamodb::types::AttributeValue;
use reqwest::header::HeaderMap;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Values by name: `status`, `header allow`, `body/detail`, `stored/items/0/sku`.
pub(crate) type Fields = BTreeMap<String, String>;

/// Compared, besides those of CORS.
const HEADERS: [&str; 10] = [
    "allow",
    "cache-control",
    "content-encoding",
    "content-type",
    "location",
    "retry-after",
    "strict-transport-security",
    "vary",
    "www-authenticate",
    "x-content-type-options",
];

pub(crate) fn of_headers(headers: &HeaderMap) -> Fields {
    let is_compared = |name: &str| HEADERS.contains(&name) || name.starts_with("access-control-");
    let names = headers.keys().filter(|name| is_compared(name.as_str()));
    let values =
        |name| headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    names.map(|name| (format!("header {name}"), values(name).collect::<Vec<_>>().join(" | "))).collect()
}

/// The leaves of JSON, by their paths.
pub(crate) fn of_json(root: &str, value: &Value) -> Fields {
    let mut fields = Fields::new();
    add(&mut fields, root.to_owned(), value);
    fields
}

fn add(fields: &mut Fields, place: String, value: &Value) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            members.iter().for_each(|(name, member)| add(fields, format!("{place}/{name}"), member));
        }
        Value::Array(elements) if !elements.is_empty() => {
            elements.iter().enumerate().for_each(|(at, element)| add(fields, format!("{place}/{at}"), element));
        }
        leaf => {
            let text = leaf.as_str().map_or_else(|| leaf.to_string(), str::to_owned);
            let shown = redacted(place.rsplit('/').next().unwrap_or_default(), text);
            fields.insert(place, shown);
        }
    }
}

/// Replaces ids and times, which differ between requests.
fn redacted(name: &str, text: String) -> String {
    match name {
        "requestId" | "messageId" if !text.is_empty() && !text.contains(char::is_whitespace) => "(an id)".to_owned(),
        "placedAt" | "confirmedAt" if is_time(&text) => "(a time)".to_owned(),
        _ => text,
    }
}

/// Whether it is RFC 3339 in UTC with milliseconds.
fn is_time(text: &str) -> bool {
    let digits = text.chars().map(|character| if character.is_ascii_digit() { '0' } else { character });
    digits.collect::<String>() == "0000-00-00T00:00:00.000Z"
}

/// Replaces milliseconds since 1970.
pub(crate) fn without_epoch(text: &str) -> &str {
    if text.len() == 13 && text.bytes().all(|byte| byte.is_ascii_digit()) { "(a time)" } else { text }
}

pub(crate) fn item(attributes: &std::collections::HashMap<String, AttributeValue>) -> Value {
    Value::Object(attributes.iter().map(|(name, value)| (name.clone(), plain(value))).collect::<Map<_, _>>())
}

fn plain(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => text.clone().into(),
        AttributeValue::N(number) => serde_json::from_str(number).unwrap(),
        AttributeValue::L(elements) => elements.iter().map(plain).collect(),
        AttributeValue::M(members) => item(members),
        other => format!("{other:?}").into(),
    }
}
