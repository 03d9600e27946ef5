//! A scattered request, seen from AWS and from the caller.

use fault_endpoint::{Endpoint, Fault, Memory, Rule, Scatter, When};
use http_body_util::Full;
use hyper::{Response, body::Bytes, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::net::TcpListener;

/// Answers each request with its number, from 1. Returns the base URL and the count of answers.
async fn counting_upstream() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let counter = Arc::clone(&counter);
            let service = service_fn(move |_| {
                let number = counter.fetch_add(1, SeqCst) + 1;
                async move { Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(number.to_string())))) }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    (url, requests)
}

#[tokio::test]
async fn a_scattered_request_is_done_once_per_copy_and_answered_by_the_first() {
    rustls::crypto::ring::default_provider().install_default().expect("no other test installs one");
    let (upstream, requests) = counting_upstream().await;
    let mut endpoint = Endpoint::start(&upstream, Memory::Everything).await.expect("loopback has a free port");
    let url = endpoint.listen_for("settle-order").await.expect("loopback has a free port");
    let scatter = Scatter { copies: 3, within: Duration::from_millis(50), seed: 1 };
    endpoint.inject(Rule::new(|_| true, When::Always, Fault::Scatter(scatter)));

    let client = reqwest::Client::builder().no_proxy().build().expect("a TLS provider is installed");
    let answer = client.post(&url).body("Action=Publish").send().await.expect("it is answered");

    assert_eq!(answer.text().await.expect("a body"), "1");
    endpoint.scattered_are_done().await;
    assert_eq!(requests.load(SeqCst), 3);
    let passed = endpoint.since(0);
    assert_eq!(passed.len(), 3, "{passed:?}");
    for passed in &passed {
        assert_eq!(
            (&*passed.call.caller, passed.answered, passed.fault),
            ("settle-order", Some(200), Some("scattered"))
        );
    }
    let repeated = endpoint.repeat(&passed[0]).await.expect("it is answered");
    assert_eq!((repeated.as_u16(), requests.load(SeqCst)), (200, 4));
}
