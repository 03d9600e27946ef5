//! The report of a comparison: model, costs, verdict, and output as text, JSON and HTML.
//!
//! This crate calls neither AWS nor a stack: others measure counts and times.

mod baseline;
mod comparison;
mod cost;
mod figures;
mod files;
mod html;
mod junit;
pub mod limit;
mod markdown;
pub mod model;
mod printable;
pub mod promise;
mod text;
mod verdict;
mod version_1;
mod words;

#[cfg(test)]
mod sample;

pub use baseline::{Change, LEAST_RUNS, Trend, changes, differences, missing};
pub use comparison::comparison_json;
pub use cost::{PriceTable, Prices, usage_cost};
pub use files::{
    can_replace, can_write, page_path, read, read_runs, replace, write, write_page, write_picture, write_runs,
};
pub use html::{Forecast, LaneFindings, forecast_page};
pub use junit::junit;
pub use markdown::markdown;
pub use printable::printable;
pub use promise::{Promise, judge};
pub use text::{changed, comparison, summary, summary_of_runs};

use model::Report;

/// Adds what follows from the measurements: costs, crossovers and verdict.
pub fn complete(report: &mut Report, prices: &PriceTable) {
    cost::price(report, prices);
    report.verdict = verdict::verdict(report);
}
