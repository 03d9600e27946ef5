//! Access tokens of an OpenID Connect provider: JWTs of one issuer for one audience, verified by the issuer's public
//! keys. No I/O and no clock but the system's: where keys come from is the caller's business.
//!
//! What a token may be signed with is a property of the key, never of the token: RSA keys verify RS256, P-256 keys
//! ES256 and Ed25519 keys `EdDSA`. There is no way to verify `none` or an HMAC.
//! Source: RFC 8725, "JSON Web Token Best Current Practices", sections 3.1 and 3.2.

mod key_set;
mod ring_provider;
mod verifier;

pub use key_set::{InvalidKeySet, KeySet};
pub use verifier::{AccessToken, CLOCK_SKEW, MAX_TOKEN_BYTES, Refusal, Verifier};
