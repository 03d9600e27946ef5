//! What happens to the stack while it is measured: by AWS's own controls, so that it works on any stack.

mod database;
mod supplies;

pub(crate) use supplies::Supplies;

use crate::deployed::Deployed;
use crate::settings::{ScenarioName, Settings};
use crate::stack_settings::Setting;
use crate::workload::Mix;
use anyhow::Context;
use fault_endpoint::Endpoint;
use futures_util::future::try_join_all;
use lanes::{FunctionSpec, Invoker, Lane, StepSpec};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::time::Duration;
use twolane_client::signals::Interruption;

/// A scenario, ready to be played.
pub struct Scenario {
    /// What the stack is like before.
    pub(crate) before: Vec<Setting>,
    /// What it is changed to while it is measured.
    pub(crate) during: Vec<Setting>,
    /// What is added to stock and accounts meanwhile.
    pub(crate) supplies: Option<Supplies>,
    /// What is turned off for a while.
    outages: Vec<Outage>,
    /// What stands between the functions and the database, as long as the scenario lasts.
    endpoint: Option<Endpoint>,
    /// What limits the lanes' functions, where that is known.
    limits: Vec<Limit>,
    /// Its own figures, for the report.
    pub(crate) settings: BTreeMap<String, String>,
    /// What it does besides to the stack, in words.
    pub leaves: Option<String>,
    /// Why the lanes' limits are not known, which is no reason not to measure.
    pub limits_unknown: Option<String>,
}

/// What limits a function of a lane.
#[derive(Clone, Debug)]
struct Limit {
    lane: Lane,
    function: &'static FunctionSpec,
    setting: Setting,
}

/// A part of the stack that is turned off for a while.
#[derive(Clone, Debug)]
struct Outage {
    lane: Lane,
    down: Setting,
    up: Setting,
    /// Since the start.
    from: Duration,
    lasts: Duration,
}

/// What is mixed into the load.
pub(crate) fn mix(settings: &Settings) -> Mix {
    match settings.scenario {
        ScenarioName::Poison => Mix::Poison(settings.scenario_options.percent),
        ScenarioName::Duplicates => Mix::Twice(settings.scenario_options.percent),
        ScenarioName::NoisyOwner => Mix::NoisyOwner(settings.scenario_options.noisy_percent),
        _ => Mix::None,
    }
}

impl Scenario {
    /// Whether the functions reach their database through this process.
    pub(crate) fn has_endpoint(&self) -> bool {
        self.endpoint.is_some()
    }

    /// Reads what the stack is like, and says what it is to become; nothing is changed yet. `span` is when orders begin
    /// to count and how long they come.
    ///
    /// # Errors
    /// The scenario changes the stack, and only its URLs are known; AWS refuses; the scenario is not for this stack.
    pub(crate) async fn plan(
        settings: &Settings,
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
            // Who may not read them may measure all the same, but for what changes them.
            Some(Err(error)) if !settings.scenario.changes_functions() => {
                (None, Some(format!("The report does not have the lanes' limits: {error:#}")))
            }
            Some(limits) => (Some(limits?), None),
            None => (None, None),
        };
        let mut scenario = Self::steady(limits.clone().unwrap_or_default(), limits_unknown);
        let name = settings.scenario;
        let only_urls = || {
            format!(
                "The scenario {} changes the stack's settings, and only its URLs are known: pass --stack-name or \
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
                "{undecodable} messages that nothing can decode are put into the first queue of each lane that has one. They \
                 move to its dead-letter queue after all their deliveries; `twolane dlq` shows them, and deletes those that \
                 `--delete` names"
            ));
        }
        Ok(scenario)
    }

    /// Changes nothing.
    fn steady(limits: Vec<Limit>, limits_unknown: Option<String>) -> Self {
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

    /// Each function that writes has the same number of writers: invocations of one order each. A queue of its own has each its
    /// own. Functions that only pass orders on keep their limits.
    fn burst(&mut self, concurrency: i32, limits: Vec<Limit>) {
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
            self.limits.push(Limit { setting: wanted, ..limit });
        }
    }

    fn outage(&mut self, limits: Vec<Limit>, from: Duration, lasts: Duration) {
        self.set("outageFromSeconds", from.as_secs_f64());
        self.set("outageSeconds", lasts.as_secs_f64());
        for Limit { lane, setting: up, .. } in limits.into_iter().filter(|limit| limit.function.has_table) {
            self.before.push(up.clone());
            self.outages.push(Outage { lane, down: turned_off(&up), up, from, lasts });
        }
    }

    /// One step of the bus is stopped during the turn of each of those lanes.
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

    /// The limit of invocations at the same time, by function of the lane: of several queues their sum. `None` for no limit, or
    /// none that is known.
    pub(crate) fn limits(&self, lane: Lane) -> BTreeMap<String, Option<u64>> {
        let most = |limit: &Limit| match limit.setting {
            Setting::ReservedConcurrency { value, .. } => value,
            Setting::EventSource { maximum_concurrency, .. } => maximum_concurrency,
            Setting::Variable { .. } | Setting::TableCapacity { .. } => None,
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

    /// What is changed, from what to what, for people.
    #[must_use]
    pub fn changes(&self) -> Vec<(String, String)> {
        let at_start =
            self.before.iter().zip(&self.during).map(|(before, during)| (before.to_string(), during.to_string()));
        // A step that is stopped in the turn of each lane is one change.
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

    /// Turns off what is to be turned off of that lane, and on again. An interruption leaves it to whoever undoes all
    /// changes.
    ///
    /// # Errors
    /// What AWS says.
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

/// Turns off what is to be turned off, and on again.
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

/// The step of that name, of the first lane that has it.
fn step(name: &str, lanes: &[Lane]) -> anyhow::Result<&'static StepSpec> {
    let mut steps = lanes.iter().flat_map(|lane| lane.steps);
    steps.find(|step| step.name == name).with_context(|| {
        format!(
            "The scenario {} stops the step {name}, and no lane that is measured has it: add the bus lane to --lanes",
            ScenarioName::SubscriberDown.name()
        )
    })
}

/// What limits the lanes' functions.
async fn deployed_limits(deployed: &Deployed, lanes: &[Lane]) -> anyhow::Result<Vec<Limit>> {
    let mut limits = Vec::new();
    for lane in lanes.iter().copied() {
        for function in lane.functions {
            let name = deployed.function(function.name);
            let settings = match function.invoked_by {
                Invoker::Request => vec![deployed.controls.reserved_concurrency(name).await?],
                Invoker::Queue => deployed.controls.event_sources(name).await?,
            };
            limits.extend(settings.into_iter().map(|setting| Limit { lane, function, setting }));
        }
    }
    Ok(limits)
}

/// With a limit of invocations at the same time, each of one order.
fn limited(setting: &Setting, concurrency: i32) -> Setting {
    let mut changed = setting.clone();
    match &mut changed {
        Setting::ReservedConcurrency { value, .. } => *value = Some(concurrency),
        Setting::EventSource { maximum_concurrency, batch_size, .. } => {
            (*maximum_concurrency, *batch_size) = (Some(concurrency), 1);
        }
        Setting::Variable { .. } | Setting::TableCapacity { .. } => {}
    }
    changed
}

/// Without any invocation.
fn turned_off(setting: &Setting) -> Setting {
    let mut changed = setting.clone();
    match &mut changed {
        Setting::ReservedConcurrency { value, .. } => *value = Some(0),
        Setting::EventSource { enabled, .. } => *enabled = false,
        Setting::Variable { .. } | Setting::TableCapacity { .. } => {}
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
        let settings = Settings { scenario, ..Settings::default() };
        let span = (Duration::ZERO, Duration::from_secs(9));
        Scenario::plan(&settings, &lanes, Some(&Deployed::unreachable()), 0, span, true).await
    }

    #[tokio::test]
    async fn says_why_the_limits_are_missing_and_measures_all_the_same() {
        let scenario = planned(Steady).await.expect("it changes nothing");

        let why = scenario.limits_unknown.expect("AWS cannot be asked");
        assert!(why.contains("Failed to read the reserved concurrency"), "{why}");
    }

    #[tokio::test]
    async fn does_not_change_limits_that_it_cannot_read() {
        assert!(planned(Burst).await.is_err());
    }
}
