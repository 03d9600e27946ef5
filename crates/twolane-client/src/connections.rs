//! Connections of requests: which one a request opened, and what failed.

use crate::root_cause::chain;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpInfo};
use reqwest::ClientBuilder;
use rustix::io::Errno;
use std::cell::Cell;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use tower::limit::ConcurrencyLimitLayer;
use tower::util::MapResponseLayer;

/// The request never left this machine. Sources: connect(2), socket(2), errno(3).
const LOCAL: [Errno; 10] = [
    // Firewall rules of this machine.
    Errno::ACCESS,
    Errno::PERM,
    Errno::MFILE,
    Errno::NFILE,
    Errno::NOBUFS,
    Errno::NOMEM,
    Errno::ADDRNOTAVAIL,
    Errno::AFNOSUPPORT,
    Errno::NETDOWN,
    Errno::NETUNREACH,
];

/// The other side has closed the connection.
const CLOSED: [io::ErrorKind; 5] = [
    io::ErrorKind::ConnectionReset,
    io::ErrorKind::ConnectionAborted,
    io::ErrorKind::BrokenPipe,
    io::ErrorKind::NotConnected,
    io::ErrorKind::UnexpectedEof,
];

tokio::task_local! {
    /// Local address of the connection that the current request opened.
    static OPENED: Cell<Option<SocketAddr>>;
}

/// Makes this builder's client report connections to [`noting`], and open at most `at_once` concurrently.
///
/// hyper-util continues to open a connection for a request that an idle one has already served. Slow handshakes would
/// pile up connections. With a bound, requests use connections that other requests free.
pub(crate) fn bounded(builder: ClientBuilder, at_once: usize) -> ClientBuilder {
    builder.connector_layer(MapResponseLayer::new(note)).connector_layer(ConcurrencyLimitLayer::new(at_once))
}

fn note<C: Connection>(connection: C) -> C {
    // Connections for later requests open in the background, outside of any scope.
    let _ = OPENED.try_with(|opened| opened.set(local_address(&connection.connected())));
    connection
}

/// Sends a request. Also returns the local address of the connection that it opened, if any.
pub(crate) async fn noting<T>(sending: impl Future<Output = T>) -> (T, Option<SocketAddr>) {
    let sent = async {
        let result = sending.await;
        (result, OPENED.with(Cell::get))
    };
    OPENED.scope(Cell::new(None), sent).await
}

fn local_address(connected: &Connected) -> Option<SocketAddr> {
    let mut extras = http::Extensions::new();
    connected.get_extras(&mut extras);
    extras.get().map(HttpInfo::local_addr)
}

/// Whether the server closed a reused connection before any of the answer arrived, as it may when idle. `opened` is the
/// request's new connection.
///
/// hyper-util repeats such a request only if nothing of it was written, which is rare. Source: RFC 9112, section 9.3.1,
/// "Retrying Requests".
pub(crate) fn was_stale(error: &reqwest::Error, opened: Option<SocketAddr>) -> bool {
    let failed = chain(error).find_map(|cause| cause.downcast_ref::<legacy::Error>()?.connect_info());
    let is_reused = failed.and_then(local_address).is_some_and(|failed| opened != Some(failed));
    is_reused && chain(error).any(is_closed)
}

fn is_closed(cause: &(dyn Error + 'static)) -> bool {
    let by_hyper = |error: &hyper::Error| error.is_incomplete_message() || error.is_canceled() || error.is_closed();
    cause.downcast_ref().is_some_and(by_hyper)
        || cause.downcast_ref().is_some_and(|error: &io::Error| CLOSED.contains(&error.kind()))
}

/// Whether the request never left this machine: no free socket or port, no network, or no name resolution.
pub(crate) fn is_local(error: &reqwest::Error) -> bool {
    error.is_connect() && (error.is_dns() || chain(error).any(is_local_cause))
}

fn is_local_cause(cause: &(dyn Error + 'static)) -> bool {
    let code = cause.downcast_ref().and_then(io::Error::raw_os_error);
    code.is_some_and(|code| LOCAL.iter().any(|local| local.raw_os_error() == code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_local(error: impl Into<io::Error>) -> bool {
        is_local_cause(&error.into())
    }

    #[test]
    fn missing_sockets_ports_or_network_are_local_errors() {
        for errno in LOCAL {
            assert!(is_local(errno), "{errno}");
        }
        for errno in [Errno::CONNREFUSED, Errno::CONNRESET, Errno::TIMEDOUT, Errno::HOSTUNREACH] {
            assert!(!is_local(errno), "{errno}");
        }
        assert!(!is_local(io::ErrorKind::TimedOut), "it has no errno");
    }
}
