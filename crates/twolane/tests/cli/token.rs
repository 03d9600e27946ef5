//! `twolane token`, and the tokens that commands send.

use crate::server::{Server, answer};
use crate::{Twolane, twolane};
use serde_json::json;

/// With the key of RFC 8037, appendix A.
const ISSUER: &str = r#"{"issuer":"https://issuer.invalid","audience":"twolane","key":{"kty":"OKP","crv":"Ed25519",
    "kid":"key-1","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}"#;

/// In a folder with the files of `make up`.
pub(crate) fn local(server: &Server, arguments: &[&str]) -> Twolane {
    let twolane = twolane(arguments);
    let outputs = json!({"ApiUrl": server.api_url, "WebSocketUrl": server.websocket_url}).to_string();
    twolane.folder.write(".local/outputs.json", &outputs);
    twolane.folder.write(".local/issuer.json", ISSUER);
    twolane
}

fn authorization(server: &Server) -> Vec<String> {
    let requests = server.requests();
    let lines = requests.iter().flat_map(|request| request.headers.lines());
    lines.filter_map(|line| line.strip_prefix("authorization: ")).map(str::to_owned).collect()
}

#[test]
fn prints_a_token_of_the_local_issuer_and_nothing_else() {
    let server = Server::start(|_, _| answer(500, ""));

    let (code, stdout, stderr) = local(&server, &["token", "--subject", "alice", "--ttl", "15m"]).run();

    assert_eq!((code, stderr.as_str()), (0, ""));
    assert_eq!(stdout.trim_end().split('.').count(), 3, "{stdout}");
    assert_eq!(stdout.lines().count(), 1);
}

#[test]
fn uses_the_named_issuer() {
    let twolane = twolane(&["token", "--subject", "alice", "--issuer", "mine.json"]);
    twolane.folder.write("mine.json", ISSUER);
    let (code, stdout, _) = { twolane }.run();

    assert_eq!((code, stdout.trim_end().split('.').count()), (0, 3));
}

#[test]
fn a_missing_issuer_subject_or_time_is_wrong_usage() {
    let (missing, stdout, why) = twolane(&["token", "--subject", "alice"]).run();
    assert!(stdout.is_empty() && why.contains("`make up`"), "{why}");
    let (no_subject, _, why) = twolane(&["token"]).run();
    assert!(why.contains("--subject"), "{why}");
    let (time, _, why) = twolane(&["token", "--subject", "a", "--ttl", "soon"]).run();
    assert!(why.contains("15m"), "{why}");

    assert_eq!((missing, no_subject, time), (2, 2, 2));
}

#[test]
fn makes_no_token_that_every_stack_would_reject() {
    let server = Server::start(|_, _| answer(500, ""));

    for subject in ["", "a b", "ümit", "a\nb", &"x".repeat(256)] {
        let (code, stdout, stderr) = local(&server, &["token", "--subject", subject]).run();
        assert_eq!((code, stdout.as_str()), (2, ""), "{subject}");
        assert!(stderr.contains("1 to 255 visible ASCII characters"), "{stderr}");
    }
    let (code, stdout, stderr) = local(&server, &["token", "--subject", "a", "--ttl", "0s"]).run();
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("a time above 0"), "{stderr}");
    assert_eq!(local(&server, &["token", "--subject", &"x".repeat(255), "--ttl", "1s"]).run().0, 0);
}

#[test]
fn sends_one_token_with_all_requests_of_a_run() {
    let server = Server::start(|_, _| answer(503, ""));
    let twolane = local(&server, &["order", "--lane", "sync", "--file", "orders.jsonl", "--concurrency", "1"]);
    // The retries take longer than a second, a token's resolution.
    let retries = ["--retries", "2"];
    twolane.folder.write("orders.jsonl", &crate::line(crate::ID));
    let mut twolane = twolane;
    twolane.command.args(retries);

    twolane.run();

    let sent = authorization(&server);
    assert_eq!(sent.len(), 3, "{sent:?}");
    assert!(sent.iter().all(|value| *value == sent[0]), "{sent:?}");
}

#[test]
fn names_an_unreadable_issuer_without_its_key() {
    let twolane = twolane(&["token", "--subject", "alice", "--issuer", "bad.json"]);
    twolane.folder.write("bad.json", &ISSUER.replace("nWGx", "!!!!"));
    let (code, _, stderr) = { twolane }.run();

    assert_eq!(code, 2);
    assert!(stderr.contains("bad.json") && !stderr.contains("WmC6hEr0kuws"), "{stderr}");
}

#[test]
fn the_help_has_examples() {
    let (code, help, _) = twolane(&["token", "--help"]).run();

    assert_eq!(code, 0);
    for part in ["Examples:", "Exit code:", "--ttl 15m", "TWOLANE_TOKEN"] {
        assert!(help.contains(part), "{help}");
    }
}

#[test]
fn a_typed_token_overrides_that_of_the_environment() {
    let server = Server::start(|_, _| answer(503, ""));

    local(&server, &["order", "--lane", "sync", "--token", "typed"]).env("TWOLANE_TOKEN", "set").run();
    local(&server, &["order", "--lane", "sync"]).env("TWOLANE_TOKEN", "set").run();

    assert_eq!(authorization(&server), ["bearer typed", "bearer set"]);
}

#[test]
fn accepts_a_token_with_its_scheme() {
    let server = Server::start(|_, _| answer(503, ""));

    for typed in ["Bearer typed", "bearer  typed", "BEARER typed"] {
        local(&server, &["order", "--lane", "sync", "--token", typed]).run();
    }

    assert_eq!(authorization(&server), ["bearer typed"; 3]);
}

#[test]
fn makes_tokens_only_for_the_local_stack() {
    let server = Server::start(|_, _| answer(503, ""));

    let other = Server::start(|_, _| answer(503, ""));

    local(&server, &["order", "--lane", "sync"]).run();
    local(&server, &["order", "--lane", "sync", "--api-url", &format!("{}/", server.api_url)]).run();
    local(&server, &["order", "--lane", "sync"]).env("TWOLANE_API_URL", &server.api_url).run();
    local(&server, &["order", "--lane", "sync"]).env("TWOLANE_API_URL", &other.api_url).run();

    let sent = authorization(&server);
    assert_eq!(sent.len(), 3, "by the file, by its URL typed, by its URL in the environment: {sent:?}");
    for value in sent {
        assert_eq!(value.strip_prefix("bearer ").map(|token| token.split('.').count()), Some(3));
    }
    assert_eq!((other.requests().len(), authorization(&other).len()), (1, 0));
}

#[test]
fn rejects_a_token_that_cannot_be_sent_without_showing_it() {
    let server = Server::start(|_, _| answer(503, ""));

    let (code, _, stderr) = local(&server, &["order", "--lane", "sync", "--token", "secret\nX-Owner: mallory"]).run();

    assert_eq!(code, 2);
    assert!(!stderr.contains("secret") && server.requests().is_empty(), "{stderr}");
}

#[test]
fn the_help_does_not_show_a_token_of_the_environment() {
    let (_, help, _) = twolane(&["order", "--help"]).env("TWOLANE_TOKEN", "secret").run();

    assert!(help.contains("TWOLANE_TOKEN") && !help.contains("secret"), "{help}");
}
