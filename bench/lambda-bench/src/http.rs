//! HTTP servers on loopback, for functions to call.

use anyhow::Context;
use http_body_util::Full;
use hyper::{Request, Response, StatusCode, body::Bytes, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

pub(crate) type FullResponse = Response<Full<Bytes>>;

/// Serves on a free port until the task is aborted, over TLS if there is an acceptor. Calls `connected` for each
/// established connection.
///
/// # Errors
/// No port is free.
pub(crate) async fn serve<A, F>(
    tls: Option<TlsAcceptor>,
    respond: Arc<A>,
    connected: impl Fn() + Clone + Send + 'static,
) -> anyhow::Result<(SocketAddr, JoinHandle<()>)>
where
    A: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = FullResponse> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.context("Failed to listen on loopback")?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // Without this, responses of more than one segment wait for acknowledgements.
            let _ = stream.set_nodelay(true);
            let (tls, respond, connected) = (tls.clone(), Arc::clone(&respond), connected.clone());
            tokio::spawn(async move {
                let service = service_fn(|request| async { Ok::<_, Infallible>(respond(request).await) });
                // The function may end while the connection is open.
                let _ = match tls {
                    None => {
                        connected();
                        http1::Builder::new().serve_connection(TokioIo::new(stream), service).await
                    }
                    Some(tls) => {
                        let Ok(stream) = tls.accept(stream).await else { return };
                        connected();
                        http1::Builder::new().serve_connection(TokioIo::new(stream), service).await
                    }
                };
            });
        }
    });
    Ok((address, server))
}

pub(crate) fn whole(response: Response<Bytes>) -> FullResponse {
    response.map(Full::new)
}

pub(crate) fn status(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}
