//! AWS profiles: keys, roles, SSO sessions, `aws login`, and mistakes.

use crate::fake_aws::{FakeAws, State};
use crate::server::{Reply, Request, Server, answer};
use crate::{Twolane, twolane};
use serde_json::json;

/// The session of `aws login`; its SHA-256 names its file. Source: AWS SDKs and Tools Reference Guide, "Login
/// credentials provider".
const LOGIN_SESSION: &str = "arn:aws:iam::123456789012:user/me";
const LOGIN_FILE: &str = "login/286187707741fc2ccb93cf9e56dbd0ee0a16208feed5fbc8ae1baa86d44c283f.json";

/// The SHA-1 of the SSO session's name, `corp`. Source: AWS SDKs and Tools Reference Guide, "IAM Identity Center
/// credential provider".
const SSO_FILE: &str = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";

/// On the curve P-256, from that file's documentation in the AWS SDK for Rust.
const DPOP_KEY: &str = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIFDZHUzOG1Pzq+6F0mjMlOSp1syN9LRPBuHMoCFXTcXhoAoGCCqGSM49\n\
    AwEHoUQDQgAE9qhj+KtcdHj1kVgwxWWWw++tqoh7H7UHs7oXh8jBbgF47rrYGC+t\ndjiIaHK3dBvvdE7MGj5HsepzLm3Kj91bqA==\n\
    -----END EC PRIVATE KEY-----\n";

const SSO_CONFIG: &str = "[sso-session corp]\nsso_region = eu-central-1\nsso_start_url = https://corp.awsapps.com/start\n\
    [profile dev]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Dev\n\
    [profile admin]\nrole_arn = arn:aws:iam::123456789012:role/admin\nsource_profile = dev\n";

/// Ids of the access keys that signed.
fn keys(requests: &[Request]) -> Vec<String> {
    let headers = requests.iter().flat_map(|request| request.headers.lines());
    let credentials = headers.filter_map(|line| line.split_once("credential=")?.1.split('/').next().map(str::to_owned));
    let mut keys: Vec<_> = credentials.collect();
    keys.dedup();
    keys
}

/// Replaces a command's credentials and endpoint with that configuration file.
fn configured(mut twolane: Twolane, config: &str) -> Twolane {
    for name in ["AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        twolane.command.env_remove(name);
    }
    twolane.folder.write("config", config);
    twolane.env("AWS_CONFIG_FILE", "config")
}

#[test]
fn uses_the_endpoint_of_a_profile_for_a_local_stack() {
    let aws = FakeAws::start(State::default());
    let profile = format!(
        "[profile local]\nendpoint_url = http://{}\nregion = eu-central-1\naws_access_key_id = PROFILE\n\
         aws_secret_access_key = secret\n",
        aws.address()
    );

    let (selected, _, stderr) = configured(aws.twolane(&["dlq"]), &profile).env("AWS_PROFILE", "local").run();
    let (named, _, why) = configured(aws.twolane(&["dlq", "--profile", "local"]), &profile).run();

    assert_eq!((selected, named), (0, 0), "{stderr}{why}");
    assert_eq!(keys(&aws.requests()), ["profile"]);
    let ignored = configured(aws.twolane(&["dlq"]), &profile).env("AWS_PROFILE", "local");
    let (code, _, stderr) = ignored.env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true").run();
    assert_eq!(code, 2, "it asked AWS about a local stack");
    assert!(stderr.contains("neither AWS_ENDPOINT_URL nor endpoint_url of your AWS profile is set"), "{stderr}");
}

#[test]
fn the_keys_of_a_named_profile_override_those_of_the_environment() {
    let aws = FakeAws::start(State::default());
    let profile =
        "[profile mine]\naws_access_key_id = PROFILE\naws_secret_access_key = secret\n[profile bare]\nregion = x-y-1\n";
    let dlq = |arguments: &[&str]| {
        let twolane = aws.twolane(arguments);
        twolane.folder.write("config", profile);
        twolane.env("AWS_CONFIG_FILE", "config")
    };

    dlq(&["dlq", "--profile", "mine"]).run();
    dlq(&["dlq", "--profile", "bare"]).run();

    assert_eq!(keys(&aws.requests()), ["profile", "test"], "a profile without keys uses the environment's");
}

#[test]
fn lists_the_profiles_when_the_named_one_does_not_exist() {
    let config = "[profile prod]\nregion = eu-central-1\n[profile dev]\nregion = eu-central-1\n";
    let shown = "There is no AWS profile \"prdo\" in config or ~/.aws/credentials; there are: dev, prod";

    for twolane in [
        twolane(&["dlq", "--stack-name", "s", "--profile", "prdo"]),
        twolane(&["order", "--lane", "sync", "--stack-name", "s", "--region", "eu-central-1", "--profile", "prdo"]),
        twolane(&["watch", "--stack-name", "s"]).env("AWS_PROFILE", "prdo"),
    ] {
        let (code, _, stderr) = configured(twolane, config).run();

        assert_eq!(code, 2);
        assert!(stderr.contains(shown), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
    let (_, _, stderr) = configured(twolane(&["dlq", "--stack-name", "s", "--profile", "prdo"]), "").run();
    assert!(stderr.contains("neither has a profile"), "{stderr}");
}

#[test]
fn rejects_a_missing_profile_even_with_typed_urls() {
    let stack = Server::start(|_, _| answer(503, ""));
    let order = |more: &[&str]| twolane(&[&["order", "--lane", "sync", "--api-url", &stack.api_url], more].concat());
    let config = "[profile prod]\nregion = eu-central-1\n";

    let (code, _, stderr) = configured(order(&["--profile", "prdo"]), config).run();
    let (unreadable, _, why) = configured(order(&["--profile", "prdo"]), "[profile x\n").run();

    assert_eq!((code, unreadable, stack.requests().len()), (2, 2, 0), "{stderr}{why}");
    assert!(
        stderr.contains("There is no AWS profile \"prdo\" in config or ~/.aws/credentials; there are: prod"),
        "{stderr}"
    );
    assert!(why.contains("Failed to read your AWS profiles"), "{why}");
    for order in [order(&["--profile", "prod"]), order(&[]).env("AWS_PROFILE", "prdo")] {
        let (code, _, stderr) = configured(order, config).run();

        assert_eq!(code, 1, "the order was not sent: {stderr}");
    }
}

#[test]
fn unreadable_profiles_matter_only_to_commands_that_use_aws() {
    let stack = Server::start(|_, _| answer(503, ""));
    let order = twolane(&["order", "--lane", "sync", "--api-url", &stack.api_url]);

    let (ordered, ..) = configured(order, "[profile x\n").run();
    let (listed, _, stderr) = configured(twolane(&["dlq", "--stack-name", "s"]), "[profile x\n").run();

    assert_eq!((ordered, stack.requests().len()), (1, 1), "the order was not sent");
    assert_eq!(listed, 2);
    assert!(stderr.contains("Failed to read your AWS profiles") && stderr.contains("config"), "{stderr}");
}

#[test]
fn names_a_profile_without_a_region() {
    let config = "[profile dev]\noutput = json\n";

    let (code, _, stderr) = configured(twolane(&["dlq", "--stack-name", "s", "--profile", "dev"]), config).run();

    assert_eq!(code, 2);
    assert!(
        stderr.contains("No AWS region: pass --region or set AWS_REGION, or give the AWS profile \"dev\" a region"),
        "{stderr}"
    );
}

#[test]
fn reports_missing_credentials_in_one_line() {
    let config = "[profile dev]\nregion = eu-central-1\n";
    let shown = "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile that has credentials \
                with --profile or AWS_PROFILE; profiles: dev";

    for arguments in
        [&["dlq", "--stack-name", "s", "--region", "r"][..], &["dlq", "--stack-name", "s", "--profile", "dev"]]
    {
        let (code, _, stderr) = configured(twolane(arguments), config).run();

        assert_eq!(code, 2);
        assert!(stderr.contains(shown), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}

#[test]
fn uses_a_session_of_aws_login_until_it_expires() {
    let aws = FakeAws::start(State::default());
    let config = format!("[profile console]\nlogin_session = {LOGIN_SESSION}\nregion = eu-central-1\n");
    let token = |expires_at: &str| {
        json!({
            "accessToken": {
                "accessKeyId": "CONSOLE", "secretAccessKey": "s", "sessionToken": "t", "accountId": "123456789012",
                "expiresAt": expires_at,
            },
            "tokenType": "aws_sigv4", "refreshToken": "r", "clientId": "arn:aws:signin:::devtools/same-device",
            "dpopKey": DPOP_KEY,
        })
        .to_string()
    };
    let dlq = |token: Option<String>| {
        let twolane = configured(aws.twolane(&["dlq", "--profile", "console"]), &config);
        if let Some(token) = token {
            twolane.folder.write(LOGIN_FILE, &token);
        }
        let endpoint = format!("http://{}", aws.address());
        twolane.env("AWS_ENDPOINT_URL", &endpoint).env("AWS_LOGIN_CACHE_DIRECTORY", "login")
    };

    let (code, _, stderr) = dlq(Some(token("2999-01-01T00:00:00Z"))).run();

    assert_eq!(code, 0, "{stderr}");
    assert_eq!(keys(&aws.requests()), ["console"]);
    let shown =
        "the AWS profile \"console\" is not signed in, or its session has expired. Run: aws login --profile console";
    let signin = Server::start(|_, _| {
        answer(403, r#"{"__type":"AccessDeniedException","error":"TOKEN_EXPIRED","message":"expired"}"#)
    });
    let endpoint = format!("http://{}", signin.address());
    for token in [None, Some(token("2001-01-01T00:00:00Z"))] {
        let (code, _, stderr) = dlq(token).env("AWS_ENDPOINT_URL_SIGNIN", &endpoint).run();

        assert_eq!(code, 2);
        assert!(stderr.contains(shown), "{stderr}");
    }
}

/// Runs `twolane dlq --stack-name s` with a profile; `on_request` is AWS. Returns server and standard error.
fn asking(profile: &str, config: &str, sso: Option<&str>, on_request: fn(&Request) -> Reply) -> (Server, String) {
    let server = Server::start(move |request, _| on_request(request));
    let twolane =
        configured(twolane(&["dlq", "--stack-name", "s", "--region", "eu-central-1", "--profile", profile]), config);
    if let Some(token) = sso {
        twolane.folder.write(SSO_FILE, token);
    }
    let (code, stdout, stderr) = twolane.env("AWS_ENDPOINT_URL", &format!("http://{}", server.address())).run();
    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    (server, stderr)
}

fn unauthorized(_: &Request) -> Reply {
    Reply::Answer {
        status: 401,
        headers: "x-amzn-errortype: UnauthorizedException\r\n",
        body: r#"{"message":"Session token not found or invalid"}"#.to_owned(),
    }
}

fn forbidden(_: &Request) -> Reply {
    Reply::Answer {
        status: 403,
        headers: "x-amzn-errortype: ForbiddenException\r\n",
        body: r#"{"message":"No access"}"#.to_owned(),
    }
}

#[test]
fn explains_how_to_sign_in_after_an_sso_session_expired() {
    let token = |expires_at: &str| format!(r#"{{"accessToken":"a","expiresAt":"{expires_at}"}}"#);
    let (expired, valid) = (token("2001-01-01T00:00:00Z"), token("2999-01-01T00:00:00Z"));
    let shown = |profile: &str| {
        format!(
            "the AWS profile {profile:?} is not signed in, or its session has expired. Run: aws sso login --profile dev"
        )
    };

    for (profile, sso) in [("dev", None), ("dev", Some(&expired)), ("dev", Some(&valid)), ("admin", Some(&expired))] {
        let (_, stderr) = asking(profile, SSO_CONFIG, sso.map(String::as_str), unauthorized);

        assert!(stderr.contains(&shown(profile)), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
    let legacy = "[profile dev]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = eu-central-1\n\
                  sso_account_id = 123456789012\nsso_role_name = Dev\n";
    let (_, stderr) = asking("dev", legacy, None, unauthorized);
    assert!(stderr.contains(&shown("dev")), "{stderr}");
    let (_, stderr) = asking("dev", SSO_CONFIG, Some(&valid), forbidden);
    assert!(stderr.contains("the AWS profile \"dev\" gives no credentials: ForbiddenException: No access"), "{stderr}");
    assert!(!stderr.contains("aws sso login"), "{stderr}");
}

#[test]
fn reports_a_role_that_cannot_be_assumed_in_one_line() {
    let config = "[profile base]\naws_access_key_id = BASE\naws_secret_access_key = s\n\
                  [profile admin]\nrole_arn = arn:aws:iam::123456789012:role/admin\nsource_profile = base\n";

    let (server, stderr) = asking("admin", config, None, |_| {
        let error = "<Type>Sender</Type><Code>AccessDenied</Code><Message>User is not authorized to perform: sts:AssumeRole</Message>";
        answer(403, format!("<ErrorResponse><Error>{error}</Error><RequestId>r-1</RequestId></ErrorResponse>"))
    });

    assert_eq!(keys(&server.requests()), ["base"]);
    assert_eq!(
        stderr,
        "error: Failed to describe the stack s: the AWS profile \"admin\" gives no credentials: AccessDenied: User is not \
         authorized to perform: sts:AssumeRole\n"
    );
}

#[test]
fn names_the_missing_source_profile_of_a_role() {
    let config = "[profile admin]\nrole_arn = arn:aws:iam::123456789012:role/admin\nsource_profile = gone\n";

    let (_, stderr) = asking("admin", config, None, forbidden);

    assert!(
        stderr.contains("the AWS profile \"admin\" gives no credentials:") && stderr.contains("`gone`"),
        "{stderr}"
    );
}
