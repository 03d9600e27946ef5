//! Access tokens.

use crate::issuer::{self, Issuer};
use crate::stack::Stack;
use crate::timestamp::timestamp;
use anyhow::Context;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::header::HeaderValue;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use time::OffsetDateTime;

/// On a local stack, if no token is given.
const LOCAL_SUBJECT: &str = "demo";

/// Of a local token; a socket ends with its token.
const LOCAL_TTL: Duration = Duration::from_hours(1);

/// Before a local token's expiry: longer than any request takes.
const RENEW_BEFORE: Duration = Duration::from_mins(5);

/// A request's token.
#[derive(Clone)]
pub enum Token {
    /// No token: the stack decides.
    None,
    /// A given token.
    Given {
        /// The value of `Authorization`.
        authorization: HeaderValue,
        /// Its expiry, if it has one.
        expires_at: Option<OffsetDateTime>,
    },
    /// From the local stack's issuer, renewed before it expires.
    Made(Arc<Maker>),
}

/// Reuses the last token: API Gateway calls the authorizer for each token that is not in its cache.
pub struct Maker {
    issuer: Arc<Issuer>,
    subject: String,
    last: Mutex<Option<(HeaderValue, SystemTime)>>,
}

impl Maker {
    fn new(issuer: Arc<Issuer>, subject: &str) -> Self {
        Self { issuer, subject: subject.to_owned(), last: Mutex::new(None) }
    }

    fn authorization(&self, now: SystemTime) -> Option<HeaderValue> {
        let mut last = self.last.lock().expect("no holder of this lock panics");
        if let Some((value, expires_at)) = &*last
            && now + RENEW_BEFORE < *expires_at
        {
            return Some(value.clone());
        }
        let value = bearer(&self.issuer.token(&self.subject, LOCAL_TTL, now))?;
        *last = Some((value.clone(), now + LOCAL_TTL));
        Some(value)
    }
}

impl Token {
    /// The given token, else one of the local stack's issuer.
    ///
    /// # Errors
    /// The given token is invalid, or the issuer's file cannot be read.
    pub fn find(given: Option<&str>, stack: &Stack) -> anyhow::Result<Self> {
        if let Some(token) = given.map(str::trim).filter(|token| !token.is_empty()) {
            return Self::given(token);
        }
        match stack.file().as_deref().and_then(issuer::next_to) {
            Some(path) => Ok(Self::made(Arc::new(Issuer::read(&path)?), LOCAL_SUBJECT)),
            None => Ok(Self::None),
        }
    }

    /// With or without `Bearer`.
    ///
    /// # Errors
    /// It contains invalid characters.
    pub fn given(token: &str) -> anyhow::Result<Self> {
        let token = without_scheme(token);
        let authorization = bearer(token).context("The token contains invalid characters")?;
        Ok(Self::Given { authorization, expires_at: expiry(token) })
    }

    /// Tokens for that subject from a local issuer, made on demand.
    #[must_use]
    pub fn made(issuer: Arc<Issuer>, subject: &str) -> Self {
        Self::Made(Arc::new(Maker::new(issuer, subject)))
    }

    /// Value of `Authorization`.
    #[must_use]
    pub fn authorization(&self) -> Option<HeaderValue> {
        match self {
            Self::None => None,
            Self::Given { authorization, .. } => Some(authorization.clone()),
            Self::Made(maker) => maker.authorization(SystemTime::now()),
        }
    }

    /// The token and its expiry: if the local issuer makes it, a new one that lasts `ttl`. `None` without a token or
    /// its expiry.
    #[must_use]
    pub fn short_lived(&self, ttl: Duration, now: SystemTime) -> Option<(String, OffsetDateTime)> {
        let token = match self {
            Self::None => return None,
            Self::Given { authorization, .. } => without_scheme(authorization.to_str().ok()?).to_owned(),
            Self::Made(maker) => maker.issuer.token(&maker.subject, ttl, now),
        };
        let expires_at = expiry(&token)?;
        Some((token, expires_at))
    }

    /// Whether another attempt may have another token.
    #[must_use]
    pub fn is_renewed(&self) -> bool {
        matches!(self, Self::Made(_))
    }

    /// Why the stack may have refused it.
    #[must_use]
    pub fn complaint(&self, now: OffsetDateTime) -> String {
        match self {
            Self::None => "there is no --token or TWOLANE_TOKEN, and no issuer of a local stack".to_owned(),
            Self::Given { expires_at: Some(end), .. } if *end <= now => {
                format!("the token of --token or TWOLANE_TOKEN expired at {}", timestamp(*end))
            }
            Self::Given { .. } => "the stack does not accept the token of --token or TWOLANE_TOKEN".to_owned(),
            Self::Made(_) => "the stack does not accept a token of the local issuer".to_owned(),
        }
    }
}

/// Removes the scheme from `Authorization`, in any case. Source: RFC 9110, section 11.1.
fn without_scheme(token: &str) -> &str {
    match token.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim_start(),
        _ => token,
    }
}

/// A JWT's expiry, unverified, if any.
fn expiry(token: &str) -> Option<OffsetDateTime> {
    let seconds = claims(token)?["exp"].as_f64()?;
    #[expect(clippy::cast_possible_truncation, reason = "a fraction of a second is cut off; the rest is checked next")]
    OffsetDateTime::from_unix_timestamp(seconds as i64).ok()
}

/// A JWT's subject, unverified, if any.
#[must_use]
pub fn subject(token: &str) -> Option<String> {
    Some(claims(token)?["sub"].as_str()?.to_owned())
}

fn claims(token: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?).ok()
}

fn bearer(token: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
    // Hidden where headers are printed.
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keeps_a_token_of_the_local_issuer_until_shortly_before_its_expiry() {
        let maker = Maker::new(Arc::new(Issuer::sample()), LOCAL_SUBJECT);
        let start = SystemTime::now();
        let at = |minutes| maker.authorization(start + Duration::from_mins(minutes));

        let (first, kept, renewed) = (at(0), at(54), at(55));

        assert!(first.is_some());
        assert_eq!(first, kept);
        assert_ne!(first, renewed);
        assert_eq!(renewed, at(109));
    }

    #[test]
    fn a_short_lived_token_has_its_expiry() {
        let (issuer, now) = (Arc::new(Issuer::sample()), SystemTime::now());
        let minute = Duration::from_mins(1);

        let (made, end) = Token::made(issuer, "alice").short_lived(minute, now).expect("the issuer makes one");

        assert_eq!((subject(&made).as_deref(), Some(end)), (Some("alice"), expiry(&made)));
        let given = Token::given(&format!("Bearer {made}")).expect("it can be sent").short_lived(minute, now);
        assert_eq!(given, Some((made, end)));
        assert_eq!(Token::given("opaque").expect("it can be sent").short_lived(minute, now), None);
        assert_eq!(Token::None.short_lived(minute, now), None);
    }

    #[test]
    fn reads_the_expiry_of_a_jwt_only() {
        let now = SystemTime::now();
        let token = Issuer::sample().token("alice", Duration::from_mins(1), now);

        let seconds = now.duration_since(SystemTime::UNIX_EPOCH).expect("it is past 1970").as_secs() + 60;
        assert_eq!(expiry(&token).map(|end| end.unix_timestamp().unsigned_abs()), Some(seconds));
        let huge = URL_SAFE_NO_PAD.encode(r#"{"exp":1e300}"#);
        for text in ["", "typed", "a.b.c", "a.e30.c", &format!("a.{huge}.c")] {
            assert_eq!(expiry(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_token_makes_the_parser_panic(text in any::<String>(), claims in any::<String>()) {
            let _ = expiry(&text);
            let _ = expiry(&format!("a.{}.c", URL_SAFE_NO_PAD.encode(claims)));
        }
    }
}
