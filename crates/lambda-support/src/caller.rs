//! Whose request it is, as the API layer says.

use orders::{InvalidOwner, Owner};
use orders_api::OWNER_STAGE_VARIABLE;
use thiserror::Error;

/// The API layer did not say whose request it is, or not in a way that can be: the deployment is wrong, not the
/// request.
#[derive(Debug, Error)]
pub enum CallerError {
    /// The stage variable is missing.
    #[error("stage variable {OWNER_STAGE_VARIABLE} is missing")]
    Missing,
    /// The stage variable cannot name an owner.
    #[error("stage variable {OWNER_STAGE_VARIABLE} {0}")]
    Invalid(#[from] InvalidOwner),
}

/// Whose request it is, from the stage variables of an API Gateway event; `lookup` gives one by its name.
///
/// # Errors
/// See [`CallerError`].
pub fn owner<'a>(lookup: impl FnOnce(&str) -> Option<&'a str>) -> Result<Owner, CallerError> {
    let subject = lookup(OWNER_STAGE_VARIABLE).ok_or(CallerError::Missing)?;
    Ok(Owner::parse(subject)?)
}
