//! How the functions talk to AWS.

use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_smithy_http_client::{Builder, tls};
use std::time::Duration;

/// Longest wait for a connection. Inside a region it takes single milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Longest single attempt. DynamoDB and the management API answer in milliseconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(1500);
/// Longest request, retries and back-off included: well inside a function's timeout.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(4);
/// Attempts in all.
const MAX_ATTEMPTS: u32 = 3;
/// Back-off before the second attempt; the SDK's own default of 1 s is most of an invocation.
const INITIAL_BACKOFF: Duration = Duration::from_millis(50);

/// Settings for every SDK client of a function: region, credentials and endpoint from the environment, and timeouts
/// and retries that fit inside one invocation.
pub async fn config() -> SdkConfig {
    let http_client =
        Builder::new().tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring)).build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    let retries = RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS).with_initial_backoff(INITIAL_BACKOFF);
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client)
        .timeout_config(timeouts)
        .retry_config(retries)
        .load()
        .await
}
