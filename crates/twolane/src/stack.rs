//! Which stack to talk to: its two URLs, from whatever names it.
//!
//! What is typed goes first, then the environment, then the file that `make up` leaves. One source gives both URLs:
//! the REST API of one stack and the WebSocket API of another would never meet.

use crate::cli::StackArgs;
use anyhow::{Context, anyhow, bail};
use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::tls;
use reqwest::Url;
use serde_json::Value;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

const API_URL_VARIABLE: &str = "TWOLANE_API_URL";
const WEBSOCKET_URL_VARIABLE: &str = "TWOLANE_WEBSOCKET_URL";
const OUTPUTS_VARIABLE: &str = "TWOLANE_OUTPUTS";
const DEFAULT_OUTPUTS: &str = ".local/outputs.json";

/// The URLs of a stack, and where they were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stack {
    api_url: Option<String>,
    websocket_url: Option<String>,
    source: String,
    /// The file with its outputs, if that is the source.
    outputs: Option<PathBuf>,
}

impl Stack {
    /// Finds the stack.
    ///
    /// # Errors
    /// What was looked for when nothing is found; what is wrong with the source that was chosen.
    pub(crate) async fn find(args: &StackArgs) -> anyhow::Result<Self> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        if let Some(name) = &args.stack_name {
            return Self::from_cloudformation(name, args).await;
        }
        if let Some(path) = &args.outputs {
            return Self::from_file(path);
        }
        if args.api_url.is_some() || args.websocket_url.is_some() {
            let (api_url, websocket_url) = (args.api_url.clone(), args.websocket_url.clone());
            return Ok(Self {
                api_url,
                websocket_url,
                source: "--api-url and --websocket-url".to_owned(),
                outputs: None,
            });
        }
        let (api_url, websocket_url) = (variable(API_URL_VARIABLE), variable(WEBSOCKET_URL_VARIABLE));
        if api_url.is_some() || websocket_url.is_some() {
            let source = format!("{API_URL_VARIABLE} and {WEBSOCKET_URL_VARIABLE}");
            return Ok(Self { api_url, websocket_url, source, outputs: None });
        }
        if let Some(path) = variable(OUTPUTS_VARIABLE) {
            return Self::from_file(Path::new(&path)).with_context(|| format!("{OUTPUTS_VARIABLE} is set"));
        }
        let folder = std::env::current_dir().context("Failed to tell the current folder")?;
        match default_outputs(&folder) {
            Some(path) => Self::from_file(&path),
            None => bail!(
                "No stack found: neither --api-url, --stack-name nor --outputs is given, neither {API_URL_VARIABLE}, \
                 {WEBSOCKET_URL_VARIABLE} nor {OUTPUTS_VARIABLE} is set, and there is no {DEFAULT_OUTPUTS} in {} or a \
                 folder above. Run `make up` to start a local stack, or pass --stack-name.",
                folder.display()
            ),
        }
    }

    /// The file with the outputs of a local stack, if there is one.
    ///
    /// # Errors
    /// The current folder cannot be told.
    pub(crate) fn local_outputs() -> anyhow::Result<Option<PathBuf>> {
        if let Some(path) = std::env::var_os(OUTPUTS_VARIABLE).filter(|path| !path.is_empty()) {
            return Ok(Some(path.into()));
        }
        Ok(default_outputs(&std::env::current_dir().context("Failed to tell the current folder")?))
    }

    /// The file with the stack's outputs, if it was found there.
    pub(crate) fn outputs(&self) -> Option<&Path> {
        self.outputs.as_deref()
    }

    /// The URL of the REST API.
    ///
    /// # Errors
    /// It is missing or not an HTTP URL.
    pub(crate) fn api_url(&self) -> anyhow::Result<Url> {
        self.url(self.api_url.as_deref(), "REST API", "ApiUrl", ["https", "http"])
    }

    /// The URL of the WebSocket API.
    ///
    /// # Errors
    /// It is missing or not a WebSocket URL.
    pub(crate) fn websocket_url(&self) -> anyhow::Result<Url> {
        self.url(self.websocket_url.as_deref(), "WebSocket API", "WebSocketUrl", ["wss", "ws"])
    }

    fn url(&self, text: Option<&str>, api: &str, output: &str, schemes: [&str; 2]) -> anyhow::Result<Url> {
        let source = &self.source;
        let text = text.ok_or_else(|| anyhow!("{source} does not give the URL of the {api} ({output})"))?;
        let url = Url::parse(text).map_err(|error| anyhow!("{text:?} from {source} is not a URL: {error}"))?;
        if !schemes.contains(&url.scheme()) || url.host().is_none() {
            bail!(
                "{text:?} from {source} is not the URL of a {api}: it must begin with {}://",
                schemes.join(":// or ")
            );
        }
        Ok(url)
    }

    fn from_file(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let bytes = std::fs::read(path).with_context(|| format!("Failed to read the stack's outputs in {shown}"))?;
        let value: Value = serde_json::from_slice(&bytes).with_context(|| format!("Failed to read {shown} as JSON"))?;
        if !value.is_object() {
            bail!("{shown} is not a JSON object of stack outputs");
        }
        let output = |name: &str| value[name].as_str().map(str::to_owned);
        Ok(Self {
            api_url: output("ApiUrl"),
            websocket_url: output("WebSocketUrl"),
            source: shown.to_string(),
            outputs: Some(path.to_owned()),
        })
    }

    async fn from_cloudformation(name: &str, args: &StackArgs) -> anyhow::Result<Self> {
        let http_client = aws_smithy_http_client::Builder::new()
            .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
            .build_https();
        let mut loader = aws_config::defaults(aws_config::BehaviorVersion::latest()).http_client(http_client);
        if let Some(profile) = &args.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &args.region {
            loader = loader.region(aws_config::Region::new(region.clone()));
        }
        let config = loader.load().await;
        if config.region().is_none() {
            bail!("No AWS region to look for the stack {name} in: pass --region or set AWS_REGION");
        }

        let described = aws_sdk_cloudformation::Client::new(&config).describe_stacks().stack_name(name).send().await;
        let described = described
            .map_err(|error| describe(&error))
            .with_context(|| format!("Failed to describe the stack {name}"))?;

        let stack = described.stacks().first().with_context(|| format!("There is no stack {name}"))?;
        let outputs: HashMap<&str, &str> =
            stack.outputs().iter().filter_map(|output| Some((output.output_key()?, output.output_value()?))).collect();
        let output = |name: &str| outputs.get(name).map(|value| (*value).to_owned());
        Ok(Self {
            api_url: output("ApiUrl"),
            websocket_url: output("WebSocketUrl"),
            source: format!("the stack {name}"),
            outputs: None,
        })
    }
}

/// What AWS said, or why it could not be asked.
fn describe<E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static>(error: &SdkError<E>) -> anyhow::Error {
    match (error.as_service_error().map(ProvideErrorMetadata::meta), error) {
        (Some(meta), _) => anyhow!("{}: {}", meta.code().unwrap_or("error"), meta.message().unwrap_or("no message")),
        (None, SdkError::DispatchFailure(failure)) => {
            anyhow!("{}", crate::requests::root_cause(failure.as_connector_error().map_or(error, |error| error)))
        }
        (None, error) => anyhow!("{}", crate::requests::root_cause(error)),
    }
}

/// `.local/outputs.json` in that folder or the nearest one above.
fn default_outputs(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().map(|folder| folder.join(DEFAULT_OUTPUTS)).find(|path| path.is_file())
}

/// Whether the URL leads to this machine: then no proxy is asked, and its latencies say nothing about AWS.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(api_url: Option<&str>) -> Stack {
        Stack {
            api_url: api_url.map(str::to_owned),
            websocket_url: api_url.map(str::to_owned),
            source: "a file".into(),
            outputs: None,
        }
    }

    #[test]
    fn names_the_source_of_a_url_that_is_missing_or_wrong() {
        for (url, told) in [
            (None, "a file does not give the URL of the REST API (ApiUrl)"),
            (Some("unknown"), "\"unknown\" from a file is not a URL: relative URL without a base"),
            (
                Some("wss://host/live"),
                "\"wss://host/live\" from a file is not the URL of a REST API: it must begin with https:// or http://",
            ),
        ] {
            assert_eq!(stack(url).api_url().expect_err("not a URL").to_string(), told);
        }
        assert!(stack(Some("wss://host/live")).websocket_url().is_ok());
    }

    #[test]
    fn knows_the_urls_of_this_machine() {
        for (url, local) in [
            ("http://localhost:4566/_aws/x", true),
            ("http://127.0.0.1:1", true),
            ("ws://[::1]:1/", true),
            ("http://api.localhost/", true),
            ("https://abc.execute-api.eu-central-1.amazonaws.com/live", false),
            ("http://localhost.example.com", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).expect("a URL")), local, "{url}");
        }
    }
}
