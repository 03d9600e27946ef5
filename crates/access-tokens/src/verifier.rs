//! One token against one issuer, one audience and the issuer's keys.

use crate::{KeySet, key_set::Key, ring_provider};
use jsonwebtoken::{Validation, decode, decode_header, errors::ErrorKind};
use serde::Deserialize;
use std::time::Duration;
use thiserror::Error;

/// Longest token read, in bytes: all headers of a request together have 10 240 at most.
/// Source: Amazon API Gateway Developer Guide, "Quotas for configuring and running a REST API".
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// How far the issuer's clock may be from this one, for `exp` and `nbf`.
pub const CLOCK_SKEW: Duration = Duration::from_secs(30);

/// The last second of year 9999, in seconds since 1970: no session lasts longer.
const LAST_SECOND: f64 = 253_402_300_799.0;

/// Types that a token may say it is; other kinds of JWT are no access tokens.
/// Source: RFC 7519, section 5.1; RFC 9068, section 2.1; RFC 8725, section 3.11.
const TYPES: [&str; 3] = ["JWT", "at+jwt", "application/at+jwt"];

/// Verifies tokens of one issuer for one audience.
#[derive(Clone, Debug)]
pub struct Verifier {
    issuer: String,
    audience: String,
}

/// What a verified token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// Whose token it is: the claim `sub`.
    pub subject: String,
    /// When it expires, in seconds since 1970: the claim `exp`, without any allowance for clocks.
    pub expires_at_unix_seconds: i64,
}

/// Why a token is not accepted. No word of it comes from the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Longer than [`MAX_TOKEN_BYTES`].
    #[error("the token is too long")]
    TooLong,
    /// Not a JWT, or one that demands an extension.
    #[error("the token is malformed")]
    Malformed,
    /// A JWT of another kind.
    #[error("the token is of another type")]
    Type,
    /// It does not name its key.
    #[error("the token does not name its key")]
    NoKeyId,
    /// No key of that id is known: the issuer may have a new one.
    #[error("the token names an unknown key")]
    UnknownKey,
    /// It names another algorithm than its key's.
    #[error("the token is signed by another algorithm than its key's")]
    Algorithm,
    /// Not signed by its key.
    #[error("the signature is not valid")]
    Signature,
    /// `exp` is over.
    #[error("the token has expired")]
    Expired,
    /// `nbf` is to come.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// From another issuer.
    #[error("the token has another issuer")]
    Issuer,
    /// For another audience.
    #[error("the token is for another audience")]
    Audience,
    /// A claim is missing or malformed.
    #[error("a claim is missing or malformed")]
    Claims,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    iss: String,
    exp: f64,
    aud: Option<OneOrMany>,
    client_id: Option<String>,
    token_use: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl Verifier {
    /// Accepts tokens that name `issuer` as their `iss`, letter by letter, and `audience` in their `aud`. A token
    /// without `aud` must name the audience as its `client_id`, as the access tokens of Amazon Cognito do.
    /// Source: Amazon API Gateway Developer Guide, "Control access to HTTP APIs with JWT authorizers".
    #[must_use]
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        ring_provider::install();
        Self { issuer: issuer.into(), audience: audience.into() }
    }

    /// Verifies one token by the system's clock.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub fn verify(&self, token: &str, keys: &KeySet) -> Result<AccessToken, Refusal> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Refusal::TooLong);
        }
        let header = decode_header(token).map_err(|error| match error.kind() {
            // `none` and other algorithms that are no names to the parser.
            ErrorKind::InvalidAlgorithmName => Refusal::Algorithm,
            _ => Refusal::Malformed,
        })?;
        if header.crit.is_some() {
            return Err(Refusal::Malformed);
        }
        if header.typ.is_some_and(|own| !TYPES.iter().any(|known| own.eq_ignore_ascii_case(known))) {
            return Err(Refusal::Type);
        }
        let id = header.kid.ok_or(Refusal::NoKeyId)?;
        let mut refusal = Refusal::UnknownKey;
        for key in keys.with_id(&id) {
            match self.verify_by(token, key) {
                Ok(verified) => return Ok(verified),
                Err(error) => refusal = error,
            }
        }
        Err(refusal)
    }

    fn verify_by(&self, token: &str, key: &Key) -> Result<AccessToken, Refusal> {
        let mut validation = Validation::new(key.algorithm);
        validation.algorithms = vec![key.algorithm];
        validation.leeway = CLOCK_SKEW.as_secs();
        validation.validate_nbf = true;
        // Checked below: `client_id` may stand for it.
        validation.validate_aud = false;
        validation.set_issuer(&[&self.issuer]);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        let claims = decode::<Claims>(token, &key.public, &validation).map_err(|error| refusal(error.kind()))?;
        self.accept(claims.claims)
    }

    fn accept(&self, claims: Claims) -> Result<AccessToken, Refusal> {
        if claims.iss != self.issuer {
            return Err(Refusal::Issuer);
        }
        // Amazon Cognito signs tokens of both kinds with the same keys and tells them apart by this alone: one that says
        // who somebody is, and goes to every page, is no permission to act.
        if claims.token_use.as_deref().is_some_and(|usage| usage != "access") {
            return Err(Refusal::Type);
        }
        let meant = match (&claims.aud, &claims.client_id) {
            (Some(OneOrMany::One(audience)), _) | (None, Some(audience)) => *audience == self.audience,
            (Some(OneOrMany::Many(audiences)), _) => audiences.contains(&self.audience),
            (None, None) => false,
        };
        if !meant {
            return Err(Refusal::Audience);
        }
        #[expect(clippy::cast_possible_truncation, reason = "the range fits, and a fraction of a second is cut off")]
        let expires_at_unix_seconds = claims.exp.clamp(0.0, LAST_SECOND) as i64;
        Ok(AccessToken { subject: claims.sub, expires_at_unix_seconds })
    }
}

fn refusal(error: &ErrorKind) -> Refusal {
    match error {
        ErrorKind::InvalidAlgorithm => Refusal::Algorithm,
        ErrorKind::InvalidSignature => Refusal::Signature,
        ErrorKind::ExpiredSignature => Refusal::Expired,
        ErrorKind::ImmatureSignature => Refusal::NotYetValid,
        ErrorKind::InvalidIssuer => Refusal::Issuer,
        ErrorKind::MissingRequiredClaim(_) | ErrorKind::InvalidClaimFormat(_) | ErrorKind::Json(_) => Refusal::Claims,
        _ => Refusal::Malformed,
    }
}
