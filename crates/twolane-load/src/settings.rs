//! The settings of a comparison.

use crate::stack_settings::default_file;
pub use crate::workload::{ArrivalDistribution, Phase};
use serde::Deserialize;
use std::path::PathBuf;
use twolane_report::Promise;

/// Default `peak`.
pub(crate) const DEFAULT_PEAK: f64 = 10.0;

/// All settings of a comparison.
#[derive(Clone, Debug)]
pub struct ComparisonSettings {
    /// The scenario.
    pub scenario: ScenarioName,
    /// Whether the lanes are loaded concurrently.
    pub parallel: bool,
    /// How outcomes are learned if the answer is a receipt.
    pub confirm: ConfirmBy,
    /// Each lane's load.
    pub load: LoadSettings,
    /// The scenario's settings.
    pub scenario_options: ScenarioSettings,
    /// Promises that end a run once a lane can no longer keep one.
    pub abort_on: Vec<Promise>,
}

impl ComparisonSettings {
    pub(crate) fn arrivals(&self) -> ArrivalDistribution {
        self.load.arrivals.unwrap_or(match self.scenario {
            ScenarioName::Burst | ScenarioName::NoisyOwner => ArrivalDistribution::Burst,
            _ => ArrivalDistribution::Constant,
        })
    }
}

/// The load.
#[derive(Clone, Debug)]
pub struct LoadSettings {
    /// Default: `burst` in the scenarios burst and noisy-owner, else `constant`.
    pub arrivals: Option<ArrivalDistribution>,
    /// File to replay instead.
    pub replay: Option<PathBuf>,
    /// Orders per second.
    pub rate: f64,
    /// Seconds in which orders arrive.
    pub duration: Option<f64>,
    /// Orders to send, instead of a duration.
    pub orders: Option<u32>,
    /// The highest rate of a burst, a ramp or steps, as a multiple of the rate.
    pub peak: f64,
    /// Phases of a scenario file, instead of `arrivals`, `rate`, `peak`, `duration` and `orders`.
    pub phases: Vec<Phase>,
    /// Warm-up in seconds.
    pub warm_up: f64,
    /// Number of owners.
    pub owners: Option<u32>,
    /// File with one access token per line and owner.
    pub tokens: Option<PathBuf>,
    /// Seed of the schedule. Default: random.
    pub seed: Option<u64>,
    /// Grace period in seconds.
    pub grace: u64,
    /// Maximum p99 send delay, in milliseconds.
    pub max_lag: Option<u32>,
    /// Most concurrent requests per lane. Default: 1000, or what the limit of open files allows.
    pub max_in_flight: Option<u32>,
}

/// The settings of a scenario.
#[derive(Clone, Debug)]
pub struct ScenarioSettings {
    /// In burst: maximum concurrency of each lane's function.
    pub concurrency: i32,
    /// Seconds of an outage. Default: a third of the load's duration.
    pub outage: Option<f64>,
    /// Per cent of orders that are poison or repeated.
    pub percent: f64,
    /// In noisy-owner: one owner's share in per cent, 1 to 99.
    pub noisy_percent: u8,
    /// In subscriber-down: the stopped step.
    pub step: String,
    /// In slow-db: extra time per write, in milliseconds.
    pub slow_by: u64,
    /// In throttled-db: maximum writes per second.
    pub writes_per_second: u32,
    /// File for the stack's settings while they are changed. Default: one per stack in the home folder.
    pub settings_file: Option<PathBuf>,
}

impl ScenarioSettings {
    /// Creates the file's folder.
    pub(crate) fn settings_file(&self, stack: &str) -> anyhow::Result<PathBuf> {
        self.settings_file.clone().map_or_else(|| default_file(stack), Ok)
    }
}

/// A scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScenarioName {
    /// Load only.
    Steady,
    /// Far more orders arrive than each lane may have concurrent invocations. Changes the stack.
    Burst,
    /// The lanes' functions are off for a time. Changes the stack.
    Outage,
    /// One step is stopped for a time. Changes the stack.
    SubscriberDown,
    /// Each write to the database takes longer. Changes the stack; local stacks only.
    SlowDb,
    /// The database throttles writes above a limit. Changes the stack.
    ThrottledDb,
    /// Some orders are invalid, some messages undecodable. Puts messages into the stack's queues.
    Poison,
    /// Some orders are sent twice.
    Duplicates,
    /// One owner places most orders, and each lane has little concurrency. Changes the stack.
    NoisyOwner,
}

impl ScenarioName {
    /// Name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Steady => "steady",
            Self::Burst => "burst",
            Self::Outage => "outage",
            Self::SubscriberDown => "subscriber-down",
            Self::SlowDb => "slow-db",
            Self::ThrottledDb => "throttled-db",
            Self::Poison => "poison",
            Self::Duplicates => "duplicates",
            Self::NoisyOwner => "noisy-owner",
        }
    }

    pub(crate) fn changes_functions(self) -> bool {
        matches!(self, Self::Burst | Self::NoisyOwner | Self::Outage)
    }
}

/// How outcomes are learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConfirmBy {
    /// Over the WebSocket.
    Callback,
    /// By polling, once a second per order.
    Poll,
    /// Both ways, with separate times.
    Both,
}

impl ConfirmBy {
    pub(crate) fn has_callbacks(self) -> bool {
        self != Self::Poll
    }

    pub(crate) fn has_polls(self) -> bool {
        self != Self::Callback
    }
}

/// The defaults.
impl Default for ComparisonSettings {
    fn default() -> Self {
        let load = LoadSettings {
            arrivals: None,
            replay: None,
            rate: 20.0,
            duration: None,
            orders: None,
            peak: DEFAULT_PEAK,
            phases: Vec::new(),
            warm_up: 5.0,
            owners: None,
            tokens: None,
            seed: None,
            grace: 60,
            max_lag: None,
            max_in_flight: None,
        };
        let scenario_options = ScenarioSettings {
            concurrency: 5,
            outage: None,
            step: "payment".to_owned(),
            percent: 5.0,
            noisy_percent: 80,
            slow_by: 250,
            writes_per_second: 10,
            settings_file: None,
        };
        Self {
            scenario: ScenarioName::Steady,
            parallel: false,
            confirm: ConfirmBy::Callback,
            load,
            scenario_options,
            abort_on: Vec::new(),
        }
    }
}
