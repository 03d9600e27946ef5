use crate::Fingerprint;
use std::fmt;
use thiserror::Error;
use uuid::Uuid;

/// The id of an order: a UUID that the client creates. Written in lower case with hyphens; upper case is accepted, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OrderId(Uuid);

/// The text is not a hyphenated UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a UUID such as 5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b")]
pub struct InvalidOrderId;

impl OrderId {
    /// Source: RFC 9562, section 4.
    const CHARS: usize = 36;

    /// Reads a hyphenated UUID of any version.
    ///
    /// # Errors
    /// [`InvalidOrderId`] for anything else, including other spellings of UUIDs.
    pub fn parse(text: &str) -> Result<Self, InvalidOrderId> {
        if text.len() != Self::CHARS {
            return Err(InvalidOrderId);
        }
        Uuid::try_parse(text).map(Self).map_err(|_| InvalidOrderId)
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// The user of an order or a socket: the `sub` of the access token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Owner(String);

/// The text cannot name an owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be 1 to 255 visible ASCII characters")]
pub struct InvalidOwner;

impl Owner {
    /// Longest `sub`, in characters. Source: OpenID Connect Core 1.0, section 2, `sub`.
    pub const MAX_CHARS: usize = 255;

    /// Reads a `sub`: 1 to 255 visible ASCII characters.
    ///
    /// # Errors
    /// [`InvalidOwner`] for anything else.
    pub fn parse(text: &str) -> Result<Self, InvalidOwner> {
        let acceptable =
            (1..=Self::MAX_CHARS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        acceptable.then(|| Self(text.to_owned())).ok_or(InvalidOwner)
    }

    /// The `sub` as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The owner's message group in a fair queue: 32 hexadecimal digits, half of a SHA-256 of the `sub`, which may
    /// exceed SQS's 128 characters. Source: Amazon SQS API Reference, `SendMessage`, `MessageGroupId`.
    #[must_use]
    pub fn message_group(&self) -> String {
        let mut digits = Fingerprint::of_fields("owner", &[self.0.as_bytes()]).to_string();
        digits.truncate(32);
        digits
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b";

    #[test]
    fn reads_an_id_in_either_case_as_the_same_id() {
        let lower = OrderId::parse(ID).expect("the sample is a UUID");
        let upper = OrderId::parse(&ID.to_uppercase()).expect("case does not matter");

        assert_eq!(lower, upper);
        assert_eq!(upper.to_string(), ID);
    }

    #[test]
    fn refuses_other_spellings_of_a_uuid() {
        for text in [
            "",
            "5f0c1b0e6a544a2e9d0b3c1f2e4d5a6b",
            "{5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b}",
            "urn:uuid:5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b",
            "5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b ",
            "5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6g",
        ] {
            assert_eq!(OrderId::parse(text), Err(InvalidOrderId), "{text:?}");
        }
    }

    #[test]
    fn refuses_malformed_owners() {
        for text in ["", "a b", "a\n", "ü", &"x".repeat(256)] {
            assert_eq!(Owner::parse(text), Err(InvalidOwner), "{text:?}");
        }
    }

    #[test]
    fn each_owner_has_a_message_group_that_sqs_accepts() {
        let group = |subject: &str| Owner::parse(subject).expect("it is a subject").message_group();
        let longest = "x".repeat(Owner::MAX_CHARS);

        // Half of the SHA-256 of "owner" and "demo", each after its length in eight bytes, by another implementation.
        assert_eq!(group("demo"), "2a84f53453d5444e07adcb22f296659b");
        assert_ne!(group("demo"), group("Demo"));
        assert_eq!(group(&longest).len(), 32);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_id_parser_panic(text in any::<String>()) {
            if let Ok(id) = OrderId::parse(&text) {
                prop_assert_eq!(id.to_string(), text.to_lowercase());
            }
        }

        #[test]
        fn no_text_makes_the_owner_parser_panic(text in any::<String>()) {
            if let Ok(owner) = Owner::parse(&text) {
                prop_assert_eq!(owner.as_str(), text);
            }
        }
    }
}
