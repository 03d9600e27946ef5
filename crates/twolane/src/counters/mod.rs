//! The operator's commands for what bus orders take: units and money.

pub(crate) mod account;
pub(crate) mod args;
pub(crate) mod stock;
mod stock_file;

use crate::output::{Output, Results};
use crate::progress::say;
use crate::table;
use anyhow::Context;
use std::process::ExitCode;

/// Counters as a table or as one JSON object each.
struct Shown {
    heading: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    json: Vec<String>,
}

impl Shown {
    fn text(self, json: bool) -> String {
        if json { self.json.join("\n") } else { table::draw(&self.heading, &self.rows) }
    }

    fn write(self, json: bool) -> anyhow::Result<ExitCode> {
        Output::stdout().line(&self.text(json)).context("Failed to write the result")?;
        Ok(ExitCode::SUCCESS)
    }

    /// Writes counters that were set, and the rest's error.
    ///
    /// # Errors
    /// Nothing was set.
    fn write_changes(self, json: bool, error: Option<anyhow::Error>, file: &'static str) -> anyhow::Result<ExitCode> {
        let is_complete = match error {
            Some(error) if self.rows.is_empty() => return Err(error),
            Some(error) => {
                say(&format!("error: Only the numbers shown were set: {error:#}"));
                false
            }
            None => true,
        };
        let mut results = Results::stdout(file);
        results.line(&self.text(json));
        Ok(if is_complete && results.are_written() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// The number, or a dash.
fn or_dash(number: Option<String>) -> String {
    number.unwrap_or_else(|| "–".to_owned())
}
