//! The AWS SDK's HTTP client.

use super::{
    proxies::{Proxies, Proxy},
    trust::Trust,
};
use crate::root_cause::ThroughProxy;
use aws_smithy_http_client::{
    Builder, Connector,
    proxy::ProxyConfig,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn},
    orchestrator::HttpRequest,
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use reqwest::Url;
use std::{fmt, sync::Arc};

/// Chooses each request's proxy.
pub(super) fn http_client(proxies: &Arc<Proxies>, trust: &Trust) -> SharedHttpClient {
    let direct = client(ProxyConfig::disabled(), trust);
    let through = proxies.urls().filter_map(|url| {
        let proxy = ProxyConfig::all(url.as_str()).ok()?;
        Some((url.clone(), client(proxy, trust)))
    });
    let (proxies, through) = (Arc::clone(proxies), through.collect::<Vec<_>>());
    http_client_fn(move |settings, components| {
        let connector = |client: &SharedHttpClient| client.http_connector(settings, components);
        SharedHttpConnector::new(Routed {
            proxies: Arc::clone(&proxies),
            direct: connector(&direct),
            through: through.iter().map(|(url, client)| (url.clone(), connector(client))).collect(),
        })
    })
}

fn client(proxy: ProxyConfig, trust: &Trust) -> SharedHttpClient {
    let tls = trust.tls_context();
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut builder = Connector::builder()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(tls.clone())
            .proxy_config(proxy.clone());
        builder.set_connector_settings(settings.cloned());
        builder.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        builder.build()
    })
}

/// Sends requests directly or through a proxy.
struct Routed {
    proxies: Arc<Proxies>,
    direct: SharedHttpConnector,
    through: Vec<(Url, SharedHttpConnector)>,
}

impl fmt::Debug for Routed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Proxy URLs may contain passwords.
        f.debug_struct("Routed").finish_non_exhaustive()
    }
}

impl HttpConnector for Routed {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let proxy =
            Url::parse(request.uri()).map_err(|error| error.to_string()).and_then(|url| self.proxies.for_url(&url));
        let proxy = match proxy {
            Err(why) => return HttpConnectorFuture::ready(Err(ConnectorError::user(why.into()))),
            Ok(None) => return self.direct.call(request),
            Ok(Some(proxy)) => proxy,
        };
        let (_, connector) =
            self.through.iter().find(|(url, _)| *url == proxy.url).expect("each proxy has a connector");
        let answer = connector.call(request);
        HttpConnectorFuture::new(async move { answer.await.map_err(|error| through(&proxy, error)) })
    }
}

/// Adds the proxy to the error and keeps its kind, which decides on retries.
fn through(proxy: &Proxy, error: ConnectorError) -> ConnectorError {
    let (is_timeout, is_io, is_user, kind) = (error.is_timeout(), error.is_io(), error.is_user(), error.as_other());
    let error = Box::new(ThroughProxy::new(proxy, error));
    match () {
        () if is_timeout => ConnectorError::timeout(error),
        () if is_io => ConnectorError::io(error),
        () if is_user => ConnectorError::user(error),
        () => ConnectorError::other(error, kind),
    }
}
