//! A company's proxy on a loopback port: it opens tunnels, forwards requests, and requires a password.

use crate::tls::Authority;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// `me:p@ss` in a URL, and as the lower-case `Proxy-Authorization`.
const USER: &str = "me:p%40ss";
const AUTHORIZATION: &str = "proxy-authorization: basic bwu6cebzcw==";

/// Ends with the test's process.
pub(crate) struct Proxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Reaches only those servers, by host and port.
    pub(crate) fn start(servers: impl IntoIterator<Item = (String, SocketAddr)>) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a socket option");
        let address = listener.local_addr().expect("it is bound");
        let servers: Arc<HashMap<_, _>> = Arc::new(servers.into_iter().collect());
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&asked);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).expect("a listener");
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream, Arc::clone(&servers), Arc::clone(&seen)));
                }
            });
        });
        Self { address, asked }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{USER}@{}", self.address)
    }

    /// `authority` signs the proxy's certificate.
    pub(crate) fn url_over_tls(&self, authority: &Authority) -> String {
        format!("https://{USER}@localhost:{}", authority.front("localhost", self.address).port())
    }

    pub(crate) fn url_without_password(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sorted requests without duplicates: method, host and port.
    pub(crate) fn asked(&self) -> Vec<String> {
        let mut asked = self.asked.lock().expect("no panic").clone();
        asked.sort();
        asked.dedup();
        asked
    }
}

async fn serve(
    stream: TcpStream,
    servers: Arc<HashMap<String, SocketAddr>>,
    seen: Arc<Mutex<Vec<String>>>,
) -> Option<()> {
    let mut client = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        (client.read_line(&mut head).await.ok()? > 0).then_some(())?;
    }
    let mut words = head.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let host = target.strip_prefix("http://").map_or(target, |rest| rest.split('/').next().unwrap_or(rest));
    seen.lock().expect("no panic").push(format!("{method} {host}"));
    let answer = if !head.to_lowercase().contains(AUTHORIZATION) {
        "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n"
    } else if !servers.contains_key(host) {
        "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n"
    } else {
        ""
    };
    if !answer.is_empty() {
        return client.write_all(answer.as_bytes()).await.ok();
    }
    let mut server = TcpStream::connect(servers[host]).await.ok()?;
    if method == "CONNECT" {
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.ok()?;
    } else {
        server.write_all(head.as_bytes()).await.ok()?;
    }
    copy_bidirectional(&mut client, &mut server).await.ok()?;
    Some(())
}
