//! Tokens that are accepted, and tokens that are refused.
#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

use access_tokens::{AccessToken, InvalidKeySet, InvalidToken, KeySet, MAX_TOKEN_BYTES, Verifier};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::prelude::*;
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
        RsaPublicKeyComponents,
    },
};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "orders";

/// A key of 2 048 bits, used only in these tests.
const RSA_KEY: &[u8] = include_bytes!("fixtures/rsa-2048.der");

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

struct Issuer {
    rsa: RsaKeyPair,
    p256: EcdsaKeyPair,
    ed25519: Ed25519KeyPair,
}

impl Issuer {
    fn new() -> Self {
        let random = SystemRandom::new();
        let p256 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let ed25519 = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
        Self {
            rsa: RsaKeyPair::from_der(RSA_KEY).unwrap(),
            p256: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, p256.as_ref(), &random).unwrap(),
            ed25519: Ed25519KeyPair::from_pkcs8(ed25519.as_ref()).unwrap(),
        }
    }

    fn rsa_jwk(&self) -> Value {
        let public = RsaPublicKeyComponents::<Vec<u8>>::from(self.rsa.public_key());
        json!({"kty": "RSA", "kid": "RS256", "n": encode(public.n), "e": encode(public.e)})
    }

    fn jwks(&self) -> Value {
        let point = self.p256.public_key().as_ref();
        json!({"keys": [
            self.rsa_jwk(),
            {"kty": "EC", "crv": "P-256", "kid": "ES256", "x": encode(&point[1..33]), "y": encode(&point[33..])},
            {"kty": "OKP", "crv": "Ed25519", "kid": "EdDSA", "x": encode(self.ed25519.public_key())},
        ]})
    }

    fn keys(&self) -> KeySet {
        KeySet::parse(&self.jwks().to_string()).unwrap()
    }

    fn sign(&self, by: &str, message: &str) -> Vec<u8> {
        let random = SystemRandom::new();
        match by {
            "RS256" => {
                let mut signature = vec![0; self.rsa.public().modulus_len()];
                self.rsa.sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature).unwrap();
                signature
            }
            "ES256" => self.p256.sign(&random, message.as_bytes()).unwrap().as_ref().to_vec(),
            "EdDSA" => self.ed25519.sign(message.as_bytes()).as_ref().to_vec(),
            "none" => Vec::new(),
            other => panic!("{other}: no such key"),
        }
    }

    /// Signed by key `by`, even if the header names another.
    fn token(&self, by: &str, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        format!("{message}.{}", encode(self.sign(by, &message)))
    }
}

fn header(algorithm: &str) -> Value {
    json!({"alg": algorithm, "typ": "JWT", "kid": algorithm})
}

fn claims() -> Value {
    json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "exp": now() + 60})
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().unwrap().remove(name);
    object
}

fn verify(token: &str, keys: &KeySet) -> Result<AccessToken, InvalidToken> {
    Verifier::new(ISSUER, AUDIENCE).verify(token, keys)
}

#[test]
fn accepts_tokens_signed_by_each_type_of_key() {
    let issuer = Issuer::new();
    let claims = claims();

    for algorithm in ["RS256", "ES256", "EdDSA"] {
        let verified = verify(&issuer.token(algorithm, &header(algorithm), &claims), &issuer.keys());

        let expires_at_unix_seconds = claims["exp"].as_i64().unwrap();
        assert_eq!(verified, Ok(AccessToken { subject: "alice".into(), expires_at_unix_seconds }), "{algorithm}");
    }
}

#[test]
fn accepts_the_audiences_types_and_times_of_different_providers() {
    let issuer = Issuer::new();

    for claims in [
        with(claims(), "aud", json!(["other", AUDIENCE])),
        with(without(claims(), "aud"), "client_id", json!(AUDIENCE)),
        with(claims(), "exp", json!(f64::from(u32::try_from(now()).unwrap()) + 60.5)),
        with(with(without(claims(), "aud"), "client_id", json!(AUDIENCE)), "token_use", json!("access")),
        with(claims(), "nbf", json!(now() + 20)),
        with(claims(), "exp", json!(now() - 20)),
    ] {
        assert!(verify(&issuer.token("ES256", &header("ES256"), &claims), &issuer.keys()).is_ok(), "{claims}");
    }
    for header in [without(header("ES256"), "typ"), with(header("ES256"), "typ", json!("at+JWT"))] {
        assert!(verify(&issuer.token("ES256", &header, &claims()), &issuer.keys()).is_ok(), "{header}");
    }
}

#[test]
fn refuses_an_algorithm_that_is_not_the_keys() {
    let issuer = Issuer::new();
    let keys = issuer.keys();

    for (by, algorithm, kid) in [
        ("ES256", "ES256", "RS256"),
        ("EdDSA", "EdDSA", "ES256"),
        ("RS256", "RS384", "RS256"),
        ("RS256", "PS256", "RS256"),
    ] {
        let token = issuer.token(by, &with(header(algorithm), "kid", json!(kid)), &claims());
        assert_eq!(verify(&token, &keys), Err(InvalidToken::Algorithm), "{algorithm} by key {kid}");
    }
}

#[test]
fn refuses_unsigned_tokens_in_any_spelling_of_none() {
    let issuer = Issuer::new();

    for algorithm in ["none", "None", "NONE", "nOnE", ""] {
        let unsigned = issuer.token("none", &with(header("ES256"), "alg", json!(algorithm)), &claims());
        let signed = issuer.token("ES256", &with(header("ES256"), "alg", json!(algorithm)), &claims());
        for token in [unsigned, signed] {
            assert!(verify(&token, &issuer.keys()).is_err(), "{algorithm:?}");
        }
    }
    let stripped = issuer.token("none", &header("ES256"), &claims());
    assert_eq!(verify(&stripped, &issuer.keys()), Err(InvalidToken::Signature));
}

#[test]
fn refuses_an_hmac_made_with_a_public_key() {
    let issuer = Issuer::new();
    let (jwk, jwks) = (issuer.rsa_jwk(), issuer.jwks());
    let secrets = [
        issuer.rsa.public_key().as_ref().to_vec(),
        issuer.p256.public_key().as_ref().to_vec(),
        jwk.to_string().into_bytes(),
        jwks.to_string().into_bytes(),
        jwk["n"].as_str().unwrap().as_bytes().to_vec(),
        Vec::new(),
    ];

    for kid in ["RS256", "ES256", "EdDSA"] {
        for secret in &secrets {
            let header = with(header("HS256"), "kid", json!(kid));
            let message = format!("{}.{}", encode(header.to_string()), encode(claims().to_string()));
            let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
            let token = format!("{message}.{}", encode(signature));
            assert_eq!(verify(&token, &issuer.keys()), Err(InvalidToken::Algorithm), "{kid}");
        }
    }
}

#[test]
fn refuses_wrong_claims_by_name() {
    let issuer = Issuer::new();
    let table = [
        (with(claims(), "iss", json!("https://issuer.example/")), InvalidToken::Issuer),
        (with(claims(), "iss", json!([ISSUER])), InvalidToken::Claims),
        (with(claims(), "aud", json!("other")), InvalidToken::Audience),
        (with(claims(), "aud", json!(["other"])), InvalidToken::Audience),
        (with(claims(), "aud", json!([])), InvalidToken::Audience),
        (without(claims(), "aud"), InvalidToken::Audience),
        (with(with(claims(), "aud", json!("other")), "client_id", json!(AUDIENCE)), InvalidToken::Audience),
        (with(claims(), "exp", json!(now() - 60)), InvalidToken::Expired),
        (with(claims(), "exp", json!(0)), InvalidToken::Expired),
        (with(claims(), "nbf", json!(now() + 60)), InvalidToken::NotYetValid),
        (with(claims(), "token_use", json!("id")), InvalidToken::Type),
        (without(claims(), "exp"), InvalidToken::Claims),
        (without(claims(), "sub"), InvalidToken::Claims),
        (without(claims(), "iss"), InvalidToken::Claims),
        (with(claims(), "exp", json!("tomorrow")), InvalidToken::Claims),
        (with(claims(), "exp", json!(-1)), InvalidToken::Claims),
        (with(claims(), "nbf", json!("yesterday")), InvalidToken::Claims),
        (with(claims(), "sub", json!(7)), InvalidToken::Claims),
        (with(claims(), "sub", Value::Null), InvalidToken::Claims),
        (json!([]), InvalidToken::Claims),
    ];

    for (claims, refusal) in table {
        let token = issuer.token("ES256", &header("ES256"), &claims);
        assert_eq!(verify(&token, &issuer.keys()), Err(refusal), "{claims}");
    }
}

#[test]
fn refuses_headers_without_a_key_or_with_an_unknown_key_an_extension_or_another_type() {
    let issuer = Issuer::new();
    let table = [
        (without(header("ES256"), "kid"), InvalidToken::NoKeyId),
        (with(header("ES256"), "kid", json!("unknown")), InvalidToken::UnknownKey),
        (with(header("ES256"), "kid", json!("../../etc/passwd")), InvalidToken::UnknownKey),
        (with(header("ES256"), "crit", json!(["exp"])), InvalidToken::Malformed),
        (with(header("ES256"), "typ", json!("logout+jwt")), InvalidToken::Type),
    ];

    for (header, refusal) in table {
        assert_eq!(verify(&issuer.token("ES256", &header, &claims()), &issuer.keys()), Err(refusal), "{header}");
    }
}

#[test]
fn ignores_keys_in_the_token() {
    let (issuer, mallory) = (Issuer::new(), Issuer::new());
    let own_key = mallory.jwks()["keys"][1].clone();
    let own_header = with(with(header("ES256"), "jwk", own_key), "jku", json!("https://mallory.example/jwks.json"));

    let token = mallory.token("ES256", &own_header, &claims());

    assert_eq!(verify(&token, &issuer.keys()), Err(InvalidToken::Signature));
}

#[test]
fn refuses_a_token_with_a_changed_part() {
    let issuer = Issuer::new();
    let token = issuer.token("EdDSA", &header("EdDSA"), &claims());
    let parts: Vec<_> = token.split('.').collect();
    let other = encode(with(claims(), "sub", json!("bob")).to_string());

    for changed in [
        format!("{}.{other}.{}", parts[0], parts[2]),
        format!("{}.{}.{}", parts[0], parts[1], encode([0; 64])),
        format!("{}.{}.", parts[0], parts[1]),
    ] {
        assert_eq!(verify(&changed, &issuer.keys()), Err(InvalidToken::Signature), "{changed}");
    }
    for broken in
        ["", ".", "..", "a.b.c", &token[1..], &format!("{token}."), &format!("{token}.x"), &format!(" {token}")]
    {
        assert!(verify(broken, &issuer.keys()).is_err(), "{broken}");
    }
}

#[test]
fn refuses_a_huge_token() {
    let issuer = Issuer::new();
    let claims = with(claims(), "padding", json!("x".repeat(MAX_TOKEN_BYTES)));

    assert_eq!(verify(&issuer.token("ES256", &header("ES256"), &claims), &issuer.keys()), Err(InvalidToken::TooLong));
}

#[test]
fn an_expiry_after_the_year_9999_counts_as_its_last_second() {
    let issuer = Issuer::new();
    let token = issuer.token("ES256", &header("ES256"), &with(claims(), "exp", json!(1e18)));

    assert_eq!(verify(&token, &issuer.keys()).unwrap().expires_at_unix_seconds, 253_402_300_799);
}

#[test]
fn ignores_unusable_keys() {
    let issuer = Issuer::new();
    let usable = issuer.jwks()["keys"][1].clone();
    let unusable = [
        json!({"kty": "oct", "kid": "ES256", "k": "c2VjcmV0"}),
        with(usable.clone(), "use", json!("enc")),
        with(usable.clone(), "key_ops", json!(["sign"])),
        with(usable.clone(), "alg", json!("ES384")),
        without(usable.clone(), "kid"),
        with(usable.clone(), "kid", json!("")),
        json!({"kty": "post-quantum", "kid": "new"}),
        json!("key"),
    ];

    for key in &unusable {
        let alone = KeySet::parse(&json!({ "keys": [key] }).to_string());
        assert!(matches!(alone, Err(InvalidKeySet::NoUsableKey)), "{key}");
    }
    let among_others = KeySet::parse(&json!({"keys": [unusable[0], unusable[6], usable]}).to_string()).unwrap();
    assert!(verify(&issuer.token("ES256", &header("ES256"), &claims()), &among_others).is_ok());
}

#[test]
fn refuses_a_set_with_a_private_key_among_its_keys() {
    let jwks = Issuer::new().jwks();
    let private = json!({"kty": "OKP", "crv": "Ed25519", "kid": "leaked", "x": "AA", "d": "AA"});

    for (position, key) in jwks["keys"].as_array().unwrap().iter().enumerate() {
        let mut leaked = jwks.clone();
        leaked["keys"][position] = with(key.clone(), "d", json!("AA"));
        assert!(matches!(KeySet::parse(&leaked.to_string()), Err(InvalidKeySet::PrivateKey)), "{key}");
    }
    let mut one_more = jwks;
    one_more["keys"].as_array_mut().unwrap().push(private);
    assert!(matches!(KeySet::parse(&one_more.to_string()), Err(InvalidKeySet::PrivateKey)));
}

#[test]
fn refuses_a_text_that_is_not_a_key_set() {
    for text in ["", "{}", "[]", "null", r#"{"keys":{}}"#, "<html>"] {
        assert!(matches!(KeySet::parse(text), Err(InvalidKeySet::Malformed(_))), "{text}");
    }
}

#[test]
fn a_broken_key_verifies_nothing() {
    let issuer = Issuer::new();
    for broken in [
        json!({"kty": "EC", "crv": "P-256", "kid": "ES256", "x": "", "y": ""}),
        json!({"kty": "EC", "crv": "P-256", "kid": "ES256", "x": encode([0; 32]), "y": encode([0; 32])}),
        json!({"kty": "RSA", "kid": "ES256", "n": "AQAB", "e": "AQAB"}),
        json!({"kty": "OKP", "crv": "Ed25519", "kid": "ES256", "x": "AA"}),
    ] {
        let keys = KeySet::parse(&json!({ "keys": [broken] }).to_string()).unwrap();
        assert!(verify(&issuer.token("ES256", &header("ES256"), &claims()), &keys).is_err(), "{broken}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_verifier_panic_or_accept(text in prop_oneof![any::<String>(), "[A-Za-z0-9_-]{0,40}(\\.[A-Za-z0-9_-]{0,40}){2}"]) {
        let keys = KeySet::parse(&Issuer::new().jwks().to_string()).unwrap();
        prop_assert!(verify(&text, &keys).is_err());
    }

    #[test]
    fn no_header_and_claims_make_the_verifier_panic_or_accept(header in any::<String>(), claims in any::<String>()) {
        let issuer = Issuer::new();
        let token = format!("{}.{}.{}", encode(header), encode(claims), encode([0; 64]));
        prop_assert!(verify(&token, &issuer.keys()).is_err());
    }

    #[test]
    fn no_text_makes_the_key_set_panic(text in any::<String>()) {
        let _ = KeySet::parse(&text);
    }
}
