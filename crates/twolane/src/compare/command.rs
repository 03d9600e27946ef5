//! `twolane compare`, from what was typed to the report.

use super::args::CompareArgs;
use super::consent::ask;
use super::folder::Folder;
use super::live;
use crate::output::Output;
use crate::progress::tell;
use anyhow::Context;
use std::path::Path;
use std::process::ExitCode;
use twolane_client::signals::Interruption;
use twolane_client::stack::Stack;
use twolane_load::comparison::Comparison;
use twolane_load::restore;
use twolane_report::model::Report;
use twolane_report::{PriceTable, complete, summary};

/// Runs the command.
///
/// # Errors
/// Nothing was sent, and why.
pub(crate) async fn run(args: CompareArgs) -> anyhow::Result<ExitCode> {
    let (lanes, settings) = (args.lanes()?, args.settings());
    let stack = Stack::find(&args.stack.address()).await?.with_all_outputs();
    let address = args.stack.deployed.address();
    if args.scenario_options.restore {
        let (file, restored) = restore(&settings.scenario_options, &stack, &address, tell).await?;
        put_back(&file, restored);
        return Ok(ExitCode::SUCCESS);
    }
    let prices = args.prices.as_deref().map_or_else(|| Ok(PriceTable::embedded()), PriceTable::read)?;
    // Before anything is asked; and left as it was until the answer is there.
    drop(Folder::make(args.output.as_deref(), args.scenario.name())?);
    let token = args.stack.token.as_deref();
    let comparison = Comparison::plan(settings, lanes, &stack, &address, token, tell).await?;
    comparison.scenario.limits_unknown.iter().for_each(|why| tell(why));
    // Until the answer is there, a signal ends the program as it would any other.
    ask(&comparison.scenario, comparison.api_url(), args.scenario_options.yes)?;
    let interruption = Interruption::listen().context("Failed to listen for signals")?;
    let folder = Folder::make(args.output.as_deref(), args.scenario.name())?;
    tell(&comparison.begins());
    let Some(mut report) = comparison.run(&interruption, live::show).await? else {
        tell("Interrupted: nothing was changed, and nothing was sent.");
        return Ok(interruption.signal().map_or(ExitCode::FAILURE, |signal| ExitCode::from(signal.exit_code())));
    };
    complete(&mut report, &prices);
    let is_written = deliver(&report, &folder, args.json);
    Ok(match interruption.signal() {
        Some(signal) => ExitCode::from(signal.exit_code()),
        None if is_written && is_good(&report) => ExitCode::SUCCESS,
        None => ExitCode::FAILURE,
    })
}

/// Writes the report and shows it. Where one of them fails, the other is done all the same. Whether neither did.
fn deliver(report: &Report, folder: &Folder, json: bool) -> bool {
    let written = folder.write(report);
    let shown = if json {
        serde_json::to_string(report).expect("a report has only string keys, so it is always JSON")
    } else {
        summary(report)
    };
    let shown = Output::stdout().line(&shown);
    if let Err(error) = &shown {
        tell(&summary(report));
        tell(&format!("error: Failed to write to standard output: {error}"));
    }
    written.notices.iter().for_each(|line| tell(line));
    written.is_in_place && shown.is_ok()
}

/// Whether the figures can be relied on, and no accepted order was lost.
fn is_good(report: &Report) -> bool {
    report.errors.is_empty() && report.lanes.iter().all(|lane| lane.counts.lost == 0)
}

/// Says what `--restore` put back.
fn put_back(file: &Path, restored: Option<Vec<String>>) {
    let Some(settings) = restored else {
        return tell(&format!("There is nothing to put back: no {}.", file.display()));
    };
    tell("Put back:");
    for setting in settings {
        tell(&format!("  {setting}"));
    }
}
