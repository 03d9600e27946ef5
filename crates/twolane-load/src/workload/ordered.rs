//! What an order's body orders.

use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
pub(crate) struct Ordered {
    /// ISO 4217 code.
    pub(crate) currency: String,
    items: Vec<Item>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    sku: String,
    quantity: u64,
    unit_price_minor: u64,
}

impl Ordered {
    /// `None` if the body has another shape.
    pub(crate) fn read(body: &str) -> Option<Self> {
        serde_json::from_str(body).ok()
    }

    /// By SKU, lines of one SKU added up.
    pub(crate) fn units(&self) -> BTreeMap<&str, u64> {
        let mut units = BTreeMap::new();
        for item in &self.items {
            let sum: &mut u64 = units.entry(item.sku.as_str()).or_default();
            *sum = sum.saturating_add(item.quantity);
        }
        units
    }

    pub(crate) fn total_minor(&self) -> u64 {
        let totals = self.items.iter().map(|item| item.quantity.saturating_mul(item.unit_price_minor));
        totals.fold(0, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::SAMPLE;

    #[test]
    fn adds_up_the_lines_of_one_sku() {
        let body = SAMPLE.replace("SKU-2", "SKU-1");

        let ordered = Ordered::read(&body).expect("it is an order");

        assert_eq!(ordered.units(), BTreeMap::from([("SKU-1", 3)]));
        assert_eq!((ordered.total_minor(), ordered.currency.as_str()), (2 * 1999 + 499, "EUR"));
        assert!(Ordered::read("{}").is_none());
    }
}
