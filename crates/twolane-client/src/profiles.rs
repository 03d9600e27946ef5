//! The user's AWS profiles.

use anyhow::{Context, bail};
use aws_config::profile::ProfileSet;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::{Env, Fs};
use std::env;

/// If none is named.
const DEFAULT: &str = "default";

const VARIABLE: &str = "AWS_PROFILE";

/// Variables and profile settings for endpoints. Source: AWS SDKs and Tools Reference Guide, "Service-specific
/// endpoints".
const ENDPOINT_VARIABLE: &str = "AWS_ENDPOINT_URL";
const ENDPOINT_SETTING: &str = "endpoint_url";
const IGNORE_ENDPOINT_VARIABLE: &str = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";
const IGNORE_ENDPOINT_SETTING: &str = "ignore_configured_endpoint_urls";

/// All profiles, one selected.
#[derive(Clone, Debug)]
pub(crate) struct Profiles(ProfileSet);

impl Profiles {
    /// Loads the AWS configuration files. Selects the named profile, else that of `AWS_PROFILE`.
    /// # Errors
    /// A file cannot be read or is malformed.
    pub(crate) async fn load(name: Option<&str>) -> anyhow::Result<Self> {
        let selected = name.map(str::to_owned).or_else(|| set(VARIABLE)).unwrap_or_else(|| DEFAULT.to_owned());
        let (fs, env, files) = (Fs::real(), Env::real(), EnvConfigFiles::default());
        let profiles = aws_config::profile::load(&fs, &env, &files, Some(selected.into())).await;
        Ok(Self(profiles.context("Failed to read your AWS profiles")?))
    }

    pub(crate) fn selected(&self) -> &str {
        self.0.selected_profile()
    }

    pub(crate) fn has_selected(&self) -> bool {
        self.0.get_profile(self.selected()).is_some()
    }

    /// Of the selected profile.
    pub(crate) fn setting(&self, name: &str) -> Option<&str> {
        self.0.get(name)
    }

    /// All names as text; `None` without profiles.
    pub(crate) fn names(&self) -> Option<String> {
        let mut names: Vec<_> = self.0.profiles().collect();
        names.sort_unstable();
        (!names.is_empty()).then(|| names.join(", "))
    }

    /// Only the default profile may be missing.
    ///
    /// # Errors
    /// The selected profile does not exist. The message names those that do.
    pub(crate) fn check_selected(&self) -> anyhow::Result<()> {
        let name = self.selected();
        if name == DEFAULT || self.has_selected() {
            return Ok(());
        }
        let file = |variable: &str, default: &str| set(variable).unwrap_or_else(|| default.to_owned());
        let config = file("AWS_CONFIG_FILE", "~/.aws/config");
        let credentials = file("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials");
        let known =
            self.names().map_or_else(|| "neither has a profile".to_owned(), |names| format!("there are: {names}"));
        bail!("There is no AWS profile {name:?} in {config} or {credentials}; {known}")
    }

    /// For all services, if configured.
    pub(crate) fn endpoint(&self) -> Option<String> {
        let ignored = set(IGNORE_ENDPOINT_VARIABLE);
        let ignored = ignored.as_deref().or_else(|| self.setting(IGNORE_ENDPOINT_SETTING));
        let is_ignored = ignored.is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let endpoint = set(ENDPOINT_VARIABLE).or_else(|| self.setting(ENDPOINT_SETTING).map(str::to_owned));
        endpoint.filter(|_| !is_ignored)
    }

    /// The sign-in command, if a session provides the selected profile's or its source profile's credentials.
    pub(crate) fn sign_in(&self) -> Option<String> {
        let mut name = self.selected();
        // At most once per profile: source profiles may form a cycle.
        for _ in self.0.profiles() {
            let profile = self.0.get_profile(name)?;
            if profile.get("sso_session").or_else(|| profile.get("sso_start_url")).is_some() {
                return Some(format!("aws sso login --profile {name}"));
            }
            if profile.get("login_session").is_some() {
                return Some(format!("aws login --profile {name}"));
            }
            name = profile.get("source_profile")?;
        }
        None
    }
}

/// The variable, unless empty.
fn set(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
