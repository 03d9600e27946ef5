//! `twolane report`: shows one run again, or compares several.

use super::figures::figures;
use super::model::Report;
use super::text::{self, ratio};
use super::{complete, read, write_page};
use crate::cli::ReportArgs;
use crate::compare::cost::PriceTable;
use crate::output::Output;
use anyhow::bail;
use serde_json::{Map, Value, json};
use std::process::ExitCode;

/// Runs the command.
///
/// # Errors
/// A report or a price table cannot be read, or a page cannot be written.
pub(crate) fn run(args: &ReportArgs) -> anyhow::Result<ExitCode> {
    if let Some(page) = &args.html {
        if args.files.len() > 1 {
            bail!("--html makes the page of one report, and {} are named", args.files.len());
        }
        if args.files.contains(page) {
            bail!("--html would overwrite the report {}", page.display());
        }
    }
    let mut reports = Vec::new();
    for file in &args.files {
        let mut report = read(file)?;
        if let Some(prices) = &args.prices {
            complete(&mut report, &PriceTable::read(prices)?);
        }
        reports.push((file.display().to_string(), report));
    }
    if let (Some(page), [(_, report)]) = (&args.html, reports.as_slice()) {
        write_page(report, page)?;
    }
    let shown = match reports.as_slice() {
        [(_, report)] if args.json => serde_json::to_string(report)?,
        [(_, report)] => text::summary(report),
        _ if args.json => comparison(&reports).to_string(),
        _ => text::comparison(&reports),
    };
    Output::stdout().line(&shown)?;
    Ok(ExitCode::SUCCESS)
}

/// Figures by run and lane, with the ratio of each to that of the first run.
fn comparison(reports: &[(String, Report)]) -> Value {
    let first = reports.first().map(|(_, report)| report);
    let runs: Vec<_> = reports.iter().map(|(file, report)| run_figures(file, report, first)).collect();
    json!({ "runs": runs })
}

fn run_figures(file: &str, report: &Report, first: Option<&Report>) -> Value {
    let mut lanes = Map::new();
    for lane in &report.lanes {
        let of_first = first.into_iter().flat_map(|first| &first.lanes).find(|other| other.lane == lane.lane);
        let of_first = of_first.map(figures);
        let mut shown = Map::new();
        for (index, figure) in figures(lane).into_iter().enumerate() {
            let ratio = of_first.as_ref().and_then(|first| ratio(figure.value, first[index].value));
            shown.insert(figure.key, json!({"value": figure.value, "ratio": ratio}));
        }
        lanes.insert(lane.lane.name().to_owned(), Value::Object(shown));
    }
    json!({"file": file, "id": report.run.id, "scenario": report.run.scenario, "lanes": lanes})
}
