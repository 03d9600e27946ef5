//! What happens to the stack while it is measured: by AWS's own controls, so that it works on any stack.

mod consent;
mod database;

use super::args::{CompareArgs, ScenarioName};
use super::deployed::Deployed;
use super::report::model::Limits;
use super::stack_settings::Setting;
use super::workload::Mix;
use crate::cli::Lane;
use crate::signals::Interruption;
use anyhow::Context;
use fault_endpoint::Endpoint;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;

pub(crate) use consent::ask;

/// A scenario, ready to be played.
pub(crate) struct Scenario {
    /// What the stack is like before.
    pub(crate) before: Vec<Setting>,
    /// What it is changed to while it is measured.
    pub(crate) during: Vec<Setting>,
    /// What is turned off for a while, by lane.
    outages: Vec<(Lane, Outage)>,
    /// What stands between the functions and the database, as long as the scenario lasts.
    endpoint: Option<Endpoint>,
    /// What the lanes are limited to.
    pub(crate) limits: Limits,
    /// Its own figures, for the report.
    pub(crate) settings: BTreeMap<String, String>,
    /// What it does besides to the stack, in words.
    pub(crate) leaves: Option<String>,
}

/// A part of the stack that is turned off for a while.
#[derive(Clone, Debug)]
struct Outage {
    down: Setting,
    up: Setting,
    /// Since the start.
    from: Duration,
    lasts: Duration,
}

/// What is mixed into the load.
pub(crate) fn mix(args: &CompareArgs) -> Mix {
    match args.scenario {
        ScenarioName::Poison => Mix::Poison(args.scenario_options.percent),
        ScenarioName::Duplicates => Mix::Twice(args.scenario_options.percent),
        _ => Mix::None,
    }
}

impl Scenario {
    /// Reads what the stack is like, and says what it is to become; nothing is changed yet. `span` is when orders begin
    /// to count and how long they come.
    ///
    /// # Errors
    /// The scenario changes the stack, and only its URLs are known; AWS refuses; the scenario is not for this stack.
    pub(crate) async fn plan(
        args: &CompareArgs,
        lanes: &[Lane],
        deployed: Option<&Deployed>,
        undecodable: usize,
        span: (Duration, Duration),
        is_local: bool,
    ) -> anyhow::Result<Self> {
        let settings = match deployed {
            Some(deployed) => match deployed_settings(deployed).await {
                Ok(settings) => Some(settings),
                // Only told in the report: who may not read them may measure all the same.
                Err(_) if !args.scenario.changes_functions() => None,
                Err(error) => return Err(error),
            },
            None => None,
        };
        let mut scenario = Self::steady(settings.as_ref());
        let name = args.scenario;
        let only_urls = || {
            format!(
                "The scenario {} changes the stack's settings, and only its URLs are known: pass --stack-name or \
                 --outputs",
                name.name()
            )
        };
        let deployed = || deployed.with_context(only_urls);
        let settings = || settings.with_context(only_urls);
        match name {
            ScenarioName::Steady => {}
            ScenarioName::Burst => scenario.burst(args.scenario_options.concurrency, lanes, settings()?),
            ScenarioName::Outage => {
                let lasts = args.scenario_options.outage.map_or(span.1 / 3, Duration::from_secs_f64);
                scenario.outage(lanes, settings()?, span.0 + span.1 / 3, lasts);
            }
            ScenarioName::SlowDb => {
                let slow_by = Duration::from_millis(args.scenario_options.slow_by);
                scenario.slow_database(lanes, deployed()?, slow_by, is_local).await?;
            }
            ScenarioName::ThrottledDb => {
                scenario
                    .throttled_database(lanes, deployed()?, args.scenario_options.writes_per_second, is_local)
                    .await?;
            }
            ScenarioName::Poison | ScenarioName::Duplicates => {
                scenario.set("percent", args.scenario_options.percent);
            }
        }
        if undecodable > 0 && lanes.contains(&Lane::Async) {
            scenario.leaves = Some(format!(
                "{undecodable} messages that nothing can decode are put into the orders queue. They come to the \
                 dead-letter queue after all their deliveries; `twolane dlq` shows them, and deletes those that `--delete` names"
            ));
        }
        Ok(scenario)
    }

    /// Changes nothing.
    fn steady(settings: Option<&[Setting; 2]>) -> Self {
        Self {
            before: Vec::new(),
            during: Vec::new(),
            outages: Vec::new(),
            endpoint: None,
            limits: limits_of(settings.map_or(&[], |settings| settings), NO_LIMITS),
            settings: BTreeMap::new(),
            leaves: None,
        }
    }

    /// Both lanes have as many writers: so many invocations, each of one order.
    fn burst(&mut self, concurrency: i32, lanes: &[Lane], [reserved, source]: [Setting; 2]) {
        let wanted = [with_reserved(&reserved, Some(concurrency)), with_queue(&source, concurrency, 1)];
        self.set("concurrency", concurrency);
        self.change(lanes, [reserved, source], wanted);
        self.limits = limits_of(&self.during, self.limits.clone());
    }

    fn outage(&mut self, lanes: &[Lane], [reserved, source]: [Setting; 2], from: Duration, lasts: Duration) {
        let down = [with_reserved(&reserved, Some(0)), disabled(&source)];
        self.set("outageFromSeconds", from.as_secs_f64());
        self.set("outageSeconds", lasts.as_secs_f64());
        for ((lane, up), down) in LANES.into_iter().zip([reserved, source]).zip(down) {
            if lanes.contains(&lane) {
                self.before.push(up.clone());
                self.outages.push((lane, Outage { down, up, from, lasts }));
            }
        }
    }

    fn change(&mut self, lanes: &[Lane], before: [Setting; 2], wanted: [Setting; 2]) {
        for ((lane, before), wanted) in LANES.into_iter().zip(before).zip(wanted) {
            if lanes.contains(&lane) {
                self.before.push(before);
                self.during.push(wanted);
            }
        }
    }

    fn set(&mut self, name: &str, value: impl Display) {
        self.settings.insert(name.to_owned(), value.to_string());
    }

    /// What is changed, from what to what, for people.
    pub(crate) fn changes(&self) -> Vec<(String, String)> {
        let at_start =
            self.before.iter().zip(&self.during).map(|(before, during)| (before.to_string(), during.to_string()));
        let outages = self.outages.iter().map(|(_, outage)| {
            let lasts = outage.lasts.as_secs_f64();
            (outage.up.to_string(), format!("{}, for {lasts:.0} s", outage.down))
        });
        at_start.chain(outages).collect()
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
        let outage = self.outages.iter().find(|(of, _)| *of == lane).map(|(_, outage)| outage.clone());
        let (Some(outage), Some(deployed)) = (outage, deployed) else { return Ok(()) };
        interruption.sleep((start + outage.from).saturating_duration_since(tokio::time::Instant::now())).await;
        if interruption.signal().is_some() {
            return Ok(());
        }
        deployed.controls.apply_unless(&outage.down, interruption.wait()).await?;
        interruption.sleep(outage.lasts).await;
        if interruption.signal().is_some() {
            return Ok(());
        }
        deployed.controls.apply_unless(&outage.up, interruption.wait()).await
    }
}

/// The lanes in the order of [`deployed_settings`].
const LANES: [Lane; 2] = [Lane::Sync, Lane::Async];

/// What limits the sync lane and the async lane.
async fn deployed_settings(deployed: &Deployed) -> anyhow::Result<[Setting; 2]> {
    Ok([
        deployed.controls.reserved_concurrency(deployed.function("create-order")).await?,
        deployed.controls.event_source(deployed.function("process-orders")).await?,
    ])
}

/// Neither lane has a limit of its own, or none that is known.
const NO_LIMITS: Limits = Limits { worker_maximum_concurrency: None, sync_reserved_concurrency: None };

/// The limits as they are once those settings are made.
fn limits_of(settings: &[Setting], mut limits: Limits) -> Limits {
    let positive = |value: &Option<i32>| value.and_then(|value| u64::try_from(value).ok());
    for setting in settings {
        match setting {
            Setting::ReservedConcurrency { value, .. } => limits.sync_reserved_concurrency = positive(value),
            Setting::EventSource { maximum_concurrency, .. } => {
                limits.worker_maximum_concurrency = positive(maximum_concurrency);
            }
            Setting::Variable { .. } | Setting::TableCapacity { .. } => {}
        }
    }
    limits
}

fn with_reserved(setting: &Setting, value: Option<i32>) -> Setting {
    match setting {
        Setting::ReservedConcurrency { function, .. } => {
            Setting::ReservedConcurrency { function: function.clone(), value }
        }
        other => other.clone(),
    }
}

fn with_queue(setting: &Setting, concurrency: i32, size: i32) -> Setting {
    let mut changed = setting.clone();
    if let Setting::EventSource { maximum_concurrency, batch_size, .. } = &mut changed {
        (*maximum_concurrency, *batch_size) = (Some(concurrency), size);
    }
    changed
}

fn disabled(setting: &Setting) -> Setting {
    let mut changed = setting.clone();
    if let Setting::EventSource { enabled, .. } = &mut changed {
        *enabled = false;
    }
    changed
}
