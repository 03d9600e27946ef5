//! A comparison, from its plan to its report.

use crate::deployed::{Deployed, has_lane};
use crate::lap::Lap;
use crate::measure::{Clocked, LaneRun, Loaded, POLLS_AT_ONCE, Ready};
use crate::open_files::{FileDemand, Held};
use crate::owners::Owners;
use crate::run_report::{self, Conditions};
use crate::scenario::{self, Scenario};
use crate::settings::{ComparisonSettings, ScenarioName};
use crate::stack_settings::StackChanges;
use crate::workload::{self, Content, Extent, Phase, PhaseArrivals, SAMPLE, Shape, Workload, mixed, schedule};
use anyhow::bail;
use futures_util::future::{join_all, try_join_all};
use lanes::{Answer, LANES, Lane};
use reqwest::Url;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use twolane_client::requests::Requests;
use twolane_client::signals::Interruption;
use twolane_client::stack::{DeployedAddress, Stack};
use twolane_report::Promise;
use twolane_report::model::{Counts, Report, Run};

/// Default duration of the arrivals.
const DURATION: Duration = Duration::from_secs(30);

const WATCHED_EVERY: Duration = Duration::from_millis(100);

/// Most orders per lane, warm-up included: each takes a few dozen bytes.
const MAX_ORDERS: f64 = 20_000_000.0;

/// A planned comparison: nothing is changed or sent yet.
pub struct Comparison {
    settings: ComparisonSettings,
    seed: u64,
    lanes: Vec<Lane>,
    workload: Arc<Workload>,
    /// Requests per lane that count.
    counted: u64,
    /// What changes in the stack.
    pub scenario: Scenario,
    owners: Owners,
    max_in_flight: u32,
    deployed: Option<Deployed>,
    requests: Requests,
    api_url: Url,
    websocket_url: Option<Url>,
    is_emulator: bool,
    notify: fn(&str),
}

/// The loaded lanes, and an error if the stack could not be changed back.
type Played = (Vec<Loaded>, anyhow::Result<()>);

impl Comparison {
    /// Plans a comparison of those lanes, or of all, and reads the stack's settings. `notify` prints changes to the
    /// stack and what it lacks.
    ///
    /// # Errors
    /// The settings contradict each other, or the stack does not support them.
    pub async fn plan(
        settings: ComparisonSettings,
        lanes: Vec<Lane>,
        stack: &Stack,
        address: &DeployedAddress,
        token: Option<&str>,
        notify: fn(&str),
    ) -> anyhow::Result<Self> {
        let lanes = lanes_of(lanes, stack, notify)?;
        anyhow::ensure!(!settings.parallel || lanes.len() > 1, "--parallel needs at least two lanes");
        let deployed = Deployed::find(stack, address).await?;
        let seed = settings.load.seed.unwrap_or_else(|| fastrand::u64(..));
        let workload = Arc::new(workload(&settings, seed)?);
        let undecodable = workload.arrivals.iter().filter(|arrival| arrival.content == Content::Undecodable).count();
        let undecodable = if deployed.is_some() { undecodable } else { 0 };
        let (span, is_emulator) = (span(&workload), stack.is_local());
        let mut scenario = Scenario::plan(&settings, &lanes, deployed.as_ref(), undecodable, span, is_emulator).await?;
        let api_url = stack.api_url()?;
        let owners = Owners::find(&settings.load, token, stack)?;
        if settings.scenario == ScenarioName::NoisyOwner && owners.count() < 2 {
            bail!("The scenario noisy-owner needs at least two owners: pass --owners, or --tokens with several tokens");
        }
        if lanes.iter().any(|lane| !lane.steps.is_empty()) {
            match &deployed {
                Some(deployed) => scenario.supply(deployed, &workload, &owners).await?,
                None => notify(
                    "Stock and accounts are not filled, because only the stack's URLs are known. Orders that they do not \
                     cover are cancelled.",
                ),
            }
        }
        let listens = settings.confirm.has_callbacks() && lanes.iter().any(|lane| lane.has_callback);
        let demand = file_demand(&settings, &lanes, &workload, &owners, &scenario);
        let max_in_flight = demand.in_flight("--max-in-flight", settings.load.max_in_flight, notify)?;
        let at_once = usize::try_from(demand.at_once(max_in_flight))?;
        Ok(Self {
            max_in_flight,
            seed,
            counted: workload.counted().count() as u64,
            workload,
            scenario,
            requests: Requests::new(api_url.clone(), owners.tokens[0].clone(), stack.network(), at_once)?,
            websocket_url: listens.then(|| stack.websocket_url()).transpose()?,
            owners,
            deployed,
            api_url,
            is_emulator,
            settings,
            lanes,
            notify,
        })
    }

    /// The measured lanes, in order.
    #[must_use]
    pub fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    /// The report's description of the run, before anything is sent.
    #[must_use]
    pub fn planned(&self) -> Run {
        run_report::planned(&self.conditions(OffsetDateTime::now_utc(), 0, false))
    }

    /// URL of the stack's REST API.
    #[must_use]
    pub fn api_url(&self) -> &str {
        self.api_url.as_str()
    }

    /// What the run will send, and its minimum duration.
    #[must_use]
    pub fn begins(&self) -> String {
        let (warm_up, span) = span(&self.workload);
        let turns = if self.settings.parallel { 1 } else { u32::try_from(self.lanes.len()).unwrap_or(1) };
        let seconds = ((warm_up + span) * turns).as_secs_f64();
        let owners = self.owners.count();
        format!(
            "Sending {} requests down {}, as {}. Warm-up: {:.0} s, not counted. Expect {seconds:.0} s plus the time of \
             the last result.",
            self.workload.arrivals.len(),
            if self.lanes.len() == 1 { "one lane" } else { "each lane" },
            if owners == 1 { "one owner".to_owned() } else { format!("{owners} owners") },
            warm_up.as_secs_f64()
        )
    }

    /// Runs the scenario on the lanes and reports the results, without costs and verdict. `None` if it was interrupted
    /// before anything was changed or sent. `show` gets the lanes in progress; it is dropped when they end.
    ///
    /// # Errors
    /// A lane cannot be loaded, or the stack cannot be changed: nothing was sent.
    pub async fn run(&self, interruption: &Interruption, show: impl AsyncFn(&[Lap])) -> anyhow::Result<Option<Report>> {
        let started_at = OffsetDateTime::now_utc();
        let resent_before = self.requests.resent();
        let held = Held::new();
        // Prepare all before loading any, so that a lane that cannot be measured fails first.
        let ready = tokio::select! {
            ready = try_join_all(self.lanes.iter().map(|lane| self.lane(lane, interruption).prepare())) => ready?,
            () = interruption.wait() => return Ok(None),
        };
        if interruption.has_come() {
            return Ok(None);
        }
        let (loaded, undone) = self.play(ready, held, interruption, &show).await?;
        let interrupted = interruption.has_come();
        // The stack is changed back. The rest only reads.
        let measured = join_all(loaded.into_iter().map(Loaded::examine)).await;
        for lane in &measured {
            lane.notices.iter().for_each(|notice| (self.notify)(&format!("{} lane: {notice}", lane.lane.name)));
        }
        let conditions = self.conditions(started_at, self.requests.resent() - resent_before, interrupted);
        Ok(Some(run_report::report(&conditions, &measured, undone.err())))
    }

    fn conditions(&self, started_at: OffsetDateTime, resent: u64, interrupted: bool) -> Conditions<'_> {
        Conditions {
            settings: &self.settings,
            scenario: &self.scenario,
            workload: &self.workload,
            owners: self.owners.count(),
            max_in_flight: self.max_in_flight,
            resent,
            api_url: self.api_url.as_str(),
            is_emulator: self.is_emulator,
            region: self.deployed.as_ref().and_then(|deployed| deployed.region.clone()),
            seed: self.seed,
            started_at,
            interrupted,
        }
    }

    async fn play(
        &self,
        ready: Vec<Ready>,
        held: Held,
        interruption: &Interruption,
        show: &impl AsyncFn(&[Lap]),
    ) -> anyhow::Result<Played> {
        let Scenario { before, during, supplies, .. } = &self.scenario;
        let is_changed = !before.is_empty() || supplies.is_some();
        let Some(deployed) = self.deployed.as_ref().filter(|_| is_changed) else {
            return Ok((self.load(ready, held, interruption, show).await, Ok(())));
        };
        let stack = self.api_url.as_str();
        let file = self.settings.scenario_options.settings_file(stack)?;
        let order_ids = || ready.iter().filter(|ready| !ready.lane().steps.is_empty()).map(Ready::order_ids).collect();
        let filled = supplies.as_ref().map(|supplies| supplies.fill(&deployed.orders.name, order_ids()));
        let changes =
            StackChanges::begin(deployed.controls.clone(), stack, file, before.clone(), filled, self.notify).await?;
        let work = async {
            for setting in during {
                Box::pin(deployed.controls.apply_unless(setting, interruption.wait())).await?;
            }
            anyhow::Ok(self.load(ready, held, interruption, show).await)
        };
        let awaited = |loaded: &Vec<Loaded>| loaded.iter().flat_map(Loaded::on_their_way).collect();
        let (loaded, undone) = changes.during(work, awaited, interruption).await;
        match loaded {
            Ok(loaded) => Ok((loaded, undone)),
            // Report both errors.
            Err(error) => Err(match undone {
                Ok(()) => error,
                Err(undone) => error.context(format!("{undone:#}")),
            }),
        }
    }

    /// Loads the lanes, in turn or concurrently. Drops `held` at the end.
    async fn load(
        &self,
        ready: Vec<Ready>,
        held: Held,
        interruption: &Interruption,
        show: &impl AsyncFn(&[Lap]),
    ) -> Vec<Loaded> {
        let turns =
            if self.settings.parallel { vec![ready] } else { ready.into_iter().map(|lane| vec![lane]).collect() };
        let mut loaded: Vec<Loaded> = Vec::new();
        for lanes in turns {
            // Further lanes cannot restore a broken promise.
            for lane in &loaded {
                self.interrupt_if_broken(lane.lane(), &lane.counts(), interruption);
            }
            if !interruption.has_come() {
                loaded.extend(self.together(lanes, interruption, show).await);
            }
        }
        drop(held);
        loaded
    }

    async fn together(
        &self,
        ready: Vec<Ready>,
        interruption: &Interruption,
        show: &impl AsyncFn(&[Lap]),
    ) -> Vec<Loaded> {
        let (mut laps, mut running) = (Vec::new(), Vec::new());
        // Make all requests before the load's clock starts.
        let ready = join_all(ready.into_iter().map(Ready::look)).await;
        for ready in ready {
            let clocked = Clocked::start(ready.tally());
            laps.push(Lap {
                lane: ready.lane(),
                clocked: clocked.clone(),
                requests: self.workload.arrivals.len(),
                last_due: self.workload.arrivals.last().map_or(Duration::ZERO, |arrival| arrival.at()),
            });
            let start = clocked.at(Duration::ZERO);
            let deployed = self.deployed.clone();
            let disturb = self.scenario.disturb(ready.lane(), deployed, start, interruption.clone());
            running.push(ready.load(clocked, disturb));
        }
        tokio::select! {
            loaded = join_all(running) => loaded,
            () = show(&laps) => unreachable!("it runs until it is dropped"),
            () = self.watch(&laps, interruption) => unreachable!("it runs until it is dropped"),
        }
    }

    async fn watch(&self, laps: &[Lap], interruption: &Interruption) {
        loop {
            for lap in laps {
                let so_far = Counts { refused: lap.clocked.tally().refused, ..Counts::default() };
                self.interrupt_if_broken(lap.lane, &so_far, interruption);
            }
            tokio::time::sleep(WATCHED_EVERY).await;
        }
    }

    /// Interrupts the run if the lane can no longer keep a promise.
    fn interrupt_if_broken(&self, lane: Lane, so_far: &Counts, interruption: &Interruption) {
        let is_broken = |promise: &&Promise| promise.is_broken_for_good(lane, so_far, self.counted);
        if let (Some(promise), false) = (self.settings.abort_on.iter().find(is_broken), interruption.has_come()) {
            (self.notify)(&format!("The {} lane can no longer keep {promise}: the run ends here.", lane.name));
            interruption.interrupt();
        }
    }

    fn lane(&self, lane: Lane, interruption: &Interruption) -> LaneRun {
        LaneRun {
            lane,
            workload: Arc::clone(&self.workload),
            requests: self.requests.clone(),
            websocket_url: self.websocket_url.clone(),
            owners: self.owners.clone(),
            confirm: self.settings.confirm,
            grace: Duration::from_secs(self.settings.load.grace),
            max_in_flight: self.max_in_flight,
            deployed: self.deployed.clone(),
            interruption: interruption.clone(),
            is_emulator: self.is_emulator,
        }
    }
}

/// Those lanes, or all of the stack. `notify` names the lanes that it lacks.
///
/// # Errors
/// The stack lacks one of those lanes, or has no lane.
pub fn lanes_of(lanes: Vec<Lane>, stack: &Stack, notify: fn(&str)) -> anyhow::Result<Vec<Lane>> {
    if let Some(missing) = lanes.iter().find(|lane| !has_lane(stack, lane)) {
        let outputs: Vec<_> = missing.outputs().filter(|output| stack.output(output).is_err()).collect();
        bail!("The stack has no {} lane: it lacks the outputs {}", missing.name, outputs.join(", "));
    }
    if lanes.is_empty() { all(stack, notify) } else { Ok(lanes) }
}

/// All lanes of the stack. A lane with only some of its outputs is an error.
fn all(stack: &Stack, notify: fn(&str)) -> anyhow::Result<Vec<Lane>> {
    let (all, missing): (Vec<Lane>, Vec<Lane>) = LANES.iter().partition(|lane| has_lane(stack, lane));
    for lane in &missing {
        if lane.outputs().any(|output| stack.output(output).is_ok()) {
            lane.outputs().try_for_each(|output| stack.output(output).map(drop))?;
        }
    }
    anyhow::ensure!(!all.is_empty(), "The stack has no lane: its outputs contain no functions or queues of a lane");
    for lane in missing {
        notify(&format!("The stack has no {} lane: it is left out.", lane.name));
    }
    Ok(all)
}

fn file_demand(
    settings: &ComparisonSettings,
    lanes: &[Lane],
    workload: &Workload,
    owners: &Owners,
    scenario: &Scenario,
) -> FileDemand {
    let is_polled = |lane: &&Lane| lane.answer == Answer::Receipt && settings.confirm.has_polls();
    let listens = |lane: &&Lane| lane.has_callback && settings.confirm.has_callbacks();
    FileDemand {
        lanes: if settings.parallel { lanes.len() as u64 } else { 1 },
        requests: workload.arrivals.len() as u64,
        // The endpoint has one connection from a function and one to the database.
        endpoint: if scenario.has_endpoint() { 2 } else { 0 },
        polls: if lanes.iter().any(|lane| is_polled(&lane)) { POLLS_AT_ONCE.into() } else { 0 },
        sockets: u64::from(owners.count()) * lanes.iter().filter(listens).count() as u64,
    }
}

fn workload(settings: &ComparisonSettings, seed: u64) -> anyhow::Result<Workload> {
    let load = &settings.load;
    let mut random = fastrand::Rng::with_seed(seed);
    let mix = scenario::mix(settings);
    if let Some(path) = &load.replay {
        let (times, bodies) = workload::replay(path)?;
        return Ok(mixed(&times, bodies, mix, Duration::ZERO, &mut random));
    }
    let warm_up = Duration::from_secs_f64(load.warm_up);
    let shape = Shape { warm_up, phases: phases(settings) };
    let most = shape.most_orders();
    anyhow::ensure!(
        most <= MAX_ORDERS,
        "That would be {most:.0} orders; the maximum is {MAX_ORDERS:.0}. Lower --rate, --duration, --warm-up or --peak"
    );
    let times = schedule(&shape, &mut random);
    let workload = mixed(&times, vec![SAMPLE.into()], mix, warm_up, &mut random);
    anyhow::ensure!(
        workload.counted().next().is_some(),
        "No order is due after the warm-up: raise --rate or --duration, or pass --orders"
    );
    Ok(workload)
}

/// The phases of the scenario file, or one phase of the other settings.
fn phases(settings: &ComparisonSettings) -> Vec<Phase> {
    let load = &settings.load;
    if !load.phases.is_empty() {
        return load.phases.clone();
    }
    let extent = match (load.orders, load.duration) {
        (Some(orders), _) => Extent::Orders(orders),
        (None, seconds) => Extent::Duration(seconds.map_or(DURATION, Duration::from_secs_f64)),
    };
    vec![Phase::Orders(PhaseArrivals { distribution: settings.arrivals(), rate: load.rate, peak: load.peak, extent })]
}

/// The warm-up, and how long orders arrive after it.
fn span(workload: &Workload) -> (Duration, Duration) {
    let last = workload.arrivals.last().map_or(Duration::ZERO, |arrival| arrival.at());
    (workload.warm_up, last.saturating_sub(workload.warm_up))
}
