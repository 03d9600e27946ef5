//! The event in a bus message.

use crate::orders_table::OrderKey;
use orders_api::queue_message::order_name;
use serde::Deserialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Version of an event's JSON that the services read. Source: `infra/asyncapi.yaml`.
const VERSION: u32 = 1;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EventName {
    /// Such as `order.placed`.
    pub(super) r#type: String,
    pub(super) order: OrderKey,
    pub(super) occurred_at: OffsetDateTime,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventJson {
    version: u32,
    r#type: String,
    order_id: String,
    owner: String,
    occurred_at: String,
}

impl EventName {
    /// Reads a message's body.
    ///
    /// # Errors
    /// Why it is not an event.
    pub(super) fn read(body: &str) -> Result<Self, String> {
        let not_an_event = |why: &str| format!("not an event of the bus: {why}");
        let event: EventJson = serde_json::from_str(body).map_err(|error| not_an_event(&error.to_string()))?;
        if event.version != VERSION {
            return Err(not_an_event(&format!("version {}, but the services read version {VERSION}", event.version)));
        }
        let (owner, order_id) =
            order_name(&event.owner, &event.order_id).map_err(|_| not_an_event("owner or orderId"))?;
        let occurred_at =
            OffsetDateTime::parse(&event.occurred_at, &Rfc3339).map_err(|_| not_an_event("occurredAt"))?;
        Ok(Self { r#type: event.r#type, order: OrderKey { owner, order_id }, occurred_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_what_every_event_has_and_nothing_else() {
        let event = json!({
            "version": 1, "type": "order.placed", "orderId": "5F0C1B0E-6a54-4a2e-9d0b-3c1f2e4d5a6b", "owner": "alice",
            "fingerprint": "00", "occurredAt": "2026-01-01T00:00:00.000Z", "order": {"currency": "EUR", "items": []},
        });
        let read = EventName::read(&event.to_string()).expect("it is an event");

        assert_eq!((read.r#type.as_str(), read.order.owner.as_str()), ("order.placed", "alice"));
        assert_eq!(read.order.order_id, "5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b");
        assert_eq!(read.occurred_at.unix_timestamp(), 1_767_225_600);
        for (field, value, why) in [
            ("version", json!(2), "version 2, but the services read version 1"),
            ("owner", json!("two words"), "owner or orderId"),
            ("orderId", json!("7"), "owner or orderId"),
            ("occurredAt", json!("today"), "occurredAt"),
            ("type", json!(1), "invalid type: integer `1`, expected a string"),
        ] {
            let mut wrong = event.clone();
            wrong[field] = value;

            let error = EventName::read(&wrong.to_string()).expect_err(field);

            assert!(error.starts_with("not an event of the bus: ") && error.contains(why), "{error}");
        }
    }
}
