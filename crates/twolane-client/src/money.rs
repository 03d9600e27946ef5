//! Money as text.

use iso_currency::Currency;

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Money {
    /// ISO 4217 code.
    pub currency: String,
    /// In minor units of the currency.
    pub minor_units: u64,
}

/// Decimals; 0 if the currency is unknown.
fn exponent(currency: &str) -> usize {
    Currency::from_code(currency).and_then(Currency::exponent).unwrap_or(0).into()
}

impl Money {
    /// Checks a currency code.
    ///
    /// # Errors
    /// What is expected.
    pub fn check_currency(currency: &str) -> Result<(), String> {
        let known = Currency::from_code(currency).map(drop);
        known.ok_or_else(|| format!("{currency:?} is not an ISO 4217 currency code in upper case, such as EUR"))
    }

    /// Parses an amount with all its currency's decimals: `59.97` in EUR, `1200` in JPY.
    ///
    /// # Errors
    /// What is expected.
    pub fn parse(currency: &str, amount: &str) -> Result<Self, String> {
        Self::check_currency(currency)?;
        let exponent = exponent(currency);
        let (major, minor) = if exponent > 0 { amount.split_once('.').unwrap_or((amount, "")) } else { (amount, "") };
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let is_amount = !major.is_empty() && digits(major) && digits(minor) && minor.len() == exponent;
        let minor_units = is_amount.then(|| format!("{major}{minor}").parse().ok()).flatten();
        let minor_units = minor_units.ok_or_else(|| {
            let example = Self { currency: currency.to_owned(), minor_units: 25_000 };
            format!("an amount of {currency} has {exponent} decimals, such as {}, not {amount:?}", example.amount())
        })?;
        Ok(Self { currency: currency.to_owned(), minor_units })
    }

    /// Without the currency: `59.97` for 5997 euro cents, `1200` for 1200 yen.
    #[must_use]
    pub fn amount(&self) -> String {
        let digits = exponent(&self.currency);
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
    fn writes_the_decimals_of_the_currency() {
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

    #[test]
    fn reads_every_amount_that_it_writes() {
        for (currency, minor_units) in [("EUR", 5997), ("EUR", 0), ("JPY", 1200), ("BHD", 12_345)] {
            let money = Money { currency: currency.to_owned(), minor_units };

            assert_eq!(Money::parse(currency, &money.amount()), Ok(money));
        }
    }

    #[test]
    fn refuses_ambiguous_amounts() {
        for (currency, amount) in
            [("EUR", "100"), ("EUR", "1.5"), ("EUR", "1.500"), ("EUR", ".50"), ("EUR", "-1.00"), ("JPY", "1.00")]
        {
            let error = Money::parse(currency, amount).expect_err(amount);

            assert!(error.starts_with(&format!("an amount of {currency} has ")), "{error}");
        }
        assert!(Money::parse("eur", "1.00").is_err(), "codes are in upper case");
    }
}
