//! Options of `twolane plan`.

use crate::values::{lane_parser, one_of, parse_ttl};
use clap::Args;
use lanes::Lane;
use std::path::PathBuf;
use std::time::Duration;
use twolane_plan::{Api, Architecture, Confirm, RateProfile};

/// Options of `twolane plan`.
#[derive(Clone, Debug, Args)]
pub(crate) struct PlanArgs {
    /// Lanes to plan, separated by commas. Without it, all. Each lane is planned as if it had the account to itself.
    #[arg(long, value_parser = lane_parser(), value_name = "LANES", value_delimiter = ',')]
    pub(crate) lanes: Vec<Lane>,
    #[command(flatten)]
    pub(crate) load: PlanLoadArgs,
    #[command(flatten)]
    pub(crate) stack: PlanStackArgs,
    /// Maximum p99 of the time until an outcome: 90s, 15m, 1h.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = parse_ttl)]
    pub(crate) max_delay: Duration,
    /// Write only JSON: every figure, and the lanes over time.
    #[arg(long)]
    pub(crate) json: bool,
    /// Also write charts and figures to this file, as one HTML page for any browser.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// List all settings with their values, and plan nothing.
    #[arg(long, conflicts_with_all = ["json", "html"])]
    pub(crate) settings: bool,
}

/// The load.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "The load, the same for each lane")]
pub(crate) struct PlanLoadArgs {
    /// How arrivals are spread.
    #[arg(long, value_parser = one_of(ARRIVALS), value_name = "SPREAD", default_value = "constant")]
    pub(crate) arrivals: RateProfile,
    /// Orders per second.
    #[arg(long, value_name = "ORDERS", default_value_t = 100.0)]
    pub(crate) rate: f64,
    /// Highest rate, as a multiple of --rate. Without it, 5. Not for a constant load.
    #[arg(long, value_name = "TIMES")]
    pub(crate) peak: Option<f64>,
    /// How long orders arrive: 90s, 15m, 1h, 7d. Without it, one day for the arrivals `day`, else one hour.
    #[arg(long, value_name = "TIME", value_parser = parse_ttl)]
    pub(crate) duration: Option<Duration>,
    /// Plan for the arrivals in this file instead, in the format of `twolane compare --replay`: JSON lines
    /// {"at":<milliseconds or RFC 3339>}.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["arrivals", "rate", "peak", "duration"])]
    pub(crate) replay: Option<PathBuf>,
}

/// The stack and the account.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "The stack and the account")]
pub(crate) struct PlanStackArgs {
    /// Plan with the parameters of this deployed AWS stack. Without it, with template.yaml's defaults.
    #[arg(long, value_name = "NAME")]
    pub(crate) stack_name: Option<String>,
    /// AWS Region of that stack. Without it, the Region of your AWS configuration.
    #[arg(long, requires = "stack_name")]
    pub(crate) region: Option<String>,
    /// AWS profile for that stack. Without it, the profile in `AWS_PROFILE`.
    #[arg(long, requires = "stack_name")]
    pub(crate) profile: Option<String>,
    /// Replace the value of a setting from template.yaml, AWS or the model's assumptions. May be given several times.
    /// `--settings` lists all settings.
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_setting)]
    pub(crate) set: Vec<(String, f64)>,
    /// How clients learn the outcome in a lane that answers with a receipt. Without it, by callbacks if the stack
    /// has them.
    #[arg(long, value_parser = one_of(CONFIRM))]
    pub(crate) confirm: Option<Confirm>,
    /// Kind of API that takes the requests, for costs.
    #[arg(long, value_parser = one_of(APIS), default_value = "rest")]
    pub(crate) api: Api,
    /// Architecture of the functions, for costs. Without it, the stack's `Architecture`, or arm64.
    #[arg(long, value_parser = one_of(ARCHITECTURES))]
    pub(crate) architecture: Option<Architecture>,
    /// TOML file of AWS's limits. Without it, limits/us-east-1.toml.
    #[arg(long, value_name = "FILE")]
    pub(crate) limits: Option<PathBuf>,
    /// TOML file of prices for the costs. Without it, prices/us-east-1.toml.
    #[arg(long, value_name = "FILE")]
    pub(crate) prices: Option<PathBuf>,
}

const ARRIVALS: &[(&str, &str, RateProfile)] = &[
    ("constant", "The rate, all the time", RateProfile::Constant),
    ("ramp", "From the rate to the peak, rising evenly", RateProfile::Ramp),
    ("burst", "The rate, and the peak in the middle third", RateProfile::Burst),
    ("day", "The rate on average, less at night, rising to the peak at noon", RateProfile::Day),
];

const CONFIRM: &[(&str, &str, Confirm)] =
    &[("callback", "Over the WebSocket", Confirm::Callback), ("poll", "By polling the status service", Confirm::Poll)];

const APIS: &[(&str, &str, Api)] = &[
    ("rest", "A REST API, as in template.yaml", Api::Rest),
    ("http", "An HTTP API: cheaper, with fewer features", Api::Http),
];

pub(super) const ARCHITECTURES: &[(&str, &str, Architecture)] =
    &[("arm64", "As in template.yaml", Architecture::Arm64), ("x86_64", "Intel or AMD", Architecture::X86)];

/// Such as `MaximumConcurrency=50`.
fn parse_setting(text: &str) -> Result<(String, f64), String> {
    let wrong = || "a setting and its value, such as MaximumConcurrency=50".to_owned();
    let (name, value) = text.split_once('=').ok_or_else(wrong)?;
    Ok((name.to_owned(), value.parse().map_err(|_| wrong())?))
}

pub(crate) const PLAN_HELP: &str = "\
The plan is a model: it simulates AWS's documented limits, the stack's parameters and some assumed
durations in small steps. It sends nothing, and needs no stack. It was not measured on AWS. With
--stack-name, it reads that stack's parameters from CloudFormation.

A lane passes if every order is accepted, done and called back, and 99 % have their outcome within
--max-delay. For a lane that does not pass, the plan lists what the peak needs, what to change, and the
results after the change. Copy the --set options it prints to plan with them.

Examples:
  twolane plan --rate 100
  twolane plan --rate 1000 --peak 5 --arrivals day
  twolane plan --rate 50 --peak 20 --arrivals burst --duration 15m --lanes sync,async
  twolane plan --rate 1000 --set MaximumConcurrency=100 --set LambdaConcurrency=3000
  twolane plan --rate 100 --api http --confirm poll --architecture x86_64
  twolane plan --rate 100 --set BatchSize=100 --set MaximumBatchingWindowInSeconds=1
  twolane plan --rate 100 --set ProvisionedWriteUnits=200
  twolane plan --replay arrivals.jsonl --json | jq '.lanes[] | {lane, passes, limitedBy}'
  twolane plan --rate 1000 --peak 5 --arrivals day --html plan.html
  twolane plan --stack-name twolane-prod --rate 200
  twolane plan --settings

Exit code:
  0  every lane passes
  1  a lane does not pass
  2  wrong usage, a stack that is not found, or a file that cannot be read or written";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_settings() {
        assert_eq!(parse_setting("MaximumConcurrency=50"), Ok(("MaximumConcurrency".to_owned(), 50.0)));
        for text in ["", "MaximumConcurrency", "MaximumConcurrency=many"] {
            assert!(parse_setting(text).is_err(), "{text}");
        }
    }
}
