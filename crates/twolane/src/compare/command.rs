//! `twolane compare`, from what was typed to the report.

use super::args::{CompareArgs, Law, ScenarioName};
use super::cost::PriceTable;
use super::deployed::Deployed;
use super::live::{self, Lap};
use super::measure::{Clocked, LaneRun, Loaded, Ready};
use super::owners::Owners;
use super::report;
use super::run_report::{self, Conditions};
use super::scenario::{self, Scenario, ask};
use super::stack_settings::{Changes, restore};
use super::workload::{self, Content, Extent, SAMPLE, Shape, Workload, mixed, schedule};
use crate::cli::Lane;
use crate::output::Output;
use crate::progress::tell;
use crate::report::timestamp;
use crate::requests::Requests;
use crate::signals::Interruption;
use crate::stack::Stack;
use anyhow::Context;
use futures_util::future::{join_all, try_join_all};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;

/// How long orders arrive when nothing is said.
const DURATION: Duration = Duration::from_secs(30);

/// Most orders of a lane, warm-up included: each takes some dozens of bytes of memory.
const MAX_ORDERS: f64 = 20_000_000.0;

/// Runs the command.
///
/// # Errors
/// Nothing was sent, and why.
pub(crate) async fn run(args: CompareArgs) -> anyhow::Result<ExitCode> {
    let stack = Stack::find(&args.stack).await?.with_all_outputs();
    let deployed = Deployed::find(&stack, &args.stack.deployed).await?;
    if args.scenario_options.restore {
        return put_back(&args, &stack, deployed.as_ref()).await;
    }
    let prices = args.prices.as_deref().map_or_else(|| Ok(PriceTable::embedded()), PriceTable::read)?;
    let seed = args.load.seed.unwrap_or_else(|| fastrand::u64(..));
    let workload = Arc::new(workload(&args, seed)?);
    let lanes = args.only.map_or_else(|| vec![Lane::Sync, Lane::Async], |lane| vec![lane]);
    let undecodable = workload.arrivals.iter().filter(|arrival| arrival.content == Content::Undecodable).count();
    let undecodable = if deployed.is_some() { undecodable } else { 0 };
    let scenario =
        Scenario::plan(&args, &lanes, deployed.as_ref(), undecodable, span(&workload), stack.is_local()).await?;
    let api_url = stack.api_url()?;
    let owners = Owners::find(&args, &stack)?;
    // Until the answer is there, a signal ends the program as it would any other.
    ask(&scenario, api_url.as_str(), args.scenario_options.yes)?;
    let interruption = Interruption::listen().context("Failed to listen for signals")?;
    // Also asks for the lane's URLs before anything is changed.
    let plan = Plan {
        requests: Requests::new(api_url.clone(), owners.tokens[0].clone())?,
        websocket_url: (lanes.contains(&Lane::Async) && args.confirm.has_callbacks())
            .then(|| stack.websocket_url())
            .transpose()?,
        is_emulator: stack.is_local(),
        args: &args,
        workload: &workload,
        owners: &owners,
        deployed: deployed.as_ref(),
        scenario: &scenario,
        interruption: &interruption,
    };
    tell(&begins(&args, &workload, lanes.len(), owners.count()));
    let started_at = OffsetDateTime::now_utc();
    let folder = make_folder(&args, started_at)?;
    let Some((loaded, undone)) = measure(&plan, &lanes, api_url.as_str()).await? else {
        tell("Interrupted: nothing was changed, and nothing was sent.");
        return Ok(interruption.signal().map_or(ExitCode::FAILURE, |signal| ExitCode::from(signal.exit_code())));
    };
    let interrupted = interruption.signal().is_some();
    // The stack is as it was by now: what is left is reading.
    let measured = join_all(loaded.into_iter().map(Loaded::examine)).await;

    let conditions = Conditions {
        args: &args,
        scenario: &scenario,
        workload: &workload,
        owners: owners.count(),
        api_url: api_url.as_str(),
        is_emulator: stack.is_local(),
        region: deployed.as_ref().and_then(|deployed| deployed.region.clone()),
        seed,
        started_at,
        interrupted,
    };
    let mut report = run_report::report(&conditions, &measured, undone.err());
    report::complete(&mut report, &prices);
    let path = folder.join("report.json");
    report::write(&report, &path)?;
    let shown = if args.json {
        serde_json::to_string(&report).expect("a report has only string keys, so it is always JSON")
    } else {
        report::summary(&report)
    };
    Output::stdout().line(&shown).context("Failed to write the report")?;
    tell(&format!("Report: {} and {}", path.display(), report::page_path(&path).display()));
    Ok(match interruption.signal() {
        Some(signal) => ExitCode::from(signal.exit_code()),
        None if report.errors.is_empty() && report.lanes.iter().all(|lane| lane.counts.lost == 0) => ExitCode::SUCCESS,
        None => ExitCode::FAILURE,
    })
}

/// What is about to happen, and how long it takes at least.
fn begins(args: &CompareArgs, workload: &Workload, lanes: usize, owners: u32) -> String {
    let (warm_up, span) = span(workload);
    let turns = if args.parallel { 1 } else { u32::try_from(lanes).unwrap_or(1) };
    let seconds = ((warm_up + span) * turns).as_secs_f64();
    format!(
        "Sending {} requests down {}, as {}; the first {:.0} s count in no figure. That takes {seconds:.0} s, and however \
         long the last outcome takes.",
        workload.arrivals.len(),
        if lanes == 1 { "one lane" } else { "each lane" },
        if owners == 1 { "one owner".to_owned() } else { format!("{owners} owners in turn") },
        warm_up.as_secs_f64()
    )
}

/// `--restore`.
async fn put_back(args: &CompareArgs, stack: &Stack, deployed: Option<&Deployed>) -> anyhow::Result<ExitCode> {
    let deployed = deployed.context("Only the stack's URLs are known: pass --stack-name or --outputs")?;
    let stack = stack.api_url()?;
    let file = args.scenario_options.settings_file(stack.as_str())?;
    match restore(&deployed.controls, stack.as_str(), &file).await? {
        None => tell(&format!("There is nothing to put back: no {}.", file.display())),
        Some(settings) => {
            tell("Put back:");
            for setting in settings {
                tell(&format!("  {setting}"));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What is sent to each lane.
fn workload(args: &CompareArgs, seed: u64) -> anyhow::Result<Workload> {
    let load = &args.load;
    let mut random = fastrand::Rng::with_seed(seed);
    let mix = scenario::mix(args);
    if let Some(path) = &load.replay {
        let (times, bodies) = workload::replay(path)?;
        return Ok(mixed(&times, bodies, mix, Duration::ZERO, &mut random));
    }
    let law = load.arrivals.unwrap_or(if args.scenario == ScenarioName::Burst { Law::Burst } else { Law::Constant });
    let warm_up = Duration::from_secs_f64(load.warm_up);
    let extent = match (load.orders, load.duration) {
        (Some(orders), _) => Extent::Orders(orders),
        (None, seconds) => Extent::Duration(seconds.map_or(DURATION, Duration::from_secs_f64)),
    };
    let shape = Shape { law, rate: load.rate, extent, peak: load.peak, warm_up };
    let most = shape.most_orders();
    anyhow::ensure!(
        most <= MAX_ORDERS,
        "That would be {most:.0} orders, and {MAX_ORDERS:.0} is the most: lower --rate, --duration, --warm-up or --peak"
    );
    let times = schedule(shape, &mut random);
    let workload = mixed(&times, vec![SAMPLE.into()], mix, warm_up, &mut random);
    anyhow::ensure!(
        workload.counted().next().is_some(),
        "No order is due after the warm-up: raise --rate or --duration, or pass --orders"
    );
    Ok(workload)
}

/// When orders begin to count, and how long they come.
fn span(workload: &Workload) -> (Duration, Duration) {
    let last = workload.arrivals.last().map_or(Duration::ZERO, |arrival| arrival.at());
    (workload.warm_up, last.saturating_sub(workload.warm_up))
}

/// The folder of the reports, which is there afterwards.
fn make_folder(args: &CompareArgs, now: OffsetDateTime) -> anyhow::Result<PathBuf> {
    let folder = args.output.clone().unwrap_or_else(|| {
        // Colons are not for file names.
        let time = timestamp(now).replace(':', "");
        Path::new("twolane-reports").join(format!("{time}-{}", args.scenario.name()))
    });
    fs::create_dir_all(&folder).with_context(|| format!("Failed to make the folder {}", folder.display()))?;
    Ok(folder)
}

/// Everything that the lanes have in common.
struct Plan<'a> {
    requests: Requests,
    websocket_url: Option<reqwest::Url>,
    is_emulator: bool,
    args: &'a CompareArgs,
    workload: &'a Arc<Workload>,
    owners: &'a Owners,
    deployed: Option<&'a Deployed>,
    scenario: &'a Scenario,
    interruption: &'a Interruption,
}

/// What was loaded, and an error where the stack could not be changed back.
type Played = (Vec<Loaded>, anyhow::Result<()>);

/// Plays the scenario on the lanes; nothing where it was interrupted before.
async fn measure(plan: &Plan<'_>, lanes: &[Lane], stack: &str) -> anyhow::Result<Option<Played>> {
    // All of them before any is loaded: what cannot be measured is not begun.
    let ready = tokio::select! {
        ready = try_join_all(lanes.iter().map(|lane| plan.lane(*lane).prepare())) => ready?,
        () = plan.interruption.wait() => return Ok(None),
    };
    if plan.interruption.signal().is_some() {
        return Ok(None);
    }
    play(plan, ready, stack).await.map(Some)
}

/// Changes the stack as the scenario says, loads the lanes, and changes it back.
async fn play(plan: &Plan<'_>, ready: Vec<Ready>, stack: &str) -> anyhow::Result<Played> {
    let Scenario { before, during, .. } = plan.scenario;
    let (Some(deployed), false) = (plan.deployed, before.is_empty()) else {
        return Ok((plan.load(ready).await, Ok(())));
    };
    let file = plan.args.scenario_options.settings_file(stack)?;
    let changes = Changes::begin(deployed.controls.clone(), stack, file, before.clone()).await?;
    let work = async {
        for setting in during {
            Box::pin(deployed.controls.apply_unless(setting, plan.interruption.wait())).await?;
        }
        anyhow::Ok(plan.load(ready).await)
    };
    let (loaded, undone) = changes.during(work, plan.interruption.wait()).await;
    match loaded {
        Ok(loaded) => Ok((loaded, undone)),
        // Both have something to say.
        Err(error) => Err(match undone {
            Ok(()) => error,
            Err(undone) => error.context(format!("{undone:#}")),
        }),
    }
}

impl Plan<'_> {
    /// Loads the lanes, in turn or at the same time.
    async fn load(&self, ready: Vec<Ready>) -> Vec<Loaded> {
        if self.args.parallel {
            return self.together(ready).await;
        }
        let mut loaded = Vec::new();
        for lane in ready {
            if self.interruption.signal().is_none() {
                loaded.extend(self.together(vec![lane]).await);
            }
        }
        loaded
    }

    async fn together(&self, ready: Vec<Ready>) -> Vec<Loaded> {
        let (mut laps, mut running) = (Vec::new(), Vec::new());
        // Whatever is asked before the load is asked before its clock runs.
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
            let deployed = self.deployed.cloned();
            let disturb = self.scenario.disturb(ready.lane(), deployed, start, self.interruption.clone());
            running.push(ready.load(clocked, disturb));
        }
        tokio::select! {
            loaded = join_all(running) => loaded,
            () = live::show(&laps) => unreachable!("it goes on until it is dropped"),
        }
    }

    fn lane(&self, lane: Lane) -> LaneRun {
        LaneRun {
            lane,
            workload: Arc::clone(self.workload),
            requests: self.requests.clone(),
            websocket_url: self.websocket_url.clone(),
            owners: self.owners.clone(),
            confirm: self.args.confirm,
            grace: Duration::from_secs(self.args.load.grace),
            max_in_flight: self.args.load.max_in_flight,
            deployed: self.deployed.cloned(),
            interruption: self.interruption.clone(),
            is_emulator: self.is_emulator,
        }
    }
}
