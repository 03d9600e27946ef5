//! Which stack to talk to: its outputs, from whatever names it.
//!
//! What is typed goes first, then the environment, then the file that `make up` leaves. One source gives all outputs:
//! the REST API of one stack and the WebSocket API of another would never meet.

use crate::aws;
use anyhow::{Context, anyhow, bail};
use aws_config::SdkConfig;
use reqwest::Url;
use serde_json::Value;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

const API_URL_VARIABLE: &str = "TWOLANE_API_URL";
const WEBSOCKET_URL_VARIABLE: &str = "TWOLANE_WEBSOCKET_URL";
const OUTPUTS_VARIABLE: &str = "TWOLANE_OUTPUTS";
const DEFAULT_OUTPUTS: &str = ".local/outputs.json";

/// What was said of where a stack is.
#[derive(Clone, Debug, Default)]
pub struct StackAddress {
    /// URL of the REST API, stage included.
    pub api_url: Option<String>,
    /// URL of the WebSocket API, stage included.
    pub websocket_url: Option<String>,
    /// Where its outputs are.
    pub deployed: DeployedAddress,
}

/// What was said of where a stack's outputs are.
#[derive(Clone, Debug, Default)]
pub struct DeployedAddress {
    /// Name of a deployed AWS stack.
    pub stack_name: Option<String>,
    /// Its AWS region; the AWS configuration's without it.
    pub region: Option<String>,
    /// AWS profile to ask with; the AWS configuration's without it.
    pub profile: Option<String>,
    /// JSON file with the stack's outputs.
    pub outputs: Option<PathBuf>,
}

impl DeployedAddress {
    async fn aws_config(&self, endpoint: Option<&str>) -> anyhow::Result<SdkConfig> {
        aws::config(self.profile.as_deref(), self.region.as_deref(), endpoint).await
    }
}

/// The outputs of a stack, and where they were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    outputs: HashMap<String, String>,
    source: String,
    /// The file with its outputs, if that is the source.
    file: Option<PathBuf>,
}

impl Stack {
    /// Finds the stack's two URLs; other outputs only where they come along.
    ///
    /// # Errors
    /// What was looked for when nothing is found; what is wrong with the source that was chosen.
    pub async fn find(address: &StackAddress) -> anyhow::Result<Self> {
        if address.deployed.stack_name.is_some() || address.deployed.outputs.is_some() {
            return Self::find_deployed(&address.deployed).await;
        }
        let (api_url, websocket_url) = (address.api_url.clone(), address.websocket_url.clone());
        let typed = Self::of_urls(api_url, websocket_url, "--api-url and --websocket-url");
        let variables = || {
            let source = format!("{API_URL_VARIABLE} and {WEBSOCKET_URL_VARIABLE}");
            Self::of_urls(variable(API_URL_VARIABLE), variable(WEBSOCKET_URL_VARIABLE), &source)
        };
        if let Some(stack) = typed.or_else(variables) {
            return Ok(stack);
        }
        Self::find_outputs()?.with_context(|| {
            format!(
                "No stack found: neither --api-url, --stack-name nor --outputs is given, neither {API_URL_VARIABLE}, \
                 {WEBSOCKET_URL_VARIABLE} nor {OUTPUTS_VARIABLE} is set, and there is no {DEFAULT_OUTPUTS} here or in \
                 a folder above. Run `make up` to start a local stack, or pass --stack-name."
            )
        })
    }

    /// Finds all outputs of the stack.
    ///
    /// # Errors
    /// As for [`Stack::find`].
    pub async fn find_deployed(address: &DeployedAddress) -> anyhow::Result<Self> {
        if let Some(name) = &address.stack_name {
            return Self::from_cloudformation(name, address).await;
        }
        if let Some(path) = &address.outputs {
            return Self::from_file(path);
        }
        Self::find_outputs()?.with_context(|| {
            format!(
                "No stack found: neither --stack-name nor --outputs is given, {OUTPUTS_VARIABLE} is not set, and there \
                 is no {DEFAULT_OUTPUTS} here or in a folder above. Run `make up` to start a local stack, or pass \
                 --stack-name."
            )
        })
    }

    fn find_outputs() -> anyhow::Result<Option<Self>> {
        Self::local_outputs()?.map(|path| Self::from_file(&path)).transpose()
    }

    fn of_urls(api_url: Option<String>, websocket_url: Option<String>, source: &str) -> Option<Self> {
        let given = [("ApiUrl", api_url), ("WebSocketUrl", websocket_url)].into_iter();
        let outputs: HashMap<_, _> = given.filter_map(|(name, url)| Some((name.to_owned(), url?))).collect();
        (!outputs.is_empty()).then(|| Self { outputs, source: source.to_owned(), file: None })
    }

    /// The file with the outputs of a local stack, if there is one.
    ///
    /// # Errors
    /// The current folder cannot be told.
    pub fn local_outputs() -> anyhow::Result<Option<PathBuf>> {
        // A path need not be UTF-8.
        if let Some(path) = std::env::var_os(OUTPUTS_VARIABLE).filter(|path| !path.is_empty()) {
            return Ok(Some(path.into()));
        }
        Ok(default_outputs(&std::env::current_dir().context("Failed to tell the current folder")?))
    }

    /// The file with the stack's outputs: where they were found, or that of the local stack with the same URL. `None`
    /// also where the current folder is gone: then there is no local stack around it.
    #[must_use]
    pub fn file(&self) -> Option<PathBuf> {
        if let Some(file) = &self.file {
            return Some(file.clone());
        }
        let path = Self::local_outputs().ok().flatten()?;
        let same = |local: &Self| {
            ["ApiUrl", "WebSocketUrl"].iter().any(|name| {
                let url = self.outputs.get(*name).map(|url| url.trim_end_matches('/'));
                url.is_some() && url == local.outputs.get(*name).map(|url| url.trim_end_matches('/'))
            })
        };
        Self::from_file(&path).ok().filter(same).map(|_| path)
    }

    /// The same with all its outputs, where only its URLs are known and they are those of the local stack.
    #[must_use]
    pub fn with_all_outputs(self) -> Self {
        self.file().and_then(|path| Self::from_file(&path).ok()).unwrap_or(self)
    }

    /// The URL of the REST API.
    ///
    /// # Errors
    /// It is missing or not an HTTP URL.
    pub fn api_url(&self) -> anyhow::Result<Url> {
        self.url("REST API", "ApiUrl", ["https", "http"])
    }

    /// The URL of the WebSocket API.
    ///
    /// # Errors
    /// It is missing or not a WebSocket URL.
    pub fn websocket_url(&self) -> anyhow::Result<Url> {
        self.url("WebSocket API", "WebSocketUrl", ["wss", "ws"]).map_err(|error| {
            if self.has_websocket_api() {
                error
            } else {
                error.context("A stack that was deployed with Callbacks=none has none")
            }
        })
    }

    /// Whether anything is known of a WebSocket API: a stack may be deployed without.
    #[must_use]
    pub fn has_websocket_api(&self) -> bool {
        self.outputs.contains_key("WebSocketUrl")
    }

    /// An output.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn output(&self, name: &str) -> anyhow::Result<&str> {
        let output = self.outputs.get(name).map(String::as_str);
        output.with_context(|| {
            format!("{} has no output {name}: deploy this version of the stack, or name its outputs", self.source)
        })
    }

    /// Whether the stack is on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.api_url().is_ok_and(|url| is_loopback(&url))
    }

    /// The user's AWS configuration, which leads to where the stack is.
    ///
    /// # Errors
    /// There is no region, or the stack is on this machine and the configuration leads to AWS.
    pub async fn aws_config(&self, address: &DeployedAddress) -> anyhow::Result<SdkConfig> {
        if self.is_local() && std::env::var_os("AWS_ENDPOINT_URL").is_none_or(|url| url.is_empty()) {
            bail!("The stack is a local one, and AWS_ENDPOINT_URL is not set. Run: eval \"$(make -s env)\"");
        }
        let config = address.aws_config(None).await?;
        if !self.is_local() {
            return Ok(config);
        }
        // Endpoints of single services, or a setting by which none counts, could lead to AWS.
        let endpoint = config.endpoint_url().context(
            "The stack is a local one, and AWS would be asked about it: AWS_ENDPOINT_URL is not a URL, or \
             AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is set. Run: eval \"$(make -s env)\"",
        )?;
        address.aws_config(Some(endpoint)).await
    }

    fn url(&self, api: &str, output: &str, schemes: [&str; 2]) -> anyhow::Result<Url> {
        let source = &self.source;
        let text = self.outputs.get(output);
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
        // Editors on Windows write a byte order mark first.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let value: Value = serde_json::from_slice(bytes).with_context(|| format!("Failed to read {shown} as JSON"))?;
        let Value::Object(outputs) = value else { bail!("{shown} is not a JSON object of stack outputs") };
        let outputs = outputs.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())));
        Ok(Self { outputs: outputs.collect(), source: shown.to_string(), file: Some(path.to_owned()) })
    }

    async fn from_cloudformation(name: &str, address: &DeployedAddress) -> anyhow::Result<Self> {
        let config = address.aws_config(None).await.with_context(|| format!("Failed to look for the stack {name}"))?;
        let described = aws_sdk_cloudformation::Client::new(&config).describe_stacks().stack_name(name).send().await;
        let described = described
            .map_err(|error| aws::describe(&error))
            .with_context(|| format!("Failed to describe the stack {name}"))?;

        let stack = described.stacks().first().with_context(|| format!("There is no stack {name}"))?;
        let outputs = stack.outputs().iter();
        let outputs = outputs.filter_map(|output| Some((output.output_key()?.into(), output.output_value()?.into())));
        Ok(Self { outputs: outputs.collect(), source: format!("the stack {name}"), file: None })
    }
}

/// The value of a variable. One that is not UTF-8 is not a missing one: it is refused as a URL later.
fn variable(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()).filter(|value| !value.is_empty())
}

/// `.local/outputs.json` in that folder or the nearest one above.
fn default_outputs(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().map(|folder| folder.join(DEFAULT_OUTPUTS)).find(|path| path.is_file())
}

/// What to think of where nobody answers at a stack's address, or somebody who does not know it.
#[must_use]
pub fn is_it_still_there(url: &Url) -> &'static str {
    if is_loopback(url) {
        "Is this still the address of a running stack? `make up` starts one, and addresses change with every `make down` \
         and `make up`: run eval \"$(make -s env)\" again in a shell that has the old ones."
    } else {
        "Is this still the address of a deployed stack? Its outputs ApiUrl and WebSocketUrl tell."
    }
}

/// Names of this machine, as are those below them. Source: RFC 6761, section 6.3; LocalStack documentation, "Accessing endpoint
/// URLs", for the second one, which public DNS resolves to 127.0.0.1.
const LOCAL_NAMES: [&str; 2] = ["localhost", "localhost.localstack.cloud"];

/// Whether the URL leads to this machine: then no proxy is asked, and its latencies say nothing about AWS.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let host = host.strip_suffix('.').unwrap_or(host);
    let is_named = |name: &str| host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    LOCAL_NAMES.into_iter().any(is_named)
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| {
            let address = address.to_canonical();
            // Connecting to the unspecified address reaches this machine.
            address.is_loopback() || address.is_unspecified()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(api_url: Option<&str>) -> Stack {
        let outputs = ["ApiUrl", "WebSocketUrl"].into_iter().filter_map(|name| Some((name.into(), api_url?.into())));
        Stack { outputs: outputs.collect(), source: "a file".into(), file: None }
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
        let missing = format!("{:#}", stack(None).websocket_url().expect_err("there is none"));
        assert!(missing.contains("Callbacks=none"), "{missing}");
    }

    #[test]
    fn knows_the_urls_of_this_machine() {
        for (url, local) in [
            ("http://localhost:4566/_aws/x", true),
            ("http://127.0.0.1:1", true),
            ("ws://[::1]:1/", true),
            ("http://api.localhost/", true),
            ("http://localhost.:4566", true),
            ("http://localhost.localstack.cloud:4566", true),
            ("wss://abc.execute-api.localhost.localstack.cloud:4566/live", true),
            ("http://0.0.0.0:4566", true),
            ("http://[::]:4566", true),
            ("http://[::ffff:127.0.0.1]:4566", true),
            ("http://127.1:4566", true),
            ("https://abc.execute-api.eu-central-1.amazonaws.com/live", false),
            ("http://localhost.example.com", false),
            ("http://notlocalhost", false),
            ("http://localstack.cloud", false),
            ("http://[::ffff:192.0.2.1]", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).expect("a URL")), local, "{url}");
        }
    }
}
