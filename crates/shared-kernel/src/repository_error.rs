use std::error::Error as StdError;
use thiserror::Error;

/// Why a repository call failed. It may have had its effect. Every call is safe to repeat.
#[derive(Debug, Error)]
pub enum RepositoryError {
    /// The database is over its limit.
    #[error("the database is over its limit")]
    Throttled(#[source] Box<dyn StdError + Send + Sync>),
    /// The database did not answer in time, or answered with a server fault.
    #[error("the database is not available")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
    /// The database refused the request: a missing permission or a wrong name.
    #[error("the database refused the request")]
    Refused(#[source] Box<dyn StdError + Send + Sync>),
    /// The stored record is malformed.
    #[error("the stored record cannot be read")]
    Unreadable(#[source] Box<dyn StdError + Send + Sync>),
}

impl RepositoryError {
    /// Whether the same request may succeed in a moment, without a fix.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Throttled(_) | Self::Unavailable(_))
    }
}
