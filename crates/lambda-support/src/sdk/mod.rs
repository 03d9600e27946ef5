//! How the functions talk to AWS.

use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_smithy_http_client::{Builder, tls};
use aws_smithy_runtime::client::retries::{RetryPartition, TokenBucket};
use std::time::Duration;

/// Longest wait for a connection. Inside a region it takes single milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How long and how often one request is tried.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Longest single attempt.
    attempt: Duration,
    /// Longest request, retries and back-off included.
    request: Duration,
    /// Attempts in all.
    attempts: u32,
    /// Longest back-off between two attempts; it begins at [`INITIAL_BACKOFF`] and doubles.
    backoff: Duration,
}

/// Back-off before the second attempt; the SDK's own default of 1 s is most of an invocation.
const INITIAL_BACKOFF: Duration = Duration::from_millis(50);

impl Patience {
    /// For requests that somebody repeats when they fail, the caller in the sync lane, the queue in the async lane:
    /// a database in trouble is left to recover. DynamoDB answers in milliseconds.
    pub const SHORT: Self = Self {
        attempt: Duration::from_millis(1500),
        request: Duration::from_secs(4),
        attempts: 3,
        backoff: Duration::from_millis(200),
    };

    /// For requests that nobody repeats when they fail: those that tell an owner.
    pub const LONG: Self = Self {
        attempt: Duration::from_secs(1),
        request: Duration::from_secs(5),
        attempts: 10,
        backoff: Duration::from_secs(1),
    };

    /// Longest request, retries and back-off included: a function's timeout must leave room for those it makes one
    /// after the other.
    #[must_use]
    pub const fn request_limit(self) -> Duration {
        self.request
    }

    fn timeouts(self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(self.attempt)
            .operation_timeout(self.request)
            .build()
    }

    fn retries(self) -> RetryConfig {
        RetryConfig::standard()
            .with_max_attempts(self.attempts)
            .with_initial_backoff(INITIAL_BACKOFF)
            .with_max_backoff(self.backoff)
    }
}

/// Retries that no other client of the process uses up, bounded by their [`Patience`] alone.
///
/// Unless told otherwise, all clients of one service share a bucket of 500 tokens, of which a retry costs ten or so: a
/// single socket that hangs would take away the retries of everybody else's. Source: aws-smithy-runtime,
/// `retries::TokenBucket`.
#[must_use]
pub fn own_retries(name: &'static str) -> RetryPartition {
    RetryPartition::custom(name).token_bucket(TokenBucket::unlimited()).build()
}

/// Settings for every SDK client of a function: region, credentials and endpoint from the environment, and
/// [`Patience::SHORT`].
pub async fn config() -> SdkConfig {
    let http_client =
        Builder::new().tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring)).build_https();
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client)
        .timeout_config(Patience::SHORT.timeouts())
        .retry_config(Patience::SHORT.retries())
        .load()
        .await
}

/// The same settings with that patience.
#[must_use]
pub fn with_patience(config: &SdkConfig, patience: Patience) -> SdkConfig {
    config.to_builder().timeout_config(patience.timeouts()).retry_config(patience.retries()).build()
}
