//! `--scenario-file`: typed options override its options.

use super::args::CompareArgs;
use anyhow::Context;
use twolane_load::scenario_file::ScenarioFile;

impl CompareArgs {
    /// Fills options that were not typed.
    ///
    /// # Errors
    /// The file cannot be read or is not valid.
    pub(crate) fn with_file(mut self) -> anyhow::Result<Self> {
        let Some(path) = self.scenario_file.clone() else { return Ok(self) };
        let file = ScenarioFile::read(&path)?;
        self.scenario = self.scenario.or(file.scenario);
        if self.only.is_none() && self.lanes.is_empty() {
            self.lanes = file.lanes.iter().filter_map(|name| lanes::lane(name)).collect();
        }
        // One lane cannot run in parallel.
        self.parallel |= file.parallel && self.only.is_none() && self.lanes.len() != 1 && !self.gate.find_limit;
        self.confirm = self.confirm.or(file.confirm);
        if self.gate.require.is_empty() {
            let promises = file.require.iter().map(|promise| promise.parse());
            let promises: Result<_, _> = promises.collect();
            self.gate.require = promises
                .with_context(|| format!("Failed to understand `require` of the scenario file {}", path.display()))?;
        }
        let load = &mut self.load;
        let is_typed = load.arrivals.is_some()
            || load.rate.is_some()
            || load.duration.is_some()
            || load.orders.is_some()
            || load.peak.is_some()
            || load.replay.is_some();
        if !is_typed {
            load.phases = file.phases()?;
        }
        if load.replay.is_none() {
            load.warm_up = load.warm_up.or(file.warm_up);
        }
        load.owners = load.owners.or(file.owners);
        load.grace = load.grace.or(file.grace);
        load.seed = load.seed.or(file.seed);
        let options = &mut self.scenario_options;
        options.concurrency = options.concurrency.or(file.concurrency);
        options.outage = options.outage.or(file.outage);
        options.step = options.step.take().or(file.step);
        options.percent = options.percent.or(file.percent);
        options.noisy_percent = options.noisy_percent.or(file.noisy_percent);
        options.slow_by = options.slow_by.or(file.slow_by);
        options.writes_per_second = options.writes_per_second.or(file.writes_per_second);
        Ok(self)
    }
}
