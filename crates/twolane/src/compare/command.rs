//! `twolane compare`: runs and reports the comparison.

use super::args::CompareArgs;
use super::consent::ask;
use super::folder::Folder;
use super::gate::Gate;
use super::show::{show, show_json};
use super::{limit, live};
use crate::progress::say;
use crate::{PROMISE_BROKEN, REGRESSION};
use anyhow::{Context, bail};
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;
use twolane_client::signals::Interruption;
use twolane_client::stack::Stack;
use twolane_load::comparison::Comparison;
use twolane_load::restore;
use twolane_report::model::Report;
use twolane_report::{PriceTable, Trend, changed, complete, judge, summary, summary_of_runs};

/// # Errors
/// Nothing was sent.
pub(crate) async fn run(args: CompareArgs) -> anyhow::Result<ExitCode> {
    if args.scenario_options.restore {
        let stack = Stack::find(&args.stack.address()).await?.with_all_outputs();
        let (options, address) = (args.settings().scenario_options, args.stack.deployed.address());
        let (file, restored) = restore(&options, &stack, &address, say).await?;
        put_back(&file, restored);
        return Ok(ExitCode::SUCCESS);
    }
    let args = args.with_file()?;
    if args.gate.abort_on_fail && args.gate.require.is_empty() {
        bail!("--abort-on-fail needs a promise: pass --require");
    }
    let prices = args.prices.as_deref().map_or_else(|| Ok(PriceTable::embedded()), PriceTable::read)?;
    if args.gate.find_limit {
        return Box::pin(limit::run(&args, &prices)).await;
    }
    let (lanes, mut settings) = (args.lanes()?, args.settings());
    let stack = Stack::find(&args.stack.address()).await?.with_all_outputs();
    let address = args.stack.deployed.address();
    // Check that reports can be written before asking. Dropping the folder removes it until then.
    let folder = Folder::make(args.output.as_deref(), args.scenario().name())?;
    let gate = Gate::prepare(args.gate.clone())?;
    drop(folder);
    settings.load.seed = settings.load.seed.or_else(|| gate.seed());
    let token = args.stack.token.as_deref();
    let comparison = Comparison::plan(settings, lanes, &stack, &address, token, say).await?;
    gate.check(&comparison)?;
    comparison.scenario.limits_unknown.iter().for_each(|why| say(why));
    // Until the answer, signals end the program as usual.
    ask(&comparison.scenario, comparison.api_url(), args.scenario_options.yes)?;
    let interruption = Interruption::listen().context("Failed to listen for signals")?;
    let folder = Folder::make(args.output.as_deref(), args.scenario().name())?;
    say(&comparison.begins());
    let runs = Box::pin(repeat(&comparison, &gate, &interruption, &prices, &folder, args.json)).await?;
    if runs.reports.is_empty() {
        say("Interrupted: nothing was changed, and nothing was sent.");
        return Ok(interruption.signal().map_or(ExitCode::FAILURE, |signal| ExitCode::from(signal.exit_code())));
    }
    Ok(conclude(runs, &gate, &interruption, args.json))
}

struct Runs {
    reports: Vec<Report>,
    /// Whether each run ended by itself, and its report was written and shown.
    are_complete: bool,
}

/// Runs the comparison `--repeat` times, or until an interruption, a failed run or, with `--abort-on-fail`, a broken
/// promise.
///
/// # Errors
/// The first run failed: nothing was sent.
async fn repeat(
    comparison: &Comparison,
    gate: &Gate,
    interruption: &Interruption,
    prices: &PriceTable,
    folder: &Folder,
    json: bool,
) -> anyhow::Result<Runs> {
    let times = gate.args.repeat;
    let mut runs = Runs { reports: Vec::new(), are_complete: true };
    for number in 1..=times {
        let number = (times > 1).then_some(number);
        if let Some(number) = number {
            say(&format!("Run {number} of {times}"));
        }
        let report = match comparison.run(interruption, live::show).await {
            Ok(report) => report,
            Err(error) if runs.reports.is_empty() => return Err(error),
            Err(error) => {
                say(&format!("error: {error:#}"));
                None
            }
        };
        let Some(mut report) = report else {
            runs.are_complete = false;
            break;
        };
        complete(&mut report, prices);
        judge(&mut report, &gate.args.require);
        runs.are_complete &= deliver(&report, folder, number, json) && !report.run.interrupted;
        let ends = interruption.has_come() || (gate.args.abort_on_fail && !report.keeps_promises());
        runs.reports.push(report);
        if ends {
            break;
        }
    }
    runs.are_complete &= runs.reports.len() == usize::from(times);
    Ok(runs)
}

/// Shows all runs together, and writes the pipeline's files.
fn conclude(runs: Runs, gate: &Gate, interruption: &Interruption, json: bool) -> ExitCode {
    let Runs { reports, are_complete } = runs;
    let mut is_written = true;
    if gate.args.repeat > 1 && !json {
        is_written &= show(&summary_of_runs(&reports));
    }
    let are_sound = reports.iter().all(Report::is_sound);
    let changes = if are_complete && are_sound { gate.changes(&reports) } else { Vec::new() };
    if gate.args.baseline.is_some() && changes.is_empty() {
        say("The runs are not compared with the baseline: they must be complete and without errors.");
    } else if gate.args.baseline.is_some() {
        let text = changed(&changes, gate.args.noise);
        is_written &= if json { show_json(&json!({"changes": changes}), &text) } else { show(&text) };
    }
    let missing = if are_complete && are_sound { gate.missing(&reports) } else { Vec::new() };
    if !missing.is_empty() {
        say(&format!("error: These runs lack figures of the baseline: {}", missing.join(", ")));
    }
    let lost = reports.iter().any(Report::lost_orders);
    if let Err(error) = gate.write(&reports, &changes, are_complete && are_sound && !lost) {
        say(&format!("error: {error:#}"));
        is_written = false;
    }
    let is_broken = !reports.iter().all(Report::keeps_promises);
    let is_aborted = is_broken && interruption.has_come();
    match interruption.signal() {
        Some(signal) => ExitCode::from(signal.exit_code()),
        None if is_aborted => ExitCode::from(PROMISE_BROKEN),
        None if !are_sound || !is_written => ExitCode::FAILURE,
        None if is_broken => ExitCode::from(PROMISE_BROKEN),
        None if lost || !are_complete || !missing.is_empty() => ExitCode::FAILURE,
        None if changes.iter().any(|change| change.trend == Trend::Regression) => ExitCode::from(REGRESSION),
        None => ExitCode::SUCCESS,
    }
}

/// Writes the report and shows it, each even if the other fails. Returns whether both succeeded. `run` is its number if
/// there are several: then the text summary follows the last run.
fn deliver(report: &Report, folder: &Folder, run: Option<u16>, json: bool) -> bool {
    let written = folder.write(report, run);
    let is_shown = if json { show_json(report, &summary(report)) } else { run.is_some() || show(&summary(report)) };
    written.notices.iter().for_each(|line| say(line));
    written.is_in_place && is_shown
}

/// Reports what `--restore` restored.
fn put_back(file: &Path, restored: Option<Vec<String>>) {
    let Some(settings) = restored else {
        return say(&format!("Nothing to restore: {} does not exist.", file.display()));
    };
    say("Restored:");
    for setting in settings {
        say(&format!("  {setting}"));
    }
}
