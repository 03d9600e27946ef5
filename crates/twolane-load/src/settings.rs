//! What a comparison is made from.

use crate::stack_settings::default_file;
pub use crate::workload::{ArrivalDistribution, Phase};
use serde::Deserialize;
use std::path::PathBuf;
use twolane_report::Promise;

/// The highest rate of a burst, a ramp or steps, as a multiple of the rate, where nothing is said.
pub(crate) const DEFAULT_PEAK: f64 = 10.0;

/// Everything that was chosen.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What happens while it is measured.
    pub scenario: ScenarioName,
    /// Whether the lanes are loaded at the same time.
    pub parallel: bool,
    /// How outcomes are learned that no answer says.
    pub confirm: ConfirmBy,
    /// The load of each lane.
    pub load: LoadSettings,
    /// The scenario's own figures.
    pub scenario_options: ScenarioSettings,
    /// Promises that end a run as soon as a lane can no longer keep one.
    pub abort_on: Vec<Promise>,
}

impl Settings {
    /// How arrivals are spread where no file says when orders are due.
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
    /// How arrivals are spread; without it `constant`, and `burst` in the scenarios burst and noisy-owner.
    pub arrivals: Option<ArrivalDistribution>,
    /// File with arrivals to replay instead.
    pub replay: Option<PathBuf>,
    /// Orders per second.
    pub rate: f64,
    /// How long orders arrive, in seconds.
    pub duration: Option<f64>,
    /// Orders to send, instead of a duration.
    pub orders: Option<u32>,
    /// The highest rate of a burst, a ramp or steps, as a multiple of the rate.
    pub peak: f64,
    /// Phases of a scenario file, instead of `arrivals`, `rate`, `peak`, `duration` and `orders`.
    pub phases: Vec<Phase>,
    /// Seconds of load before the figures begin.
    pub warm_up: f64,
    /// Owners of the orders.
    pub owners: Option<u32>,
    /// File with one access token per line, one for each owner.
    pub tokens: Option<PathBuf>,
    /// What the schedule follows from; new in every run without it.
    pub seed: Option<u64>,
    /// Seconds without any news after which an accepted order without an outcome is lost.
    pub grace: u64,
    /// How late 1 % of the requests may leave, in milliseconds.
    pub max_lag: Option<u32>,
    /// Requests of a lane under way at the same time at most. Without it 1000, or as many as the limit of open files allows.
    pub max_in_flight: Option<u32>,
}

/// The scenario's own figures.
#[derive(Clone, Debug)]
pub struct ScenarioSettings {
    /// In a burst: invocations that each lane's function may have at once.
    pub concurrency: i32,
    /// How long an outage lasts, or a step is stopped, in seconds; a third of the duration without it.
    pub outage: Option<f64>,
    /// Per cent of the orders that are poison, or that are sent twice.
    pub percent: f64,
    /// In noisy-owner: per cent of the orders that are one owner's, 1 to 99.
    pub noisy_percent: u8,
    /// In subscriber-down: name of the step that is stopped.
    pub step: String,
    /// In slow-db: milliseconds that each write takes longer.
    pub slow_by: u64,
    /// In throttled-db: writes per second that the database takes.
    pub writes_per_second: u32,
    /// Where the stack's settings are kept while they are changed; a file of the stack in the home folder without it.
    pub settings_file: Option<PathBuf>,
}

impl ScenarioSettings {
    /// The file of what that stack's settings are before they are changed; its folder is there afterwards.
    pub(crate) fn settings_file(&self, stack: &str) -> anyhow::Result<PathBuf> {
        self.settings_file.clone().map_or_else(|| default_file(stack), Ok)
    }
}

/// What happens while it is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScenarioName {
    /// Nothing but the load.
    Steady,
    /// Each lane may have a few invocations at once, and far more orders come at once. Changes the stack.
    Burst,
    /// The lanes' functions are turned off for a while. Changes the stack.
    Outage,
    /// One step of a lane with steps is stopped for a while. Changes the stack.
    SubscriberDown,
    /// Each write to the database takes longer. Changes the stack; local stacks only.
    SlowDb,
    /// The database refuses writes over a limit. Changes the stack.
    ThrottledDb,
    /// Some orders are not valid, and some messages cannot be decoded. Puts messages into the stack's queue.
    Poison,
    /// Some orders are sent twice.
    Duplicates,
    /// One owner places most orders, and each lane may have a few invocations at once. Changes the stack.
    NoisyOwner,
}

impl ScenarioName {
    /// As typed.
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

    /// Whether it changes how often the functions may run.
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
    /// From the status service, asked once a second and order.
    Poll,
    /// Both ways, each with its own times.
    Both,
}

impl ConfirmBy {
    /// Whether sockets are opened.
    pub(crate) fn has_callbacks(self) -> bool {
        self != Self::Poll
    }

    /// Whether the status service is asked.
    pub(crate) fn has_polls(self) -> bool {
        self != Self::Callback
    }
}

/// As they are where nothing is said.
impl Default for Settings {
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
