//! AWS as the user's own tools see it: region, credentials and endpoint from their configuration.

use crate::root_cause::root_cause;
use anyhow::{anyhow, bail};
use aws_config::{BehaviorVersion, Region, SdkConfig, timeout::TimeoutConfig};
use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::{Builder, tls};
use std::error::Error as StdError;
use std::time::Duration;

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest single attempt: SQS holds a receive open for a second when nothing is there.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);

/// The user's configuration, with that profile and that region, if any. All services are asked at that endpoint, if there is one,
/// whatever the user's configuration has.
///
/// # Errors
/// There is no region.
pub async fn config(profile: Option<&str>, region: Option<&str>, endpoint: Option<&str>) -> anyhow::Result<SdkConfig> {
    let http_client =
        Builder::new().tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring)).build_https();
    let timeouts =
        TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(ATTEMPT_TIMEOUT).build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http_client).timeout_config(timeouts);
    if let Some(profile) = profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = region {
        loader = loader.region(Region::new(region.to_owned()));
    }
    if let Some(endpoint) = endpoint {
        // These are variants of AWS's own endpoints: the SDK refuses them for another one.
        loader = loader.endpoint_url(endpoint).use_fips(false).use_dual_stack(false);
    }
    let config = loader.load().await;
    if config.region().is_none() {
        bail!("No AWS region: pass --region or set AWS_REGION");
    }
    Ok(config)
}

/// What AWS said, or why it could not be asked.
#[must_use]
pub fn describe<E>(error: &SdkError<E>) -> anyhow::Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    match (error.as_service_error().map(ProvideErrorMetadata::meta), error) {
        (Some(meta), _) => anyhow!("{}: {}", meta.code().unwrap_or("error"), meta.message().unwrap_or("no message")),
        (None, SdkError::DispatchFailure(failure)) => {
            anyhow!("{}", root_cause(failure.as_connector_error().map_or(error, |error| error)))
        }
        (None, error) => anyhow!("{}", root_cause(error)),
    }
}

/// The code of AWS's answer, if it answered.
#[must_use]
pub fn code<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<&str> {
    error.as_service_error().and_then(|error| error.meta().code())
}
