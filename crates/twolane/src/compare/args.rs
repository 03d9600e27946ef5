//! Options of `twolane compare`.

use crate::stack_args::StackArgs;
use crate::values::{lane_parser, one_of, step_parser};
use anyhow::bail;
use clap::Args;
use lanes::Lane;
use std::path::PathBuf;
use twolane_load::settings::{
    ArrivalDistribution, ComparisonSettings, ConfirmBy, LoadSettings, Phase, ScenarioName, ScenarioSettings,
};
use twolane_report::{Promise, promise::metrics_help};

/// Options of `twolane compare`.
#[derive(Clone, Debug, Args)]
pub(crate) struct CompareArgs {
    /// What happens to the stack or to the load during the measurement; steady by default.
    #[arg(long, value_parser = one_of(SCENARIOS))]
    pub(crate) scenario: Option<ScenarioName>,
    /// Take options from a TOML file such as samples/scenarios/flash-sale.toml: phases of load, faults and promises.
    /// Typed options override the file; --rate and other options of the schedule replace all its phases.
    #[arg(long, value_name = "FILE")]
    pub(crate) scenario_file: Option<PathBuf>,
    /// Lanes to measure, in this order, separated by commas. Without it, all lanes of the stack.
    #[arg(long, value_parser = lane_parser(), value_name = "LANES", value_delimiter = ',')]
    pub(crate) lanes: Vec<Lane>,
    /// Measure one lane: the same as `--lanes` with one name.
    #[arg(long, value_parser = lane_parser(), value_name = "LANE", conflicts_with = "lanes", hide_possible_values = true)]
    pub(crate) only: Option<Lane>,
    /// Load the lanes at the same time instead of one after the other.
    #[arg(long, conflicts_with = "only")]
    pub(crate) parallel: bool,
    /// How to learn the outcome of an order in a lane that answers with a receipt; callback by default.
    #[arg(long, value_parser = one_of(CONFIRM_BY))]
    pub(crate) confirm: Option<ConfirmBy>,
    /// Write only the report as JSON to standard output.
    #[arg(long)]
    pub(crate) json: bool,
    /// Folder for report.json and report.html; created if missing. Without it, a new folder in twolane-reports/.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) output: Option<PathBuf>,
    /// TOML file of prices for the costs. Without it, prices/us-east-1.toml.
    #[arg(long, value_name = "FILE")]
    pub(crate) prices: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) load: LoadArgs,
    #[command(flatten)]
    pub(crate) scenario_options: ScenarioArgs,
    #[command(flatten)]
    pub(crate) gate: GateArgs,
    #[command(flatten)]
    pub(crate) stack: StackArgs,
}

/// The load.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "The load, the same for each lane")]
pub(crate) struct LoadArgs {
    /// How arrivals are spread; constant by default, burst in the scenarios burst and noisy-owner.
    #[arg(long, value_parser = one_of(ARRIVALS), value_name = "SPREAD")]
    pub(crate) arrivals: Option<ArrivalDistribution>,
    /// Replay the arrivals in this file instead: JSON lines {"at":<milliseconds or RFC 3339>,"order":{…}}. A line
    /// without `order` sends a sample order.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["arrivals", "rate", "duration", "orders", "peak", "warm_up"])]
    pub(crate) replay: Option<PathBuf>,
    /// Orders per second; 20 by default.
    #[arg(long, value_name = "ORDERS", value_parser = parse_rate)]
    pub(crate) rate: Option<f64>,
    /// How long orders arrive, in seconds. Without it and --orders, 30.
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds, conflicts_with = "orders")]
    pub(crate) duration: Option<f64>,
    /// Orders to send, instead of a duration.
    #[arg(long, value_name = "ORDERS", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(crate) orders: Option<u32>,
    /// Burst, ramp and steps only: the highest rate, as a multiple of --rate; 10 by default. Below 1, ramp and steps fall.
    #[arg(long, value_name = "TIMES", value_parser = parse_rate)]
    pub(crate) peak: Option<f64>,
    /// Warm-up at --rate, in seconds, not counted in any figure; 5 by default, 0 for none.
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    pub(crate) warm_up: Option<f64>,
    /// Phases of the scenario file.
    #[arg(skip)]
    pub(crate) phases: Vec<Phase>,
    /// Number of owners, each with its own token and socket. They place the orders in turn.
    /// Without it, 4 if a local issuer makes the tokens, 1 with --token, or one for each token in --tokens.
    #[arg(long, value_name = "OWNERS", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) owners: Option<u32>,
    /// File with one access token per line, one for each owner. Needed if no local issuer makes them.
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    pub(crate) tokens: Option<PathBuf>,
    /// Seed of the schedule: the same seed makes the same schedule. Without it, new in every run.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Count an accepted order as lost after this many seconds without any outcome; 60 by default.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) grace: Option<u64>,
    /// Maximum p99 send delay, in milliseconds. Above it, the run fails and shows no times. Without it, 20 ms or a tenth
    /// of the p99 answer time, whichever is more.
    #[arg(long, value_name = "MILLISECONDS", value_parser = clap::value_parser!(u32).range(1..=600_000))]
    pub(crate) max_lag: Option<u32>,
    /// Maximum requests of a lane under way at the same time. Without it, 1000, or what the limit of open files
    /// (`ulimit -n`) allows.
    #[arg(long, value_name = "REQUESTS", value_parser = clap::value_parser!(u32).range(1..=50_000))]
    pub(crate) max_in_flight: Option<u32>,
}

/// The scenario's settings, and how it may change the stack.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "The scenario")]
pub(crate) struct ScenarioArgs {
    /// In burst and noisy-owner: maximum concurrent invocations of each lane's function; 5 by default.
    // At least 2: the minimum of an event source. Source: AWS Lambda Developer Guide, "Configuring maximum concurrency
    // for Amazon SQS event sources".
    #[arg(long, value_name = "INVOCATIONS", value_parser = clap::value_parser!(i32).range(2..=1000))]
    pub(crate) concurrency: Option<i32>,
    /// How long an outage lasts, or a step is stopped, in seconds. Without it, a third of the duration.
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    pub(crate) outage: Option<f64>,
    /// In subscriber-down: the step that is stopped; payment by default.
    #[arg(long, value_parser = step_parser())]
    pub(crate) step: Option<String>,
    /// In poison and duplicates: per cent of the orders that are poison or sent twice; 5 by default.
    #[arg(long, value_name = "PER_CENT", value_parser = parse_percent)]
    pub(crate) percent: Option<f64>,
    /// In noisy-owner: per cent of the orders that the first owner places; 80 by default.
    #[arg(long, value_name = "PER_CENT", value_parser = clap::value_parser!(u8).range(1..=99))]
    pub(crate) noisy_percent: Option<u8>,
    /// In slow-db: milliseconds added to each write; 250 by default.
    #[arg(long, value_name = "MILLISECONDS", value_parser = clap::value_parser!(u64).range(1..=60_000))]
    pub(crate) slow_by: Option<u64>,
    /// In throttled-db: writes per second that the database takes; 10 by default.
    #[arg(long, value_name = "WRITES", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) writes_per_second: Option<u32>,
    /// Change the stack without asking.
    #[arg(long)]
    pub(crate) yes: bool,
    /// Only restore what a killed run left changed.
    #[arg(long)]
    pub(crate) restore: bool,
    /// File that keeps the stack's settings while they are changed. Without it, a file of the stack in
    /// ~/.local/state/twolane (`$XDG_STATE_HOME`).
    #[arg(long, value_name = "FILE")]
    settings_file: Option<PathBuf>,
}

/// Promises that a run must keep, and files for a pipeline.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Gate a pipeline")]
pub(crate) struct GateArgs {
    /// A promise about a lane's figure, such as 'async.done.p99<2s' or '*.lost==0'. May be given several times.
    #[arg(long, value_name = "PROMISE")]
    pub(crate) require: Vec<Promise>,
    /// End as soon as a lane can no longer keep a promise. `refused` is checked while orders are sent, other counts of
    /// orders when a lane has ended. Times, backlog, dead letters and costs are checked at the end of a run.
    #[arg(long)]
    pub(crate) abort_on_fail: bool,
    /// Search for the highest rate at which each lane keeps every promise. Starts at --rate, and runs for --duration at
    /// each rate. Ends when two rates are 5 % apart and each was tried three times. Needs --require. Writes limit.svg.
    #[arg(long)]
    pub(crate) find_limit: bool,
    /// Run all lanes this many times, in turns, and show the spread of each figure.
    #[arg(long, value_name = "TIMES", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub(crate) repeat: u16,
    /// Save the runs as a baseline. Needs --repeat 3 or more.
    #[arg(long, value_name = "FILE")]
    pub(crate) save_baseline: Option<PathBuf>,
    /// Compare times and costs with a baseline of the same stack, lanes and schedule. Needs --repeat 3 or more. Without
    /// --seed, uses the baseline's seed.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// How far a figure may be from the baseline and still count as unchanged, in per cent.
    #[arg(long, value_name = "PER_CENT", default_value = "10%", value_parser = parse_noise)]
    pub(crate) noise: f64,
    /// Append promises, changes and figures as Markdown to this file, such as `$GITHUB_STEP_SUMMARY`.
    #[arg(long, value_name = "FILE")]
    pub(crate) summary: Option<PathBuf>,
    /// Write promises, lost orders and changes as test cases in JUnit XML.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
}

impl CompareArgs {
    /// The named lanes, in their order; empty for all lanes of the stack.
    ///
    /// # Errors
    /// A lane is named twice.
    pub(crate) fn lanes(&self) -> anyhow::Result<Vec<Lane>> {
        let lanes: Vec<Lane> = self.only.into_iter().chain(self.lanes.iter().copied()).collect();
        let repeated = lanes.iter().enumerate().find(|(at, lane)| lanes[..*at].contains(lane));
        if let Some((_, lane)) = repeated {
            bail!("--lanes names {} twice", lane.name);
        }
        Ok(lanes)
    }

    /// All settings except the lanes, with defaults.
    pub(crate) fn settings(&self) -> ComparisonSettings {
        let (load, options) = (self.load.clone(), self.scenario_options.clone());
        let default = ComparisonSettings::default();
        ComparisonSettings {
            scenario: self.scenario(),
            parallel: self.parallel,
            confirm: self.confirm.unwrap_or(default.confirm),
            load: LoadSettings {
                arrivals: load.arrivals,
                replay: load.replay,
                rate: load.rate.unwrap_or(default.load.rate),
                duration: load.duration,
                orders: load.orders,
                peak: load.peak.unwrap_or(default.load.peak),
                phases: load.phases,
                warm_up: load.warm_up.unwrap_or(default.load.warm_up),
                owners: load.owners,
                tokens: load.tokens,
                seed: load.seed,
                grace: load.grace.unwrap_or(default.load.grace),
                max_lag: load.max_lag,
                max_in_flight: load.max_in_flight,
            },
            scenario_options: ScenarioSettings {
                concurrency: options.concurrency.unwrap_or(default.scenario_options.concurrency),
                outage: options.outage,
                step: options.step.unwrap_or(default.scenario_options.step),
                percent: options.percent.unwrap_or(default.scenario_options.percent),
                noisy_percent: options.noisy_percent.unwrap_or(default.scenario_options.noisy_percent),
                slow_by: options.slow_by.unwrap_or(default.scenario_options.slow_by),
                writes_per_second: options.writes_per_second.unwrap_or(default.scenario_options.writes_per_second),
                settings_file: options.settings_file,
            },
            abort_on: if self.gate.abort_on_fail { self.gate.require.clone() } else { Vec::new() },
        }
    }

    pub(crate) fn scenario(&self) -> ScenarioName {
        self.scenario.unwrap_or(ComparisonSettings::default().scenario)
    }
}

const SCENARIOS: &[(&str, &str, ScenarioName)] = &[
    ("steady", "Nothing but the load", ScenarioName::Steady),
    (
        "burst",
        "Each lane's function is limited to --concurrency invocations, and far more orders arrive. Changes the stack",
        ScenarioName::Burst,
    ),
    ("outage", "The lanes' functions are turned off for --outage seconds. Changes the stack", ScenarioName::Outage),
    (
        "subscriber-down",
        "One step of the bus lane is stopped for --outage seconds. Its orders wait, or are cancelled at their deadline. Changes the stack",
        ScenarioName::SubscriberDown,
    ),
    ("slow-db", "Each write to the database takes longer. Changes the stack; local stacks only", ScenarioName::SlowDb),
    ("throttled-db", "The database refuses writes above a rate. Changes the stack", ScenarioName::ThrottledDb),
    (
        "poison",
        "Some orders are not valid, and some messages cannot be decoded. Puts messages into the stack's queues",
        ScenarioName::Poison,
    ),
    ("duplicates", "Some orders are sent twice", ScenarioName::Duplicates),
    (
        "noisy-owner",
        "A burst in which one owner places most orders; the report also shows the other owners' times. Changes the stack",
        ScenarioName::NoisyOwner,
    ),
];

const ARRIVALS: &[(&str, &str, ArrivalDistribution)] = &[
    ("constant", "Evenly", ArrivalDistribution::Constant),
    ("poisson", "Independent of each other, as from many callers", ArrivalDistribution::Poisson),
    (
        "burst",
        "Evenly, but --peak times the rate in the middle third, where each second's orders arrive in its first 250 ms",
        ArrivalDistribution::Burst,
    ),
    ("ramp", "At a rate that rises evenly to --peak times the rate", ArrivalDistribution::Ramp),
    ("steps", "At a rate that rises to --peak times the rate in five equal steps", ArrivalDistribution::Steps),
];

const CONFIRM_BY: &[(&str, &str, ConfirmBy)] = &[
    ("callback", "Over the WebSocket", ConfirmBy::Callback),
    ("poll", "By polling the status service, once a second for each order", ConfirmBy::Poll),
    ("both", "Both ways, each with its own times", ConfirmBy::Both),
];

/// Above 0, up to a million.
fn parse_rate(text: &str) -> Result<f64, String> {
    let wrong = || "a number above 0, up to 1000000".to_owned();
    text.parse().ok().filter(|rate: &f64| *rate > 0.0 && *rate <= 1e6).ok_or_else(wrong)
}

/// Up to a day.
fn parse_seconds(text: &str) -> Result<f64, String> {
    let wrong = || "a number of seconds, from 0 to 86400".to_owned();
    text.parse().ok().filter(|seconds| (0.0..=86_400.0).contains(seconds)).ok_or_else(wrong)
}

/// From 0 to 100.
fn parse_percent(text: &str) -> Result<f64, String> {
    let wrong = || "a number from 0 to 100".to_owned();
    text.parse().ok().filter(|percent| (0.0..=100.0).contains(percent)).ok_or_else(wrong)
}

/// Per cent above 0, with or without the sign, as a fraction: 0.1 for `10%`.
fn parse_noise(text: &str) -> Result<f64, String> {
    let percent = parse_percent(text.strip_suffix('%').unwrap_or(text))?;
    if percent > 0.0 { Ok(percent / 100.0) } else { Err("more than 0%".to_owned()) }
}

/// End of `twolane compare --help`.
pub(crate) fn compare_help() -> String {
    COMPARE_HELP.replacen("{metrics}", &metrics_help(), 1)
}

const COMPARE_HELP: &str = "\
Each lane gets the same orders at the same times; the seed fixes the schedule beforehand. This is \
an open model: orders keep arriving however slow the answers are, as from real callers. Every time \
runs from when the order was due, not from when it was sent. A generator that waits for slow \
answers and measures from the sending misses the orders that would have waited longest \
(\"coordinated omission\"). The report has the send delay. If it is large enough to distort the \
figures, no times are shown, and the run fails.

A run ends when each accepted order has an outcome. It also ends after --grace seconds without any \
outcome, if no order of the run is in the queue. Failed messages wait there for minutes until they \
are redelivered, as in throttled-db. With access to AWS, every sum is then compared with the orders \
table. `compare` writes report.json and report.html, and shows a summary.

Orders of the bus lane take units from stock and money from their owners' accounts. Before the run, \
after you say yes, `compare` adds what its orders need. When no order of the run is PLACED, it \
removes what they did not take. What other orders took meanwhile stays taken. `compare` waits up to \
16 minutes for its orders, and one minute after an interruption. If some are still PLACED, run \
twolane compare --restore later.

Scenarios change a stack only after you say yes, and only through AWS's own controls. `compare` \
keeps the earlier settings in --settings-file and restores them at the end, also after Ctrl-C \
(SIGINT), SIGTERM, a closed terminal (SIGHUP) and a crash. After a kill -9 or a loss of power, run \
twolane compare --restore.

A promise is LANE.METRIC, an operator (<, <=, >, >=, ==) and a number with its unit. LANE is a name, or \
* for each lane. A figure that was not measured breaks its promise. With --repeat, every run must keep \
it. The metrics and their units:
{metrics}

Examples:
  twolane compare
  twolane compare --lanes async
  twolane compare --rate 50 --duration 60 --arrivals poisson --confirm both
  twolane compare --scenario burst --concurrency 5 --peak 10 --yes
  twolane compare --scenario outage --outage 20 --yes
  twolane compare --lanes sync,async,bus --yes
  twolane compare --scenario subscriber-down --step payment --outage 20 --yes
  twolane compare --scenario poison --percent 10 --yes
  twolane compare --scenario noisy-owner --owners 5 --yes
  twolane compare --scenario-file samples/scenarios/flash-sale.toml --yes
  twolane compare --arrivals ramp --rate 10 --peak 8 --duration 60
  twolane compare --replay traffic.jsonl --parallel
  twolane compare --stack-name twolane --tokens tokens.txt --owners 2
  twolane compare --json | jq '.lanes[] | {lane, counts}'
  twolane compare --restore
  twolane compare --require '*.lost==0' --require 'async.done.p99<2s' --summary summary.md
  twolane compare --find-limit --require '*.refused==0' --duration 10 --only sync
  twolane compare --repeat 5 --save-baseline main.json
  twolane compare --repeat 5 --baseline main.json --noise 10%

Exit code:
  0    measured, no accepted order was lost, every promise was kept, and nothing
       is worse than the baseline
  1    an accepted order was lost, a sum differs from the table, or the report
       has another error, such as an unreadable queue depth. Or the load was
       sent too late or could not leave this machine. Or the report could not be
       written: standard error names the folder that has it
  2    wrong usage, no stack, a folder that cannot be written, or too few open
       files. Or the stack may not be changed, or the baseline has other
       conditions. Nothing was sent
  3    a promise is broken
  4    a time or a cost is worse than the baseline's
  129  the terminal was closed (SIGHUP); the results so far are reported
  130  interrupted by Ctrl-C (SIGINT); the results so far are reported
  143  terminated (SIGTERM); the results so far are reported

The stack is found as for `twolane order`; see `twolane --help`. With its outputs (--stack-name, \
--outputs or a local stack) and AWS credentials, `compare` also reads the queues, the orders table \
and the functions' logs. It needs sqs:GetQueueAttributes, dynamodb:BatchGetItem, \
logs:FilterLogEvents and lambda:GetFunctionConfiguration, for poison also sqs:SendMessage. The \
report has the lanes' limits if lambda:GetFunctionConcurrency and lambda:ListEventSourceMappings \
are allowed. The bus lane needs dynamodb:BatchGetItem, dynamodb:PutItem, dynamodb:UpdateItem and \
dynamodb:DeleteItem on the tables of stock and payments. docs/measuring.md lists what each scenario \
needs.";
