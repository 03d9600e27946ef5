//! The ids of a run's orders. Each contains the order's number.

use super::Turns;
use serde::{Deserialize, Serialize};
use twolane_client::orders_table::OrderKey;
use uuid::{Builder, Uuid};

/// A common prefix, followed by the order's number, so that a million callbacks find their orders without a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OrderIds([u8; PREFIX]);

/// Bytes of the prefix; the number takes the rest.
const PREFIX: usize = 12;

impl OrderIds {
    /// Ids for one lane of one run, shared with no other.
    pub(crate) fn new() -> Self {
        let random = Uuid::new_v4().into_bytes();
        Self(*random.first_chunk().expect("a UUID is longer"))
    }

    /// A UUID of version 8, with application-defined bits. Source: RFC 9562.
    pub(crate) fn id(self, number: u32) -> Uuid {
        let mut bytes = [0; 16];
        bytes[..PREFIX].copy_from_slice(&self.0);
        bytes[PREFIX..].copy_from_slice(&number.to_be_bytes());
        Builder::from_custom_bytes(bytes).into_uuid()
    }

    pub(crate) fn key(self, number: u32, turns: Turns, owners: &[String]) -> OrderKey {
        let owner = owners[turns.owner(number, owners.len())].clone();
        OrderKey { owner, order_id: self.id(number).to_string() }
    }

    /// The number in that id, if it is one of these.
    pub(crate) fn number(self, id: &str) -> Option<u32> {
        let id = Uuid::try_parse(id).ok()?;
        let number = u32::from_be_bytes(*id.as_bytes().last_chunk()?);
        (self.id(number) == id).then_some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_number_in_its_own_ids_only() {
        let (ids, others) = (OrderIds::new(), OrderIds::new());

        for number in [0, 1, 99_999, u32::MAX] {
            let id = ids.id(number);
            assert_eq!(ids.number(&id.to_string()), Some(number));
            assert_eq!(others.number(&id.to_string()), None);
            assert_eq!(id.get_version_num(), 8);
        }
        assert_eq!(ids.number("not an id"), None);
    }
}
