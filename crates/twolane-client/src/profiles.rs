//! The user's AWS profiles.

use anyhow::Context;
use aws_config::profile::ProfileSet;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::{Env, Fs};
use std::env;

/// The profile of those that name none.
const DEFAULT: &str = "default";

/// The variable with the profile's name.
const VARIABLE: &str = "AWS_PROFILE";

/// Every profile, and which one is selected.
#[derive(Clone, Debug)]
pub(crate) struct Profiles(ProfileSet);

impl Profiles {
    /// Those in the AWS configuration files. The one of that name is selected, else that of `AWS_PROFILE`.
    ///
    /// # Errors
    /// A file cannot be read or is malformed.
    pub(crate) async fn load(name: Option<&str>) -> anyhow::Result<Self> {
        let selected = name.map(str::to_owned).or_else(|| set(VARIABLE)).unwrap_or_else(|| DEFAULT.to_owned());
        let (fs, env, files) = (Fs::real(), Env::real(), EnvConfigFiles::default());
        let profiles = aws_config::profile::load(&fs, &env, &files, Some(selected.into())).await;
        Ok(Self(profiles.context("Failed to read your AWS profiles")?))
    }

    /// The name of the selected profile.
    pub(crate) fn selected(&self) -> &str {
        self.0.selected_profile()
    }

    /// A setting of the selected profile.
    pub(crate) fn setting(&self, name: &str) -> Option<&str> {
        self.0.get(name)
    }
}

/// A variable that is set and not empty.
fn set(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
