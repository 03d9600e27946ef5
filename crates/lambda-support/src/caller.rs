//! The caller, as the authorizer identified them.

use crate::clock;
use orders::{InvalidOwner, Owner, Timestamp};
use orders_api::{EXPIRES_AT_CONTEXT, OWNER_CONTEXT};
use serde_json::Value;
use thiserror::Error;

/// The authorizer's context does not identify the caller: an error of the deployment.
#[derive(Debug, Error)]
pub enum CallerError {
    /// The authorizer's context lacks a value.
    #[error("the authorizer's {0} is missing")]
    Missing(&'static str),
    /// The owner is malformed.
    #[error("the authorizer's {OWNER_CONTEXT} {0}")]
    Owner(#[from] InvalidOwner),
    /// The session's end is not a number of seconds.
    #[error("the authorizer's {EXPIRES_AT_CONTEXT} is not a time")]
    ExpiresAt,
}

/// The user behind a request, and when their session ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The owner of the orders and sockets.
    pub owner: Owner,
    /// When the caller's token expires.
    pub session_ends_at: Timestamp,
}

impl Caller {
    /// Reads the authorizer's context of an API Gateway event. `lookup` returns its value of a name.
    ///
    /// # Errors
    /// See [`CallerError`].
    pub fn from_context<'a>(lookup: impl Fn(&str) -> Option<&'a Value>) -> Result<Self, CallerError> {
        let expires_at = text(&lookup, EXPIRES_AT_CONTEXT)?.parse::<i64>().ok();
        let expires_at = expires_at.and_then(|seconds| Timestamp::from_unix_ms(seconds.checked_mul(1000)?).ok());
        Ok(Self { owner: owner(lookup)?, session_ends_at: expires_at.ok_or(CallerError::ExpiresAt)? })
    }

    /// Whether the token has expired.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        clock::now() >= self.session_ends_at
    }
}

/// The owner alone: see [`Caller::from_context`].
///
/// # Errors
/// See [`CallerError`].
pub fn owner<'a>(lookup: impl Fn(&str) -> Option<&'a Value>) -> Result<Owner, CallerError> {
    Ok(Owner::parse(text(lookup, OWNER_CONTEXT)?)?)
}

fn text<'a>(lookup: impl Fn(&str) -> Option<&'a Value>, name: &'static str) -> Result<&'a str, CallerError> {
    lookup(name).and_then(Value::as_str).ok_or(CallerError::Missing(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn context(owner: &Value, expires_at: &Value) -> Value {
        json!({"owner": owner, "expiresAt": expires_at})
    }

    fn caller(context: &Value) -> Result<Caller, CallerError> {
        Caller::from_context(|name| context.get(name))
    }

    #[test]
    fn reads_the_context_of_the_authorizer() {
        let alice = caller(&context(&json!("alice"), &json!("4102444800"))).expect("it is complete");

        assert_eq!((alice.owner.as_str(), alice.session_ends_at.unix_seconds()), ("alice", 4_102_444_800));
        assert!(!alice.is_expired());
        assert!(caller(&context(&json!("alice"), &json!("0"))).expect("it is complete").is_expired());
    }

    #[test]
    fn refuses_missing_and_malformed_values() {
        for (owner, expires_at) in [
            (json!(null), json!("4102444800")),
            (json!(""), json!("4102444800")),
            (json!("a b"), json!("4102444800")),
            (json!("alice"), json!(null)),
            (json!("alice"), json!("soon")),
            (json!("alice"), json!("9223372036854775807")),
        ] {
            assert!(caller(&context(&owner, &expires_at)).is_err(), "{owner} {expires_at}");
        }
        assert!(matches!(owner(|_| None), Err(CallerError::Missing("owner"))));
    }
}
