//! Totals for people: minor units as the currency writes them.

use iso_currency::Currency;

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Money {
    /// ISO 4217 code.
    pub currency: String,
    /// In minor units of the currency.
    pub minor_units: u64,
}

impl Money {
    /// The amount without its currency: `59.97` for 5997 euro cents, `1200` for 1200 yen.
    #[must_use]
    pub fn amount(&self) -> String {
        let exponent = Currency::from_code(&self.currency).and_then(Currency::exponent).unwrap_or(0);
        let digits = usize::from(exponent);
        if digits == 0 {
            return self.minor_units.to_string();
        }
        let padded = format!("{:0>width$}", self.minor_units, width = digits + 1);
        let (major, minor) = padded.split_at(padded.len() - digits);
        format!("{major}.{minor}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_as_many_decimals_as_the_currency_has() {
        let cases = [
            ("EUR", 5997, "59.97"),
            ("EUR", 7, "0.07"),
            ("USD", 0, "0.00"),
            ("JPY", 1200, "1200"),
            ("BHD", 12_345, "12.345"),
            ("???", 5, "5"),
            ("EUR", u64::MAX, "184467440737095516.15"),
        ];
        for (currency, minor_units, written) in cases {
            assert_eq!(Money { currency: currency.to_owned(), minor_units }.amount(), written, "{currency}");
        }
    }
}
