use crate::UnitPrice;

/// A stock-keeping unit: 1 to [`Sku::MAX_CHARS`] of `A-Z a-z 0-9 . _ -`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sku(String);

impl Sku {
    /// In characters.
    pub const MAX_CHARS: usize = 64;
    /// The text of a violation.
    pub const RULE: &'static str = "must be 1 to 64 of the characters A-Z a-z 0-9 . _ -";

    /// `None` if `text` has other characters or another length.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let acceptable = (1..=Self::MAX_CHARS).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
        acceptable.then(|| Self(text.to_owned()))
    }

    /// The text as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The number of units of one item: 1 to [`Quantity::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantity(u32);

impl Quantity {
    /// Most units of one item.
    pub const MAX: u32 = 10_000;
    /// The text of a violation.
    pub const RULE: &'static str = "must be an integer from 1 to 10000";

    /// `None` if `units` is out of range.
    #[must_use]
    pub fn new(units: i64) -> Option<Self> {
        u32::try_from(units).ok().filter(|units| (1..=Self::MAX).contains(units)).map(Self)
    }

    /// The number of units.
    #[must_use]
    pub fn units(self) -> u32 {
        self.0
    }
}

/// One line of an order: units of one SKU, at a price for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What is ordered.
    pub sku: Sku,
    /// The number of units.
    pub quantity: Quantity,
    /// The price of one unit, in minor units of the order's currency.
    pub unit_price: UnitPrice,
}

impl Item {
    /// The price of the line, in minor units. At most 10 000 × 1 000 000 000, which fits.
    #[must_use]
    pub fn total_minor_units(&self) -> u64 {
        u64::from(self.quantity.units()) * u64::from(self.unit_price.minor_units())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_every_character_and_length_that_a_sku_may_have() {
        for text in ["a", "SKU-1", "A.b_C-9", &"x".repeat(64)] {
            assert_eq!(Sku::parse(text).as_ref().map(Sku::as_str), Some(text));
        }
    }

    #[test]
    fn refuses_skus_with_other_characters_or_lengths() {
        for text in ["", "a b", "a/b", "a\n", "é", &"x".repeat(65)] {
            assert_eq!(Sku::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn quantities_range_from_one_to_the_maximum() {
        assert_eq!(Quantity::new(1).map(Quantity::units), Some(1));
        assert_eq!(Quantity::new(10_000).map(Quantity::units), Some(Quantity::MAX));
        for units in [0, -1, 10_001, i64::MAX, i64::MIN] {
            assert_eq!(Quantity::new(units), None, "{units}");
        }
    }
}
