//! Orders to send.

use serde_json::{Value, json};

/// A new order id.
pub fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// Two units of a SKU.
pub fn order_of(sku: &str) -> Value {
    json!({"currency": "EUR", "items": [{"sku": sku, "quantity": 2, "unitPriceMinor": 1999}]})
}

/// Lines: SKU, quantity, price in minor units.
pub fn order_in(currency: &str, lines: &[(&str, u32, u32)]) -> Value {
    let line =
        |(sku, quantity, price): &(&str, u32, u32)| json!({"sku": sku, "quantity": quantity, "unitPriceMinor": price});
    json!({"currency": currency, "items": lines.iter().map(line).collect::<Vec<_>>()})
}

/// Ordered by no other test.
pub fn new_sku() -> String {
    format!("SKU-{}", uuid::Uuid::new_v4().simple())
}

/// An order with that note.
pub fn order_with_note(note: &str) -> Value {
    let mut order = order_of("SKU-1");
    order["note"] = note.into();
    order
}

/// The edge accepts it and the domain does not: its currency does not exist.
pub fn order_in_unknown_currency() -> Value {
    let mut order = order_of("SKU-1");
    order["currency"] = "ABC".into();
    order
}
