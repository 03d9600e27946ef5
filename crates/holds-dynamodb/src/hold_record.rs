use aws_sdk_dynamodb::types::AttributeValue;
use holds::{Claim, CounterKey, Hold, HoldKey, HoldState};
use serde::{Deserialize, Serialize};
use shared_kernel::{RepositoryError, Timestamp};
use std::collections::{BTreeMap, HashMap};

pub(crate) type Item = HashMap<String, AttributeValue>;

/// A hold as an item. `createdAt` is RFC 3339 text. `expiresAt` is in seconds, for DynamoDB's time to live. A HELD hold
/// has that time in `keepUntil` instead, so that DynamoDB does not delete it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HoldRecord {
    pk: String,
    state: String,
    claims: BTreeMap<String, u64>,
    created_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keep_until: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
}

impl HoldRecord {
    /// DynamoDB deletes the item at `keep_until`, if that is set, but not while it is HELD.
    pub(crate) fn item(key: &HoldKey, hold: &Hold, keep_until: Option<Timestamp>) -> Result<Item, RepositoryError> {
        let claim = |claim: &Claim| (claim.counter.as_str().to_owned(), claim.amount);
        let is_held = hold.state == HoldState::Held;
        let record = Self {
            pk: key.as_str().to_owned(),
            state: hold.state.name().to_owned(),
            claims: hold.claims.iter().map(claim).collect(),
            created_at: hold.created_at.to_string(),
            reason: hold.state.reason().map(str::to_owned),
            keep_until: keep_until.map(Timestamp::unix_seconds).filter(|_| is_held),
            expires_at: keep_until.map(Timestamp::unix_seconds).filter(|_| !is_held),
        };
        serde_dynamo::to_item(record).map_err(|error| RepositoryError::Refused(error.into()))
    }

    /// The claims are in the order of their counters.
    pub(crate) fn read(item: Item) -> Result<Hold, RepositoryError> {
        let record: Self = serde_dynamo::from_item(item).map_err(|error| RepositoryError::Unreadable(error.into()))?;
        record.into_hold().ok_or_else(|| RepositoryError::Unreadable("an attribute of the hold is not valid".into()))
    }

    fn into_hold(self) -> Option<Hold> {
        let claim = |(counter, amount)| Claim { counter: CounterKey::new(counter), amount };
        Some(Hold {
            state: HoldState::from_name(&self.state, self.reason)?,
            claims: self.claims.into_iter().map(claim).collect(),
            created_at: Timestamp::parse(&self.created_at).ok()?,
        })
    }
}

/// It cannot clash with a hold's: no kind of hold is called `counter`.
pub(crate) fn counter_pk(counter: &CounterKey) -> AttributeValue {
    AttributeValue::S(format!("counter#{counter}"))
}

pub(crate) fn read_counter(item: &Item) -> Result<u64, RepositoryError> {
    let number = item.get(AVAILABLE).and_then(|value| value.as_n().ok()?.parse().ok());
    number.ok_or_else(|| RepositoryError::Unreadable("the counter is not a whole number of 0 or more".into()))
}

/// The attribute of a counter.
pub(crate) const AVAILABLE: &str = "available";

#[cfg(test)]
mod tests {
    use super::*;
    use holds::fakes;

    fn holds() -> [Hold; 4] {
        let states = [HoldState::Held, HoldState::Done, HoldState::Undone, HoldState::Refused("no".into())];
        let claims = [("SKU-1", 2), ("SKU-2", 1)].map(|(key, amount)| Claim { counter: CounterKey::new(key), amount });
        states.map(|state| Hold { state, claims: claims.to_vec(), created_at: fakes::moment() })
    }

    #[test]
    fn reads_back_what_it_wrote() {
        for hold in holds() {
            let item = HoldRecord::item(&fakes::key(1), &hold, None).expect("a record is an item");

            assert_eq!(HoldRecord::read(item).expect("it is a hold"), hold);
        }
    }

    #[test]
    fn reports_a_foreign_item_as_unreadable() {
        for (name, value) in [
            ("state", AttributeValue::S("SHIPPED".into())),
            ("state", AttributeValue::S("REFUSED".into())),
            ("createdAt", AttributeValue::S("noon".into())),
            ("claims", AttributeValue::N("1".into())),
        ] {
            let mut item = HoldRecord::item(&fakes::key(1), &holds()[0], None).expect("a record is an item");
            item.insert(name.into(), value.clone());

            assert!(matches!(HoldRecord::read(item), Err(RepositoryError::Unreadable(_))), "{name}: {value:?}");
        }
    }

    #[test]
    fn refuses_a_counter_that_is_not_a_whole_number() {
        for value in [AttributeValue::N("-1".into()), AttributeValue::N("1.5".into()), AttributeValue::S("1".into())] {
            let item = Item::from([(AVAILABLE.to_owned(), value.clone())]);

            assert!(matches!(read_counter(&item), Err(RepositoryError::Unreadable(_))), "{value:?}");
        }
    }
}
