//! The user's AWS credentials, with errors that say what to do.

use crate::profiles::Profiles;
use crate::root_cause::{chain, root_cause};
use aws_config::meta::ProviderChainError;
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError, future},
};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::error::ErrorMetadata;
use std::error::Error;
use std::fmt;

/// In the SDK's chain.
const PROFILE_PROVIDER: &str = "Profile";

/// IAM Identity Center errors that signing in does not fix. Source: AWS IAM Identity Center Portal API Reference,
/// `GetRoleCredentials`.
const NOT_ABOUT_THE_SESSION: [&str; 3] =
    ["ForbiddenException", "ResourceNotFoundException", "TooManyRequestsException"];

/// Credentials from the AWS SDK.
#[derive(Debug)]
pub(crate) struct ExplainedCredentials {
    /// Their source.
    pub(crate) provider: SharedCredentialsProvider,
    /// Profiles that configure them.
    pub(crate) profiles: Profiles,
}

impl ProvideCredentials for ExplainedCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let provided = self.provider.provide_credentials().await;
            provided.map_err(|error| CredentialsError::provider_error(NoCredentials(self.explain(&error))))
        })
    }

    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        self.provider.fallback_on_interrupt()
    }
}

impl ExplainedCredentials {
    fn explain(&self, error: &CredentialsError) -> String {
        let name = self.profiles.selected();
        let why = match error {
            CredentialsError::CredentialsNotLoaded(_) if self.profiles.has_selected() => why_profile_has_none(error),
            CredentialsError::CredentialsNotLoaded(_) => None,
            error => Some(root_cause(error)),
        };
        match (why, self.profiles.sign_in()) {
            (Some(why), Some(sign_in)) if may_be_about_the_session(error, &why) => {
                format!("the AWS profile {name:?} is not signed in, or its session has expired. Run: {sign_in} ({why})")
            }
            (Some(why), _) if self.profiles.has_selected() => {
                format!("the AWS profile {name:?} gives no credentials: {why}")
            }
            (Some(why), _) => format!("no AWS credentials: {why}"),
            (None, _) => {
                let known = self.profiles.names().map(|names| format!("; profiles: {names}"));
                format!(
                    "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile that has \
                     credentials with --profile or AWS_PROFILE{}",
                    known.unwrap_or_default()
                )
            }
        }
    }
}

/// The known cause, if any.
fn why_profile_has_none(error: &CredentialsError) -> Option<String> {
    let attempts =
        chain(error).find_map(|error| error.downcast_ref::<ProviderChainError<CredentialsError>>())?.attempts();
    let profile = attempts.iter().find(|attempt| attempt.name() == PROFILE_PROVIDER)?;
    profile.error().source().map(root_cause)
}

/// Whether signing in may help: no session, or AWS refused it.
fn may_be_about_the_session(error: &CredentialsError, why: &str) -> bool {
    let mut causes = chain(error);
    !causes.any(|cause| cause.is::<ConnectorError>() || cause.is::<ErrorMetadata>())
        && !NOT_ABOUT_THE_SESSION.iter().any(|code| why.starts_with(code))
}

#[derive(Debug)]
struct NoCredentials(String);

impl fmt::Display for NoCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for NoCredentials {}
