use sha2::{Digest, Sha256};
use std::fmt;

/// The SHA-256 of a request's content: equal for a repeat, different for any other order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a body that is not an order, byte for byte.
    #[must_use]
    pub fn of_bytes(body: &[u8]) -> Self {
        Self::of_fields("bytes", &[body])
    }

    /// Differs for every `kind`. Each field follows its length, so that different lists never have the same bytes.
    #[must_use]
    pub fn of_fields(kind: &str, fields: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for field in std::iter::once(&kind.as_bytes()).chain(fields) {
            hasher.update((field.len() as u64).to_be_bytes());
            hasher.update(field);
        }
        Self(hasher.finalize().into())
    }

    /// Reads a stored fingerprint: 64 hexadecimal digits.
    #[must_use]
    pub fn from_hex(hex: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(hex, &mut bytes).ok().map(|()| Self(bytes))
    }
}

/// 64 lower-case hexadecimal digits.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn is_written_as_lower_case_digits() {
        // SHA-256 of "bytes" and "an order", each after its length in eight bytes, by another implementation.
        let digits = "bce051ec153cefe98885321bd499c2f1357b625781c70add872b8c70de4d17c2";

        assert_eq!(Fingerprint::of_bytes(b"an order").to_string(), digits);
    }

    #[test]
    fn reads_only_hexadecimal_digits() {
        assert!(Fingerprint::from_hex(&"0f".repeat(32)).is_some());
        for text in [String::new(), "0f".repeat(31), "0f".repeat(33), "+f".repeat(32), "é".repeat(32)] {
            assert!(Fingerprint::from_hex(&text).is_none(), "{text}");
        }
    }

    #[test]
    fn different_lists_of_fields_differ() {
        assert_ne!(Fingerprint::of_fields("k", &[b"ab", b"c"]), Fingerprint::of_fields("k", &[b"a", b"bc"]));
        assert_ne!(Fingerprint::of_fields("k", &[b""]), Fingerprint::of_fields("k", &[]));
    }

    proptest! {
        #[test]
        fn is_read_back_as_it_was_written(body in any::<Vec<u8>>()) {
            let fingerprint = Fingerprint::of_bytes(&body);

            prop_assert_eq!(Fingerprint::from_hex(&fingerprint.to_string()), Some(fingerprint));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in any::<String>()) {
            let _ = Fingerprint::from_hex(&text);
        }
    }
}
