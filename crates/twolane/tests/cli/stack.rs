//! How the command line finds a stack.

use crate::server::{Server, answer};
use crate::{ID, record, twolane};
use serde_json::{Value, json};

/// Confirms `twolane order`'s sample order, with the content that was sent.
fn confirming() -> Server {
    Server::start(|request, _| {
        let mut order = record(request.id(), "CONFIRMED");
        let body: Value = serde_json::from_str(&request.body).expect("JSON");
        order.as_object_mut().expect("an object").extend(body.as_object().expect("an object").clone());
        answer(201, order.to_string())
    })
}

#[test]
fn lists_where_it_looked_when_no_stack_is_found() {
    let (code, stdout, stderr) = twolane(&["order", "--lane", "sync"]).run();

    assert_eq!((code, stdout.as_str()), (2, ""));
    for part in ["--api-url", "TWOLANE_OUTPUTS", ".local/outputs.json", "`make up`", "--stack-name"] {
        assert!(stderr.contains(part), "{stderr}");
    }
}

#[test]
fn finds_the_outputs_of_make_up_in_a_folder_above() {
    let server = confirming();
    let mut twolane = twolane(&["order", "--lane", "sync"]);
    let outputs = json!({"ApiUrl": server.api_url, "WebSocketUrl": server.websocket_url}).to_string();
    twolane.folder.write(".local/outputs.json", &outputs);
    twolane.folder.write("deep/down/file", "");
    let below = twolane.folder.0.join("deep/down");
    twolane.command.current_dir(below);

    let (code, stdout, stderr) = twolane.run();

    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(stdout.contains("Measured on a local emulator: these latencies say nothing about AWS."), "{stdout}");
}

#[test]
fn rejects_a_domain_that_is_not_ascii() {
    for domain in ["b\u{fc}cher.example", "B\u{dc}cher.example"] {
        let url = format!("https://{domain}/dev");

        let (code, stdout, stderr) = twolane(&["order", "--lane", "sync", "--api-url", &url]).run();

        assert_eq!((code, stdout.as_str()), (2, ""));
        assert!(stderr.contains(&url) && stderr.contains("is not a URL"), "{stderr}");
    }
}

#[test]
fn options_override_the_environment() {
    let server = confirming();
    let twolane = twolane(&["order", "--lane", "sync", "--api-url", &server.api_url]);

    let (code, ..) = twolane.env("TWOLANE_API_URL", "http://127.0.0.1:1").env("TWOLANE_OUTPUTS", "none.json").run();

    assert_eq!(code, 0);
}

#[test]
fn uses_the_urls_in_the_environment() {
    let server = confirming();

    let api_url = format!("{}/", server.api_url);

    let (code, ..) = twolane(&["order", "--lane", "sync"]).env("TWOLANE_API_URL", &api_url).run();

    assert_eq!(code, 0);
    assert!(server.requests()[0].path.starts_with("/live/sync/orders/"), "{:?}", server.requests());
}

#[test]
fn names_the_invalid_file_and_output() {
    for (text, expected) in [
        ("{", "Failed to read"),
        ("[]", "is not a JSON object of stack outputs"),
        (r#"{"ApiUrl":"ftp://x"}"#, "is not the URL of a REST API: it must begin with https:// or http://"),
        ("{}", "does not give the URL of the REST API (ApiUrl)"),
    ] {
        let mut twolane = twolane(&["order", "--lane", "sync", "--outputs", "outputs.json"]);
        twolane.folder.write("outputs.json", text);

        let (code, _, stderr) = twolane.run();

        assert_eq!(code, 2);
        assert!(stderr.contains("outputs.json") && stderr.contains(expected), "{stderr}");
    }
}

#[test]
fn rejects_a_url_with_more_than_a_path_without_showing_it() {
    for (url, expected) in [
        ("http://127.0.0.1:1/live?key=secret", "has a query, after `?`"),
        ("http://127.0.0.1:1/live#secret", "has a fragment, after `#`"),
        ("http://me:secret@127.0.0.1:1/live", "has a user name or password, before `@`"),
    ] {
        let websocket_url = url.replace("http", "ws");
        for (arguments, api, option) in [
            (["order", "--lane=sync", "--api-url", url], "REST API", "--api-url"),
            (["watch", "--json", "--websocket-url", &websocket_url], "WebSocket API", "--websocket-url"),
        ] {
            let (code, _, stderr) = twolane(&arguments).run();

            assert_eq!(code, 2, "{stderr}");
            assert!(stderr.contains(expected) && stderr.contains(api) && stderr.contains(option), "{stderr}");
            assert!(!stderr.contains("secret"), "{stderr}");
        }
    }
}

#[test]
fn rejects_a_region_with_typed_urls() {
    let (code, _, stderr) = twolane(&["order", "--lane", "sync", "--api-url", "http://x", "--region", "r"]).run();

    assert_eq!(code, 2);
    assert!(stderr.contains("--region") && stderr.contains("cannot be used with"), "{stderr}");
}

#[test]
fn reads_outputs_saved_by_editors_on_windows() {
    let server = confirming();
    let mut twolane = twolane(&["order", "--lane", "sync", "--outputs", "outputs.json"]);
    twolane.folder.write("outputs.json", &format!("\u{feff}{{\r\n\"ApiUrl\":\"{}\"\r\n}}\r\n", server.api_url));

    let (code, _, stderr) = twolane.run();

    assert_eq!(code, 0, "{stderr}");
}

/// Other systems forbid such a file name.
#[cfg(target_os = "linux")]
#[test]
fn a_variable_that_is_not_utf_8_does_not_count_as_missing() {
    use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt};
    let (named, other) = (confirming(), confirming());
    let start = || {
        let twolane = twolane(&["order", "--lane", "sync"]);
        twolane.folder.write(".local/outputs.json", &json!({"ApiUrl": other.api_url}).to_string());
        twolane
    };
    let mut by_file = start();
    let file = by_file.folder.0.join(OsStr::from_bytes(b"caf\xe9.json"));
    fs::write(&file, json!({"ApiUrl": named.api_url}).to_string()).expect("a temporary file");
    by_file.command.env("TWOLANE_OUTPUTS", &file);
    let mut by_url = start();
    by_url.command.env("TWOLANE_API_URL", OsStr::from_bytes(b"http://caf\xe9/live"));

    let (code, _, stderr) = by_file.run();
    assert_eq!((code, named.requests().len()), (0, 1), "{stderr}");

    let (code, _, stderr) = by_url.run();
    assert_eq!(code, 2);
    assert!(stderr.contains("from TWOLANE_API_URL and TWOLANE_WEBSOCKET_URL is not a URL"), "{stderr}");
    assert!(other.requests().is_empty(), "it used another stack than the named one");
}

/// With AWS credentials, and the stand-in as AWS.
fn on_aws(server: &Server, arguments: &[&str]) -> (i32, String, String) {
    let endpoint = server.api_url.trim_end_matches("/live");
    let mut twolane = twolane(arguments);
    twolane.command.envs([
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_CONFIG_FILE", "none"),
        ("AWS_SHARED_CREDENTIALS_FILE", "none"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ]);
    twolane.run()
}

#[test]
fn reads_the_outputs_of_a_cloudformation_stack() {
    let server = Server::start(|request, _| {
        if request.method == "PUT" {
            return answer(503, "");
        }
        let host = request.headers.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
        answer(
            200,
            format!(
                "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>s</StackName>\
                 <CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus><Outputs>\
                 <member><OutputKey>ApiUrl</OutputKey><OutputValue>http://{host}/live</OutputValue></member>\
                 </Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
            ),
        )
    });

    let (code, _, stderr) =
        on_aws(&server, &["order", "--lane", "sync", "--stack-name", "twolane", "--region", "eu-central-1"]);

    assert_eq!(code, 1, "{stderr}");
    assert!(server.requests()[0].body.contains("StackName=twolane"));
    assert!(server.requests()[1].path.starts_with("/live/sync/orders/"));
}

#[test]
fn plans_with_the_parameters_of_a_deployed_stack() {
    let parameters =
        [("SyncRateLimit", "70"), ("Callbacks", "none"), ("Architecture", "x86_64")].map(|(name, value)| {
            format!("<member><ParameterKey>{name}</ParameterKey><ParameterValue>{value}</ParameterValue></member>")
        });
    let server = Server::start(move |_, _| {
        let parameters = parameters.concat();
        answer(
            200,
            format!(
                "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>s</StackName>\
                 <CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus><Parameters>\
                 {parameters}</Parameters></member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
            ),
        )
    });

    let plan =
        ["plan", "--stack-name", "twolane", "--region", "eu-central-1", "--rate", "60", "--duration", "1m", "--json"];
    let (code, shown, stderr) = on_aws(&server, &plan);

    let plan: serde_json::Value = serde_json::from_str(&shown).expect("it is JSON");
    assert_eq!(code, 0, "{stderr}");
    for what in ["limits", "prices"] {
        let notice = format!("The stack is in eu-central-1, but the {what} are for us-east-1: pass --{what}");
        assert!(stderr.contains(&notice), "{stderr}");
    }
    assert_eq!((&plan["confirm"], &plan["architecture"]), (&"poll".into(), &"x86_64".into()));
    assert_eq!(plan["settings"]["SyncRateLimit"], 70.0);
}

#[test]
fn shows_the_error_of_cloudformation() {
    let server = Server::start(|_, _| {
        let error = "<Code>ValidationError</Code><Message>Stack with id nope does not exist</Message>";
        answer(400, format!("<ErrorResponse><Error>{error}</Error></ErrorResponse>"))
    });

    let (code, _, stderr) =
        on_aws(&server, &["order", "--lane", "sync", "--stack-name", "nope", "--region", "eu-central-1"]);

    assert_eq!(code, 2);
    assert_eq!(
        stderr,
        "error: Failed to describe the stack nope: ValidationError: Stack with id nope does not exist\n"
    );
}

#[test]
fn asks_for_the_region_of_a_named_stack() {
    let server = confirming();

    let (code, _, stderr) = on_aws(&server, &["watch", "--stack-name", "twolane", "--order", ID]);

    assert_eq!(code, 2);
    assert!(stderr.contains("pass --region or set AWS_REGION"), "{stderr}");
}
