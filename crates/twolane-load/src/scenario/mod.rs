//! Scenarios: changes to the stack during the measurement, with AWS's own settings, so that they work on any stack.

mod database;
mod supplies;

pub(crate) use supplies::Supplies;

use crate::deployed::Deployed;
use crate::settings::{ComparisonSettings, ScenarioName};
use crate::stack_settings::StackSetting;
use crate::workload::Mix;
use anyhow::Context;
use fault_endpoint::Endpoint;
use futures_util::future::try_join_all;
use lanes::{FunctionSpec, Invoker, Lane, StepSpec};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::time::Duration;
use twolane_client::signals::Interruption;

/// A planned scenario.
pub struct Scenario {
    pub(crate) before: Vec<StackSetting>,
    pub(crate) during: Vec<StackSetting>,
    /// Added to stock and accounts for the run.
    pub(crate) supplies: Option<Supplies>,
    outages: Vec<Outage>,
    /// Between the functions and the database.
    endpoint: Option<Endpoint>,
    /// Limits of the lanes' functions, if known.
    limits: Vec<ConcurrencyLimit>,
    /// For the report.
    pub(crate) settings: BTreeMap<String, String>,
    /// What stays in the stack, as text.
    pub leaves: Option<String>,
    /// Why the lanes' limits are unknown. The run goes on without them.
    pub limits_unknown: Option<String>,
}

/// The setting that limits a function's concurrent invocations.
#[derive(Clone, Debug)]
struct ConcurrencyLimit {
    lane: Lane,
    function: &'static FunctionSpec,
    setting: StackSetting,
}

/// A part of the stack, turned off for a time.
#[derive(Clone, Debug)]
struct Outage {
    lane: Lane,
    down: StackSetting,
    up: StackSetting,
    /// Time since the start.
    from: Duration,
    lasts: Duration,
}

pub(crate) fn mix(settings: &ComparisonSettings) -> Mix {
    match settings.scenario {
        ScenarioName::Poison => Mix::Poison(settings.scenario_options.percent),
        ScenarioName::Duplicates => Mix::Twice(settings.scenario_options.percent),
        ScenarioName::NoisyOwner => Mix::NoisyOwner(settings.scenario_options.noisy_percent),
        _ => Mix::None,
    }
}

impl Scenario {
    pub(crate) fn has_endpoint(&self) -> bool {
        self.endpoint.is_some()
    }

    /// Plans the changes; changes nothing yet. `span`: the warm-up, and how long orders arrive after it.
    ///
    /// # Errors
    /// The scenario changes the stack but only its URLs are known, AWS refuses, or the scenario does not support this
    /// stack.
    pub(crate) async fn plan(
        settings: &ComparisonSettings,
        lanes: &[Lane],
        deployed: Option<&Deployed>,
        undecodable: usize,
        span: (Duration, Duration),
        is_local: bool,
    ) -> anyhow::Result<Self> {
        let limits = match deployed {
            Some(deployed) => Some(deployed_limits(deployed, lanes).await),
            None => None,
        };
        let (limits, limits_unknown) = match limits {
            // Without permission to read limits, scenarios that keep them still run.
            Some(Err(error)) if !settings.scenario.changes_functions() => {
                (None, Some(format!("The report lacks the lanes' limits: {error:#}")))
            }
            Some(limits) => (Some(limits?), None),
            None => (None, None),
        };
        let mut scenario = Self::steady(limits.clone().unwrap_or_default(), limits_unknown);
        let name = settings.scenario;
        let only_urls = || {
            format!(
                "The scenario {} changes the stack's settings, but only its URLs are known: pass --stack-name or \
                 --outputs",
                name.name()
            )
        };
        let deployed = || deployed.with_context(only_urls);
        let limits = || limits.with_context(only_urls);
        let options = &settings.scenario_options;
        match name {
            ScenarioName::Steady => {}
            ScenarioName::Burst => scenario.burst(options.concurrency, limits()?),
            ScenarioName::NoisyOwner => {
                scenario.burst(options.concurrency, limits()?);
                scenario.set("noisyPercent", options.noisy_percent);
            }
            ScenarioName::Outage => {
                let lasts = options.outage.map_or(span.1 / 3, Duration::from_secs_f64);
                scenario.outage(limits()?, span.0 + span.1 / 3, lasts);
            }
            ScenarioName::SlowDb => {
                let slow_by = Duration::from_millis(options.slow_by);
                scenario.slow_database(lanes, deployed()?, slow_by, is_local).await?;
            }
            ScenarioName::ThrottledDb => {
                scenario.throttled_database(lanes, deployed()?, options.writes_per_second, is_local).await?;
            }
            ScenarioName::SubscriberDown => {
                let lasts = options.outage.map_or(span.1 / 3, Duration::from_secs_f64);
                let turns = if settings.parallel { &lanes[..1] } else { lanes };
                let step = step(&options.step, lanes)?;
                scenario.subscriber_down(deployed()?, step, turns, span.0 + span.1 / 3, lasts).await?;
            }
            ScenarioName::Poison | ScenarioName::Duplicates => {
                scenario.set("percent", options.percent);
            }
        }
        if undecodable > 0 && lanes.iter().any(|lane| !lane.queues.is_empty()) {
            scenario.leaves = Some(format!(
                "Puts {undecodable} undecodable messages into the first queue of each lane that has one. They \
                 move to its dead-letter queue after five deliveries. `twolane dlq` lists them, and deletes those that \
                 `--delete` names"
            ));
        }
        Ok(scenario)
    }

    fn steady(limits: Vec<ConcurrencyLimit>, limits_unknown: Option<String>) -> Self {
        Self {
            before: Vec::new(),
            during: Vec::new(),
            supplies: None,
            outages: Vec::new(),
            endpoint: None,
            limits,
            settings: BTreeMap::new(),
            leaves: None,
            limits_unknown,
        }
    }

    /// Limits each function that writes to the same number of concurrent invocations, each with one order. Each of
    /// several queues has that limit. Functions that only pass orders on keep theirs.
    fn burst(&mut self, concurrency: i32, limits: Vec<ConcurrencyLimit>) {
        self.set("concurrency", concurrency);
        self.limits.clear();
        for limit in limits {
            if !limit.function.has_table {
                self.limits.push(limit);
                continue;
            }
            let wanted = limited(&limit.setting, concurrency);
            self.before.push(limit.setting);
            self.during.push(wanted.clone());
            self.limits.push(ConcurrencyLimit { setting: wanted, ..limit });
        }
    }

    fn outage(&mut self, limits: Vec<ConcurrencyLimit>, from: Duration, lasts: Duration) {
        self.set("outageFromSeconds", from.as_secs_f64());
        self.set("outageSeconds", lasts.as_secs_f64());
        for ConcurrencyLimit { lane, setting: up, .. } in limits.into_iter().filter(|limit| limit.function.has_table) {
            self.before.push(up.clone());
            self.outages.push(Outage { lane, down: turned_off(&up), up, from, lasts });
        }
    }

    /// Stops one step of the bus during each lane's turn.
    async fn subscriber_down(
        &mut self,
        deployed: &Deployed,
        step: &StepSpec,
        turns: &[Lane],
        from: Duration,
        lasts: Duration,
    ) -> anyhow::Result<()> {
        self.set("step", step.name);
        self.set("outageFromSeconds", from.as_secs_f64());
        self.set("outageSeconds", lasts.as_secs_f64());
        for up in deployed.controls.event_sources(deployed.function(step.function)).await? {
            self.before.push(up.clone());
            let down = turned_off(&up);
            let outage = |lane: &Lane| Outage { lane, down: down.clone(), up: up.clone(), from, lasts };
            self.outages.extend(turns.iter().map(outage));
        }
        Ok(())
    }

    /// Maximum concurrency of each function of the lane; for several queues their sum. `None`: no limit, or unknown.
    pub(crate) fn limits(&self, lane: Lane) -> BTreeMap<String, Option<u64>> {
        let most = |limit: &ConcurrencyLimit| match limit.setting {
            StackSetting::ReservedConcurrency { value, .. } => value,
            StackSetting::EventSource { maximum_concurrency, .. } => maximum_concurrency,
            StackSetting::Variable { .. } | StackSetting::TableCapacity { .. } => None,
        };
        let limit = |function: &FunctionSpec| {
            let limits = self.limits.iter().filter(|limit| limit.lane == lane && limit.function == function);
            let each: Option<Vec<u64>> =
                limits.map(|limit| most(limit).and_then(|most| most.try_into().ok())).collect();
            each.filter(|each| !each.is_empty()).map(|each| each.iter().sum())
        };
        lane.functions.iter().map(|function| (function.name.to_owned(), limit(function))).collect()
    }

    fn set(&mut self, name: &str, value: impl Display) {
        self.settings.insert(name.to_owned(), value.to_string());
    }

    /// The changes to the stack as text: before and during the run.
    #[must_use]
    pub fn changes(&self) -> Vec<(String, String)> {
        let at_start =
            self.before.iter().zip(&self.during).map(|(before, during)| (before.to_string(), during.to_string()));
        // List a step that stops in several turns only once.
        let outages: BTreeSet<_> = self
            .outages
            .iter()
            .map(|outage| {
                let lasts = outage.lasts.as_secs_f64();
                (outage.up.to_string(), format!("{}, for {lasts:.0} s", outage.down))
            })
            .collect();
        let supplies = self.supplies.iter().flat_map(Supplies::changes);
        supplies.chain(at_start).chain(outages).collect()
    }

    /// Runs that lane's outages. After an interruption, parts stay off until all changes are undone.
    ///
    /// # Errors
    /// AWS refuses or does not answer.
    pub(crate) async fn disturb(
        &self,
        lane: Lane,
        deployed: Option<Deployed>,
        start: tokio::time::Instant,
        interruption: Interruption,
    ) -> anyhow::Result<()> {
        let outages = self.outages.iter().filter(|outage| outage.lane == lane);
        let outages = outages.filter_map(|outage| Some(take_down(outage, deployed.as_ref()?, start, &interruption)));
        try_join_all(outages).await.map(drop)
    }
}

async fn take_down(
    outage: &Outage,
    deployed: &Deployed,
    start: tokio::time::Instant,
    interruption: &Interruption,
) -> anyhow::Result<()> {
    interruption.sleep((start + outage.from).saturating_duration_since(tokio::time::Instant::now())).await;
    if interruption.has_come() {
        return Ok(());
    }
    deployed.controls.apply_unless(&outage.down, interruption.wait()).await?;
    interruption.sleep(outage.lasts).await;
    if interruption.has_come() {
        return Ok(());
    }
    deployed.controls.apply_unless(&outage.up, interruption.wait()).await
}

/// The step with that name, from the first lane that has it.
fn step(name: &str, lanes: &[Lane]) -> anyhow::Result<&'static StepSpec> {
    let mut steps = lanes.iter().flat_map(|lane| lane.steps);
    steps.find(|step| step.name == name).with_context(|| {
        format!(
            "The scenario {} stops the step {name}, but no measured lane has it: add the bus lane to --lanes",
            ScenarioName::SubscriberDown.name()
        )
    })
}

async fn deployed_limits(deployed: &Deployed, lanes: &[Lane]) -> anyhow::Result<Vec<ConcurrencyLimit>> {
    let mut limits = Vec::new();
    for lane in lanes.iter().copied() {
        for function in lane.functions {
            let name = deployed.function(function.name);
            let settings = match function.invoked_by {
                Invoker::Request => vec![deployed.controls.reserved_concurrency(name).await?],
                Invoker::Queue => deployed.controls.event_sources(name).await?,
            };
            limits.extend(settings.into_iter().map(|setting| ConcurrencyLimit { lane, function, setting }));
        }
    }
    Ok(limits)
}

fn limited(setting: &StackSetting, concurrency: i32) -> StackSetting {
    let mut changed = setting.clone();
    match &mut changed {
        StackSetting::ReservedConcurrency { value, .. } => *value = Some(concurrency),
        StackSetting::EventSource { maximum_concurrency, batch_size, .. } => {
            (*maximum_concurrency, *batch_size) = (Some(concurrency), 1);
        }
        StackSetting::Variable { .. } | StackSetting::TableCapacity { .. } => {}
    }
    changed
}

fn turned_off(setting: &StackSetting) -> StackSetting {
    let mut changed = setting.clone();
    match &mut changed {
        StackSetting::ReservedConcurrency { value, .. } => *value = Some(0),
        StackSetting::EventSource { enabled, .. } => *enabled = false,
        StackSetting::Variable { .. } | StackSetting::TableCapacity { .. } => {}
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::ScenarioName::{Burst, Steady};
    use lanes::LANES;

    async fn planned(scenario: ScenarioName) -> anyhow::Result<Scenario> {
        let lanes: Vec<Lane> = LANES.iter().collect();
        let settings = ComparisonSettings { scenario, ..ComparisonSettings::default() };
        let span = (Duration::ZERO, Duration::from_secs(9));
        Scenario::plan(&settings, &lanes, Some(&Deployed::unreachable()), 0, span, true).await
    }

    #[tokio::test]
    async fn goes_on_without_limits_and_says_why_they_are_missing() {
        let scenario = planned(Steady).await.expect("it changes nothing");

        let why = scenario.limits_unknown.expect("AWS cannot be called");
        assert!(why.contains("Failed to read the reserved concurrency"), "{why}");
    }

    #[tokio::test]
    async fn does_not_change_limits_that_it_cannot_read() {
        assert!(planned(Burst).await.is_err());
    }
}
