//! Verifies access tokens of an OpenID Connect provider: JWTs of one issuer for one audience. Does no I/O: the caller
//! fetches the issuer's keys.
//!
//! The key determines the algorithm, never the token: RSA keys verify RS256, P-256 keys ES256, and Ed25519 keys
//! `EdDSA`. `none` and HMACs are never accepted. Source: RFC 8725, sections 3.1 and 3.2.

mod key_set;
mod ring_provider;
mod verifier;

pub use key_set::{InvalidKeySet, KeySet};
pub use verifier::{AccessToken, CLOCK_SKEW, InvalidToken, MAX_TOKEN_BYTES, Verifier};
