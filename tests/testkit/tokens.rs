//! Access tokens of the stack's issuer, valid and forged.
//!
//! `TWOLANE_TOKENS` names a file of tokens, one a line, each of a different user. Without it, the issuer's private key
//! signs them. It is in the file that `TWOLANE_ISSUER` names, or in `issuer.json` next to the stack's outputs. Special
//! tokens, such as one that expires soon, always need the key.

use crate::{eventually::eventually, outputs::outputs_path};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::Ed25519KeyPair;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    env, fs,
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// In seconds: longer than any test.
const TTL_SECONDS: u64 = 3600;

/// The issuer that the stack trusts.
pub struct Issuer {
    document: Value,
    key: Ed25519KeyPair,
}

/// The issuer that the stack trusts.
pub fn issuer() -> &'static Issuer {
    static ISSUER: OnceLock<Issuer> = OnceLock::new();
    ISSUER.get_or_init(|| {
        let next_to_outputs = || outputs_path().with_file_name("issuer.json");
        Issuer::read(&env::var_os("TWOLANE_ISSUER").map_or_else(next_to_outputs, PathBuf::from))
    })
}

/// The same one in all calls, because API Gateway caches the authorizer's answer. With `TWOLANE_TOKENS`, each new name
/// takes the next token of the file.
pub fn token(name: &str) -> String {
    static TOKENS: Mutex<Option<HashMap<String, String>>> = Mutex::new(None);
    let mut tokens = TOKENS.lock().unwrap();
    let known = tokens.get_or_insert_default();
    let taken = known.len();
    let make = || match given() {
        Some(given) => given.get(taken).unwrap_or_else(|| panic!("TWOLANE_TOKENS has no token for {name}")).clone(),
        None => issuer().token(&issuer().claims(name)),
    };
    known.entry(name.to_owned()).or_insert_with(make).clone()
}

/// The owner of the user's orders.
pub fn subject_of(name: &str) -> String {
    let token = token(name);
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).expect("a token has three parts")).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    claims["sub"].as_str().expect("a token has a subject").to_owned()
}

fn given() -> Option<&'static [String]> {
    static GIVEN: OnceLock<Option<Vec<String>>> = OnceLock::new();
    let read = || {
        let path = PathBuf::from(env::var_os("TWOLANE_TOKENS")?);
        let text = fs::read_to_string(&path);
        let text = text.unwrap_or_else(|error| panic!("Failed to read the tokens from {}: {error}.", path.display()));
        Some(text.split_whitespace().map(str::to_owned).collect())
    };
    GIVEN.get_or_init(read).as_deref()
}

/// A token that expires soon.
pub struct ShortToken {
    /// As it is sent.
    pub text: String,
    /// In seconds since 1970.
    expires_at: u64,
}

impl ShortToken {
    /// For the subject, for that many seconds.
    pub fn new(subject: &str, seconds: u64) -> Self {
        let (mut claims, expires_at) = (issuer().claims(subject), now() + seconds);
        claims["exp"] = expires_at.into();
        Self { text: issuer().token(&claims), expires_at }
    }

    /// Waits until it has expired.
    pub async fn has_expired(&self) {
        let left = Duration::from_secs(self.expires_at.saturating_sub(now()) + 2);
        eventually(left, "the token expires", async || (now() > self.expires_at).then_some(())).await;
    }
}

/// The present second.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Encodes a part of a token.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Issuer {
    /// Reads the issuer from a file.
    pub fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_else(|error| {
            panic!("Failed to read the issuer of the stack's tokens from {}: {error}.", path.display())
        });
        Self::new(serde_json::from_str(&text).unwrap())
    }

    fn new(document: Value) -> Self {
        let decode = |name: &str| URL_SAFE_NO_PAD.decode(document["key"][name].as_str().unwrap()).unwrap();
        let key = Ed25519KeyPair::from_seed_and_public_key(&decode("d"), &decode("x")).unwrap();
        Self { document, key }
    }

    /// The same name with another key.
    #[must_use]
    pub fn impostor(&self) -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new()).unwrap();
        Self { document: self.document.clone(), key: Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap() }
    }

    /// Its public key.
    pub fn public_key(&self) -> Value {
        let mut key = self.document["key"].clone();
        key.as_object_mut().unwrap().remove("d");
        key
    }

    /// Its tokens' header.
    pub fn header(&self) -> Value {
        json!({"alg": "EdDSA", "typ": "JWT", "kid": self.document["key"]["kid"]})
    }

    /// Valid for the subject.
    pub fn claims(&self, subject: &str) -> Value {
        let (issuer, audience) = (&self.document["issuer"], &self.document["audience"]);
        json!({"iss": issuer, "aud": audience, "sub": subject, "iat": now(), "exp": now() + TTL_SECONDS})
    }

    /// A token with those claims.
    pub fn token(&self, claims: &Value) -> String {
        self.signed(&self.header(), claims)
    }

    /// Signed with the issuer's key even if the header names another.
    pub fn signed(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        format!("{message}.{}", encode(self.key.sign(message.as_bytes())))
    }
}
