//! The report of a comparison: its shape, what follows from its figures, and how it is shown.
//!
//! Nothing here asks AWS or a stack: a report is made from counts and times that others measured.

mod comparison;
mod cost;
mod figures;
mod files;
mod html;
pub mod model;
mod printable;
mod text;
mod verdict;
mod version_1;
mod words;

#[cfg(test)]
mod sample;

pub use comparison::comparison_json;
pub use cost::{PriceTable, Prices, usage_cost};
pub use files::{can_write, page_path, read, write, write_page};
pub use html::{Forecast, forecast_page};
pub use printable::printable;
pub use text::{comparison, summary};

use model::Report;

/// Adds to what was measured what follows from it: costs, crossover and verdict.
pub fn complete(report: &mut Report, prices: &PriceTable) {
    cost::price(report, prices);
    report.verdict = verdict::verdict(report);
}
