//! A Lambda Runtime API. Source: AWS Lambda Developer Guide, "Using the Lambda runtime API".

use crate::http::{self, FullResponse};
use anyhow::{Context, bail};
use http_body_util::BodyExt;
use hyper::{Method, Request, Response, StatusCode, body::Bytes, body::Incoming};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// Functions are slow under valgrind.
const TIMEOUT: Duration = Duration::from_mins(2);

const DEADLINE: Duration = Duration::from_secs(30);

/// The function polls for an event.
struct Next {
    polled: Instant,
    reply: oneshot::Sender<(String, Bytes)>,
}

/// The function answered an event, or failed.
struct Done {
    id: String,
    at: Instant,
    result: Result<Bytes, Bytes>,
}

pub(crate) struct RuntimeApi {
    address: SocketAddr,
    next: mpsc::UnboundedReceiver<Next>,
    done: mpsc::UnboundedReceiver<Done>,
    waiting: Option<Next>,
    invocations: u64,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl RuntimeApi {
    /// Listens on a free port.
    ///
    /// # Errors
    /// No port is free.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let (polling, next) = mpsc::unbounded_channel();
        let (answering, done) = mpsc::unbounded_channel();
        let respond = move |request| respond(request, polling.clone(), answering.clone());
        let (address, server) = http::serve(None, Arc::new(respond), || ()).await?;
        Ok(Self { address, next, done, waiting: None, invocations: 0, server })
    }

    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Waits until the function polls for an event. Returns the time of the poll.
    ///
    /// # Errors
    /// The function does not poll, or reports that it failed to start.
    pub(crate) async fn polled(&mut self) -> anyhow::Result<Instant> {
        if self.waiting.is_none() {
            let next = timeout(TIMEOUT, async {
                tokio::select! {
                    next = self.next.recv() => next.context("the Runtime API ended"),
                    done = self.done.recv() => {
                        let error = done.and_then(|done| done.result.err()).unwrap_or_default();
                        bail!("it failed to start: {}", String::from_utf8_lossy(&error))
                    }
                }
            });
            self.waiting = Some(next.await.context("it did not poll for an event")??);
        }
        Ok(self.waiting.as_ref().context("it just polled")?.polled)
    }

    /// Sends one event. Returns the time until its answer, and the answer.
    ///
    /// # Errors
    /// The function fails or does not answer.
    pub(crate) async fn invoke(&mut self, event: Bytes) -> anyhow::Result<(Duration, Bytes)> {
        self.polled().await?;
        let next = self.waiting.take().context("it just polled")?;
        self.invocations += 1;
        let id = format!("00000000-0000-4000-8000-{:012}", self.invocations);
        let began = Instant::now();
        next.reply.send((id.clone(), event)).ok().context("the function hung up")?;
        let done = timeout(TIMEOUT, self.done.recv()).await.context("it did not answer")?.context("it ended")?;
        anyhow::ensure!(done.id == id, "it answered {} rather than {id}", done.id);
        match done.result {
            Ok(body) => Ok((done.at - began, body)),
            Err(error) => bail!("it failed: {}", String::from_utf8_lossy(&error)),
        }
    }
}

async fn respond(
    request: Request<Incoming>,
    polling: mpsc::UnboundedSender<Next>,
    answering: mpsc::UnboundedSender<Done>,
) -> FullResponse {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    if method == Method::GET && path.ends_with("/runtime/invocation/next") {
        let (reply, event) = oneshot::channel();
        let _ = polling.send(Next { polled: Instant::now(), reply });
        // No more events: the bench is about to end the function.
        let Ok((id, event)) = event.await else { return std::future::pending().await };
        return http::whole(invocation(&id, event));
    }
    let at = Instant::now();
    let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let at = if body.is_empty() { at } else { Instant::now() };
    let parts: Vec<&str> = path.rsplit('/').take(2).collect();
    let (id, result) = match parts[..] {
        ["response", id] => (id.to_owned(), Ok(body)),
        ["error", id] => (id.to_owned(), Err(body)),
        _ => return http::whole(http::status(StatusCode::NOT_FOUND)),
    };
    let _ = answering.send(Done { id, at, result });
    http::whole(http::status(StatusCode::ACCEPTED))
}

/// An event with all headers that Lambda sends.
fn invocation(id: &str, event: Bytes) -> Response<Bytes> {
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + DEADLINE;
    Response::builder()
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", id)
        .header("lambda-runtime-deadline-ms", deadline.as_millis().to_string())
        .header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-central-1:123456789012:function:bench")
        .header("lambda-runtime-trace-id", "Root=1-67407d18-3b6d1c5e7f8a9b0c1d2e3f40;Sampled=0")
        .body(event)
        .unwrap_or_default()
}
