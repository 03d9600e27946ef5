//! Proxies and certificates: the REST API, the WebSocket API and AWS use the same ones.

use crate::fake_aws::{FakeAws, State, twolane_at};
use crate::order::call_back;
use crate::proxy::Proxy;
use crate::server::{Server, answer};
use crate::tls::Authority;
use crate::{ID, Twolane, confirmed, line, signal, twolane};
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};

/// Only the proxy can resolve these hosts of a stack.
const API: &str = "api.stack.example";
const WEBSOCKET: &str = "socket.stack.example";
const AWS: &str = "aws.stack.example";

/// A stack and AWS with TLS, behind a proxy.
struct Company {
    authority: Authority,
    proxy: Proxy,
    stack: Server,
}

impl Company {
    fn new() -> Self {
        let authority = Authority::new();
        let stack = Server::start(call_back);
        let aws = FakeAws::start(State::default());
        let front = |host: &str, server| (format!("{host}:443"), authority.front(host, server));
        let servers =
            [front(API, stack.address()), front(WEBSOCKET, stack.websocket_address()), front(AWS, aws.address())];
        Self { proxy: Proxy::start(servers), authority, stack }
    }

    /// Uses both APIs.
    fn order(&self) -> Twolane {
        let arguments = ["order", "--lane", "async", "--file", "orders.jsonl", "--poll-after", "60", "--timeout", "30"];
        let mut twolane = self.trusted(twolane(&arguments));
        twolane.folder.write("orders.jsonl", &line(ID));
        twolane
            .command
            .args([format!("--api-url=https://{API}/live"), format!("--websocket-url=wss://{WEBSOCKET}/live")]);
        twolane
    }

    /// Uses AWS.
    fn dlq(&self) -> Twolane {
        self.trusted(twolane_at(&format!("https://{AWS}"), &["dlq"]))
    }

    fn proxy_url(&self) -> String {
        self.proxy.url()
    }

    fn proxy_url_over_tls(&self) -> String {
        self.proxy.url_over_tls(&self.authority)
    }

    fn trusted(&self, twolane: Twolane) -> Twolane {
        twolane.folder.write("authority.pem", &self.authority.pem());
        twolane.env("AWS_CA_BUNDLE", "authority.pem")
    }
}

#[test]
fn connects_to_both_apis_and_aws_through_the_proxy_with_its_password() {
    for (variable, url) in [
        ("HTTPS_PROXY", Company::proxy_url as fn(&Company) -> String),
        ("https_proxy", Company::proxy_url),
        ("all_proxy", Company::proxy_url),
        ("HTTPS_PROXY", Company::proxy_url_over_tls),
    ] {
        let company = Company::new();
        let url = url(&company);

        let (ordered, stdout, stderr) = company.order().env(variable, &url).run();
        let (listed, _, why) = company.dlq().env(variable, &url).run();

        assert_eq!((ordered, listed), (0, 0), "{variable}: {stdout}{stderr}{why}");
        let hosts = [API, AWS, WEBSOCKET].map(|host| format!("CONNECT {host}:443"));
        assert_eq!(company.proxy.asked(), hosts, "{variable}");
        assert_eq!(company.stack.requests().len(), 1, "the WebSocket delivered the outcome");
    }
}

#[test]
fn names_a_failing_proxy_without_its_password() {
    let company = Company::new();
    let unknown = Proxy::start([]);
    let watch = || twolane(&["watch", "--websocket-url", &format!("wss://{WEBSOCKET}/live")]);

    for (url, named) in [
        (company.proxy.url_without_password(), company.proxy.url_without_password()),
        (unknown.url(), unknown.url_without_password()),
        ("http://me:secret@127.0.0.1:1".to_owned(), "http://127.0.0.1:1".to_owned()),
    ] {
        for (command, twolane) in [("order", company.order()), ("dlq", company.dlq()), ("watch", watch())] {
            let (code, stdout, stderr) = twolane.env("HTTPS_PROXY", &url).run();

            assert_ne!(code, 0, "{command}: {stdout}{stderr}");
            let shown = format!("{stdout}{stderr}");
            assert!(shown.contains(&format!("proxy {named}: ")), "{command}: {shown}");
            assert!(!shown.contains("p%40ss") && !shown.contains("secret"), "{command}: {shown}");
            assert!(!shown.contains("Is this still the address"), "{command}: {shown}");
        }
    }
}

#[test]
fn plain_http_uses_the_proxy_and_no_proxy_bypasses_it() {
    let stack = Server::start(call_back);
    let aws = FakeAws::start(State::default());
    let servers = [(API, stack.address()), (WEBSOCKET, stack.websocket_address()), (AWS, aws.address())]
        .map(|(host, server)| (format!("{host}:8080"), server));
    let proxy = Proxy::start(servers.clone());
    let order = |timeout: &str| {
        let arguments =
            ["order", "--lane", "async", "--file", "orders.jsonl", "--poll-after", "60", "--timeout", timeout];
        let mut order = twolane(&arguments).env("HTTP_PROXY", &proxy.url());
        order.folder.write("orders.jsonl", &line(ID));
        order
            .command
            .args([format!("--api-url=http://{API}:8080/live"), format!("--websocket-url=ws://{WEBSOCKET}:8080/live")]);
        order
    };
    // Only the proxy resolves these hosts.
    let on_port = format!("{API}:8080,{WEBSOCKET}:8080");
    for no in [
        ("NO_PROXY", "example.com, stack.example"),
        ("no_proxy", ".stack.example"),
        ("NO_PROXY", &on_port),
        ("NO_PROXY", "*"),
    ] {
        let mut order = order("2");
        order.command.envs([no]);
        let (code, stdout, stderr) = order.run();

        assert_ne!(code, 0, "{no:?}: {stdout}{stderr}");
        assert_eq!(proxy.asked(), [""; 0], "{no:?}");
    }

    let ordered = order("30").run();
    let listed = twolane_at(&format!("http://{AWS}:8080"), &["dlq"]).env("HTTP_PROXY", &proxy.url()).run();

    assert_eq!((ordered.0, listed.0), (0, 0), "{ordered:?}{listed:?}");
    let through = [("CONNECT", WEBSOCKET), ("POST", AWS), ("PUT", API)].map(|(how, host)| format!("{how} {host}:8080"));
    assert_eq!(proxy.asked(), through);
}

#[test]
fn rejects_a_proxy_of_another_scheme_and_names_the_variable() {
    let company = Company::new();

    for twolane in [company.order(), company.dlq()] {
        let (code, stdout, stderr) = twolane.env("HTTPS_PROXY", "socks5://me:secret@127.0.0.1:1").run();

        assert_ne!(code, 0);
        let shown = format!("{stdout}{stderr}");
        assert!(shown.contains("HTTPS_PROXY names a proxy with the scheme socks5://"), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }
}

#[cfg(unix)]
#[test]
fn rejects_a_url_variable_that_is_not_utf_8_and_accepts_such_a_path() {
    use std::os::unix::ffi::OsStrExt;
    let company = Company::new();
    let latin_1 = OsStr::from_bytes(b"caf\xe9.pem");

    for mut twolane in [company.order(), company.dlq()] {
        twolane.command.env("HTTPS_PROXY", latin_1);
        let (code, stdout, stderr) = twolane.run();

        assert_ne!(code, 0);
        assert!(format!("{stdout}{stderr}").contains("HTTPS_PROXY is not UTF-8"), "{stdout}{stderr}");
    }
    for mut twolane in [company.order(), company.dlq()] {
        fs::rename(twolane.folder.0.join("authority.pem"), twolane.folder.0.join(latin_1)).expect("a file");
        twolane.command.env("AWS_CA_BUNDLE", latin_1).env("HTTPS_PROXY", company.proxy.url());
        let (code, stdout, stderr) = twolane.run();

        assert_eq!(code, 0, "{stdout}{stderr}");
    }
    let mut missing = company.order();
    missing.command.env("AWS_CA_BUNDLE", OsStr::from_bytes(b"none\xe9.pem"));
    let (code, _, stderr) = missing.run();
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("Failed to read none\u{fffd}.pem, the value of AWS_CA_BUNDLE"), "{stderr}");
}

#[test]
fn trusts_a_private_authority_named_by_variable_or_profile() {
    let authority = Authority::new();
    let stack = Server::start(call_back);
    let aws = FakeAws::start(State::default());
    let port = |address| authority.front("localhost", address).port();
    let (api, websocket, aws_port) = (port(stack.address()), port(stack.websocket_address()), port(aws.address()));
    let arguments = ["order", "--lane", "async", "--file", "orders.jsonl", "--poll-after", "60", "--timeout", "30"];
    let order = || {
        let mut order = twolane(&arguments);
        order.folder.write("orders.jsonl", &line(ID));
        order.command.args([
            format!("--api-url=https://localhost:{api}/live"),
            format!("--websocket-url=wss://localhost:{websocket}/live"),
        ]);
        order
    };
    let dlq = || {
        let mut dlq = twolane_at(&format!("https://localhost:{aws_port}"), &["dlq"]);
        dlq.command.env_remove("AWS_CONFIG_FILE");
        dlq
    };
    let watch = || {
        let url = format!("wss://localhost:{websocket}/live");
        twolane(&["watch", "--websocket-url", &url])
    };

    for (command, mut twolane) in [("order", order()), ("dlq", dlq()), ("watch", watch())] {
        let (code, stdout, stderr) = twolane.run();

        assert_ne!(code, 0, "{command}");
        let shown = format!("{stdout}{stderr}");
        assert!(shown.contains("the server's certificate is not signed by a trusted authority"), "{command}: {shown}");
        assert!(shown.contains("AWS_CA_BUNDLE, or ca_bundle in the AWS profile"), "{command}: {shown}");
        assert!(!shown.contains("Is this still the address"), "{command}: {shown}");
    }
    let profiles = "[default]\nca_bundle = none.pem\n[profile company]\nca_bundle = authority.pem\n";
    for (variable, value) in [("AWS_CA_BUNDLE", "authority.pem"), ("AWS_PROFILE", "company")] {
        for (command, twolane) in [("order", order()), ("dlq", dlq())] {
            twolane.folder.write("authority.pem", &authority.pem());
            twolane.folder.write("config", profiles);

            let (code, stdout, stderr) = twolane.env("AWS_CONFIG_FILE", "config").env(variable, value).run();

            assert_eq!(code, 0, "{command} {variable}: {stdout}{stderr}");
        }
    }
}

#[test]
fn names_a_file_without_certificates_and_the_setting_that_names_it() {
    let server = Server::start(|_, _| answer(500, ""));
    for (config, variable, shown) in [
        ("", Some("none.pem"), "Failed to read none.pem, the value of AWS_CA_BUNDLE"),
        ("", Some("config"), "AWS_CA_BUNDLE is config, which is not a PEM file with certificates"),
        (
            "[default]\nca_bundle = none.pem\n",
            None,
            "Failed to read none.pem, the value of ca_bundle of the AWS profile default",
        ),
    ] {
        let twolane = twolane(&["order", "--lane", "sync", "--api-url", &server.api_url]);
        twolane.folder.write("config", config);
        let mut twolane = twolane.env("AWS_CONFIG_FILE", "config");
        twolane.command.envs(variable.map(|file| ("AWS_CA_BUNDLE", file)));

        let (code, _, stderr) = twolane.run();

        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains(shown), "{stderr}");
    }
    assert!(server.requests().is_empty());
}

#[test]
fn watches_through_the_proxy() {
    let authority = Authority::new();
    let stack = Server::with_frames(|_, _| answer(500, ""), |_, sockets| sockets.push(&confirmed(ID)));
    let proxy = Proxy::start([(format!("{WEBSOCKET}:443"), authority.front(WEBSOCKET, stack.websocket_address()))]);
    let url = format!("wss://{WEBSOCKET}/live");
    let twolane =
        twolane(&["watch", "--json", "--order", ID, "--websocket-url", &url]).env("HTTPS_PROXY", &proxy.url());
    twolane.folder.write("authority.pem", &authority.pem());
    let mut twolane = twolane.env("AWS_CA_BUNDLE", "authority.pem");
    let mut child = twolane.start();

    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let frame = lines.next().expect("a line").expect("UTF-8");
    signal(&child, "INT");

    assert!(frame.contains("order.confirmed"), "{frame}");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}
