//! `twolane report`: shows a stored run, or compares several.

use crate::PROMISE_BROKEN;
use crate::cli::ReportArgs;
use crate::output::Output;
use crate::progress::say;
use anyhow::{Context, bail};
use std::process::ExitCode;
use twolane_report::model::Report;
use twolane_report::{
    PriceTable, comparison, comparison_json, complete, judge, read, summary, write_page, write_picture,
};

/// # Errors
/// A report or a price table cannot be read, or a page cannot be written.
pub(crate) fn run(args: &ReportArgs) -> anyhow::Result<ExitCode> {
    for (option, file) in [("--html", &args.html), ("--picture", &args.picture)] {
        let Some(file) = file else { continue };
        if args.files.len() > 1 {
            bail!("{option} takes one report, and {} are named", args.files.len());
        }
        if args.files.contains(file) {
            bail!("{option} would overwrite the report {}", file.display());
        }
    }
    if !args.require.is_empty() && args.files.len() > 1 {
        bail!("--require takes one report, and {} are named", args.files.len());
    }
    let mut reports = Vec::new();
    for file in &args.files {
        let mut report = read(file)?;
        if let Some(prices) = &args.prices {
            complete(&mut report, &PriceTable::read(prices)?);
        }
        if !args.require.is_empty() {
            judge(&mut report, &args.require);
        }
        reports.push((file.display().to_string(), report));
    }
    if let (Some(page), [(_, report)]) = (&args.html, reports.as_slice()) {
        write_page(report, page)?;
    }
    if let (Some(picture), [(_, report)]) = (&args.picture, reports.as_slice()) {
        write_picture(report, picture)?;
    }
    let shown = match reports.as_slice() {
        [(_, report)] if args.json => serde_json::to_string(report)?,
        [(_, report)] => summary(report),
        _ if args.json => comparison_json(&reports).to_string(),
        _ => comparison(&reports),
    };
    Output::stdout().line(&shown).context("Failed to write the result")?;
    let is_required = !args.require.is_empty();
    let is_complete = |report: &Report| report.is_sound() && !report.run.interrupted;
    if is_required && !reports.iter().all(|(_, report)| is_complete(report)) {
        say("error: The run was interrupted or has errors, so it keeps no promise.");
        return Ok(ExitCode::FAILURE);
    }
    let is_broken = is_required && reports.iter().any(|(_, report)| !report.keeps_promises());
    Ok(if is_broken { ExitCode::from(PROMISE_BROKEN) } else { ExitCode::SUCCESS })
}
