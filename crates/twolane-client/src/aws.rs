//! The user's AWS configuration: region, credentials and endpoint.

use crate::credentials::ExplainedCredentials;
use crate::network::Network;
use crate::profiles::Profiles;
use crate::root_cause::{aws_message, root_cause};
use anyhow::{anyhow, bail};
use aws_config::{
    BehaviorVersion, Region, SdkConfig, meta::credentials::CredentialsProviderChain,
    profile::ProfileFileCredentialsProvider, provider_config::ProviderConfig, timeout::TimeoutConfig,
};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};
use std::error::Error as StdError;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// SQS holds a receive open for a second when the queue is empty.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);

/// The user's AWS configuration, with the network's profile. `region` and `endpoint` override it; `endpoint` is for all
/// services.
///
/// # Errors
/// The profile does not exist, or there is no region.
pub async fn config(
    network: &Network,
    profile: Option<&str>,
    region: Option<&str>,
    endpoint: Option<&str>,
) -> anyhow::Result<SdkConfig> {
    let profiles = network.profiles()?.clone();
    profiles.check_selected()?;
    let timeouts =
        TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(ATTEMPT_TIMEOUT).build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(network.aws())
        .timeout_config(timeouts)
        .profile_name(profiles.selected());
    if let Some(region) = region {
        loader = loader.region(Region::new(region.to_owned()));
    }
    if let Some(endpoint) = endpoint {
        // FIPS and dual-stack are variants of AWS's endpoints: the SDK refuses them for others.
        loader = loader.endpoint_url(endpoint).use_fips(false).use_dual_stack(false);
    }
    let config = loader.load().await;
    if config.region().is_none() {
        let profile = profiles.selected();
        bail!("No AWS region: pass --region or set AWS_REGION, or give the AWS profile {profile:?} a region");
    }
    let Some(mut provider) = config.credentials_provider() else { return Ok(config) };
    if profile.is_some() {
        provider = profile_first(network, &profiles, &config, provider);
    }
    let provider = SharedCredentialsProvider::new(ExplainedCredentials { provider, profiles });
    Ok(config.into_builder().credentials_provider(provider).build())
}

/// Prefers the credentials of a profile named by an option to those of the environment, unlike the SDK's chain. Source:
/// AWS CLI User Guide, "Configuration settings and precedence".
fn profile_first(
    network: &Network,
    profiles: &Profiles,
    config: &SdkConfig,
    others: SharedCredentialsProvider,
) -> SharedCredentialsProvider {
    let settings =
        ProviderConfig::without_region().with_region(config.region().cloned()).with_http_client(network.aws());
    let of_profile =
        ProfileFileCredentialsProvider::builder().configure(&settings).profile_name(profiles.selected()).build();
    let chain = CredentialsProviderChain::first_try("Profile", of_profile).or_else("Others", others);
    SharedCredentialsProvider::new(chain)
}

/// AWS's error message, or why AWS could not be reached.
#[must_use]
pub fn describe<E>(error: &SdkError<E>) -> anyhow::Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    match (error.as_service_error().map(ProvideErrorMetadata::meta), error) {
        (Some(meta), _) => anyhow!(aws_message(meta)),
        (None, SdkError::DispatchFailure(failure)) => {
            anyhow!("{}", root_cause(failure.as_connector_error().map_or(error, |error| error)))
        }
        (None, error) => anyhow!("{}", root_cause(error)),
    }
}

/// The code in AWS's answer.
#[must_use]
pub fn code<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<&str> {
    error.as_service_error().and_then(|error| error.meta().code())
}
