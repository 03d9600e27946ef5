//! Finds a stack and its outputs.
//!
//! Options go first, then the environment, then the file of `make up`. All outputs come from one source: URLs of
//! different stacks do not work together.

use crate::aws;
use crate::network::{Network, is_loopback};
use anyhow::{Context, anyhow, bail};
use aws_config::SdkConfig;
use aws_sdk_cloudformation::types::Stack as CloudFormationStack;
use reqwest::Url;
use serde_json::Value;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

const API_URL_VARIABLE: &str = "TWOLANE_API_URL";
const WEBSOCKET_URL_VARIABLE: &str = "TWOLANE_WEBSOCKET_URL";
const OUTPUTS_VARIABLE: &str = "TWOLANE_OUTPUTS";
const DEFAULT_OUTPUTS: &str = ".local/outputs.json";

/// A stack's address.
#[derive(Clone, Debug, Default)]
pub struct StackAddress {
    /// The output `ApiUrl`: the REST API.
    pub api_url: Option<String>,
    /// The output `WebSocketUrl`: the WebSocket API.
    pub websocket_url: Option<String>,
    /// How to find the outputs.
    pub deployed: DeployedAddress,
}

/// How to find a stack's outputs.
#[derive(Clone, Debug, Default)]
pub struct DeployedAddress {
    /// Name on AWS.
    pub stack_name: Option<String>,
    /// `None`: from the AWS configuration.
    pub region: Option<String>,
    /// `None`: from the AWS configuration.
    pub profile: Option<String>,
    /// JSON file with the outputs.
    pub outputs: Option<PathBuf>,
}

impl DeployedAddress {
    async fn network(&self) -> anyhow::Result<Network> {
        Network::find(self.profile.as_deref()).await
    }

    /// Parameters of the stack `stack_name` with values, and its region.
    ///
    /// # Errors
    /// No name is given, or AWS's error.
    pub async fn parameters(&self) -> anyhow::Result<(Vec<(String, String)>, Option<String>)> {
        let name = self.stack_name.as_deref().context("Parameters are read from a stack: pass --stack-name")?;
        let (stack, config) = describe(name, self, &self.network().await?).await?;
        let parameters = stack.parameters.into_iter().flatten();
        let parameters =
            parameters.filter_map(|parameter| Some((parameter.parameter_key?, parameter.parameter_value?))).collect();
        Ok((parameters, config.region().map(ToString::to_string)))
    }

    async fn aws_config(&self, network: &Network, endpoint: Option<&str>) -> anyhow::Result<SdkConfig> {
        aws::config(network, self.profile.as_deref(), self.region.as_deref(), endpoint).await
    }
}

/// A stack's outputs, their source, and how to reach it.
#[derive(Clone, Debug)]
pub struct Stack {
    outputs: HashMap<String, String>,
    network: Network,
    source: String,
    /// If that is the source.
    file: Option<PathBuf>,
    /// For CloudFormation, if that is the source.
    config: Option<SdkConfig>,
}

impl Stack {
    /// Finds the two URLs, with other outputs if the source has them.
    ///
    /// # Errors
    /// No source is found: the message lists them. Or the chosen one is wrong.
    pub async fn find(address: &StackAddress) -> anyhow::Result<Self> {
        if address.deployed.stack_name.is_some() || address.deployed.outputs.is_some() {
            return Self::find_deployed(&address.deployed).await;
        }
        let network = address.deployed.network().await?;
        let (api_url, websocket_url) = (address.api_url.clone(), address.websocket_url.clone());
        let typed = Self::of_urls(api_url, websocket_url, "--api-url and --websocket-url", &network);
        let variables = || {
            let source = format!("{API_URL_VARIABLE} and {WEBSOCKET_URL_VARIABLE}");
            Self::of_urls(variable(API_URL_VARIABLE), variable(WEBSOCKET_URL_VARIABLE), &source, &network)
        };
        if let Some(stack) = typed.or_else(variables) {
            return Ok(stack);
        }
        Self::find_outputs(&network)?.with_context(|| {
            format!(
                "No stack found: neither --api-url, --stack-name nor --outputs is given. Neither {API_URL_VARIABLE}, \
                 {WEBSOCKET_URL_VARIABLE} nor {OUTPUTS_VARIABLE} is set. There is no {DEFAULT_OUTPUTS} here or in \
                 a folder above. Run `make up` to start a local stack, or pass --stack-name."
            )
        })
    }

    /// Finds all outputs.
    ///
    /// # Errors
    /// As for [`Stack::find`].
    pub async fn find_deployed(address: &DeployedAddress) -> anyhow::Result<Self> {
        let network = address.network().await?;
        if let Some(name) = &address.stack_name {
            return Self::from_cloudformation(name, address, network).await;
        }
        if let Some(path) = &address.outputs {
            return Self::from_file(path, &network);
        }
        Self::find_outputs(&network)?.with_context(|| {
            format!(
                "No stack found: neither --stack-name nor --outputs is given. {OUTPUTS_VARIABLE} is not set. There \
                 is no {DEFAULT_OUTPUTS} here or in a folder above. Run `make up` to start a local stack, or pass \
                 --stack-name."
            )
        })
    }

    fn find_outputs(network: &Network) -> anyhow::Result<Option<Self>> {
        Self::local_outputs()?.map(|path| Self::from_file(&path, network)).transpose()
    }

    fn of_urls(
        api_url: Option<String>,
        websocket_url: Option<String>,
        source: &str,
        network: &Network,
    ) -> Option<Self> {
        let given = [("ApiUrl", api_url), ("WebSocketUrl", websocket_url)].into_iter();
        let outputs: HashMap<_, _> = given.filter_map(|(name, url)| Some((name.to_owned(), url?))).collect();
        let (network, source) = (network.clone(), source.to_owned());
        (!outputs.is_empty()).then(|| Self { outputs, network, source, file: None, config: None })
    }

    /// This stack's network settings.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The file with a local stack's outputs, if any.
    ///
    /// # Errors
    /// The current folder cannot be read.
    pub fn local_outputs() -> anyhow::Result<Option<PathBuf>> {
        // A path may not be UTF-8.
        if let Some(path) = std::env::var_os(OUTPUTS_VARIABLE).filter(|path| !path.is_empty()) {
            return Ok(Some(path.into()));
        }
        Ok(default_outputs(&std::env::current_dir().context("Failed to read the current folder")?))
    }

    /// The outputs' file: the source, or the local stack's if it has the same URL. `None` if the current folder is
    /// gone.
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
        Self::from_file(&path, &self.network).ok().filter(same).map(|_| path)
    }

    /// If only the URLs are known and are the local stack's, adds all outputs.
    #[must_use]
    pub fn with_all_outputs(self) -> Self {
        self.file().and_then(|path| Self::from_file(&path, &self.network).ok()).unwrap_or(self)
    }

    /// URL of the REST API.
    ///
    /// # Errors
    /// It is missing or not an HTTP URL.
    pub fn api_url(&self) -> anyhow::Result<Url> {
        self.url("REST API", "ApiUrl", ["https", "http"])
    }

    /// URL of the WebSocket API.
    ///
    /// # Errors
    /// It is missing or not a WebSocket URL.
    pub fn websocket_url(&self) -> anyhow::Result<Url> {
        self.url("WebSocket API", "WebSocketUrl", ["wss", "ws"]).map_err(|error| {
            if self.has_websocket_api() {
                error
            } else {
                error.context("A stack deployed with Callbacks=none has no WebSocket API")
            }
        })
    }

    /// Whether a WebSocket API is known: a stack may lack it.
    #[must_use]
    pub fn has_websocket_api(&self) -> bool {
        self.outputs.contains_key("WebSocketUrl")
    }

    /// An output.
    ///
    /// # Errors
    /// The stack does not have it.
    pub fn output(&self, name: &str) -> anyhow::Result<&str> {
        let output = self.outputs.get(name).map(String::as_str);
        output.with_context(|| {
            format!("{} has no output {name}: deploy this version of the stack, or name its outputs", self.source)
        })
    }

    /// Whether it is on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.api_url().is_ok_and(|url| is_loopback(&url))
    }

    /// This stack's AWS configuration.
    ///
    /// # Errors
    /// The profile does not exist, no region is set, or the configuration of a local stack leads to AWS.
    pub async fn aws_config(&self, address: &DeployedAddress) -> anyhow::Result<SdkConfig> {
        let profiles = self.network.profiles()?;
        profiles.check_selected()?;
        if !self.is_local() {
            return match &self.config {
                Some(config) => Ok(config.clone()),
                None => address.aws_config(&self.network, None).await,
            };
        }
        let endpoint = profiles.endpoint().context(
            "The stack is local, but these settings lead to AWS: neither AWS_ENDPOINT_URL nor endpoint_url of your AWS \
             profile is set, or AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is. Run: eval \"$(make -s env)\"",
        )?;
        if Url::parse(&endpoint).is_err() {
            bail!(
                "The stack is local, but these settings lead to AWS: AWS_ENDPOINT_URL is not a URL. Run: \
                 eval \"$(make -s env)\""
            );
        }
        // A single service's endpoint could lead to AWS.
        address.aws_config(&self.network, Some(&endpoint)).await
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
        let beyond = [
            (url.query().is_some(), "a query, after `?`"),
            (url.fragment().is_some(), "a fragment, after `#`"),
            (!url.username().is_empty() || url.password().is_some(), "a user name or password, before `@`"),
        ];
        if let Some((_, part)) = beyond.into_iter().find(|(is_there, _)| *is_there) {
            // Hide the value: it may be secret.
            bail!("The URL of the {api} from {source} has {part}: pass it without, as in the output {output}");
        }
        Ok(url)
    }

    fn from_file(path: &Path, network: &Network) -> anyhow::Result<Self> {
        let shown = path.display();
        let bytes = std::fs::read(path).with_context(|| format!("Failed to read the stack's outputs in {shown}"))?;
        // Windows editors may write a byte order mark.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let value: Value = serde_json::from_slice(bytes).with_context(|| format!("Failed to read {shown} as JSON"))?;
        let Value::Object(outputs) = value else { bail!("{shown} is not a JSON object of stack outputs") };
        let outputs = outputs.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())));
        let (source, file) = (shown.to_string(), Some(path.to_owned()));
        Ok(Self { outputs: outputs.collect(), network: network.clone(), source, file, config: None })
    }

    async fn from_cloudformation(name: &str, address: &DeployedAddress, network: Network) -> anyhow::Result<Self> {
        let (stack, config) = describe(name, address, &network).await?;
        let outputs = stack.outputs().iter();
        let outputs = outputs.filter_map(|output| Some((output.output_key()?.into(), output.output_value()?.into())));
        let source = format!("the stack {name}");
        Ok(Self { outputs: outputs.collect(), network, source, file: None, config: Some(config) })
    }
}

/// CloudFormation's description, and the AWS configuration used.
async fn describe(
    name: &str,
    address: &DeployedAddress,
    network: &Network,
) -> anyhow::Result<(CloudFormationStack, SdkConfig)> {
    let config = address.aws_config(network, None).await;
    let config = config.with_context(|| format!("Failed to look for the stack {name}"))?;
    let described = aws_sdk_cloudformation::Client::new(&config).describe_stacks().stack_name(name).send().await;
    let described = described
        .map_err(|error| aws::describe(&error))
        .with_context(|| format!("Failed to describe the stack {name}"))?;
    let stack = described.stacks.into_iter().flatten().next();
    Ok((stack.with_context(|| format!("There is no stack {name}"))?, config))
}

/// A value that is not UTF-8 is kept, and later refused as a URL.
fn variable(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()).filter(|value| !value.is_empty())
}

/// `.local/outputs.json` there or in the nearest folder above.
fn default_outputs(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().map(|folder| folder.join(DEFAULT_OUTPUTS)).find(|path| path.is_file())
}

/// A hint for an address without a server or without this API.
#[must_use]
pub fn is_it_still_there(url: &Url) -> &'static str {
    if is_loopback(url) {
        "Is this still the address of a running stack? `make up` starts one. Addresses change with every `make down` \
         and `make up`: run eval \"$(make -s env)\" again in a shell with old addresses."
    } else {
        "Is this still the address of a deployed stack? Compare its outputs ApiUrl and WebSocketUrl."
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(api_url: Option<&str>) -> Stack {
        let outputs = ["ApiUrl", "WebSocketUrl"].into_iter().filter_map(|name| Some((name.into(), api_url?.into())));
        Stack {
            outputs: outputs.collect(),
            network: Network::direct(),
            source: "a file".into(),
            file: None,
            config: None,
        }
    }

    #[test]
    fn names_the_source_of_a_url_that_is_missing_or_wrong() {
        for (url, why) in [
            (None, "a file does not give the URL of the REST API (ApiUrl)"),
            (Some("unknown"), "\"unknown\" from a file is not a URL: relative URL without a base"),
            (
                Some("wss://host/live"),
                "\"wss://host/live\" from a file is not the URL of a REST API: it must begin with https:// or http://",
            ),
        ] {
            assert_eq!(stack(url).api_url().expect_err("not a URL").to_string(), why);
        }
        assert!(stack(Some("wss://host/live")).websocket_url().is_ok());
        // The deployer's domain, without a stage.
        assert!(stack(Some("wss://socket.example.com")).websocket_url().is_ok());
        let missing = format!("{:#}", stack(None).websocket_url().expect_err("the stack has none"));
        assert!(missing.contains("Callbacks=none"), "{missing}");
    }
}
