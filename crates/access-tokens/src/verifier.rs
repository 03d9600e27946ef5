use crate::{KeySet, key_set::Key, ring_provider};
use jsonwebtoken::{Validation, decode, decode_header, errors::ErrorKind};
use serde::Deserialize;
use std::time::Duration;
use thiserror::Error;

/// Longest token, in bytes. All headers of a request together have at most 10 240 bytes.
/// Source: Amazon API Gateway Developer Guide, "Quotas for configuring and running a REST API".
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// Allowed difference between the issuer's clock and this one, for `exp` and `nbf`.
pub const CLOCK_SKEW: Duration = Duration::from_secs(30);

/// The last second of the year 9999, in seconds since 1970. A later `exp` counts as this.
const LAST_SECOND: f64 = 253_402_300_799.0;

/// Accepted values of the header `typ`. Source: RFC 7519, section 5.1; RFC 9068, section 2.1; RFC 8725, section 3.11.
const TYPES: [&str; 3] = ["JWT", "at+jwt", "application/at+jwt"];

/// Verifies tokens of one issuer for one audience.
#[derive(Clone, Debug)]
pub struct Verifier {
    issuer: String,
    audience: String,
}

/// The claims of a verified token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// The claim `sub`.
    pub subject: String,
    /// The claim `exp`, in seconds since 1970, without [`CLOCK_SKEW`].
    pub expires_at_unix_seconds: i64,
}

/// Why a token is refused. The message contains no text from the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidToken {
    /// Longer than [`MAX_TOKEN_BYTES`].
    #[error("the token is too long")]
    TooLong,
    /// Not a JWT, or a JWT that requires an extension (`crit`).
    #[error("the token is malformed")]
    Malformed,
    /// A JWT that is not an access token.
    #[error("the token has the wrong type")]
    Type,
    /// The header has no key id (`kid`).
    #[error("the token does not name its key")]
    NoKeyId,
    /// No known key has that id. The issuer may have a new key.
    #[error("the token names an unknown key")]
    UnknownKey,
    /// The header names another algorithm than the key's.
    #[error("the token's algorithm is not its key's")]
    Algorithm,
    /// Not signed by its key.
    #[error("the signature is not valid")]
    Signature,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` is in the future.
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
    /// Accepts tokens with exactly `issuer` as `iss`, and with `audience` in `aud`. Without `aud`, the audience must be
    /// the `client_id`, as in access tokens of Amazon Cognito.
    /// Source: Amazon API Gateway Developer Guide, "Control access to HTTP APIs with JWT authorizers".
    #[must_use]
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        ring_provider::install();
        Self { issuer: issuer.into(), audience: audience.into() }
    }

    /// Verifies one token, by the system's clock.
    ///
    /// # Errors
    /// See [`InvalidToken`].
    pub fn verify(&self, token: &str, keys: &KeySet) -> Result<AccessToken, InvalidToken> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(InvalidToken::TooLong);
        }
        let header = decode_header(token).map_err(|error| match error.kind() {
            // `none` and other names that the parser does not know.
            ErrorKind::InvalidAlgorithmName => InvalidToken::Algorithm,
            _ => InvalidToken::Malformed,
        })?;
        if header.crit.is_some() {
            return Err(InvalidToken::Malformed);
        }
        if header.typ.is_some_and(|own| !TYPES.iter().any(|known| own.eq_ignore_ascii_case(known))) {
            return Err(InvalidToken::Type);
        }
        let id = header.kid.ok_or(InvalidToken::NoKeyId)?;
        let mut refusal = InvalidToken::UnknownKey;
        for key in keys.with_id(&id) {
            match self.verify_by(token, key) {
                Ok(verified) => return Ok(verified),
                Err(error) => refusal = error,
            }
        }
        Err(refusal)
    }

    fn verify_by(&self, token: &str, key: &Key) -> Result<AccessToken, InvalidToken> {
        let mut validation = Validation::new(key.algorithm);
        validation.algorithms = vec![key.algorithm];
        validation.leeway = CLOCK_SKEW.as_secs();
        validation.validate_nbf = true;
        // The audience may be in `client_id`: see `accept`.
        validation.validate_aud = false;
        validation.set_issuer(&[&self.issuer]);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        let claims = decode::<Claims>(token, &key.public, &validation).map_err(|error| refusal(error.kind()))?;
        self.accept(claims.claims)
    }

    fn accept(&self, claims: Claims) -> Result<AccessToken, InvalidToken> {
        if claims.iss != self.issuer {
            return Err(InvalidToken::Issuer);
        }
        // Amazon Cognito signs ID tokens with the same keys; only `token_use` differs. An ID token does not authorize
        // requests.
        if claims.token_use.as_deref().is_some_and(|usage| usage != "access") {
            return Err(InvalidToken::Type);
        }
        let is_for_audience = match (&claims.aud, &claims.client_id) {
            (Some(OneOrMany::One(audience)), _) | (None, Some(audience)) => *audience == self.audience,
            (Some(OneOrMany::Many(audiences)), _) => audiences.contains(&self.audience),
            (None, None) => false,
        };
        if !is_for_audience {
            return Err(InvalidToken::Audience);
        }
        #[expect(clippy::cast_possible_truncation, reason = "the range fits, and a fraction of a second is cut off")]
        let expires_at_unix_seconds = claims.exp.clamp(0.0, LAST_SECOND) as i64;
        Ok(AccessToken { subject: claims.sub, expires_at_unix_seconds })
    }
}

fn refusal(error: &ErrorKind) -> InvalidToken {
    match error {
        ErrorKind::InvalidAlgorithm => InvalidToken::Algorithm,
        ErrorKind::InvalidSignature => InvalidToken::Signature,
        ErrorKind::ExpiredSignature => InvalidToken::Expired,
        ErrorKind::ImmatureSignature => InvalidToken::NotYetValid,
        ErrorKind::InvalidIssuer => InvalidToken::Issuer,
        ErrorKind::MissingRequiredClaim(_) | ErrorKind::InvalidClaimFormat(_) | ErrorKind::Json(_) => {
            InvalidToken::Claims
        }
        _ => InvalidToken::Malformed,
    }
}
