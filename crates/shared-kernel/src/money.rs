//! Money: integer minor units with a currency, never a fraction.

use std::fmt;

/// A currency of ISO 4217.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// The text of a violation.
    pub const RULE: &'static str = "must be an ISO 4217 currency code such as EUR";

    /// Reads a three-letter code in upper case. `None` for any other text.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        iso_currency::Currency::from_code(code).map(Self)
    }

    /// The three-letter code, for example `EUR`.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Decimals of an amount: 2 for EUR, 0 for JPY and for currencies without minor units.
    #[must_use]
    pub fn decimals(self) -> usize {
        self.0.exponent().unwrap_or(0).into()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The price of one unit, in minor units of the order's currency: 0 to [`UnitPrice::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitPrice(u32);

impl UnitPrice {
    /// In minor units.
    pub const MAX: u32 = 1_000_000_000;
    /// The text of a violation.
    pub const RULE: &'static str = "must be an integer from 0 to 1000000000, in minor units";

    /// `None` if `minor_units` is out of range.
    #[must_use]
    pub fn new(minor_units: i64) -> Option<Self> {
        u32::try_from(minor_units).ok().filter(|units| *units <= Self::MAX).map(Self)
    }

    /// In minor units (cents for EUR).
    #[must_use]
    pub fn minor_units(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_only_codes_of_iso_4217() {
        for code in ["EUR", "USD", "JPY", "BHD", "CLF"] {
            assert_eq!(Currency::parse(code).map(Currency::code), Some(code));
        }
        for code in ["", "eur", "EURO", "ZZZ", "E R", "€"] {
            assert_eq!(Currency::parse(code), None, "{code:?}");
        }
    }

    #[test]
    fn knows_how_many_decimals_a_currency_has() {
        for (code, decimals) in [("EUR", 2), ("JPY", 0), ("BHD", 3), ("XAU", 0)] {
            assert_eq!(Currency::parse(code).map(Currency::decimals), Some(decimals), "{code}");
        }
    }

    #[test]
    fn prices_range_from_free_to_the_maximum() {
        assert_eq!(UnitPrice::new(0).map(UnitPrice::minor_units), Some(0));
        assert_eq!(UnitPrice::new(1_000_000_000).map(UnitPrice::minor_units), Some(UnitPrice::MAX));
        for minor_units in [-1, 1_000_000_001, i64::MAX, i64::MIN] {
            assert_eq!(UnitPrice::new(minor_units), None, "{minor_units}");
        }
    }
}
