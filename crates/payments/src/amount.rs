use shared_kernel::Currency;
use std::{fmt, ops::RangeInclusive};

/// An amount of one currency: 1 to [`Amount::MAX`] minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    currency: Currency,
    minor_units: u64,
}

impl Amount {
    /// Largest amount, in minor units: 100 lines of 10 000 units at 1 000 000 000.
    pub const MAX: u64 = 1_000_000_000_000_000;
    /// The valid amounts, in minor units.
    pub const RANGE: RangeInclusive<u64> = 1..=Self::MAX;
    /// The rule, as the text of a violation.
    pub const RULE: &'static str = "must be an integer from 1 to 1000000000000000, in minor units";

    /// `None` if `minor_units` is out of range.
    #[must_use]
    pub fn new(currency: Currency, minor_units: u64) -> Option<Self> {
        Self::RANGE.contains(&minor_units).then_some(Self { currency, minor_units })
    }

    /// The currency.
    #[must_use]
    pub fn currency(self) -> Currency {
        self.currency
    }

    /// The amount in minor units (cents for EUR).
    #[must_use]
    pub fn minor_units(self) -> u64 {
        self.minor_units
    }
}

/// `EUR 39.98`, with the currency's number of decimals.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = self.currency.decimals();
        let digits = format!("{:0>width$}", self.minor_units, width = decimals + 1);
        let (whole, fraction) = digits.split_at(digits.len() - decimals);
        let point = if fraction.is_empty() { "" } else { "." };
        write!(f, "{} {whole}{point}{fraction}", self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_the_decimals_of_the_currency() {
        for (code, minor_units, written) in [
            ("EUR", 3998, "EUR 39.98"),
            ("EUR", 7, "EUR 0.07"),
            ("JPY", 1200, "JPY 1200"),
            ("BHD", 12_345, "BHD 12.345"),
            ("EUR", Amount::MAX, "EUR 10000000000000.00"),
        ] {
            let currency = Currency::parse(code).expect("a currency");

            assert_eq!(Amount::new(currency, minor_units).map(|amount| amount.to_string()).as_deref(), Some(written));
        }
    }

    #[test]
    fn ranges_from_one_minor_unit_to_the_maximum() {
        let currency = Currency::parse("EUR").expect("a currency");

        for minor_units in [0, Amount::MAX + 1, u64::MAX] {
            assert_eq!(Amount::new(currency, minor_units), None, "{minor_units}");
        }
    }
}
