//! A WebSocket's connection.

use super::{Network, Proxy};
use crate::root_cause::{ThroughProxy, chain};
use http::Uri;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::{
    client::legacy::connect::{HttpConnector, proxy::Tunnel},
    rt::TokioIo,
};
use reqwest::Url;
use std::error::Error as StdError;
use std::future::poll_fn;
use std::sync::Arc;
use std::{fmt, io};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config,
    tungstenite::{self, handshake::client::Request},
};
use tower_service::Service;

/// Perhaps through a proxy, to which TLS is possible, too.
pub(crate) type Stream = WebSocketStream<MaybeTlsStream<TokioIo<Connection>>>;

type Connection = MaybeHttpsStream<TokioIo<TcpStream>>;
type BoxError = Box<dyn StdError + Send + Sync>;

#[derive(Debug)]
pub(crate) enum OpenError {
    /// To the server.
    Connect(BoxError),
    /// Of the WebSocket.
    Handshake(tungstenite::Error),
}

impl OpenError {
    pub(crate) fn is_refused(&self) -> bool {
        let Self::Connect(error) = self else { return false };
        let is_refused = |cause: &(dyn StdError + 'static)| {
            cause.downcast_ref::<io::Error>().is_some_and(|cause| cause.kind() == io::ErrorKind::ConnectionRefused)
        };
        !error.is::<ThroughProxy>() && chain(&**error).any(is_refused)
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect(_) => "no connection",
            Self::Handshake(_) => "the handshake failed",
        })
    }
}

impl StdError for OpenError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Connect(error) => Some(&**error),
            Self::Handshake(error) => Some(error),
        }
    }
}

impl Network {
    /// Opens a WebSocket to that URL.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub(crate) async fn open_websocket(&self, url: &Url, handshake: Request) -> Result<Stream, OpenError> {
        let proxy = self.proxies.for_url(url).map_err(|why| OpenError::Connect(why.into()))?;
        let stream = TokioIo::new(self.connect(url, proxy).await.map_err(OpenError::Connect)?);
        let tls = Connector::Rustls(Arc::new(self.trust.client_config()));
        let opened = Box::pin(client_async_tls_with_config(handshake, stream, None, Some(tls))).await;
        opened.map(|(stream, _)| stream).map_err(OpenError::Handshake)
    }

    async fn connect(&self, url: &Url, proxy: Option<Proxy>) -> Result<Connection, BoxError> {
        let server = server(url).ok_or("the URL has no host")?;
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let Some(proxy) = proxy else {
            return Ok(MaybeHttpsStream::Http(call(tcp, server).await?));
        };
        let to_proxy = HttpsConnector::from((tcp, self.trust.client_config()));
        let tunnel = Tunnel::new(proxy.uri().clone(), to_proxy);
        let tunnel = match proxy.authorization() {
            Some(value) => tunnel.with_auth(value),
            None => tunnel,
        };
        call(tunnel, server).await.map_err(|error| ThroughProxy::new(&proxy, error).into())
    }
}

/// Host and port as an `http` URI: connectors do not know the ports of `wss` and `ws`.
fn server(url: &Url) -> Option<Uri> {
    let port = url.port_or_known_default()?;
    format!("http://{}:{port}/", url.host_str()?).parse().ok()
}

async fn call<S: Service<Uri>>(mut service: S, uri: Uri) -> Result<S::Response, S::Error> {
    poll_fn(|context| service.poll_ready(context)).await?;
    service.call(uri).await
}
