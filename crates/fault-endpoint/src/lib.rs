//! An HTTP endpoint between functions and AWS that forwards requests and injects faults.
//!
//! Functions reach it through their configured endpoint URL, so their code is the deployed code. It can remember
//! requests and answers, so that tests can count writes.

mod call;
mod fault;
mod gate;
mod rule;

pub use call::Call;
pub use fault::{Fault, Scatter};
pub use gate::Gate;
pub use rule::{Allowance, Rule, When};

use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Frame, Incoming},
    header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use std::{
    future, io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{net::TcpListener, sync::mpsc, task::JoinSet, time::sleep};

/// A request that reached the endpoint, or a copy of one ([`Fault::Scatter`]).
#[derive(Clone, Debug)]
pub struct Passed {
    /// What it asked for.
    pub call: Call,
    /// AWS's status, if AWS was called and answered.
    pub answered: Option<u16>,
    /// Name of the injected fault.
    pub fault: Option<&'static str>,
    request: Arc<Request<Bytes>>,
}

/// Which requests an endpoint keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// All, for tests: memory grows with each.
    Everything,
    /// None.
    Nothing,
}

/// The endpoint, listening on loopback until it is dropped.
#[derive(Debug)]
pub struct Endpoint {
    url: String,
    shared: Arc<Shared>,
    servers: JoinSet<()>,
}

/// Order writes in progress.
#[derive(Debug, Default)]
struct UnderWay {
    now: usize,
    most: usize,
}

struct Writing(Arc<Shared>);

impl Writing {
    fn begin(shared: Arc<Shared>) -> Self {
        let mut under_way = locked(&shared.orders);
        under_way.now += 1;
        under_way.most = under_way.most.max(under_way.now);
        drop(under_way);
        Self(shared)
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        locked(&self.0.orders).now -= 1;
    }
}

#[derive(Debug)]
struct Shared {
    upstream: String,
    memory: Memory,
    client: reqwest::Client,
    rules: Mutex<Vec<Rule>>,
    passed: Mutex<Vec<Passed>>,
    orders: Mutex<UnderWay>,
    scattered: Mutex<JoinSet<()>>,
}

impl Endpoint {
    /// Listens on a free port in front of `upstream`, a base URL such as `http://localhost:4566`.
    ///
    /// # Errors
    /// Loopback has no free port.
    ///
    /// # Panics
    /// No TLS provider is installed.
    pub async fn start(upstream: &str, memory: Memory) -> io::Result<Self> {
        let client = reqwest::Client::builder().no_proxy().build().expect("a TLS provider is installed");
        let upstream = upstream.trim_end_matches('/').to_owned();
        let shared = Arc::new(Shared {
            upstream,
            memory,
            client,
            rules: Mutex::default(),
            passed: Mutex::default(),
            orders: Mutex::default(),
            scattered: Mutex::default(),
        });
        let mut endpoint = Self { url: String::new(), shared, servers: JoinSet::new() };
        endpoint.url = endpoint.listen_for("").await?;
        Ok(endpoint)
    }

    /// Listens on another free port and labels its requests with that [`Call::caller`]. Returns the base URL.
    ///
    /// # Errors
    /// Loopback has no free port.
    pub async fn listen_for(&mut self, caller: &str) -> io::Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        self.servers.spawn(serve(listener, caller.into(), Arc::clone(&self.shared)));
        Ok(url)
    }

    /// The endpoint's base URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Adds a rule for all later requests.
    pub fn inject(&self, rule: Rule) {
        locked(&self.shared.rules).push(rule);
    }

    /// Sends an earlier request to AWS again, unnoticed by its caller.
    ///
    /// # Errors
    /// AWS did not answer.
    pub async fn repeat(&self, passed: &Passed) -> io::Result<StatusCode> {
        Ok(self.shared.forward(&passed.request).await?.status())
    }

    /// Waits until every copy of every scattered request ([`Fault::Scatter`]) is done.
    pub async fn scattered_are_done(&self) {
        let scattered = std::mem::take(&mut *locked(&self.shared.scattered));
        scattered.join_all().await;
    }

    /// Removes all rules.
    pub fn heal(&self) {
        locked(&self.shared.rules).clear();
    }

    /// Number of requests so far: a mark for [`Endpoint::since`].
    #[must_use]
    pub fn mark(&self) -> usize {
        locked(&self.shared.passed).len()
    }

    /// All requests since the mark.
    #[must_use]
    pub fn since(&self, mark: usize) -> Vec<Passed> {
        locked(&self.shared.passed)[mark..].to_vec()
    }

    /// Largest number of concurrent order writes since the last call.
    #[must_use]
    pub fn most_writers(&self) -> usize {
        let mut orders = locked(&self.shared.orders);
        let now = orders.now;
        std::mem::replace(&mut orders.most, now)
    }

    /// Number of writes of an order with that status that AWS accepted since the mark.
    #[must_use]
    pub fn writes(&self, mark: usize, order_id: &str, status: &str) -> usize {
        self.answers(mark, order_id, status).iter().filter(|answered| **answered == Some(200)).count()
    }

    /// AWS's answers to the writes of an order with that status since the mark, in order. `None`: no answer.
    #[must_use]
    pub fn answers(&self, mark: usize, order_id: &str, status: &str) -> Vec<Option<u16>> {
        let passed = self.since(mark);
        let writes = passed.iter().filter(|passed| passed.call.writes(status) && passed.call.is_about(order_id));
        writes.map(|passed| passed.answered).collect()
    }
}

async fn serve(listener: TcpListener, caller: Arc<str>, shared: Arc<Shared>) {
    while let Ok((stream, client)) = listener.accept().await {
        let (caller, shared) = (Arc::clone(&caller), Arc::clone(&shared));
        tokio::spawn(async move {
            let service = service_fn(|request| respond(Arc::clone(&shared), Arc::clone(&caller), client, request));
            // A fault may break the connection on purpose.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

type BoxResponse = Response<BoxBody<Bytes, io::Error>>;

/// An error breaks the connection.
async fn respond(
    shared: Arc<Shared>,
    caller: Arc<str>,
    client: SocketAddr,
    request: Request<Incoming>,
) -> io::Result<BoxResponse> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let request = Request::from_parts(head, body);
    let call = Call::read(caller, &request);
    let fault = locked(&shared.rules).iter_mut().rev().find_map(|rule| rule.strikes(&call));
    let name = fault.as_ref().map(Fault::name);
    let _writing = call.writes("CONFIRMED").then(|| Writing::begin(Arc::clone(&shared)));
    let remember = |answered| shared.remember(&call, &request, answered, name);
    match &fault {
        Some(Fault::Throttle) => {
            remember(None);
            return Ok(whole(fault::throttled(&call)));
        }
        Some(Fault::ServerError(status)) => {
            remember(None);
            return Ok(whole(fault::server_error(&call, *status)));
        }
        Some(Fault::HangBefore) => {
            remember(None);
            return future::pending().await;
        }
        Some(Fault::DropBefore) => {
            remember(None);
            return Err(broken());
        }
        Some(Fault::Slow(time)) => sleep(*time).await,
        Some(Fault::HoldBefore(gate)) => gate.pass(client).await,
        _ => {}
    }
    // Finish what AWS has begun, even if the client goes away.
    let delays = if let Some(Fault::Scatter(scatter)) = &fault { Some(scatter.delays(&call)) } else { None };
    let forwarded = tokio::spawn(async move {
        match delays {
            Some(delays) => shared.scatter(call, request, name, delays).await,
            None => shared.ask(&call, &request, name).await,
        }
    });
    let response = forwarded.await.map_err(io::Error::other)??;
    match fault {
        Some(Fault::HangAfter) => future::pending().await,
        Some(Fault::DropAfter) => Err(broken()),
        Some(Fault::Truncate) => truncated(response),
        Some(Fault::HoldAfter(gate)) => {
            gate.pass(client).await;
            Ok(whole(response))
        }
        _ => Ok(whole(response)),
    }
}

impl Shared {
    fn remember(&self, call: &Call, request: &Request<Bytes>, answered: Option<u16>, fault: Option<&'static str>) {
        if self.memory == Memory::Everything {
            let (call, request) = (call.clone(), Arc::new(request.clone()));
            locked(&self.passed).push(Passed { call, answered, fault, request });
        }
    }

    /// Calls AWS once after each delay. Returns the first answer.
    async fn scatter(
        self: Arc<Self>,
        call: Call,
        request: Request<Bytes>,
        fault: Option<&'static str>,
        delays: Vec<Duration>,
    ) -> io::Result<Response<Bytes>> {
        let (answer, mut answers) = mpsc::channel(delays.len());
        for delay in delays {
            let (shared, call, request, answer) = (Arc::clone(&self), call.clone(), request.clone(), answer.clone());
            locked(&self.scattered).spawn(async move {
                sleep(delay).await;
                let answered = shared.ask(&call, &request, fault).await;
                // Fails if the caller has gone or has an answer.
                let _ = answer.send(answered).await;
            });
        }
        answers.recv().await.ok_or_else(broken)?
    }

    async fn ask(
        &self,
        call: &Call,
        request: &Request<Bytes>,
        fault: Option<&'static str>,
    ) -> io::Result<Response<Bytes>> {
        let response = self.forward(request).await;
        self.remember(call, request, response.as_ref().ok().map(|response| response.status().as_u16()), fault);
        response
    }

    async fn forward(&self, request: &Request<Bytes>) -> io::Result<Response<Bytes>> {
        let url = format!("{}{}", self.upstream, request.uri());
        let mut headers = request.headers().clone();
        // `Host` is signed.
        for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
            headers.remove(name);
        }
        let forwarded =
            self.client.request(request.method().clone(), url).headers(headers).body(request.body().clone());
        let received = forwarded.send().await.map_err(io::Error::other)?;
        let mut response = Response::builder().status(received.status());
        for (name, value) in received.headers() {
            if ![CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING].contains(name) {
                response = response.header(name, value);
            }
        }
        let body = received.bytes().await.map_err(io::Error::other)?;
        response.body(body).map_err(io::Error::other)
    }
}

/// A poisoned mutex is used anyway: no holder leaves its value half changed.
fn locked<T>(guarded: &Mutex<T>) -> MutexGuard<'_, T> {
    guarded.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The error that breaks a connection.
fn broken() -> io::Error {
    io::Error::other("injected")
}

fn whole(response: Response<Bytes>) -> BoxResponse {
    response.map(|body| Full::new(body).map_err(|never| match never {}).boxed())
}

/// The first half of the response, then a broken connection. An empty response breaks at once.
fn truncated(response: Response<Bytes>) -> io::Result<BoxResponse> {
    let (mut head, body) = response.into_parts();
    if body.is_empty() {
        return Err(broken());
    }
    head.headers.insert(CONTENT_LENGTH, body.len().into());
    let half = Ok(Frame::data(body.slice(..body.len() / 2)));
    let cut = futures_util::stream::iter([half, Err(broken())]);
    Ok(Response::from_parts(head, BodyExt::boxed(StreamBody::new(cut))))
}
