//! Options that name a stack.

use clap::Args;
use std::path::PathBuf;
use twolane_client::stack::{DeployedAddress, StackAddress};

/// Where the stack is; see [`twolane_client::stack`].
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "The stack")]
pub(crate) struct StackArgs {
    /// URL of the REST API, including the stage.
    #[arg(long, value_name = "URL", conflicts_with_all = ["stack_name", "outputs", "region"])]
    pub(crate) api_url: Option<String>,
    /// URL of the WebSocket API, including the stage.
    #[arg(long, value_name = "URL", conflicts_with_all = ["stack_name", "outputs", "region"])]
    pub(crate) websocket_url: Option<String>,
    /// Access token to send. Without it, a local stack's issuer makes one.
    #[arg(long, value_name = "TOKEN", env = "TWOLANE_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    #[command(flatten)]
    pub(crate) deployed: DeployedArgs,
}

/// Where a stack's outputs are; see [`twolane_client::stack`].
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "The stack")]
pub(crate) struct DeployedArgs {
    /// Name of a deployed AWS stack. Its outputs are read.
    #[arg(long, value_name = "NAME", conflicts_with = "outputs")]
    pub(crate) stack_name: Option<String>,
    /// AWS Region. Without it, the Region of your AWS configuration.
    #[arg(long)]
    pub(crate) region: Option<String>,
    /// AWS profile: its credentials, `region`, `endpoint_url` and `ca_bundle`. Without it, the profile in `AWS_PROFILE`.
    #[arg(long)]
    pub(crate) profile: Option<String>,
    /// JSON file with the stack's outputs, as `make up` writes it: {"ApiUrl":"…","WebSocketUrl":"…",…}.
    #[arg(long, value_name = "FILE")]
    pub(crate) outputs: Option<PathBuf>,
}

impl StackArgs {
    /// The options as an address.
    pub(crate) fn address(&self) -> StackAddress {
        let (api_url, websocket_url) = (self.api_url.clone(), self.websocket_url.clone());
        StackAddress { api_url, websocket_url, deployed: self.deployed.address() }
    }
}

impl DeployedArgs {
    pub(crate) fn address(&self) -> DeployedAddress {
        let Self { stack_name, region, profile, outputs } = self.clone();
        DeployedAddress { stack_name, region, profile, outputs }
    }
}
