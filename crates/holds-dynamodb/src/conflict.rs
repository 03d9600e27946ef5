//! Writes that met another transaction on the same item.

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::RequestId,
};
use dynamodb_errors::{TRANSACTION_CONFLICT, repository_error};
use shared_kernel::RepositoryError;
use std::{error::Error as StdError, time::Duration};

/// Writes of one item, the first included. With the delays between them they take 0.8 s at most, besides DynamoDB's own time.
const MAX_ATTEMPTS: u32 = 6;

/// Longest delay before the second attempt. It doubles with each attempt. A transaction takes some 10 ms.
const BASE_DELAY: Duration = Duration::from_millis(25);

/// Why a write failed.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// Another transaction was writing the same item. Nothing was written.
    Conflict(RepositoryError),
    /// Anything else.
    Other(RepositoryError),
}

impl WriteError {
    /// What a failed write of one item means.
    pub(crate) fn new<E, R>(error: SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
        SdkError<E, R>: RequestId,
    {
        let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
        let classify = if code == Some(TRANSACTION_CONFLICT) { Self::Conflict } else { Self::Other };
        classify(repository_error(error))
    }
}

impl From<RepositoryError> for WriteError {
    fn from(error: RepositoryError) -> Self {
        Self::Other(error)
    }
}

/// Repeats `write` while it meets other transactions, after a delay with full jitter, a few times.
///
/// A redelivery by the queue would be the next chance, many seconds later: a conflict is over in milliseconds.
///
/// # Errors
/// What the last attempt met.
pub(crate) async fn retry_conflicts<T, F>(write: impl Fn() -> F) -> Result<T, RepositoryError>
where
    F: Future<Output = Result<T, WriteError>>,
{
    let mut attempt = 1;
    loop {
        match write().await {
            Ok(written) => return Ok(written),
            Err(WriteError::Conflict(_)) if attempt < MAX_ATTEMPTS => tokio::time::sleep(delay(attempt)).await,
            Err(WriteError::Conflict(error) | WriteError::Other(error)) => return Err(error),
        }
        attempt += 1;
    }
}

/// A delay after that many attempts, at random between nothing and [`BASE_DELAY`] doubled by every attempt after the first.
/// Source: AWS Architecture Blog, "Exponential Backoff And Jitter".
fn delay(attempts: u32) -> Duration {
    let bound = BASE_DELAY * (1 << (attempts - 1));
    Duration::from_millis(fastrand::u64(0..=u64::try_from(bound.as_millis()).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn conflict() -> WriteError {
        WriteError::Conflict(RepositoryError::Throttled("TransactionConflict".into()))
    }

    #[tokio::test(start_paused = true)]
    async fn repeats_a_conflict_until_it_is_over() {
        let writes = Cell::new(0);
        let write = || {
            writes.set(writes.get() + 1);
            let result = if writes.get() < MAX_ATTEMPTS { Err(conflict()) } else { Ok("written") };
            async { result }
        };

        let written = retry_conflicts(write).await;

        assert_eq!((written.expect("the last attempt succeeds"), writes.get()), ("written", MAX_ATTEMPTS));
    }

    #[tokio::test(start_paused = true)]
    async fn gives_up_a_conflict_that_lasts_as_a_passing_failure() {
        let writes = Cell::new(0);
        let write = || {
            writes.set(writes.get() + 1);
            async { Err::<(), _>(conflict()) }
        };

        let error = retry_conflicts(write).await.expect_err("every attempt meets another transaction");

        assert!(error.is_retryable());
        assert_eq!(writes.get(), MAX_ATTEMPTS);
    }

    #[tokio::test]
    async fn repeats_nothing_but_conflicts() {
        let writes = Cell::new(0);
        let write = || {
            writes.set(writes.get() + 1);
            async { Err::<(), _>(WriteError::Other(RepositoryError::Unavailable("no answer".into()))) }
        };

        retry_conflicts(write).await.expect_err("it does not answer");

        assert_eq!(writes.get(), 1);
    }

    #[test]
    fn delays_stay_within_their_bounds() {
        for attempts in 1..MAX_ATTEMPTS {
            for _ in 0..1000 {
                assert!(delay(attempts) <= BASE_DELAY * (1 << (attempts - 1)));
            }
        }
    }
}
