use std::fmt;
use thiserror::Error;
use uuid::Uuid;

/// The id of a payment: a UUID that the client creates. Written in lower case with hyphens; upper case is accepted,
/// too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaymentId(Uuid);

/// The text is not a hyphenated UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a UUID such as 5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b")]
pub struct InvalidPaymentId;

impl PaymentId {
    /// Source: RFC 9562, section 4.
    const CHARS: usize = 36;

    /// Reads a hyphenated UUID of any version.
    ///
    /// # Errors
    /// [`InvalidPaymentId`] for anything else, including other spellings of UUIDs.
    pub fn parse(text: &str) -> Result<Self, InvalidPaymentId> {
        if text.len() != Self::CHARS {
            return Err(InvalidPaymentId);
        }
        Uuid::try_parse(text).map(Self).map_err(|_| InvalidPaymentId)
    }
}

impl fmt::Display for PaymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_other_spellings_of_a_uuid() {
        for text in ["", "5f0c1b0e6a544a2e9d0b3c1f2e4d5a6b", "{5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b}", "payment-1"] {
            assert_eq!(PaymentId::parse(text), Err(InvalidPaymentId), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in any::<String>()) {
            if let Ok(id) = PaymentId::parse(&text) {
                prop_assert_eq!(id.to_string(), text.to_lowercase());
            }
        }
    }
}
