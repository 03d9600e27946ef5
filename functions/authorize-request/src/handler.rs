use crate::{credentials::AuthorizerEvent, key_source::KeySource, policy, provider::FetchKeys};
use access_tokens::{AccessToken, InvalidToken, Verifier};
use orders::Owner;
use serde_json::Value;
use thiserror::Error;

/// Verifies a request's token, and returns a policy.
pub(crate) struct Authorizer<F> {
    pub(crate) verifier: Verifier,
    /// The keys that verify them.
    pub(crate) keys: KeySource<F>,
}

/// Why a request could be neither allowed nor denied. API Gateway answers 500, and asks again for the next request.
#[derive(Debug, Error)]
pub(crate) enum AuthorizeError {
    #[error("the event is not a request to authorize: {0}")]
    Event(String),
    /// The issuer's keys were never fetched.
    #[error("no keys to verify tokens")]
    NoKeys,
}

impl<F: FetchKeys> Authorizer<F> {
    /// Returns a policy for the whole stage, with the owner and the token's expiry in its context if it allows. Only
    /// the log has the reason of a denial.
    ///
    /// # Errors
    /// See [`AuthorizeError`].
    pub(crate) async fn authorize(&self, event: Value) -> Result<Value, AuthorizeError> {
        // Serde's message may quote the token.
        let event: AuthorizerEvent = serde_json::from_value(event).map_err(|_| event_error("unknown shape"))?;
        let stage = policy::whole_stage(event.method_arn()).ok_or_else(|| event_error("no stage"))?;
        let Some(token) = event.token() else { return Ok(deny("no token, or more than one", &stage)) };
        let accepted = match self.verify(token).await? {
            Ok(accepted) => accepted,
            Err(refusal) => return Ok(deny(&refusal.to_string(), &stage)),
        };
        match Owner::parse(&accepted.subject) {
            Ok(owner) => Ok(policy::allow(&owner, accepted.expires_at_unix_seconds, &stage)),
            Err(_) => Ok(deny("the subject cannot be an owner", &stage)),
        }
    }

    async fn verify(&self, token: &str) -> Result<Result<AccessToken, InvalidToken>, AuthorizeError> {
        let mut verified = self.verifier.verify(token, &*self.keys.current().await);
        if verified == Err(InvalidToken::UnknownKey) {
            let keys = self.keys.after_an_unknown_key().await;
            if keys.is_empty() {
                return Err(AuthorizeError::NoKeys);
            }
            verified = self.verifier.verify(token, &keys);
        }
        Ok(verified)
    }
}

fn event_error(what: &str) -> AuthorizeError {
    AuthorizeError::Event(what.to_owned())
}

fn deny(reason: &str, stage: &str) -> Value {
    tracing::info!(reason, "Refused a request: {reason}");
    policy::deny(stage)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::provider::FetchError;
    use access_tokens::KeySet;
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use proptest::prelude::*;
    use ring::{
        rand::SystemRandom,
        signature::{Ed25519KeyPair, KeyPair},
    };
    use serde_json::json;
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        time::{SystemTime, UNIX_EPOCH},
    };

    pub(crate) struct Issuer {
        key: Ed25519KeyPair,
        id: &'static str,
    }

    impl Issuer {
        pub(crate) fn new(id: &'static str) -> Self {
            let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("there is randomness");
            Self { key: Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).expect("it was just made"), id }
        }

        pub(crate) fn jwks(&self) -> String {
            let x = URL_SAFE_NO_PAD.encode(self.key.public_key());
            json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": self.id, "x": x}]}).to_string()
        }

        fn token_of(&self, subject: &str) -> String {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is past 1970").as_secs();
            let header = json!({"alg": "EdDSA", "kid": self.id}).to_string();
            let claims = json!({"iss": "issuer", "aud": "orders", "sub": subject, "exp": now + 60}).to_string();
            let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
            format!("{message}.{}", URL_SAFE_NO_PAD.encode(self.key.sign(message.as_bytes())))
        }
    }

    /// Counts the fetches. Fails without keys.
    struct Published(Option<String>, Arc<AtomicUsize>);

    impl FetchKeys for Published {
        async fn fetch(&self) -> Result<KeySet, FetchError> {
            self.1.fetch_add(1, Ordering::SeqCst);
            Ok(KeySet::parse(self.0.as_deref().ok_or(FetchError::TooLong)?)?)
        }
    }

    fn authorizer(jwks: Option<String>) -> Authorizer<Published> {
        counted(jwks, &Arc::default())
    }

    fn counted(jwks: Option<String>, fetches: &Arc<AtomicUsize>) -> Authorizer<Published> {
        let keys = KeySource::fetched(Published(jwks, Arc::clone(fetches)));
        Authorizer { verifier: Verifier::new("issuer", "orders"), keys }
    }

    fn rest(authorization: &str) -> Value {
        let mut event: Value =
            serde_json::from_str(include_str!("../tests/fixtures/rest-token.json")).expect("the fixture is JSON");
        event["authorizationToken"] = json!(authorization);
        event
    }

    fn websocket(headers: &Value) -> Value {
        let mut event: Value = serde_json::from_str(include_str!("../tests/fixtures/websocket-request.json"))
            .expect("the fixture is JSON");
        for (name, values) in headers.as_object().expect("headers are an object") {
            event["multiValueHeaders"][name] = values.clone();
        }
        event
    }

    async fn effect(issuer: &Issuer, event: Value) -> (String, Value) {
        let answer = authorizer(Some(issuer.jwks())).authorize(event).await.expect("there are keys");
        let statement = &answer["policyDocument"]["Statement"][0];
        (statement["Effect"].as_str().expect("an effect").to_owned(), answer)
    }

    #[tokio::test]
    async fn allows_the_whole_stage_and_names_the_owner() {
        let issuer = Issuer::new("key-1");

        let (effect, answer) = effect(&issuer, rest(&format!("Bearer {}", issuer.token_of("alice")))).await;

        assert_eq!(effect, "Allow");
        assert_eq!(answer["principalId"], "alice");
        assert_eq!(answer["context"]["owner"], "alice");
        assert!(answer["context"]["expiresAt"].as_str().is_some_and(|text| text.parse::<i64>().is_ok()), "{answer}");
        assert_eq!(
            answer["policyDocument"]["Statement"][0]["Resource"],
            "arn:aws:execute-api:eu-central-1:123456789012:abcdefghij/live/*"
        );
    }

    #[tokio::test]
    async fn reads_the_token_of_a_socket_from_its_header_or_its_subprotocols() {
        let issuer = Issuer::new("key-1");
        let token = issuer.token_of("alice");

        for headers in [
            json!({"Authorization": [format!("Bearer {token}")]}),
            json!({"authorization": [format!("bearer  {token}")]}),
            json!({"Sec-WebSocket-Protocol": [format!("twolane.v1, twolane.token.{token}")]}),
            json!({"sec-websocket-protocol": [format!("twolane.token.{token}"), "twolane.v1"]}),
        ] {
            let (effect, answer) = effect(&issuer, websocket(&headers)).await;
            assert_eq!((effect.as_str(), &answer["context"]["owner"]), ("Allow", &json!("alice")), "{headers}");
        }
    }

    #[tokio::test]
    async fn denies_a_socket_without_exactly_one_token_or_without_the_subprotocol() {
        let issuer = Issuer::new("key-1");
        let token = issuer.token_of("alice");
        let other = issuer.token_of("bob");

        for headers in [
            json!({}),
            json!({"Authorization": [token]}),
            json!({"Authorization": [format!("Basic {token}")]}),
            json!({"Authorization": [format!("Bearer {token}"), format!("Bearer {other}")]}),
            json!({"Authorization": [format!("Bearer {token}")], "authorization": [format!("Bearer {token}")]}),
            json!({"Sec-WebSocket-Protocol": [format!("twolane.token.{token}")]}),
            json!({"Sec-WebSocket-Protocol": [format!("twolane.v1, {token}")]}),
            json!({"Sec-WebSocket-Protocol": [format!("twolane.v1, twolane.token.{token}, twolane.token.{other}")]}),
            json!({"Authorization": [format!("Bearer {token}")], "Sec-WebSocket-Protocol": [format!("twolane.v1, twolane.token.{other}")]}),
        ] {
            assert_eq!(effect(&issuer, websocket(&headers)).await.0, "Deny", "{headers}");
        }
    }

    #[tokio::test]
    async fn ignores_tokens_in_the_url() {
        let issuer = Issuer::new("key-1");
        let mut event = websocket(&json!({}));
        let token = issuer.token_of("alice");
        event["queryStringParameters"] = json!({"access_token": token, "Authorization": format!("Bearer {token}")});
        event["multiValueQueryStringParameters"] = json!({"access_token": [token], "token": [token]});

        assert_eq!(effect(&issuer, event).await.0, "Deny");
    }

    #[tokio::test]
    async fn denies_invalid_tokens_without_a_context() {
        let (issuer, other) = (Issuer::new("key-1"), Issuer::new("key-1"));

        for authorization in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer a.b.c",
            &format!("Bearer {}", other.token_of("alice")),
            &other.token_of("alice"),
        ] {
            let (effect, answer) = effect(&issuer, rest(authorization)).await;
            assert_eq!(effect, "Deny", "{authorization}");
            assert!(answer["context"].is_null() && answer["principalId"] == "nobody", "{answer}");
        }
    }

    #[tokio::test]
    async fn denies_a_subject_that_cannot_be_an_owner() {
        let issuer = Issuer::new("key-1");

        for subject in ["", " ", "a b", "a\nb", "ümit", "\u{202e}alice", &"x".repeat(256)] {
            let event = rest(&format!("Bearer {}", issuer.token_of(subject)));
            assert_eq!(effect(&issuer, event).await.0, "Deny", "{subject:?}");
        }
        for subject in ["a#b", "$util.x", "#set($a=1)", "&DelaySeconds=900", "%26", "+", "\"'\\", "a+b/c="] {
            let event = rest(&format!("Bearer {}", issuer.token_of(subject)));
            assert_eq!(effect(&issuer, event).await.1["context"]["owner"], subject);
        }
    }

    #[tokio::test]
    async fn fails_with_an_error_while_there_are_no_keys() {
        let issuer = Issuer::new("key-1");
        let without_keys = authorizer(None);

        let of_alice = without_keys.authorize(rest(&format!("Bearer {}", issuer.token_of("alice")))).await;
        let garbage = without_keys.authorize(rest("Bearer garbage")).await;

        assert!(matches!(of_alice, Err(AuthorizeError::NoKeys)), "{of_alice:?}");
        assert_eq!(garbage.expect("garbage needs no key")["policyDocument"]["Statement"][0]["Effect"], "Deny");
    }

    #[tokio::test]
    async fn denies_an_unknown_key_after_fetching_new_keys() {
        let (issuer, other) = (Issuer::new("key-1"), Issuer::new("key-2"));

        let (effect, _) = effect(&issuer, rest(&format!("Bearer {}", other.token_of("alice")))).await;

        assert_eq!(effect, "Deny");
    }

    #[tokio::test]
    async fn a_flood_of_unknown_keys_fetches_once_and_does_not_deny_valid_tokens() {
        let (issuer, other, fetches) = (Issuer::new("key-1"), Issuer::new("key-2"), Arc::default());
        let authorizer = counted(Some(issuer.jwks()), &fetches);

        for number in 0..1_000 {
            let answer = authorizer.authorize(rest(&format!("Bearer {}", other.token_of(&number.to_string())))).await;
            assert_eq!(answer.expect("there are keys")["policyDocument"]["Statement"][0]["Effect"], "Deny");
        }
        let good = authorizer.authorize(rest(&format!("Bearer {}", issuer.token_of("alice")))).await;

        assert_eq!(good.expect("there are keys")["policyDocument"]["Statement"][0]["Effect"], "Allow");
        assert_eq!(fetches.load(Ordering::SeqCst), 1, "within a minute");
    }

    #[tokio::test]
    async fn an_event_of_another_kind_is_an_error_without_its_content() {
        let error = authorizer(None).authorize(json!({"type": "TOKEN", "authorizationToken": ["secret"]})).await;

        assert!(!format!("{:?} {}", error, error.as_ref().expect_err("the event is malformed")).contains("secret"));
    }

    proptest! {
        #[test]
        fn no_header_makes_the_authorizer_panic_or_allow(value in any::<String>(), protocol in any::<String>()) {
            let issuer = Issuer::new("key-1");
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
            for event in [rest(&value), websocket(&json!({"Authorization": [value], "Sec-WebSocket-Protocol": [protocol]}))] {
                prop_assert_eq!(runtime.block_on(effect(&issuer, event)).0, "Deny");
            }
        }
    }
}
