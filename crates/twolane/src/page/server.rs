//! Serves the page over HTTP on loopback.

use super::files::FILES;
use crate::progress::say;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{self, HeaderName, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use reqwest::Url;
use serde_json::json;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::net::TcpListener;
use twolane_client::queue_depths::QueueDepths;
use twolane_client::token::Token;

/// Lifetime of a token that the local issuer makes. The page renews it before.
const TOKEN_TTL: Duration = Duration::from_mins(15);

/// The page's stack and token.
pub(super) struct Served {
    pub(super) api_url: Url,
    pub(super) websocket_url: Option<Url>,
    pub(super) token: Token,
    /// If the stack's queues are known.
    pub(super) queue_depths: Option<QueueDepths>,
}

/// Serves until it is dropped.
pub(super) struct Server {
    listener: TcpListener,
    shared: Arc<Shared>,
}

struct Shared {
    /// As browsers send it: `localhost:3000`.
    host: String,
    security_policy: HeaderValue,
    served: Served,
}

impl Server {
    /// Listens on that port of loopback; 0: any free one.
    pub(super) async fn bind(port: u16, served: Served) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let host = format!("localhost:{}", listener.local_addr()?.port());
        let security_policy = HeaderValue::try_from(security_policy(&served))?;
        Ok(Self { listener, shared: Arc::new(Shared { host, security_policy, served }) })
    }

    /// The page's address, without a final slash: the origin for `CorsAllowedOrigins`.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.shared.host)
    }

    pub(super) async fn serve(self) {
        loop {
            // A connection that has already closed does not end the server.
            let Ok((stream, _)) = self.listener.accept().await else { continue };
            let shared = Arc::clone(&self.shared);
            tokio::spawn(async move {
                let service = service_fn(move |request: Request<Incoming>| {
                    let shared = Arc::clone(&shared);
                    async move { Ok::<_, Infallible>(shared.answer(&request).await) }
                });
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    }
}

/// The page may load, run and connect to itself and the stack's two APIs. Source: W3C, Content Security Policy Level 3.
fn security_policy(served: &Served) -> String {
    let apis = [Some(&served.api_url), served.websocket_url.as_ref()].into_iter().flatten();
    let apis: Vec<_> = apis.map(origin).collect();
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' {}; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
        apis.join(" ")
    )
}

/// Scheme, host and port. `Url::origin` has none for `ws`.
fn origin(url: &Url) -> String {
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

impl Shared {
    async fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        let header = |name: HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
        // Another site may resolve its name to here (DNS rebinding).
        if header(header::HOST) != Some(&self.host) {
            return self.text(StatusCode::MISDIRECTED_REQUEST, "This is not the address of the page.");
        }
        let path = request.uri().path();
        match (request.method(), path) {
            (&Method::POST, "/token") => {
                // Browsers send the origin with every POST.
                if header(header::ORIGIN) != Some(&format!("http://{}", self.host)) {
                    return self.text(StatusCode::FORBIDDEN, "Only the page gets a token.");
                }
                self.token()
            }
            (_, "/token") => self.text(StatusCode::METHOD_NOT_ALLOWED, "Use POST."),
            (&Method::GET, "/queue-depths") => {
                // Source: W3C, Fetch Metadata Request Headers.
                if header(HeaderName::from_static("sec-fetch-site")) != Some("same-origin") {
                    return self.text(StatusCode::FORBIDDEN, "Only the page reads the queues.");
                }
                self.queue_depths().await
            }
            (&Method::GET, "/config.json") => self.json(&json!({
                "apiUrl": without_slash(&self.served.api_url),
                "webSocketUrl": self.served.websocket_url.as_ref().map(without_slash),
                "hasQueueDepths": self.served.queue_depths.is_some(),
            })),
            (&Method::GET, path) => {
                let name = if path == "/" { "index.html" } else { &path[1..] };
                match FILES.iter().find(|file| file.name == name) {
                    Some(file) => self.response(StatusCode::OK, file.media_type, file.content),
                    None => self.text(StatusCode::NOT_FOUND, "The path does not exist."),
                }
            }
            _ => self.text(StatusCode::METHOD_NOT_ALLOWED, "Use GET."),
        }
    }

    fn token(&self) -> Response<Full<Bytes>> {
        match self.served.token.short_lived(TOKEN_TTL, SystemTime::now()) {
            Some((token, expires_at)) => self.json(&json!({
                "token": token,
                "expiresAt": expires_at.unix_timestamp_nanos() / 1_000_000,
            })),
            None => self.text(StatusCode::NOT_FOUND, "There is no token that says when it expires."),
        }
    }

    async fn queue_depths(&self) -> Response<Full<Bytes>> {
        let Some(depths) = &self.served.queue_depths else {
            return self.text(StatusCode::NOT_FOUND, "The queues of this stack are not known.");
        };
        match depths.read().await {
            Ok(messages) => self.json(&json!(messages)),
            Err(error) => {
                say(&format!("The page shows no queue depth: {error:#}"));
                self.text(StatusCode::BAD_GATEWAY, "The queues could not be read.")
            }
        }
    }

    fn json(&self, body: &serde_json::Value) -> Response<Full<Bytes>> {
        self.response(StatusCode::OK, "application/json", body.to_string())
    }

    fn text(&self, status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
        self.response(status, "text/plain; charset=utf-8", text)
    }

    fn response(&self, status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(body.into()));
        *response.status_mut() = status;
        let fixed = [
            (header::CONTENT_TYPE, media_type),
            (header::CACHE_CONTROL, "no-store"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
            (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
            (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        ];
        let headers = response.headers_mut();
        headers.extend(fixed.map(|(name, value)| (name, HeaderValue::from_static(value))));
        headers.insert(header::CONTENT_SECURITY_POLICY, self.security_policy.clone());
        response
    }
}

fn without_slash(url: &Url) -> &str {
    url.as_str().trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn server() -> Server {
        let url = |text: &str| Url::parse(text).expect("a URL");
        let served = Served {
            api_url: url("http://localhost:4566/_aws/execute-api/a/live"),
            websocket_url: Some(url("ws://localhost:4566/_aws/execute-api/b/live")),
            token: Token::given("a.eyJleHAiOjQxMDI0NDQ4MDB9.c").expect("it can be sent"),
            queue_depths: None,
        };
        Server::bind(0, served).await.expect("loopback has a free port")
    }

    /// In these headers, `{host}` is the page's.
    async fn answer(method: Method, path: &str, headers: &[(HeaderName, &str)]) -> Response<Full<Bytes>> {
        let server = server().await;
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(name, value.replace("{host}", &server.shared.host));
        }
        server.shared.answer(&request.body(()).expect("a request")).await
    }

    const HOST: (HeaderName, &str) = (header::HOST, "{host}");

    #[tokio::test]
    async fn only_the_page_itself_gets_a_token() {
        let own = (header::ORIGIN, "http://{host}");

        let status = async |headers: &[_]| answer(Method::POST, "/token", headers).await.status().as_u16();

        assert_eq!(status(&[HOST, own.clone()]).await, 200);
        assert_eq!(status(&[HOST]).await, 403);
        assert_eq!(status(&[HOST, (header::ORIGIN, "https://evil.example")]).await, 403);
        assert_eq!(status(&[(header::HOST, "evil.example"), (header::ORIGIN, "http://evil.example")]).await, 421);
        assert_eq!(answer(Method::GET, "/token", &[HOST, own]).await.status(), 405);
    }

    #[tokio::test]
    async fn only_the_page_itself_reads_the_queues() {
        let of = |site| (HeaderName::from_static("sec-fetch-site"), site);

        let status = async |headers: &[_]| answer(Method::GET, "/queue-depths", headers).await.status().as_u16();

        assert_eq!(status(&[HOST]).await, 403);
        assert_eq!(status(&[HOST, of("cross-site")]).await, 403);
        assert_eq!(status(&[HOST, of("same-origin")]).await, 404, "this stack has no readable queues");
    }

    #[tokio::test]
    async fn every_answer_has_a_strict_security_policy() {
        for path in ["/", "/app.js", "/config.json", "/nothing"] {
            let response = answer(Method::GET, path, &[HOST]).await;

            let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().expect("text");
            assert!(
                policy.starts_with("default-src 'none'; script-src 'self';") && !policy.contains("unsafe"),
                "{policy}"
            );
            assert!(policy.contains("connect-src 'self' http://localhost:4566 ws://localhost:4566;"), "{policy}");
        }
    }

    #[tokio::test]
    async fn serves_every_file_that_the_page_names() {
        let index = FILES.iter().find(|file| file.name == "index.html").expect("there is a page");
        let mut named: Vec<_> = attributes(index.content).collect();
        let modules = FILES.iter().filter(|file| file.media_type.starts_with("text/javascript"));
        named.extend(modules.flat_map(|file| imports(file.content)));

        assert!(named.len() > 4, "{named:?}");
        for name in named {
            let status = answer(Method::GET, &format!("/{name}"), &[HOST]).await.status();
            assert_eq!(status, 200, "{name}");
        }
    }

    fn attributes(html: &'static str) -> impl Iterator<Item = &'static str> {
        ["href=\"", "src=\""]
            .into_iter()
            .flat_map(|name| html.split(name).skip(1))
            .filter_map(|rest| Some(rest.split_once('"')?.0))
    }

    fn imports(module: &'static str) -> impl Iterator<Item = &'static str> {
        module.split("from './").skip(1).filter_map(|rest| Some(rest.split_once('\'')?.0))
    }
}
