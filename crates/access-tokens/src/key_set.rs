use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

/// The issuer's public keys: a JSON Web Key Set (RFC 7517).
#[derive(Clone, Debug, Default)]
pub struct KeySet(Vec<Key>);

/// A key and its one algorithm.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    id: String,
    pub(crate) algorithm: Algorithm,
    pub(crate) public: DecodingKey,
}

/// The text is not a usable key set.
#[derive(Debug, Error)]
pub enum InvalidKeySet {
    /// Not JSON with a list of keys.
    #[error("the key set is not a JSON object with a list of keys")]
    Malformed(#[source] serde_json::Error),
    /// A key contains its private part (`d`).
    #[error(
        "the key set has a private key (d), so its readers can sign tokens. Replace the key, and publish only the \
         public part"
    )]
    PrivateKey,
    /// No key is usable.
    #[error("the key set has no signature key with a key id (kid) for RS256, ES256 or EdDSA")]
    NoUsableKey,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    /// Reads a key set. It ignores symmetric keys, and keys without an id or for another use or algorithm: providers
    /// publish such keys, too.
    ///
    /// # Errors
    /// See [`InvalidKeySet`].
    pub fn parse(text: &str) -> Result<Self, InvalidKeySet> {
        let document: Document = serde_json::from_str(text).map_err(InvalidKeySet::Malformed)?;
        // True for RSA, EC and OKP keys. Source: RFC 7518, sections 6.2.2 and 6.3.2; RFC 8037, section 2.
        if document.keys.iter().any(|key| key.get("d").is_some()) {
            return Err(InvalidKeySet::PrivateKey);
        }
        let keys: Vec<_> = document.keys.into_iter().filter_map(key).collect();
        if keys.is_empty() { Err(InvalidKeySet::NoUsableKey) } else { Ok(Self(keys)) }
    }

    /// Whether the set has no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keys of different types may share an id. Source: RFC 7517, section 4.5.
    pub(crate) fn with_id<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a Key> {
        self.0.iter().filter(move |key| key.id == id)
    }
}

fn key(jwk: Value) -> Option<Key> {
    let jwk: Jwk = serde_json::from_value(jwk).ok()?;
    let (algorithm, name) = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        _ => return None,
    };
    let common = &jwk.common;
    let for_signatures = common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature);
    let verifies = common.key_operations.as_ref().is_none_or(|operations| operations.contains(&KeyOperations::Verify));
    let for_algorithm = common.key_algorithm.is_none_or(|named| named == name);
    let id = common.key_id.clone().filter(|id| !id.is_empty())?;
    (for_signatures && verifies && for_algorithm).then_some(())?;
    Some(Key { id, algorithm, public: DecodingKey::from_jwk(&jwk).ok()? })
}
