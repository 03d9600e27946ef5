use access_tokens::{InvalidKeySet, KeySet};
use reqwest::{Client, Url, redirect};
use std::{future::Future, net::IpAddr, time::Duration};
use thiserror::Error;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// For the whole response. Shorter than the function's timeout.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Large providers' key sets have a few KiB.
const MAX_KEY_SET_BYTES: usize = 128 * 1024;

pub(crate) trait FetchKeys {
    fn fetch(&self) -> impl Future<Output = Result<KeySet, FetchError>> + Send;
}

/// An issuer that publishes its keys at a URL.
#[derive(Debug)]
pub(crate) struct Provider {
    client: Client,
    url: Url,
}

/// Why the URL cannot be used.
#[derive(Debug, Error)]
pub(crate) enum InvalidProvider {
    /// Without TLS, an attacker on the network could replace the keys.
    #[error("it must begin with https://")]
    NotHttps,
    /// Not an absolute URL.
    #[error("it is not a URL")]
    Url(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// TLS cannot be set up.
    #[error("no client can be built")]
    Client(#[from] reqwest::Error),
}

/// Why no keys were fetched.
#[derive(Debug, Error)]
pub(crate) enum FetchError {
    /// No response in time, or an error.
    #[error("the key set could not be fetched")]
    Http(#[from] reqwest::Error),
    #[error("the response is longer than {MAX_KEY_SET_BYTES} bytes")]
    TooLong,
    #[error("the response is not UTF-8")]
    NotUtf8(#[from] std::string::FromUtf8Error),
    #[error("the response cannot be used")]
    Invalid(#[from] InvalidKeySet),
}

impl Provider {
    /// Redirects are not followed, so keys come only from the configured host. TLS is required, except on loopback.
    ///
    /// # Errors
    /// See [`InvalidProvider`].
    pub(crate) fn new(url: &str) -> Result<Self, InvalidProvider> {
        let url = Url::parse(url).map_err(|error| InvalidProvider::Url(error.into()))?;
        let is_https = url.scheme() == "https";
        if !is_https && !is_loopback(&url) {
            return Err(InvalidProvider::NotHttps);
        }
        // Fails if another part of the process has installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .redirect(redirect::Policy::none())
            .https_only(is_https)
            .build()?;
        Ok(Self { client, url })
    }
}

/// Only addresses count: a name might resolve to another host.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl FetchKeys for Provider {
    async fn fetch(&self) -> Result<KeySet, FetchError> {
        let mut response = self.client.get(self.url.clone()).send().await?.error_for_status()?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > MAX_KEY_SET_BYTES {
                return Err(FetchError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(KeySet::parse(&String::from_utf8(body)?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handler::tests::Issuer;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    /// Sends one response, or never answers.
    async fn serve(answer: Option<String>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
        let address = listener.local_addr().expect("it is bound");
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("the client connects");
            let _ = stream.read(&mut [0; 1024]).await;
            match answer {
                Some(answer) => drop(stream.write_all(answer.as_bytes()).await),
                None => std::future::pending().await,
            }
        });
        format!("http://{address}/jwks.json")
    }

    async fn fetch(answer: Option<String>) -> Result<KeySet, FetchError> {
        Provider::new(&serve(answer).await).expect("the client can be built").fetch().await
    }

    fn ok(body: &str) -> String {
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
    }

    #[tokio::test]
    async fn reads_a_key_set() {
        let fetched = fetch(Some(ok(&Issuer::new("key-1").jwks()))).await;

        assert!(!fetched.expect("the answer is a key set").is_empty());
    }

    #[test]
    fn requires_tls_except_on_loopback() {
        for url in ["https://issuer.example/jwks.json", "http://127.0.0.1:1/jwks.json", "http://[::1]:1/jwks.json"] {
            assert!(Provider::new(url).is_ok(), "{url}");
        }
        for url in [
            "http://issuer.example/jwks.json",
            "http://127.0.0.1.issuer.example/jwks.json",
            "http://127.0.0.1@issuer.example/jwks.json",
            "http://localhost/jwks.json",
            "ws://issuer.example/jwks.json",
        ] {
            let refused = Provider::new(url).map(|_| ()).map_err(|error| error.to_string());
            assert_eq!(refused, Err("it must begin with https://".to_owned()), "{url}");
        }
    }

    #[tokio::test]
    async fn any_other_response_is_an_error() {
        let moved = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";

        for answer in [
            ok("<html>"),
            ok(r#"{"keys":[]}"#),
            ok(&"x".repeat(MAX_KEY_SET_BYTES + 1)),
            "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n".to_owned(),
            moved.to_owned(),
            String::new(),
        ] {
            assert!(fetch(Some(answer.clone())).await.is_err(), "{answer:.60?}");
        }
    }

    #[tokio::test]
    async fn a_provider_that_hangs_times_out() {
        let hung = tokio::time::timeout(TIMEOUT * 2, fetch(None)).await;

        assert!(matches!(hung, Ok(Err(FetchError::Http(_)))), "{hung:?}");
    }
}
