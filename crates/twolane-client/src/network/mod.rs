//! Proxy and trusted certificates of all connections: REST API, WebSocket API and AWS.
//!
//! The settings are those of the AWS SDKs and CLI: `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`, `AWS_CA_BUNDLE` and the
//! profile's `ca_bundle`.

mod aws;
mod loopback;
mod proxies;
mod trust;
mod websocket;

pub use loopback::is_loopback;
pub(crate) use proxies::Proxy;
pub(crate) use websocket::{OpenError, Stream};

use crate::profiles::Profiles;
use crate::root_cause::root_cause;
use anyhow::{Context, anyhow};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use proxies::Proxies;
use reqwest::{ClientBuilder, Url};
use std::sync::Arc;
use trust::Trust;

/// A user's proxies, certificates, and AWS profiles, which name certificates.
#[derive(Clone)]
pub struct Network {
    profiles: Arc<anyhow::Result<Profiles>>,
    proxies: Arc<Proxies>,
    trust: Arc<Trust>,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Proxy URLs may contain passwords.
        f.debug_struct("Network").finish_non_exhaustive()
    }
}

impl Network {
    /// Reads the environment and the AWS profile, by default that of `AWS_PROFILE`. Ignores unreadable profiles if none
    /// is named: the first AWS request reports the error.
    ///
    /// # Errors
    /// There is no profile of that name, or the certificates cannot be read.
    pub async fn find(profile: Option<&str>) -> anyhow::Result<Self> {
        let profiles = Profiles::load(profile).await;
        let network = Self {
            trust: Arc::new(Trust::find(profiles.as_ref().ok())?),
            proxies: Arc::new(Proxies::from_env()),
            profiles: Arc::new(profiles),
        };
        if profile.is_some() {
            network.profiles()?.check_selected()?;
        }
        Ok(network)
    }

    /// The user's AWS profiles, read once.
    ///
    /// # Errors
    /// They cannot be read.
    pub(crate) fn profiles(&self) -> anyhow::Result<&Profiles> {
        self.profiles.as_ref().as_ref().map_err(|error| anyhow!("{error:#}"))
    }

    /// A client builder for that URL alone, and the client's proxy.
    ///
    /// # Errors
    /// The proxy's variable is malformed.
    pub(crate) fn http(&self, url: &Url) -> anyhow::Result<(ClientBuilder, Option<Proxy>)> {
        let proxy = self.proxies.for_url(url).map_err(|why| anyhow!(why))?;
        let builder = ClientBuilder::new().no_proxy().tls_backend_preconfigured(self.trust.client_config());
        let builder = match &proxy {
            None => builder,
            Some(proxy) => {
                let all = reqwest::Proxy::all(proxy.url.clone()).map_err(|error| anyhow!(root_cause(&error)));
                builder.proxy(all.with_context(|| format!("Failed to use the proxy {proxy}"))?)
            }
        };
        Ok((builder, proxy))
    }

    /// For the AWS SDK.
    pub(crate) fn aws(&self) -> SharedHttpClient {
        aws::http_client(&self.proxies, &self.trust)
    }
}

#[cfg(test)]
impl Network {
    /// No proxies, and the operating system's certificates.
    pub(crate) fn direct() -> Self {
        let profiles = Arc::new(Err(anyhow!("tests read no profiles")));
        Self { profiles, proxies: Arc::default(), trust: Arc::default() }
    }
}
