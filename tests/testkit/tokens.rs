//! Access tokens of the stack's issuer, good ones and forged ones.
//!
//! `TWOLANE_TOKENS` names a file of tokens, one a line, each of somebody else. Without it they are made with the issuer's
//! private key, in the file that `TWOLANE_ISSUER` names, or else in that beside the stack's outputs. What only the key can
//! make, as a token that expires in a moment, needs the key.

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

/// How long a token lasts, in seconds: longer than any test.
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
        let beside_outputs = || outputs_path().with_file_name("issuer.json");
        Issuer::read(&env::var_os("TWOLANE_ISSUER").map_or_else(beside_outputs, PathBuf::from))
    })
}

/// A token of somebody, the same one throughout: API Gateway keeps what it thinks of it. Who is given by a file has a name
/// of their own there, and here the one by which they are asked for first.
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

/// The subject of somebody's token, which is the owner of all that they order.
pub fn subject_of(name: &str) -> String {
    let token = token(name);
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).expect("a token has three parts")).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    claims["sub"].as_str().expect("a token has a subject").to_owned()
}

/// The tokens of `TWOLANE_TOKENS`.
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

/// A token that ends soon.
pub struct ShortToken {
    /// As it is sent.
    pub text: String,
    /// When it expires, in seconds since 1970.
    expires_at: u64,
}

impl ShortToken {
    /// A token of the subject that expires after that many seconds.
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

/// As tokens are encoded.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Issuer {
    /// The issuer of that file.
    pub fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_else(|error| {
            panic!("Failed to read the issuer of the stack's tokens from {}: {error}.", path.display())
        });
        Self::of(serde_json::from_str(&text).unwrap())
    }

    fn of(document: Value) -> Self {
        let decode = |name: &str| URL_SAFE_NO_PAD.decode(document["key"][name].as_str().unwrap()).unwrap();
        let key = Ed25519KeyPair::from_seed_and_public_key(&decode("d"), &decode("x")).unwrap();
        Self { document, key }
    }

    /// An issuer that says it is this one, with a key of its own.
    #[must_use]
    pub fn impostor(&self) -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new()).unwrap();
        Self { document: self.document.clone(), key: Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap() }
    }

    /// The public half of its key, as everybody may know it.
    pub fn public_key(&self) -> Value {
        let mut key = self.document["key"].clone();
        key.as_object_mut().unwrap().remove("d");
        key
    }

    /// The header of its tokens.
    pub fn header(&self) -> Value {
        json!({"alg": "EdDSA", "typ": "JWT", "kid": self.document["key"]["kid"]})
    }

    /// The claims of a good token of the subject.
    pub fn claims(&self, subject: &str) -> Value {
        let (issuer, audience) = (&self.document["issuer"], &self.document["audience"]);
        json!({"iss": issuer, "aud": audience, "sub": subject, "iat": now(), "exp": now() + TTL_SECONDS})
    }

    /// A token with those claims.
    pub fn token(&self, claims: &Value) -> String {
        self.signed(&self.header(), claims)
    }

    /// A token with that header and those claims, signed with its key whatever the header says.
    pub fn signed(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        format!("{message}.{}", encode(self.key.sign(message.as_bytes())))
    }
}
