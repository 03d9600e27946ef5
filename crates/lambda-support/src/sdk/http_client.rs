use crate::environment::Environment;
use aws_smithy_http_client::{
    Connector,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::http::Request;
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use bytes::Bytes;
use futures_util::future::{join, join_all};
use http_body::{Body, Frame, SizeHint};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use std::{
    convert::Infallible,
    fs,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    sync::mpsc::{self, Sender},
    time::timeout,
};

/// Longest wait for a connection, including TLS. Inside a region it takes a few milliseconds. Only this timeout limits
/// a connection that no attempt waits for, because another one became free.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Longest wait for connections that are opened ahead, including the responses. A hanging endpoint must not keep a
/// function from starting.
const OPEN_TIMEOUT: Duration = Duration::from_secs(1);

/// The trusted certificate authorities: see `docs/decisions/0015-amazons-roots.md`.
const AMAZON_ROOTS: &str = include_str!("amazon_roots.pem");

/// The HTTP client that all SDK clients of a function share.
#[derive(Clone, Debug)]
pub(super) struct HttpClient(SharedHttpConnector);

impl HttpClient {
    /// Trusts Amazon's roots, or those in the file that `AWS_CA_BUNDLE` names.
    /// Source: AWS SDKs and Tools Reference Guide, "`AWS_CA_BUNDLE`".
    pub(super) fn from_env(environment: &mut Environment) -> Self {
        let roots = environment.optional_text("AWS_CA_BUNDLE").map_or_else(
            || AMAZON_ROOTS.to_owned(),
            |file| match fs::read_to_string(&file) {
                Ok(roots) if are_roots(&roots) => roots,
                Ok(_) => environment.wrong("AWS_CA_BUNDLE", &file, "a file of certificates as PEM"),
                Err(_) => environment.wrong("AWS_CA_BUNDLE", &file, "a file that can be read"),
            },
        );
        let trusted = TrustStore::empty().with_pem_certificate(roots);
        let tls = TlsContext::builder().with_trust_store(trusted).build().expect("the trust store is set");
        let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).build();
        let connector = Connector::builder()
            .connector_settings(settings)
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(tls)
            .build();
        Self(SharedHttpConnector::new(connector))
    }

    pub(super) fn shared(&self) -> SharedHttpClient {
        let connector = self.0.clone();
        http_client_fn(move |_, _| connector.clone())
    }

    /// Opens a connection to the host of each URL, including TLS, with a GET request. Any response will do. Without one
    /// within [`OPEN_TIMEOUT`], the first request that needs the connection tries again and reports the failure.
    /// `while_waiting` runs once every request is written or has failed.
    pub(super) async fn open<T>(&self, urls: impl IntoIterator<Item = &str>, while_waiting: impl FnOnce() -> T) -> T {
        let (unwritten, mut all_written) = mpsc::channel(1);
        let opening = urls.into_iter().map(|url| self.ask(url, unwritten.clone()));
        // One timer for all, because each timer costs a system call.
        let opening = timeout(OPEN_TIMEOUT, join_all(opening));
        drop(unwritten);
        let waiting = async {
            // `None` means that no request holds its sender.
            let None = all_written.recv().await;
            while_waiting()
        };
        join(opening, waiting).await.1
    }

    /// Drops `unwritten` when the request is written.
    async fn ask(&self, url: &str, unwritten: Sender<Infallible>) {
        let body = EmptyBody { _unwritten: unwritten };
        let mut request = Request::new(SdkBody::from_body_1_x(body));
        if request.set_uri(url).is_ok()
            && let Ok(response) = self.0.call(request).await
        {
            // A connection is reused only after its response was read.
            let _ = ByteStream::new(response.into_body()).collect().await;
        }
    }
}

/// A body that hyper drops when it writes the request.
struct EmptyBody {
    _unwritten: Sender<Infallible>,
}

impl Body for EmptyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        true
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(0)
    }
}

fn are_roots(text: &str) -> bool {
    let mut store = RootCertStore::empty();
    let mut certificates = CertificateDer::pem_slice_iter(text.as_bytes());
    certificates.all(|certificate| certificate.is_ok_and(|certificate| store.add(certificate).is_ok()))
        && !store.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::{Either, select};
    use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
    use sha2::{Digest, Sha256};
    use std::{pin::pin, sync::Arc};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
        time::{Instant, pause},
    };
    use tokio_rustls::{TlsAcceptor, server::TlsStream};

    const LONG: Duration = Duration::from_secs(20);

    /// SHA-256 of each root's public key, from <https://www.amazontrust.com/repository/>.
    const KEYS: [&str; 5] = [
        "fbe3018031f9586bcbf41727e417b7d1c45c2f47f93be372a17b96b50757d5a2",
        "7f4296fc5b6a4e3b35d3c369623e364ab1af381d8fa7121533c9d6c633ea2461",
        "36abc32656acfc645c61b71613c4bf21c787f5cabbee48348d58597803d7abc9",
        "f7ecded5c66047d28ed6466b543c40e0743abe81d109254dcf845d4c2c7853c5",
        "2b071c59a0a0ae76b0eadb2bad23bad4580b69c3601b630c2eaf0613afa83f92",
    ];

    /// DER. Source: ITU-T X.690, 8.1.3.
    fn sequence(content: &[u8]) -> Vec<u8> {
        let length = content.len();
        let mut der = match u8::try_from(length) {
            Ok(length @ ..128) => vec![0x30, length],
            _ => [&[0x30, 0x82], &u16::try_from(length).expect("keys are short").to_be_bytes()[..]].concat(),
        };
        der.extend(content);
        der
    }

    #[test]
    fn the_roots_are_those_that_amazon_publishes() {
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(AMAZON_ROOTS.as_bytes()) {
            store.add(certificate.expect("it is PEM")).expect("it is a root");
        }

        let keys = store.roots.iter().map(|root| Sha256::digest(sequence(&root.subject_public_key_info)));
        let hex = |byte: &u8| [byte >> 4, byte & 15].map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]));
        let keys: Vec<String> = keys.map(|hash| hash.iter().flat_map(hex).collect()).collect();

        assert_eq!(keys, KEYS);
        for key in KEYS {
            assert!(AMAZON_ROOTS.contains(key), "the file names the owner of {key}");
        }
    }

    #[tokio::test]
    async fn an_endpoint_that_hangs_does_not_keep_a_function_from_starting() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let client = HttpClient::from_env(&mut Environment::from_iter([]));
        let mut opening = pin!(client.open([url.as_str()], || ()));

        let take_request = pin!(async {
            let (mut socket, _) = listener.accept().await.expect("it listens");
            assert!(socket.read(&mut [0; 1024]).await.expect("the client is connected") > 0);
            socket
        });
        let Either::Right((_unanswered, _)) = select(&mut opening, take_request).await else {
            panic!("it timed out before the endpoint had the request")
        };
        // Now only the timeout can end the wait.
        pause();
        let asked = Instant::now();
        timeout(LONG, opening).await.expect("it times out");

        // Tokio's timers end up to a millisecond late. A second wait would double the time.
        assert!(asked.elapsed() < OPEN_TIMEOUT * 2, "it waited for {:?}", asked.elapsed());
    }

    #[tokio::test]
    async fn an_endpoint_that_hangs_does_not_delay_requests_to_others() {
        let hanging = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let other = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let urls = [&hanging, &other].map(|one| format!("http://{}", one.local_addr().expect("it is bound")));
        let client = HttpClient::from_env(&mut Environment::from_iter([]));

        let opening = tokio::spawn(async move { client.open(urls.iter().map(String::as_str), || ()).await });

        let asked = async {
            let (mut socket, _) = other.accept().await.expect("it listens");
            socket.read(&mut [0; 1024]).await.expect("the client is connected")
        };
        assert!(timeout(LONG, asked).await.expect("it is asked") > 0);
        opening.abort();
    }

    fn foreign_acceptor() -> (TlsAcceptor, String) {
        let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
        let key = PrivateKeyDer::Pkcs8(certified.signing_key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring speaks them")
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .expect("the key is the certificate's");
        (TlsAcceptor::from(Arc::new(config)), certified.cert.pem())
    }

    /// A client that trusts only that certificate.
    fn trusting(certificate: &str, name: &str) -> HttpClient {
        let bundle = std::env::temp_dir().join(format!("{name}-{}.pem", std::process::id()));
        fs::write(&bundle, certificate).expect("a file");
        let text = bundle.to_str().expect("UTF-8");
        let client = HttpClient::from_env(&mut Environment::from_iter([("AWS_CA_BUNDLE", text)]));
        fs::remove_file(bundle).expect("it was written");
        client
    }

    async fn answer(stream: &mut TlsStream<TcpStream>) {
        let _ = stream.read(&mut [0; 1024]).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    }

    async fn reaches(client: &HttpClient, url: &str) -> bool {
        let mut request = Request::new(SdkBody::empty());
        request.set_uri(url).expect("a URL");
        client.0.call(request).await.is_ok_and(|response| response.status().is_success())
    }

    #[tokio::test]
    async fn connects_only_to_servers_with_a_trusted_certificate() {
        let (acceptor, certificate) = foreign_acceptor();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let url = format!("https://{}", listener.local_addr().expect("it is bound"));
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.expect("it listens");
                if let Ok(mut stream) = acceptor.accept(socket).await {
                    answer(&mut stream).await;
                }
            }
        });

        assert!(
            !reaches(&HttpClient::from_env(&mut Environment::from_iter([])), &url).await,
            "Amazon's roots did not sign the certificate"
        );
        assert!(reaches(&trusting(&certificate, "foreign"), &url).await);
    }

    #[tokio::test]
    async fn closes_a_hanging_connection_that_no_request_waits_for() {
        let (acceptor, certificate) = foreign_acceptor();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let url = format!("https://{}", listener.local_addr().expect("it is bound"));
        let server = tokio::spawn(async move {
            let (first, _) = listener.accept().await.expect("it listens");
            let (mut second, _) = listener.accept().await.expect("it listens");
            // Both requests use the first connection. The second handshake is never answered.
            let mut first = acceptor.accept(first).await.expect("it is trusted");
            answer(&mut first).await;
            answer(&mut first).await;
            while second.read(&mut [0; 1024]).await.is_ok_and(|bytes| bytes > 0) {}
        });
        let client = trusting(&certificate, "hanging");

        assert_eq!(join(reaches(&client, &url), reaches(&client, &url)).await, (true, true));

        timeout(LONG, server).await.expect("the second is closed").expect("no panic");
    }

    #[test]
    fn reports_a_bundle_without_certificates() {
        let malformed = std::env::temp_dir().join(format!("malformed-{}.pem", std::process::id()));
        fs::write(&malformed, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").expect("a file");
        let malformed = malformed.to_str().expect("UTF-8");
        for file in ["/no/such/file", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), malformed] {
            let mut environment = Environment::from_iter([("AWS_CA_BUNDLE", file)]);
            HttpClient::from_env(&mut environment);

            let message = environment.finish(()).expect_err("it holds no certificate").to_string();
            assert!(message.contains("AWS_CA_BUNDLE is"), "{message}");
        }
        fs::remove_file(malformed).expect("it was written");
    }
}
