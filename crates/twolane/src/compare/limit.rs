//! `--find-limit`: the highest rate at which each lane keeps its promises.

use super::args::CompareArgs;
use super::consent::ask;
use super::folder::Folder;
use super::live;
use super::show::show;
use crate::progress::say;
use anyhow::{Context, bail};
use lanes::Lane;
use serde_json::json;
use std::process::ExitCode;
use twolane_client::signals::Interruption;
use twolane_client::stack::Stack;
use twolane_load::comparison::{Comparison, lanes_of};
use twolane_report::limit::{LaneLimit, LimitSearch, limits_text, picture};
use twolane_report::{PriceTable, Promise, complete, judge};

/// What one run found.
enum ProbeResult {
    /// Whether the lane kept its promises.
    Kept(bool),
    /// Why the run says nothing about the lane.
    Unusable(String),
}

/// Searches lane by lane.
///
/// # Errors
/// The options conflict, or a run could not be planned.
pub(super) async fn run(args: &CompareArgs, prices: &PriceTable) -> anyhow::Result<ExitCode> {
    check(args)?;
    let stack = Stack::find(&args.stack.address()).await?.with_all_outputs();
    let lanes = lanes_of(args.lanes()?, &stack, say)?;
    let folder = Folder::make(args.output.as_deref(), "find-limit")?;
    let search = Search { args, prices, stack: &stack };
    for promise in &args.gate.require {
        if let Some(lane) = promise.lane().filter(|lane| !lanes.contains(lane)) {
            bail!("{promise} is about the {} lane, which is not measured: add it to --lanes", lane.name);
        }
    }
    for lane in &lanes {
        let first = search.plan(lane, args.settings().load.rate).await?;
        if !lane.steps.is_empty() {
            say("The units and money added to stock and accounts grow with each rate.");
        }
        ask(&first.scenario, first.api_url(), args.scenario_options.yes)?;
    }
    let interruption = Interruption::listen().context("Failed to listen for signals")?;
    let mut limits = Vec::new();
    for lane in lanes {
        limits.push(search.lane(lane, &interruption).await?);
        if interruption.has_come() {
            break;
        }
    }
    let is_written = folder.write_text("limit.svg", &picture(&limits));
    let promises: Vec<String> = args.gate.require.iter().map(ToString::to_string).collect();
    let text = if args.json {
        json!({"promises": promises, "limits": limits}).to_string()
    } else {
        limits_text(&limits, &promises)
    };
    let is_shown = show(&text);
    Ok(match interruption.signal() {
        Some(signal) => ExitCode::from(signal.exit_code()),
        None if is_shown && is_written && limits.iter().all(|limit| limit.ended_early.is_none()) => ExitCode::SUCCESS,
        None => ExitCode::FAILURE,
    })
}

fn check(args: &CompareArgs) -> anyhow::Result<()> {
    let load = &args.load;
    if args.gate.require.is_empty() {
        bail!("--find-limit needs a promise to search by: pass --require, such as --require '*.refused==0'");
    }
    if !load.phases.is_empty() || load.replay.is_some() {
        bail!(
            "--find-limit sets the rate itself: leave out --replay, and pass --duration to replace the phases of a file"
        );
    }
    if args.gate.abort_on_fail || args.gate.summary.is_some() || args.gate.junit.is_some() {
        bail!("--find-limit writes only limit.svg: leave out --abort-on-fail, --summary and --junit");
    }
    if args.parallel || args.gate.repeat > 1 || args.gate.baseline.is_some() || args.gate.save_baseline.is_some() {
        bail!("--find-limit runs one lane after the other: leave out --parallel, --repeat and baselines");
    }
    Ok(())
}

struct Search<'a> {
    args: &'a CompareArgs,
    prices: &'a PriceTable,
    stack: &'a Stack,
}

impl Search<'_> {
    async fn plan(&self, lane: Lane, rate: f64) -> anyhow::Result<Comparison> {
        let mut settings = self.args.settings();
        settings.load.rate = rate;
        let (address, token) = (self.args.stack.deployed.address(), self.args.stack.token.as_deref());
        Comparison::plan(settings, vec![lane], self.stack, &address, token, say).await
    }

    async fn lane(&self, lane: Lane, interruption: &Interruption) -> anyhow::Result<LaneLimit> {
        let promises: Vec<Promise> = self
            .args
            .gate
            .require
            .iter()
            .filter(|promise| promise.lane().is_none_or(|of| of == lane))
            .cloned()
            .collect();
        if promises.is_empty() {
            bail!("No promise is about the {} lane: leave it out of --lanes, or pass --require '*.…'", lane.name);
        }
        let mut search = LimitSearch::new(self.args.settings().load.rate);
        while let Some(rate) = search.next_rate() {
            let result = self.probe(lane, rate, &promises, interruption).await;
            match result.unwrap_or_else(|error| ProbeResult::Unusable(format!("at {rate:.1}/s: {error:#}"))) {
                ProbeResult::Kept(kept) => {
                    say(&format!("{:<6} {rate:>9.1}/s  {}", lane.name, if kept { "kept" } else { "BROKEN" }));
                    search.record(rate, kept);
                }
                ProbeResult::Unusable(why) => return Ok(search.limit(lane, Some(why))),
            }
        }
        Ok(search.limit(lane, None))
    }

    async fn probe(
        &self,
        lane: Lane,
        rate: f64,
        promises: &[Promise],
        interruption: &Interruption,
    ) -> anyhow::Result<ProbeResult> {
        let report = self.plan(lane, rate).await?.run(interruption, live::show).await?;
        let Some(mut report) = report.filter(|report| !report.run.interrupted) else {
            return Ok(ProbeResult::Unusable("it was interrupted".to_owned()));
        };
        complete(&mut report, self.prices);
        judge(&mut report, promises);
        Ok(match report.errors.first() {
            Some(error) => ProbeResult::Unusable(format!("at {rate:.1}/s: {error}")),
            None => ProbeResult::Kept(report.keeps_promises() && !report.lost_orders()),
        })
    }
}
