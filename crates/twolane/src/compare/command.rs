//! `twolane compare`, from what was typed to the report.

use super::args::CompareArgs;
use super::consent::ask;
use super::live;
use crate::output::Output;
use crate::progress::tell;
use anyhow::Context;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use time::OffsetDateTime;
use twolane_client::signals::Interruption;
use twolane_client::stack::Stack;
use twolane_client::timestamp::timestamp;
use twolane_load::comparison::Comparison;
use twolane_load::restore;
use twolane_report::{PriceTable, complete, page_path, summary, write};

/// Runs the command.
///
/// # Errors
/// Nothing was sent, and why.
pub(crate) async fn run(args: CompareArgs) -> anyhow::Result<ExitCode> {
    let (lanes, settings) = (args.lanes()?, args.settings());
    let stack = Stack::find(&args.stack.address()).await?.with_all_outputs();
    let address = args.stack.deployed.address();
    if args.scenario_options.restore {
        let (file, restored) = restore(&settings.scenario_options, &stack, &address).await?;
        put_back(&file, restored);
        return Ok(ExitCode::SUCCESS);
    }
    let prices = args.prices.as_deref().map_or_else(|| Ok(PriceTable::embedded()), PriceTable::read)?;
    let token = args.stack.token.as_deref();
    let comparison = Comparison::plan(settings, lanes, &stack, &address, token, tell).await?;
    comparison.scenario.limits_unknown.iter().for_each(|why| tell(why));
    // Until the answer is there, a signal ends the program as it would any other.
    ask(&comparison.scenario, comparison.api_url(), args.scenario_options.yes)?;
    let interruption = Interruption::listen().context("Failed to listen for signals")?;
    tell(&comparison.begins());
    let folder = make_folder(&args, OffsetDateTime::now_utc())?;
    let Some(mut report) = comparison.run(&interruption, live::show).await? else {
        tell("Interrupted: nothing was changed, and nothing was sent.");
        return Ok(interruption.signal().map_or(ExitCode::FAILURE, |signal| ExitCode::from(signal.exit_code())));
    };
    complete(&mut report, &prices);
    let path = folder.join("report.json");
    write(&report, &path)?;
    let shown = if args.json {
        serde_json::to_string(&report).expect("a report has only string keys, so it is always JSON")
    } else {
        summary(&report)
    };
    Output::stdout().line(&shown).context("Failed to write the report")?;
    tell(&format!("Report: {} and {}", path.display(), page_path(&path).display()));
    Ok(match interruption.signal() {
        Some(signal) => ExitCode::from(signal.exit_code()),
        None if report.errors.is_empty() && report.lanes.iter().all(|lane| lane.counts.lost == 0) => ExitCode::SUCCESS,
        None => ExitCode::FAILURE,
    })
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
