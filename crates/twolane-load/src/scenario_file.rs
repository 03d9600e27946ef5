//! Scenario files: a run of `twolane compare` as TOML. `samples/scenarios/scenario.schema.json` describes them for
//! editors.

use crate::settings::{ArrivalDistribution, ConfirmBy, DEFAULT_PEAK, ScenarioName};
use crate::workload::{Extent, Phase, PhaseArrivals};
use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

/// A run in a file. Keys are the command line's long options, with its defaults.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ScenarioFile {
    /// For readers of the file.
    pub description: String,
    /// The scenario's name.
    pub scenario: Option<ScenarioName>,
    /// Lanes to measure, in this order.
    pub lanes: Vec<String>,
    /// Whether lanes are loaded concurrently.
    pub parallel: bool,
    /// How outcomes are learned if the answer is a receipt.
    pub confirm: Option<ConfirmBy>,
    /// Owners, 1 to 10 000.
    pub owners: Option<u32>,
    /// Warm-up in seconds, at the rate of the first phase.
    pub warm_up: Option<f64>,
    /// Grace period in seconds, 1 to 3600.
    pub grace: Option<u64>,
    /// The schedule's seed.
    pub seed: Option<u64>,
    /// In burst: maximum concurrency of each lane's function, 2 to 1000.
    pub concurrency: Option<i32>,
    /// In outage and subscriber-down: seconds.
    pub outage: Option<f64>,
    /// In subscriber-down: the stopped step.
    pub step: Option<String>,
    /// In poison and duplicates: per cent of the orders, 0 to 100.
    pub percent: Option<f64>,
    /// In noisy-owner: one owner's share in per cent, 1 to 99.
    pub noisy_percent: Option<u8>,
    /// In slow-db: extra time per write in milliseconds, 1 to 60 000.
    pub slow_by: Option<u64>,
    /// In throttled-db: maximum writes per second, 1 to 10 000.
    pub writes_per_second: Option<u32>,
    /// Promises, as in `--require`.
    pub require: Vec<String>,
    phases: Vec<PhaseTable>,
}

/// A table `[[phases]]`: orders, or a pause.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PhaseTable {
    /// Seconds without orders; excludes every other key.
    pause: Option<f64>,
    arrivals: Option<ArrivalDistribution>,
    /// Orders per second.
    rate: Option<f64>,
    /// The highest rate of a burst, or the last one of a ramp and of steps, as a multiple of the rate.
    peak: Option<f64>,
    seconds: Option<f64>,
    /// Number of orders, instead of seconds.
    orders: Option<u32>,
}

/// Longest phase: a day.
const MAX_SECONDS: f64 = 86_400.0;

/// Highest rate and multiple of a rate.
const MAX_RATE: f64 = 1e6;

impl ScenarioFile {
    /// Reads the file.
    ///
    /// # Errors
    /// The file cannot be read, is not TOML, or has an unknown key or a value outside its range. The message says where
    /// and what is allowed.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let text =
            std::fs::read_to_string(path).with_context(|| format!("Failed to read the scenario file {shown}"))?;
        Self::parse(&text).with_context(|| format!("The scenario file {shown} is not valid"))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let file: Self = toml::from_str(text)?;
        file.check()?;
        file.phases()?;
        Ok(file)
    }

    /// The load's phases in order; empty if the file has none.
    ///
    /// # Errors
    /// A phase has a value outside its range, or keys that exclude each other.
    pub fn phases(&self) -> anyhow::Result<Vec<Phase>> {
        let phases = self
            .phases
            .iter()
            .zip(1..)
            .map(|(table, number)| table.phase().with_context(|| format!("Phase {number} is not valid")));
        let phases: Vec<Phase> = phases.collect::<anyhow::Result<_>>()?;
        let has_orders = phases.iter().any(|phase| matches!(phase, Phase::Orders(_)));
        ensure!(phases.is_empty() || has_orders, "All phases are pauses; at least one must have orders");
        Ok(phases)
    }

    fn check(&self) -> anyhow::Result<()> {
        if let Some(unknown) = self.lanes.iter().find(|name| lanes::lane(name).is_none()) {
            let known: Vec<_> = lanes::LANES.iter().map(|lane| lane.name).collect();
            bail!("Unknown lane {unknown:?}: lanes are {}", known.join(", "));
        }
        let steps: Vec<_> = lanes::LANES.iter().flat_map(|lane| lane.steps).map(|step| step.name).collect();
        if let Some(unknown) = self.step.as_ref().filter(|step| !steps.contains(&step.as_str())) {
            bail!("Unknown step {unknown:?}: steps are {}", steps.join(", "));
        }
        within("owners", self.owners, 1, 10_000)?;
        within("warm-up", self.warm_up, 0.0, MAX_SECONDS)?;
        within("grace", self.grace, 1, 3600)?;
        within("concurrency", self.concurrency, 2, 1000)?;
        within("outage", self.outage, 0.0, MAX_SECONDS)?;
        within("percent", self.percent, 0.0, 100.0)?;
        within("noisy-percent", self.noisy_percent, 1, 99)?;
        within("slow-by", self.slow_by, 1, 60_000)?;
        within("writes-per-second", self.writes_per_second, 1, 10_000)
    }
}

impl PhaseTable {
    fn phase(&self) -> anyhow::Result<Phase> {
        within("seconds", self.seconds, 0.0, MAX_SECONDS)?;
        within("pause", self.pause, 0.0, MAX_SECONDS)?;
        let has_orders = self.arrivals.is_some() || self.rate.is_some() || self.peak.is_some() || self.orders.is_some();
        if let Some(seconds) = self.pause {
            ensure!(!has_orders && self.seconds.is_none(), "`pause` excludes every other key");
            return Ok(Phase::Pause(Duration::from_secs_f64(seconds)));
        }
        let rate = self.rate.context("It needs `rate`, in orders per second, or `pause`")?;
        let peak = self.peak.unwrap_or(DEFAULT_PEAK);
        for (name, number) in [("rate", rate), ("peak", peak)] {
            ensure!(number > 0.0 && number <= MAX_RATE, "`{name}` must be above 0 and at most {MAX_RATE}");
        }
        let extent = match (self.seconds, self.orders) {
            (Some(seconds), None) if seconds > 0.0 => Extent::Duration(Duration::from_secs_f64(seconds)),
            (None, Some(orders)) if orders > 0 => Extent::Orders(orders),
            _ => bail!("It needs either `seconds` or `orders`, more than 0"),
        };
        let distribution = self.arrivals.unwrap_or(ArrivalDistribution::Constant);
        Ok(Phase::Orders(PhaseArrivals { distribution, rate, peak, extent }))
    }
}

fn within<T: Copy + PartialOrd + Display>(name: &str, value: Option<T>, least: T, most: T) -> anyhow::Result<()> {
    let fits = value.is_none_or(|value| value >= least && value <= most);
    ensure!(fits, "`{name}` must be between {least} and {most}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::PathBuf;

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/scenarios")
    }

    fn schema() -> jsonschema::Validator {
        let text = std::fs::read_to_string(folder().join("scenario.schema.json")).expect("it is in the repository");
        jsonschema::validator_for(&serde_json::from_str(&text).expect("it is JSON")).expect("it is a schema")
    }

    fn is_in_schema(text: &str) -> bool {
        toml::from_str::<serde_json::Value>(text).is_ok_and(|value| schema().is_valid(&value))
    }

    #[test]
    fn every_sample_is_valid_for_the_parser_and_the_schema() {
        let mut samples = 0;
        for entry in std::fs::read_dir(folder()).expect("it is in the repository") {
            let path = entry.expect("it can be listed").path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                let file = ScenarioFile::read(&path).unwrap_or_else(|error| panic!("{error:#}"));
                assert!(!file.description.is_empty() && !file.phases.is_empty(), "{}", path.display());
                assert!(is_in_schema(&std::fs::read_to_string(&path).expect("it was just read")), "{}", path.display());
                samples += 1;
            }
        }
        assert!(samples >= 5, "{samples} samples");
    }

    #[test]
    fn schema_and_parser_agree() {
        let all_keys = "description = 'all'\nscenario = 'burst'\nlanes = ['sync']\nparallel = true\nconfirm = 'both'\nowners = 3\n\
                        warm-up = 1\ngrace = 9\nseed = 1\nconcurrency = 5\noutage = 1.5\nstep = 'stock'\npercent = 1\nnoisy-percent = 80\nslow-by = 5\n\
                        writes-per-second = 3\nrequire = ['*.lost==0']\n";
        let phase = "[[phases]]\nrate = 1\nseconds = 2\n";
        let good = [
            String::new(),
            format!(
                "{all_keys}{phase}[[phases]]\npause = 3\n[[phases]]\nrate = 0.5\npeak = 2\narrivals = 'ramp'\norders = 7"
            ),
        ];
        let bad = [
            ("unknown = 1", "unknown field `unknown`"),
            ("scenario = 'earthquake'", "unknown variant `earthquake`"),
            ("lanes = ['fast']", "Unknown lane \"fast\": lanes are sync, async, bus"),
            ("step = 'paymnt'", "Unknown step \"paymnt\": steps are stock, payment, shipment"),
            ("owners = 0", "`owners` must be between 1 and 10000"),
            ("percent = 101", "`percent` must be between 0 and 100"),
            ("[[phases]]\nrate = 1", "needs either `seconds` or `orders`"),
            ("[[phases]]\nrate = 1\nseconds = 1\norders = 1", "needs either `seconds` or `orders`"),
            ("[[phases]]\nseconds = 1", "needs `rate`"),
            ("[[phases]]\nrate = 0\nseconds = 1", "`rate` must be above 0"),
            ("[[phases]]\npause = 1\nrate = 1", "`pause` excludes every other key"),
            ("[[phases]]\nrate = 1\nseconds = 1\nspeed = 3", "unknown field `speed`"),
        ];

        for text in good {
            ScenarioFile::parse(&text).unwrap_or_else(|error| panic!("{error:#}\n{text}"));
            assert!(is_in_schema(&text), "{text}");
        }
        for (text, why) in bad {
            let error = format!("{:#}", ScenarioFile::parse(text).expect_err(text));
            assert!(error.contains(why), "{text}: {error}");
            assert!(!is_in_schema(text), "{text}");
        }
    }

    #[test]
    fn says_which_phase_is_wrong() {
        let text = "[[phases]]\nrate = 1\nseconds = 2\n[[phases]]\nrate = -1\nseconds = 2";

        let error = format!("{:#}", ScenarioFile::parse(text).expect_err("a rate is negative"));

        assert_eq!(error, "Phase 2 is not valid: `rate` must be above 0 and at most 1000000");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), number in any::<f64>()) {
            let _ = ScenarioFile::parse(&text);
            let _ = ScenarioFile::parse(&format!("[[phases]]\nrate = {number:?}\nseconds = {number:?}"));
        }
    }
}
