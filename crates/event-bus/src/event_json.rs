//! The JSON form of events: the message body on every topic and queue of the bus.

use crate::{Event, EventKind, OrderedItems};
use serde::{Deserialize, Serialize};
use shared_kernel::{Currency, Fingerprint, Item, OrderId, Owner, Quantity, Sku, Step, Timestamp, UnitPrice, Vote};
use thiserror::Error;

/// The version of the JSON form. Readers ignore unknown fields. A change that they cannot ignore needs a new version.
const VERSION: u32 = 1;

/// The text is not an event of the bus.
#[derive(Debug, Error)]
pub enum InvalidEvent {
    /// The text is not JSON of the expected shape.
    #[error("not an event: {0}")]
    Json(#[from] serde_json::Error),
    /// The event has another version.
    #[error("the event has version {0}, and this program reads version {VERSION}")]
    Version(u32),
    /// The field is not valid, or is missing in an event of this type.
    #[error("the event's {0} is not valid")]
    Field(&'static str),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventJson {
    version: u32,
    r#type: String,
    order_id: String,
    owner: String,
    fingerprint: String,
    occurred_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    order: Option<OrderJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrderJson {
    currency: String,
    items: Vec<ItemJson>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ItemJson {
    sku: String,
    quantity: u32,
    unit_price_minor: u32,
}

impl Event {
    /// The event as JSON.
    ///
    /// # Panics
    /// Never: every key is a string.
    #[must_use]
    pub fn to_json(&self) -> String {
        let (order, note, reason) = match &self.kind {
            EventKind::Submitted { order, note } => (Some(order), note.clone(), None),
            EventKind::Placed(order) => (Some(order), None, None),
            EventKind::Voted(_, vote) => (None, None, vote.reason().map(str::to_owned)),
            EventKind::Confirmed => (None, None, None),
            EventKind::Cancelled { reason } => (None, None, Some(reason.clone())),
        };
        let json = EventJson {
            version: VERSION,
            r#type: self.kind.name(),
            order_id: self.order_id.to_string(),
            owner: self.owner.to_string(),
            fingerprint: self.fingerprint.to_string(),
            occurred_at: self.occurred_at.to_string(),
            order: order.map(OrderJson::from),
            note,
            reason,
        };
        serde_json::to_string(&json).expect("an event has only string keys, so it is always JSON")
    }

    /// Reads an event.
    ///
    /// # Errors
    /// See [`InvalidEvent`].
    pub fn from_json(text: &str) -> Result<Self, InvalidEvent> {
        let json: EventJson = serde_json::from_str(text)?;
        if json.version != VERSION {
            return Err(InvalidEvent::Version(json.version));
        }
        Ok(Self {
            order_id: OrderId::parse(&json.order_id).map_err(|_| InvalidEvent::Field("orderId"))?,
            owner: Owner::parse(&json.owner).map_err(|_| InvalidEvent::Field("owner"))?,
            fingerprint: Fingerprint::from_hex(&json.fingerprint).ok_or(InvalidEvent::Field("fingerprint"))?,
            occurred_at: Timestamp::parse(&json.occurred_at).map_err(|_| InvalidEvent::Field("occurredAt"))?,
            kind: kind(&json.r#type, json.order, json.note, json.reason)?,
        })
    }
}

fn kind(
    name: &str,
    order: Option<OrderJson>,
    note: Option<String>,
    reason: Option<String>,
) -> Result<EventKind, InvalidEvent> {
    let order = || order.and_then(OrderJson::into_order).ok_or(InvalidEvent::Field("order"));
    match name {
        "order.submitted" => Ok(EventKind::Submitted { order: order()?, note }),
        "order.placed" => Ok(EventKind::Placed(order()?)),
        "order.confirmed" => Ok(EventKind::Confirmed),
        "order.cancelled" => Ok(EventKind::Cancelled { reason: reason.ok_or(InvalidEvent::Field("reason"))? }),
        vote => {
            let (step, vote) = vote.split_once('.').ok_or(InvalidEvent::Field("type"))?;
            let step = Step::from_name(step).ok_or(InvalidEvent::Field("type"))?;
            let vote = Vote::from_name(&vote.to_uppercase(), reason).ok_or(InvalidEvent::Field("type or reason"))?;
            Ok(EventKind::Voted(step, vote))
        }
    }
}

impl From<&OrderedItems> for OrderJson {
    fn from(order: &OrderedItems) -> Self {
        let item = |item: &Item| ItemJson {
            sku: item.sku.as_str().to_owned(),
            quantity: item.quantity.units(),
            unit_price_minor: item.unit_price.minor_units(),
        };
        Self { currency: order.currency.code().to_owned(), items: order.items.iter().map(item).collect() }
    }
}

impl OrderJson {
    /// Most lines of one order, as in the orders domain.
    const MAX_ITEMS: usize = 100;

    fn into_order(self) -> Option<OrderedItems> {
        if !(1..=Self::MAX_ITEMS).contains(&self.items.len()) {
            return None;
        }
        let items = self.items.into_iter().map(|item| {
            Some(Item {
                sku: Sku::parse(&item.sku)?,
                quantity: Quantity::new(item.quantity.into())?,
                unit_price: UnitPrice::new(item.unit_price_minor.into())?,
            })
        });
        Some(OrderedItems { currency: Currency::parse(&self.currency)?, items: items.collect::<Option<_>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn every_kind() -> Vec<EventKind> {
        let votes = [Vote::Held, Vote::Refused("no".into()), Vote::Failed("no answer".into())];
        let of_steps = votes.into_iter().flat_map(|vote| Step::ALL.map(|step| EventKind::Voted(step, vote.clone())));
        let order = [
            EventKind::Submitted { order: fakes::ordered_items(), note: Some("ring twice".into()) },
            EventKind::Submitted { order: fakes::ordered_items(), note: None },
            EventKind::Placed(fakes::ordered_items()),
            EventKind::Confirmed,
            EventKind::Cancelled { reason: "out of stock".into() },
        ];
        order.into_iter().chain(of_steps).collect()
    }

    #[test]
    fn reads_back_every_event_as_it_was_written() {
        for kind in every_kind() {
            let event = fakes::event(kind);

            assert_eq!(Event::from_json(&event.to_json()).expect("it is an event"), event);
        }
    }

    #[test]
    fn has_the_documented_shape() {
        let event = fakes::event(EventKind::Placed(fakes::ordered_items()));

        assert_eq!(
            serde_json::from_str::<Value>(&event.to_json()).expect("an event is JSON"),
            json!({
                "version": 1,
                "type": "order.placed",
                "orderId": "5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b",
                "owner": "alice",
                "fingerprint": event.fingerprint.to_string(),
                "occurredAt": "2026-01-01T00:00:00.000Z",
                "order": {"currency": "EUR", "items": [{"sku": "SKU-1", "quantity": 2, "unitPriceMinor": 1999}]},
            })
        );
    }

    #[test]
    fn ignores_fields_that_it_does_not_know() {
        let mut event: Value = serde_json::from_str(&fakes::event(EventKind::Confirmed).to_json()).expect("JSON");
        event["added"] = json!("later");

        assert!(Event::from_json(&event.to_string()).is_ok());
    }

    #[test]
    fn refuses_every_invalid_field() {
        let placed = fakes::event(EventKind::Placed(fakes::ordered_items())).to_json();
        for (pointer, value) in [
            ("/version", json!(2)),
            ("/type", json!("order.shipped")),
            ("/type", json!("stock.held.")),
            ("/type", json!("stock.refused")),
            ("/orderId", json!("1")),
            ("/owner", json!("two words")),
            ("/fingerprint", json!("0")),
            ("/occurredAt", json!("noon")),
            ("/order", json!(null)),
            ("/order/items", json!([])),
            ("/order/currency", json!("XX")),
            ("/order/items/0/sku", json!("")),
            ("/order/items/0/quantity", json!(0)),
            ("/order/items/0/unitPriceMinor", json!(1_000_000_001)),
        ] {
            let mut event: Value = serde_json::from_str(&placed).expect("JSON");
            *event.pointer_mut(pointer).expect("it is there") = value;

            assert!(Event::from_json(&event.to_string()).is_err(), "{pointer}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in any::<String>()) {
            let _ = Event::from_json(&text);
        }
    }
}
