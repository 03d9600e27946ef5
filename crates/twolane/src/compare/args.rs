//! What can be typed after `twolane compare`.

use crate::stack_args::StackArgs;
use crate::values::{lane_parser, one_of, step_parser};
use anyhow::bail;
use clap::Args;
use lanes::Lane;
use std::path::PathBuf;
use twolane_load::settings::{
    ArrivalDistribution, ConfirmBy, LoadSettings, Phase, ScenarioName, ScenarioSettings, Settings,
};
use twolane_report::{Promise, promise::metrics_help};

/// Options of `twolane compare`.
#[derive(Clone, Debug, Args)]
pub(crate) struct CompareArgs {
    /// What happens to the stack or to the load while it is measured; steady by default.
    #[arg(long, value_parser = one_of(SCENARIOS))]
    pub(crate) scenario: Option<ScenarioName>,
    /// Take options from a TOML file such as samples/scenarios/flash-sale.toml: phases of load, faults and promises.
    /// Typed options override the file; --rate and other options of the schedule replace all its phases.
    #[arg(long, value_name = "FILE")]
    pub(crate) scenario_file: Option<PathBuf>,
    /// Lanes to measure, in this order, separated by commas; without it, all that the stack has.
    #[arg(long, value_parser = lane_parser(), value_name = "LANES", value_delimiter = ',')]
    pub(crate) lanes: Vec<Lane>,
    /// Measure one lane: the same as `--lanes` with one name.
    #[arg(long, value_parser = lane_parser(), value_name = "LANE", conflicts_with = "lanes", hide_possible_values = true)]
    pub(crate) only: Option<Lane>,
    /// Load the lanes at the same time rather than one after the other.
    #[arg(long, conflicts_with = "only")]
    pub(crate) parallel: bool,
    /// How to learn the outcome of an order in a lane that answers with a receipt; callback by default.
    #[arg(long, value_parser = one_of(CONFIRM_BY))]
    pub(crate) confirm: Option<ConfirmBy>,
    /// Write the report as JSON to standard output, and nothing else there.
    #[arg(long)]
    pub(crate) json: bool,
    /// Folder for report.json and report.html; it is made. One of its own per run in twolane-reports/ without it.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) output: Option<PathBuf>,
    /// Prices for the costs: a TOML file like prices/us-east-1.toml, which is used without it.
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
    /// Replay the arrivals of a file instead: JSON lines {"at":<milliseconds or RFC 3339>,"order":{…}}; without
    /// `order`, a sample order.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["arrivals", "rate", "duration", "orders", "peak", "warm_up"])]
    pub(crate) replay: Option<PathBuf>,
    /// Orders per second; 20 by default.
    #[arg(long, value_name = "ORDERS", value_parser = parse_rate)]
    pub(crate) rate: Option<f64>,
    /// How long orders arrive, in seconds; 30 without it and --orders.
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds, conflicts_with = "orders")]
    pub(crate) duration: Option<f64>,
    /// Orders to send, instead of a duration.
    #[arg(long, value_name = "ORDERS", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(crate) orders: Option<u32>,
    /// Burst, ramp and steps: the highest rate, as a multiple of --rate; 10 by default. Below 1, a ramp or steps fall.
    #[arg(long, value_name = "TIMES", value_parser = parse_rate)]
    pub(crate) peak: Option<f64>,
    /// Seconds of load at that rate before the figures begin; 5 by default, 0 for none.
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    pub(crate) warm_up: Option<f64>,
    /// Of the scenario file.
    #[arg(skip)]
    pub(crate) phases: Vec<Phase>,
    /// Owners of the orders, each with a token and a socket of its own; the orders go round.
    /// Four without it where a local issuer makes their tokens, one with a token that was given, else as many as
    /// there are tokens in --tokens.
    #[arg(long, value_name = "OWNERS", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) owners: Option<u32>,
    /// File with one access token per line, one for each owner, where no local issuer makes them.
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    pub(crate) tokens: Option<PathBuf>,
    /// What the schedule follows from: the same seed makes the same one. New in every run without it.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Count an accepted order as lost after this many seconds without any outcome; 60 by default.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) grace: Option<u64>,
    /// How late 1 % of the requests may leave, in milliseconds; when it is more, no times are shown. Without it, 20 ms
    /// or a tenth of the time in which 99 % are answered, whichever is more.
    #[arg(long, value_name = "MILLISECONDS", value_parser = clap::value_parser!(u32).range(1..=600_000))]
    pub(crate) max_lag: Option<u32>,
    /// Requests of a lane under way at the same time at most. Without it 1000, or as many as the limit of open files
    /// (`ulimit -n`) allows.
    #[arg(long, value_name = "REQUESTS", value_parser = clap::value_parser!(u32).range(1..=50_000))]
    pub(crate) max_in_flight: Option<u32>,
}

/// The scenario's own figures, and how it may change the stack.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "The scenario")]
pub(crate) struct ScenarioArgs {
    /// In burst and noisy-owner: invocations that each lane's function may have at once; 5 by default.
    // At least 2: the least that an event source takes. Source: AWS Lambda Developer Guide, "Configuring maximum
    // concurrency for Amazon SQS event sources".
    #[arg(long, value_name = "INVOCATIONS", value_parser = clap::value_parser!(i32).range(2..=1000))]
    pub(crate) concurrency: Option<i32>,
    /// How long an outage lasts, or a step is stopped, in seconds; a third of the duration without it.
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    pub(crate) outage: Option<f64>,
    /// In subscriber-down: the step that is stopped; payment by default.
    #[arg(long, value_parser = step_parser())]
    pub(crate) step: Option<String>,
    /// Per cent of the orders that are poison, or that are sent twice; 5 by default.
    #[arg(long, value_name = "PER_CENT", value_parser = parse_percent)]
    pub(crate) percent: Option<f64>,
    /// In noisy-owner: per cent of the orders that the first owner places; 80 by default.
    #[arg(long, value_name = "PER_CENT", value_parser = clap::value_parser!(u8).range(1..=99))]
    pub(crate) noisy_percent: Option<u8>,
    /// In slow-db: milliseconds that each write takes longer; 250 by default.
    #[arg(long, value_name = "MILLISECONDS", value_parser = clap::value_parser!(u64).range(1..=60_000))]
    pub(crate) slow_by: Option<u64>,
    /// In throttled-db: writes per second that the database takes; 10 by default.
    #[arg(long, value_name = "WRITES", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) writes_per_second: Option<u32>,
    /// Do not ask before the stack is changed.
    #[arg(long)]
    pub(crate) yes: bool,
    /// Put back what a run that was killed left changed, and do nothing else.
    #[arg(long)]
    pub(crate) restore: bool,
    /// Where the stack's settings are kept while they are changed. A file of the stack in
    /// ~/.local/state/twolane (`$XDG_STATE_HOME`) without it.
    #[arg(long, value_name = "FILE")]
    settings_file: Option<PathBuf>,
}

/// What a run must keep, and the files that a pipeline reads.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Gate a pipeline")]
pub(crate) struct GateArgs {
    /// A promise about a lane's figure, such as 'async.done.p99<2s' or '*.lost==0'. May be given several times.
    #[arg(long, value_name = "PROMISE")]
    pub(crate) require: Vec<Promise>,
    /// End as soon as a lane can no longer keep a promise. While orders are sent, `refused` is watched; when a lane has
    /// ended, its other numbers of orders. Times, backlog, dead letters and costs are judged at the end of a run.
    #[arg(long)]
    pub(crate) abort_on_fail: bool,
    /// Search for the highest rate at which each lane keeps every promise. Starts at --rate, with one run of --duration at
    /// each rate. Ends when two rates are 5 % apart and each was tried three times. Needs --require. Writes limit.svg.
    #[arg(long)]
    pub(crate) find_limit: bool,
    /// Run all lanes this many times, in turns, and show how far each figure spreads.
    #[arg(long, value_name = "TIMES", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub(crate) repeat: u16,
    /// Save the runs as a baseline. Needs --repeat 3 or more.
    #[arg(long, value_name = "FILE")]
    pub(crate) save_baseline: Option<PathBuf>,
    /// Compare times and costs with a baseline of the same place, lanes and schedule. Needs --repeat 3 or more. Without
    /// --seed, the baseline's seed is used.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// How far a figure may be from the baseline and still count as unchanged, in per cent.
    #[arg(long, value_name = "PER_CENT", default_value = "10%", value_parser = parse_noise)]
    pub(crate) noise: f64,
    /// Append promises, changes and figures as Markdown to that file, such as `$GITHUB_STEP_SUMMARY`.
    #[arg(long, value_name = "FILE")]
    pub(crate) summary: Option<PathBuf>,
    /// Write promises, losses and changes as test cases in JUnit XML.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
}

impl CompareArgs {
    /// The lanes that were named, in their order; none for all that the stack has.
    ///
    /// # Errors
    /// One is named twice.
    pub(crate) fn lanes(&self) -> anyhow::Result<Vec<Lane>> {
        let lanes: Vec<Lane> = self.only.into_iter().chain(self.lanes.iter().copied()).collect();
        let repeated = lanes.iter().enumerate().find(|(at, lane)| lanes[..*at].contains(lane));
        if let Some((_, lane)) = repeated {
            bail!("--lanes names {} twice", lane.name);
        }
        Ok(lanes)
    }

    /// What was chosen besides, with the defaults of the rest.
    pub(crate) fn settings(&self) -> Settings {
        let (load, options) = (self.load.clone(), self.scenario_options.clone());
        let default = Settings::default();
        Settings {
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

    /// What happens while it is measured.
    pub(crate) fn scenario(&self) -> ScenarioName {
        self.scenario.unwrap_or(Settings::default().scenario)
    }
}

/// Scenarios as typed.
const SCENARIOS: &[(&str, &str, ScenarioName)] = &[
    ("steady", "Nothing but the load", ScenarioName::Steady),
    (
        "burst",
        "Each lane may have so many invocations at once, and far more orders come at once. Changes the stack",
        ScenarioName::Burst,
    ),
    ("outage", "The lanes' functions are turned off for a while. Changes the stack", ScenarioName::Outage),
    (
        "subscriber-down",
        "One step of the bus lane is stopped for a while. Its orders wait for it, or are cancelled at their deadline. Changes the stack",
        ScenarioName::SubscriberDown,
    ),
    ("slow-db", "Each write to the database takes longer. Changes the stack; local stacks only", ScenarioName::SlowDb),
    ("throttled-db", "The database refuses writes over a limit. Changes the stack", ScenarioName::ThrottledDb),
    (
        "poison",
        "Some orders are not valid, and some messages cannot be decoded. Puts messages into the stack's queues",
        ScenarioName::Poison,
    ),
    ("duplicates", "Some orders are sent twice", ScenarioName::Duplicates),
    (
        "noisy-owner",
        "A burst in which one owner places most orders: the report shows the times of the other owners too. Changes the stack",
        ScenarioName::NoisyOwner,
    ),
];

/// How arrivals are spread, as typed.
const ARRIVALS: &[(&str, &str, ArrivalDistribution)] = &[
    ("constant", "Evenly", ArrivalDistribution::Constant),
    ("poisson", "Independently of each other, as from many callers", ArrivalDistribution::Poisson),
    (
        "burst",
        "Evenly, with --peak times the rate in the middle third of the time: there, each second's orders arrive in its first 250 ms",
        ArrivalDistribution::Burst,
    ),
    ("ramp", "At a rate that rises evenly to --peak times the rate", ArrivalDistribution::Ramp),
    ("steps", "At a rate that rises to --peak times the rate in five equal steps", ArrivalDistribution::Steps),
];

/// How outcomes are learned, as typed.
const CONFIRM_BY: &[(&str, &str, ConfirmBy)] = &[
    ("callback", "Over the WebSocket", ConfirmBy::Callback),
    ("poll", "From the status service, asked once a second and order", ConfirmBy::Poll),
    ("both", "Both ways, each with its own times", ConfirmBy::Both),
];

/// Reads a positive number, a million at most.
fn parse_rate(text: &str) -> Result<f64, String> {
    let wrong = || "a number above 0, up to 1000000".to_owned();
    text.parse().ok().filter(|rate: &f64| *rate > 0.0 && *rate <= 1e6).ok_or_else(wrong)
}

/// Reads a number of seconds, a day at most.
fn parse_seconds(text: &str) -> Result<f64, String> {
    let wrong = || "a number of seconds, from 0 to 86400".to_owned();
    text.parse().ok().filter(|seconds| (0.0..=86_400.0).contains(seconds)).ok_or_else(wrong)
}

/// Reads a share in per cent.
fn parse_percent(text: &str) -> Result<f64, String> {
    let wrong = || "a number from 0 to 100".to_owned();
    text.parse().ok().filter(|percent| (0.0..=100.0).contains(percent)).ok_or_else(wrong)
}

/// Reads a share in per cent, above 0, with or without the sign: 0.1 for `10%`.
fn parse_noise(text: &str) -> Result<f64, String> {
    let percent = parse_percent(text.strip_suffix('%').unwrap_or(text))?;
    if percent > 0.0 { Ok(percent / 100.0) } else { Err("more than 0%".to_owned()) }
}

/// What `twolane compare --help` ends with.
pub(crate) fn compare_help() -> String {
    COMPARE_HELP.replacen("{metrics}", &metrics_help(), 1)
}

const COMPARE_HELP: &str = "\
Each lane gets the same orders at the same times, fixed beforehand from the seed: an open model, in \
which orders keep coming however slow the answers are, as callers do. Every time is taken from when \
the order was due, not from when it could be sent. A generator that waits for slow answers before \
it sends more, and takes times from the sending, leaves out just the orders that would have waited \
longest (\"coordinated omission\"). How late the orders were sent is reported; when it was so late \
that it would show in the figures, no times are shown, and the run fails.

A run ends when each accepted order has an outcome, or when there was no news for --grace seconds \
and no order of it is in the queue: what fails comes again after minutes, in throttled-db for one. \
Then every sum is compared with the orders table, where AWS may be asked. report.json and \
report.html are written, and a summary is shown.

Orders of the bus lane take units from stock and money from their owners' accounts. Before the run, \
what its orders need is added to both, after you say yes. At the end, when no order of the run is \
PLACED, what they did not take is taken back. What other orders took meanwhile stays taken. \
Orders are waited for up to 16 minutes, and a minute after an interruption; where that is \
not enough, twolane compare --restore takes it back later.

Scenarios change a stack only after you say yes, and only by AWS's own controls; what was before is \
kept in --settings-file and put back at the end, also after Ctrl-C (SIGINT), SIGTERM, a closed \
terminal (SIGHUP) and a crash. After a kill -9 or a loss of power: twolane compare --restore.

A promise is LANE.METRIC, an operator (<, <=, >, >=, ==) and a number with its unit. LANE is a name, or \
* for each lane. A figure that was not measured breaks its promise. With --repeat, every run must keep \
it. The metrics, and what their number is:
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
  1    an accepted order was lost, a sum does not agree with the table, the load
       was not kept up or could not leave this machine, or the report has
       another error, as that the queue's depth could never be read; or the
       report could not be written, and is in a folder that standard error names
  2    wrong usage, no stack, a folder that cannot be written, too few open
       files, the stack may not be changed, or the baseline is of other
       conditions: nothing was sent
  3    a promise is broken
  4    a time or a cost is worse than the baseline's
  129  its terminal was closed (SIGHUP); what was measured is reported
  130  interrupted by Ctrl-C (SIGINT); what was measured is reported
  143  terminated (SIGTERM); what was measured is reported

The stack is found as for `twolane order`; see `twolane --help`. With its outputs (--stack-name, \
--outputs or a local stack) and AWS credentials, the queues, the orders table and the functions' \
logs are read too. It takes sqs:GetQueueAttributes, dynamodb:BatchGetItem, logs:FilterLogEvents \
and lambda:GetFunctionConfiguration, for poison sqs:SendMessage. The lanes' limits are in the \
report where lambda:GetFunctionConcurrency and lambda:ListEventSourceMappings are allowed. The bus \
lane takes dynamodb:BatchGetItem, dynamodb:PutItem, dynamodb:UpdateItem and dynamodb:DeleteItem on \
the tables of stock and payments. What else a scenario takes: docs/measuring.md.";
