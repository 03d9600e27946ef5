//! An order as an item of the orders table.

use orders::{
    Fingerprint, ItemDraft, Lane, Order, OrderContent, OrderDraft, OrderId, Outcome, Owner, RepositoryError, Status,
    Timestamp,
};
use serde::{Deserialize, Serialize};

/// The attributes of one item. `pk` is `{owner}#{orderId}`; times are RFC 3339 text, but for `expiresAt`, which
/// DynamoDB's time to live wants in seconds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrderRecord {
    pk: String,
    order_id: String,
    owner: String,
    status: String,
    lane: String,
    placed_at: String,
    attempts: u32,
    request_hash: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    confirmed_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    items: Option<Vec<ItemRecord>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    total_minor: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ItemRecord {
    sku: String,
    quantity: u32,
    unit_price_minor: u32,
}

impl OrderRecord {
    /// The partition key of an order: spreads evenly, and keeps every owner's ids apart. An order id has a fixed
    /// length, so no two pairs share a key whatever the owner is called.
    pub(crate) fn key(owner: &Owner, id: &OrderId) -> String {
        format!("{owner}#{id}")
    }

    /// The record of `order`, to be forgotten at `expires_at` if there is such a moment.
    pub(crate) fn new(order: &Order, expires_at: Option<Timestamp>) -> Self {
        let (content, confirmed_at, reason) = match &order.outcome {
            Outcome::Confirmed { content, confirmed_at } => (Some(content), Some(confirmed_at), None),
            Outcome::Rejected { reason } | Outcome::Failed { reason } => (None, None, Some(reason)),
        };
        Self {
            pk: Self::key(&order.owner, &order.id),
            order_id: order.id.to_string(),
            owner: order.owner.to_string(),
            status: order.status().name().to_owned(),
            lane: order.lane.name().to_owned(),
            placed_at: order.placed_at.to_string(),
            attempts: order.attempts,
            request_hash: order.fingerprint.to_string(),
            confirmed_at: confirmed_at.map(ToString::to_string),
            currency: content.map(|content| content.currency().code().to_owned()),
            items: content.map(|content| content.items().iter().map(ItemRecord::from).collect()),
            note: content.and_then(OrderContent::note).map(|note| note.as_str().to_owned()),
            total_minor: content.map(OrderContent::total_minor_units),
            reason: reason.cloned(),
            expires_at: expires_at.map(Timestamp::unix_seconds),
        }
    }

    /// Reads an item of the table.
    pub(crate) fn read(
        item: std::collections::HashMap<String, aws_sdk_dynamodb::types::AttributeValue>,
    ) -> Result<Order, RepositoryError> {
        let record: Self = serde_dynamo::from_item(item).map_err(|error| RepositoryError::Unreadable(error.into()))?;
        let key = record.pk.clone();
        record.into_order().ok_or_else(|| RepositoryError::Unreadable(format!("item {key} is not an order").into()))
    }

    fn into_order(self) -> Option<Order> {
        let outcome = match Status::from_name(&self.status)? {
            Status::Confirmed => Outcome::Confirmed {
                confirmed_at: Timestamp::parse(self.confirmed_at.as_deref()?).ok()?,
                content: content(self.currency, self.items?, self.note)?,
            },
            Status::Rejected => Outcome::Rejected { reason: self.reason? },
            Status::Failed => Outcome::Failed { reason: self.reason? },
        };
        Some(Order {
            id: OrderId::parse(&self.order_id).ok()?,
            owner: Owner::parse(&self.owner).ok()?,
            lane: Lane::from_name(&self.lane)?,
            placed_at: Timestamp::parse(&self.placed_at).ok()?,
            attempts: self.attempts,
            fingerprint: Fingerprint::from_hex(&self.request_hash)?,
            outcome,
        })
    }
}

fn content(currency: Option<String>, items: Vec<ItemRecord>, note: Option<String>) -> Option<OrderContent> {
    let items = items
        .into_iter()
        .map(|item| ItemDraft {
            sku: Some(item.sku),
            quantity: Some(item.quantity.into()),
            unit_price_minor: Some(item.unit_price_minor.into()),
        })
        .collect();
    OrderContent::parse(OrderDraft { currency, items: Some(items), note }).ok()
}

impl From<&orders::Item> for ItemRecord {
    fn from(item: &orders::Item) -> Self {
        Self {
            sku: item.sku.as_str().to_owned(),
            quantity: item.quantity.units(),
            unit_price_minor: item.unit_price.minor_units(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use orders::fakes;

    fn confirmed() -> Order {
        Order {
            outcome: Outcome::Confirmed { content: fakes::content("SKU-1"), confirmed_at: fakes::moment(1) },
            ..fakes::failed()
        }
    }

    #[test]
    fn reads_back_what_it_wrote() {
        let rejected = Order { outcome: Outcome::Rejected { reason: "no".into() }, ..fakes::failed() };
        for order in [confirmed(), rejected, fakes::failed()] {
            let item = serde_dynamo::to_item(OrderRecord::new(&order, None)).expect("a record is an item");

            assert_eq!(OrderRecord::read(item).expect("it is an order"), order);
        }
    }

    #[test]
    fn keeps_every_owners_ids_apart() {
        let id = fakes::order_id();

        assert_ne!(OrderRecord::key(&fakes::owner("a"), &id), OrderRecord::key(&fakes::owner("a#b"), &id));
    }

    #[test]
    fn says_that_a_foreign_item_cannot_be_read() {
        let mut item: std::collections::HashMap<_, _> =
            serde_dynamo::to_item(OrderRecord::new(&confirmed(), None)).expect("a record is an item");
        item.insert("status".into(), aws_sdk_dynamodb::types::AttributeValue::S("SHIPPED".into()));

        assert!(matches!(OrderRecord::read(item), Err(RepositoryError::Unreadable(_))));
    }
}
