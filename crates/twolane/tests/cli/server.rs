//! A stand-in for a deployed stack: HTTP and WebSocket on two loopback ports. Each test defines the answers.

use futures_util::{SinkExt, StreamExt};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::{
    Message,
    handshake::server::{Callback, ErrorResponse, Request as Handshake, Response},
};

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: String,
    pub(crate) body: String,
}

impl Request {
    /// Last part of the path: the order's id.
    pub(crate) fn id(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

pub(crate) enum Reply {
    Answer {
        status: u16,
        headers: &'static str,
        body: String,
    },
    /// Keep the connection open.
    Silence,
    /// Close the connection.
    HangUp,
}

/// Without extra headers.
pub(crate) fn answer(status: u16, body: impl Into<String>) -> Reply {
    Reply::Answer { status, headers: "", body: body.into() }
}

#[derive(Clone, Default)]
pub(crate) struct Sockets(Arc<Mutex<Vec<mpsc::UnboundedSender<Message>>>>);

impl Sockets {
    /// To every socket.
    pub(crate) fn push(&self, frame: &serde_json::Value) {
        self.send(&Message::text(frame.to_string()));
    }

    pub(crate) fn close(&self) {
        self.send(&Message::Close(None));
    }

    fn send(&self, message: &Message) {
        self.0.lock().expect("no panic").retain(|socket| socket.send(message.clone()).is_ok());
    }
}

type OnRequest = dyn Fn(&Request, &Sockets) -> Reply + Send + Sync;
type OnFrame = dyn Fn(&str, &Sockets) + Send + Sync;

/// Answers to handshakes, in order: a status and a body, or acceptance (`None`, or after the last).
type Refusals = Arc<Mutex<std::vec::IntoIter<Option<(u16, &'static str)>>>>;

struct OnHandshake(Refusals);

impl Callback for OnHandshake {
    fn on_request(self, _: &Handshake, response: Response) -> Result<Response, ErrorResponse> {
        let Some((status, body)) = self.0.lock().expect("no panic").next().flatten() else { return Ok(response) };
        let mut refusal = ErrorResponse::new(Some(body.to_owned()));
        refusal.headers_mut().insert("content-length", body.len().into());
        *refusal.status_mut() = status.try_into().expect("an HTTP status");
        Err(refusal)
    }
}

/// Ends with the test's process.
pub(crate) struct Server {
    pub(crate) api_url: String,
    pub(crate) websocket_url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Ignores WebSocket frames.
    pub(crate) fn start(on_request: impl Fn(&Request, &Sockets) -> Reply + Send + Sync + 'static) -> Self {
        Self::with_frames(on_request, |_, _| ())
    }

    /// Also reacts to WebSocket frames.
    pub(crate) fn with_frames(
        on_request: impl Fn(&Request, &Sockets) -> Reply + Send + Sync + 'static,
        on_frame: impl Fn(&str, &Sockets) + Send + Sync + 'static,
    ) -> Self {
        Self::with_refusals(on_request, on_frame, Vec::new())
    }

    /// Also refuses handshakes.
    pub(crate) fn with_refusals(
        on_request: impl Fn(&Request, &Sockets) -> Reply + Send + Sync + 'static,
        on_frame: impl Fn(&str, &Sockets) + Send + Sync + 'static,
        refusals: Vec<Option<(u16, &'static str)>>,
    ) -> Self {
        let refusals: Refusals = Arc::new(Mutex::new(refusals.into_iter()));
        let [http, websocket] = [(); 2].map(|()| {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
            listener.set_nonblocking(true).expect("a socket option");
            listener
        });
        let address = |listener: &std::net::TcpListener| listener.local_addr().expect("it is bound");
        let api_url = format!("http://{}/live", address(&http));
        let websocket_url = format!("ws://{}/live", address(&websocket));
        let requests = Arc::default();
        let (seen, sockets) = (Arc::clone(&requests), Sockets::default());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let http = TcpListener::from_std(http).expect("a listener");
                let websocket = TcpListener::from_std(websocket).expect("a listener");
                tokio::join!(
                    serve_http(http, Arc::new(on_request), seen, sockets.clone()),
                    serve_websocket(websocket, Arc::new(on_frame), refusals, sockets.clone())
                )
            })
        });
        Self { api_url, websocket_url, requests }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        host(&self.api_url)
    }

    pub(crate) fn websocket_address(&self) -> SocketAddr {
        host(&self.websocket_url)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no panic").clone()
    }
}

fn host(url: &str) -> SocketAddr {
    url.split('/').nth(2).expect("a host").parse().expect("an address")
}

async fn serve_http(
    listener: TcpListener,
    on_request: Arc<OnRequest>,
    seen: Arc<Mutex<Vec<Request>>>,
    sockets: Sockets,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let (on_request, seen, sockets) = (Arc::clone(&on_request), Arc::clone(&seen), sockets.clone());
        tokio::spawn(async move {
            let mut stream = BufReader::new(stream);
            let Some(request) = read(&mut stream).await else { return };
            seen.lock().expect("no panic").push(request.clone());
            match on_request(&request, &sockets) {
                Reply::Silence => std::future::pending().await,
                Reply::HangUp => {}
                Reply::Answer { status, headers, body } => {
                    let length = body.len();
                    let head = format!(
                        "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
                    );
                    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
                }
            }
        });
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        (stream.read_line(&mut head).await.ok()? > 0).then_some(())?;
    }
    let mut first = head.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers = head.to_lowercase();
    let length = headers.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().expect("a length"))];
    stream.read_exact(&mut body).await.ok()?;
    Some(Request { method, path, headers, body: String::from_utf8(body).expect("UTF-8") })
}

async fn serve_websocket(listener: TcpListener, on_frame: Arc<OnFrame>, refusals: Refusals, sockets: Sockets) {
    while let Ok((stream, _)) = listener.accept().await {
        let (on_frame, refusals, sockets) = (Arc::clone(&on_frame), Arc::clone(&refusals), sockets.clone());
        tokio::spawn(async move {
            let (sender, mut outgoing) = mpsc::unbounded_channel();
            // As in API Gateway, frames can reach the connection before its handshake is answered.
            sockets.0.lock().expect("no panic").push(sender);
            let accepted = tokio_tungstenite::accept_hdr_async(stream, OnHandshake(refusals)).await;
            let Ok(mut socket) = accepted else { return };
            loop {
                tokio::select! {
                    Some(message) = outgoing.recv() => {
                        let closing = matches!(message, Message::Close(_));
                        if socket.send(message).await.is_err() || closing {
                            return;
                        }
                    }
                    Some(Ok(message)) = socket.next() => {
                        if let Message::Text(text) = message {
                            on_frame(&text, &sockets);
                        }
                    }
                    else => return,
                }
            }
        });
    }
}
