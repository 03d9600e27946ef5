//! Why a repository did not do what it was asked.

use std::error::Error as StdError;
use thiserror::Error;

/// Why a repository could not answer. Nothing is known about whether the request took effect, so repeat it: every
/// request here may be repeated.
#[derive(Debug, Error)]
pub enum RepositoryError {
    /// The database is over a limit of its own.
    #[error("the database is over its limit")]
    Throttled(#[source] Box<dyn StdError + Send + Sync>),
    /// The database did not answer, or not in time, or with a fault of its own.
    #[error("the database is not available")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
    /// The database will not do this: a permission is missing or a name is wrong.
    #[error("the database refused the request")]
    Refused(#[source] Box<dyn StdError + Send + Sync>),
    /// The database holds something that is not one of ours.
    #[error("the stored record cannot be read")]
    Unreadable(#[source] Box<dyn StdError + Send + Sync>),
}

impl RepositoryError {
    /// Whether the same request may well succeed in a moment, without a fix.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Throttled(_) | Self::Unavailable(_))
    }
}
