//! The local stack's token issuer. Its key file allows to sign a token for any of that stack's users.

use anyhow::Context;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::Ed25519KeyPair;
use serde::Deserialize;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// `make up` writes it next to the stack's outputs.
pub const FILE_NAME: &str = "issuer.json";

/// An issuer and its private key.
pub struct Issuer {
    name: String,
    audience: String,
    key_id: String,
    key: Ed25519KeyPair,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    audience: String,
    key: PrivateKey,
}

/// Source: RFC 8037, section 2.
#[derive(Deserialize)]
struct PrivateKey {
    kid: String,
    x: String,
    d: String,
}

impl Issuer {
    /// The issuer in that file.
    ///
    /// # Errors
    /// The file cannot be read or has no issuer. The message never shows the key.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).with_context(|| format!("Failed to read the issuer in {shown}"))?;
        Self::parse(&text).with_context(|| format!("{shown} has no issuer with an Ed25519 key"))
    }

    fn parse(text: &str) -> Option<Self> {
        let Document { issuer, audience, key } = serde_json::from_str(text).ok()?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        let pair = Ed25519KeyPair::from_seed_and_public_key(&decode(&key.d)?, &decode(&key.x)?).ok()?;
        Some(Self { name: issuer, audience, key_id: key.kid, key: pair })
    }

    /// A token for the subject, from `now` for `ttl`.
    #[must_use]
    pub fn token(&self, subject: &str, ttl: Duration, now: SystemTime) -> String {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let (issued_at, expires_at) = (now.as_secs(), now.saturating_add(ttl).as_secs());
        let header = json!({"alg": "EdDSA", "typ": "JWT", "kid": self.key_id}).to_string();
        let claims = json!({
            "iss": self.name, "aud": self.audience, "sub": subject, "iat": issued_at, "exp": expires_at,
        });
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = self.key.sign(message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// The issuer's file next to those outputs, if any.
#[must_use]
pub fn next_to(outputs: &Path) -> Option<PathBuf> {
    Some(outputs.with_file_name(FILE_NAME)).filter(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{ED25519, KeyPair, UnparsedPublicKey};
    use serde_json::Value;

    /// The key of RFC 8037, appendix A.
    const DOCUMENT: &str = r#"{"issuer":"https://issuer.invalid","audience":"twolane","key":{"kty":"OKP",
        "crv":"Ed25519","kid":"key-1","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}"#;

    impl Issuer {
        pub(crate) fn sample() -> Self {
            Self::parse(DOCUMENT).expect("the key is from the RFC")
        }
    }

    #[test]
    fn signs_tokens_as_the_stack_expects_them() {
        let issuer = Issuer::sample();

        let token = issuer.token("alice", Duration::from_mins(1), SystemTime::now());

        let (message, signature) = token.rsplit_once('.').expect("three parts");
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).expect("base64url");
        let public = UnparsedPublicKey::new(&ED25519, issuer.key.public_key().as_ref());
        assert!(public.verify(message.as_bytes(), &decode(signature)).is_ok());
        let (header, claims) = message.split_once('.').expect("two parts");
        let [header, claims]: [Value; 2] =
            [header, claims].map(|part| serde_json::from_slice(&decode(part)).expect("JSON"));
        assert_eq!(header, json!({"alg": "EdDSA", "typ": "JWT", "kid": "key-1"}));
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!("https://issuer.invalid"), &json!("twolane")));
        assert_eq!(claims["sub"], "alice");
        assert_eq!(claims["exp"].as_u64().zip(claims["iat"].as_u64()).map(|(exp, iat)| exp - iat), Some(60));
    }

    #[test]
    fn a_file_without_an_issuer_is_refused() {
        for text in ["", "{}", r#"{"issuer":"i","audience":"a","key":{"kid":"k","x":"AA","d":"secret"}}"#] {
            assert!(Issuer::parse(text).is_none(), "{text}");
        }
    }
}
