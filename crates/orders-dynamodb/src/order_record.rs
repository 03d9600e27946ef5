use orders::{
    Cancellation, Decider, Fingerprint, ItemDraft, Lane, Order, OrderContent, OrderDraft, OrderId, Outcome, Owner,
    RepositoryError, Status, Step, Timestamp, Vote, Votes,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An order as an item. `pk` is `{owner}#{orderId}`. Times are RFC 3339 text, except `expiresAt`: DynamoDB's time to
/// live requires seconds. `steps` has the vote of each step that voted. It exists, perhaps empty, while steps may vote:
/// an update cannot add an entry to a missing map.
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
    cancelled_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decided_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    steps: Option<BTreeMap<String, VoteRecord>>,
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

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct VoteRecord {
    vote: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl From<&Vote> for VoteRecord {
    fn from(vote: &Vote) -> Self {
        Self { vote: vote.name().to_owned(), reason: vote.reason().map(str::to_owned) }
    }
}

impl OrderRecord {
    /// The partition key. An order id has a fixed length, so two pairs never share a key, whatever the owner's name.
    pub(crate) fn key(owner: &Owner, id: &OrderId) -> String {
        format!("{owner}#{id}")
    }

    /// DynamoDB deletes the record at `expires_at`, if that is set.
    pub(crate) fn new(order: &Order, expires_at: Option<Timestamp>) -> Self {
        let (votes, confirmed_at, cancelled_at) = match &order.outcome {
            Outcome::Placed { votes, .. } => (Some(votes), None, None),
            Outcome::Confirmed { confirmed_at, .. } => (None, Some(confirmed_at), None),
            Outcome::Cancelled { cancellation, .. } => {
                (Some(&cancellation.votes), None, Some(&cancellation.cancelled_at))
            }
            Outcome::Rejected { .. } | Outcome::Failed { .. } => (None, None, None),
        };
        let content = order.content();
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
            cancelled_at: cancelled_at.map(ToString::to_string),
            decided_by: order.decided_by().map(|decider| decider.name().to_owned()),
            steps: votes.map(|votes| votes.iter().map(|(step, vote)| (step.name().to_owned(), vote.into())).collect()),
            currency: content.map(|content| content.currency().code().to_owned()),
            items: content.map(|content| content.items().iter().map(ItemRecord::from).collect()),
            note: content.and_then(OrderContent::note).map(|note| note.as_str().to_owned()),
            total_minor: content.map(OrderContent::total_minor_units),
            reason: order.reason().map(str::to_owned),
            expires_at: expires_at.map(Timestamp::unix_seconds),
        }
    }

    pub(crate) fn read(
        item: std::collections::HashMap<String, aws_sdk_dynamodb::types::AttributeValue>,
    ) -> Result<Order, RepositoryError> {
        let record: Self = serde_dynamo::from_item(item).map_err(|error| RepositoryError::Unreadable(error.into()))?;
        let key = record.pk.clone();
        record.into_order().ok_or_else(|| RepositoryError::Unreadable(format!("item {key} is not an order").into()))
    }

    fn into_order(self) -> Option<Order> {
        let outcome = match Status::from_name(&self.status)? {
            Status::Placed => {
                Outcome::Placed { content: content(self.currency, self.items?, self.note)?, votes: votes(self.steps?)? }
            }
            Status::Confirmed => Outcome::Confirmed {
                confirmed_at: Timestamp::parse(self.confirmed_at.as_deref()?).ok()?,
                last_vote: match self.decided_by {
                    Some(step) => Some(Step::from_name(&step)?),
                    None => None,
                },
                content: content(self.currency, self.items?, self.note)?,
            },
            Status::Cancelled => Outcome::Cancelled {
                content: content(self.currency, self.items?, self.note)?,
                cancellation: Box::new(Cancellation {
                    votes: votes(self.steps?)?,
                    decided_by: Decider::from_name(self.decided_by.as_deref()?)?,
                    reason: self.reason?,
                    cancelled_at: Timestamp::parse(self.cancelled_at.as_deref()?).ok()?,
                }),
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

fn votes(steps: BTreeMap<String, VoteRecord>) -> Option<Votes> {
    let vote = |(step, VoteRecord { vote, reason }): (String, _)| {
        Some((Step::from_name(&step)?, Vote::from_name(&vote, reason)?))
    };
    steps.into_iter().map(vote).collect()
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

    #[test]
    fn reads_back_what_it_wrote() {
        let rejected = Order { outcome: Outcome::Rejected { reason: "no".into() }, ..fakes::failed() };
        let failed = Vote::Failed("no answer".into());
        let votes = [(Step::Stock, Vote::Held), (Step::Payment, failed)].into_iter().collect();
        let undecided =
            Order { outcome: Outcome::Placed { content: fakes::content("SKU-1"), votes }, ..fakes::placed() };
        let decided = [fakes::confirmed_by_steps(), fakes::cancelled("no"), fakes::order()];
        for order in [fakes::placed(), undecided, rejected, fakes::failed()].into_iter().chain(decided) {
            let item = serde_dynamo::to_item(OrderRecord::new(&order, None)).expect("a record is an item");

            assert_eq!(OrderRecord::read(item).expect("it is an order"), order);
        }
    }

    #[test]
    fn separates_the_ids_of_different_owners() {
        let id = fakes::order_id();

        assert_ne!(OrderRecord::key(&fakes::owner("a"), &id), OrderRecord::key(&fakes::owner("a#b"), &id));
    }

    #[test]
    fn refuses_an_item_with_an_unknown_status() {
        let mut item: std::collections::HashMap<_, _> =
            serde_dynamo::to_item(OrderRecord::new(&fakes::order(), None)).expect("a record is an item");
        item.insert("status".into(), aws_sdk_dynamodb::types::AttributeValue::S("SHIPPED".into()));

        assert!(matches!(OrderRecord::read(item), Err(RepositoryError::Unreadable(_))));
    }
}
