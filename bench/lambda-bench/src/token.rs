//! A token that authorize-request accepts, and the template parameters for it.

use anyhow::Context;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::Ed25519KeyPair;
use serde_json::json;
use std::time::{SystemTime, UNIX_EPOCH};

/// A published Ed25519 key, for tests. Source: RFC 8037, appendix A.
const PRIVATE: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
const PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

const ISSUER: &str = "https://issuer.invalid";
const AUDIENCE: &str = "twolane";

/// In seconds: longer than a run.
const LIFETIME: u64 = 24 * 3600;

/// With these, authorize-request accepts [`token`].
pub(crate) fn parameters() -> [(&'static str, String); 3] {
    let key = json!({"kty": "OKP", "crv": "Ed25519", "kid": "bench", "alg": "EdDSA", "use": "sig", "x": PUBLIC});
    [
        ("JwtIssuer", ISSUER.to_owned()),
        ("JwtAudience", AUDIENCE.to_owned()),
        ("Jwks", json!({ "keys": [key] }).to_string()),
    ]
}

/// Valid from now on.
///
/// # Errors
/// The key is not an Ed25519 key.
pub(crate) fn token() -> anyhow::Result<String> {
    let (private, public) = (URL_SAFE_NO_PAD.decode(PRIVATE)?, URL_SAFE_NO_PAD.decode(PUBLIC)?);
    let key = Ed25519KeyPair::from_seed_and_public_key(&private, &public).ok().context("the key is an Ed25519 key")?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let header = json!({"alg": "EdDSA", "typ": "JWT", "kid": "bench"});
    let claims = json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "demo", "iat": now, "exp": now + LIFETIME});
    let encode = |part: serde_json::Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()));
    Ok(format!("{message}.{signature}"))
}
