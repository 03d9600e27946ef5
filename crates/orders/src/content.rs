use crate::{Currency, Fingerprint, Item, Note, Quantity, Sku, UnitPrice, Violation, Violations};
use std::collections::BTreeSet;

/// A request's content before validation: every field may be missing or invalid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderDraft {
    /// See [`Currency`].
    pub currency: Option<String>,
    /// See [`Item`]; 1 to [`OrderContent::MAX_ITEMS`].
    pub items: Option<Vec<ItemDraft>>,
    /// See [`Note`]; may be missing.
    pub note: Option<String>,
}

/// One line of an [`OrderDraft`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemDraft {
    /// See [`Sku`].
    pub sku: Option<String>,
    /// See [`Quantity`].
    pub quantity: Option<i64>,
    /// See [`UnitPrice`], in minor units.
    pub unit_price_minor: Option<i64>,
}

impl From<&Item> for ItemDraft {
    fn from(item: &Item) -> Self {
        Self {
            sku: Some(item.sku.as_str().to_owned()),
            quantity: Some(item.quantity.units().into()),
            unit_price_minor: Some(item.unit_price.minor_units().into()),
        }
    }
}

/// What the customer orders: a currency, 1 to [`OrderContent::MAX_ITEMS`] items, an optional note, and the total.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderContent {
    currency: Currency,
    items: Vec<Item>,
    note: Option<Note>,
    total_minor_units: u64,
}

impl OrderContent {
    /// Most items in an order.
    pub const MAX_ITEMS: usize = 100;
    const ITEMS_RULE: &'static str = "must hold 1 to 100 items";
    /// Most different SKUs in an order of the bus lane. The stock service writes them and the hold in one transaction
    /// of at most 100 actions. Source: Amazon DynamoDB Developer Guide, "Amazon DynamoDB Transactions".
    pub const MAX_BUS_SKUS: usize = 99;
    const BUS_SKUS_RULE: &'static str = "must hold at most 99 different SKUs in the bus lane";

    /// Checks a draft against every rule.
    ///
    /// # Errors
    /// Every violation at once, each with its JSON pointer. Only the first [`OrderContent::MAX_ITEMS`] items are
    /// checked.
    pub fn parse(draft: OrderDraft) -> Result<Self, Violations> {
        let mut check = Check::default();
        let currency = check.field("/currency", draft.currency, Currency::RULE, |code| Currency::parse(&code));
        let items = draft.items.unwrap_or_else(|| check.missing("/items"));
        if !(1..=Self::MAX_ITEMS).contains(&items.len()) {
            check.wrong("/items", Self::ITEMS_RULE);
        }
        let items: Vec<_> = items
            .into_iter()
            .take(Self::MAX_ITEMS)
            .enumerate()
            .filter_map(|(index, item)| check.item(index, item))
            .collect();
        let note = draft.note.and_then(|text| check.field("/note", Some(text), Note::RULE, |text| Note::parse(&text)));
        let total_minor_units = items.iter().try_fold(0_u64, |sum, item| sum.checked_add(item.total_minor_units()));
        if total_minor_units.is_none() {
            check.wrong("/items", "have a total that is too large");
        }

        match (currency, total_minor_units) {
            (Some(currency), Some(total_minor_units)) if check.violations.is_empty() => {
                Ok(Self { currency, items, note, total_minor_units })
            }
            _ => Err(check.violations),
        }
    }

    /// Checks the additional rule of the bus lane.
    ///
    /// # Errors
    /// The order has more than [`OrderContent::MAX_BUS_SKUS`] different SKUs.
    pub fn check_for_bus(&self) -> Result<(), Violations> {
        let skus: BTreeSet<_> = self.items.iter().map(|item| &item.sku).collect();
        if skus.len() <= Self::MAX_BUS_SKUS {
            Ok(())
        } else {
            Err(Violation::new("/items", Self::BUS_SKUS_RULE).into())
        }
    }

    /// The currency of every price and of the total.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// The items, in the customer's order.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The customer's note.
    #[must_use]
    pub fn note(&self) -> Option<&Note> {
        self.note.as_ref()
    }

    /// The sum over all items, in minor units.
    #[must_use]
    pub fn total_minor_units(&self) -> u64 {
        self.total_minor_units
    }

    /// Identifies the content. The order of items matters; white space and the order of JSON fields do not.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let numbers: Vec<[u8; 8]> = self
            .items
            .iter()
            .map(|item| {
                let units = u64::from(item.quantity.units()) << 32 | u64::from(item.unit_price.minor_units());
                units.to_be_bytes()
            })
            .collect();
        let mut fields = vec![self.currency.code().as_bytes()];
        for (item, numbers) in self.items.iter().zip(&numbers) {
            fields.push(item.sku.as_str().as_bytes());
            fields.push(numbers);
        }
        // Last, so that a missing note and an empty note differ in the number of fields.
        fields.extend(self.note.iter().map(|note| note.as_str().as_bytes()));
        Fingerprint::of_fields("order", &fields)
    }
}

#[derive(Default)]
struct Check {
    violations: Violations,
}

impl Check {
    fn item(&mut self, index: usize, draft: ItemDraft) -> Option<Item> {
        let at = |field: &str| format!("/items/{index}/{field}");
        let sku = self.field(&at("sku"), draft.sku, Sku::RULE, |text| Sku::parse(&text));
        let quantity = self.field(&at("quantity"), draft.quantity, Quantity::RULE, Quantity::new);
        let unit_price = self.field(&at("unitPriceMinor"), draft.unit_price_minor, UnitPrice::RULE, UnitPrice::new);
        Some(Item { sku: sku?, quantity: quantity?, unit_price: unit_price? })
    }

    fn field<D, T>(
        &mut self,
        pointer: &str,
        draft: Option<D>,
        rule: &str,
        parse: impl Fn(D) -> Option<T>,
    ) -> Option<T> {
        let Some(draft) = draft else { return self.missing(pointer) };
        let parsed = parse(draft);
        if parsed.is_none() {
            self.wrong(pointer, rule);
        }
        parsed
    }

    fn missing<T: Default>(&mut self, pointer: &str) -> T {
        self.wrong(pointer, "is required");
        T::default()
    }

    fn wrong(&mut self, pointer: &str, detail: &str) {
        self.violations.push(Violation::new(pointer, detail));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn item() -> ItemDraft {
        ItemDraft { sku: Some("SKU-1".into()), quantity: Some(2), unit_price_minor: Some(1999) }
    }

    fn draft() -> OrderDraft {
        OrderDraft { currency: Some("EUR".into()), items: Some(vec![item(), item()]), note: Some("ring twice".into()) }
    }

    fn pointers(draft: OrderDraft) -> Vec<String> {
        let violations = OrderContent::parse(draft).expect_err("the draft is wrong");
        violations.iter().map(|violation| violation.pointer().to_owned()).collect()
    }

    #[test]
    fn totals_every_item() {
        let content = OrderContent::parse(draft()).expect("the draft is right");

        assert_eq!(content.total_minor_units(), 2 * 2 * 1999);
    }

    #[test]
    fn totals_the_largest_possible_order() {
        let largest = ItemDraft {
            sku: Some("x".repeat(64)),
            quantity: Some(i64::from(Quantity::MAX)),
            unit_price_minor: Some(i64::from(UnitPrice::MAX)),
        };

        let content = OrderContent::parse(OrderDraft { items: Some(vec![largest; 100]), ..draft() }).expect("in range");

        assert_eq!(content.total_minor_units(), 1_000_000_000_000_000);
    }

    #[test]
    fn reports_every_violation_at_once() {
        let wrong = ItemDraft { sku: Some("no spaces".into()), quantity: Some(0), unit_price_minor: Some(-1) };
        let draft =
            OrderDraft { currency: Some("eur".into()), items: Some(vec![item(), wrong]), note: Some("x".repeat(501)) };

        assert_eq!(
            pointers(draft),
            ["/currency", "/items/1/sku", "/items/1/quantity", "/items/1/unitPriceMinor", "/note"]
        );
    }

    #[test]
    fn reports_every_missing_field() {
        assert_eq!(pointers(OrderDraft::default()), ["/currency", "/items"]);
        assert_eq!(
            pointers(OrderDraft { items: Some(vec![ItemDraft::default()]), ..draft() }),
            ["/items/0/sku", "/items/0/quantity", "/items/0/unitPriceMinor"]
        );
    }

    #[test]
    fn rejects_an_order_without_items() {
        assert_eq!(pointers(OrderDraft { items: Some(vec![]), ..draft() }), ["/items"]);
    }

    #[test]
    fn rejects_an_order_with_too_many_items() {
        assert_eq!(pointers(OrderDraft { items: Some(vec![item(); 101]), ..draft() }), ["/items"]);
    }

    #[test]
    fn accepts_an_order_without_a_note() {
        let content = OrderContent::parse(OrderDraft { note: None, ..draft() }).expect("a note is optional");

        assert_eq!(content.note(), None);
    }

    #[test]
    fn the_bus_lane_counts_different_skus_and_not_items() {
        let items =
            |skus: usize| (0..100).map(move |index| ItemDraft { sku: Some((index % skus).to_string()), ..item() });
        let content = |skus| {
            OrderContent::parse(OrderDraft { items: Some(items(skus).collect()), ..draft() })
                .expect("100 items are right")
        };

        assert_eq!(content(99).check_for_bus(), Ok(()));
        let violations = content(100).check_for_bus().expect_err("100 SKUs are too many");
        assert_eq!(violations.to_string(), "/items: must hold at most 99 different SKUs in the bus lane");
    }

    #[test]
    fn different_contents_have_different_fingerprints() {
        let changes = [
            OrderDraft { currency: Some("USD".into()), ..draft() },
            OrderDraft { note: None, ..draft() },
            OrderDraft { note: Some(String::new()), ..draft() },
            OrderDraft { items: Some(vec![item()]), ..draft() },
            OrderDraft { items: Some(vec![item(), ItemDraft { sku: Some("SKU-2".into()), ..item() }]), ..draft() },
            OrderDraft { items: Some(vec![item(), ItemDraft { quantity: Some(3), ..item() }]), ..draft() },
            OrderDraft { items: Some(vec![item(), ItemDraft { unit_price_minor: Some(2), ..item() }]), ..draft() },
        ];
        let fingerprint = |draft| OrderContent::parse(draft).expect("the draft is right").fingerprint();

        assert_eq!(fingerprint(draft()), fingerprint(draft()));
        for change in changes {
            assert_ne!(fingerprint(draft()), fingerprint(change.clone()), "{change:?}");
        }
    }

    fn any_item() -> impl Strategy<Value = ItemDraft> {
        (any::<Option<String>>(), any::<Option<i64>>(), any::<Option<i64>>())
            .prop_map(|(sku, quantity, unit_price_minor)| ItemDraft { sku, quantity, unit_price_minor })
    }

    proptest! {
        #[test]
        fn no_draft_makes_the_parser_panic(
            currency in any::<Option<String>>(),
            items in proptest::option::of(proptest::collection::vec(any_item(), 0..120)),
            note in any::<Option<String>>(),
        ) {
            if let Err(violations) = OrderContent::parse(OrderDraft { currency, items, note }) {
                prop_assert!(!violations.is_empty());
            }
        }
    }
}
