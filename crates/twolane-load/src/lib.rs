//! Measures lanes under the same load.
//!
//! A [`Comparison`](comparison::Comparison), planned from
//! [`ComparisonSettings`](settings::ComparisonSettings), may change a stack, changes it back, and ends in a report.

pub mod comparison;
mod deployed;
pub mod lap;
mod measure;
pub mod open_files;
mod owners;
mod run_report;
pub mod scenario;
pub mod scenario_file;
pub mod settings;
mod stack_settings;
mod workload;

use anyhow::Context;
use std::path::{Path, PathBuf};
use twolane_client::stack::{DeployedAddress, Stack};

/// Due times of a `--replay` file, in microseconds from the first one, ascending.
///
/// # Errors
/// The file cannot be read, is empty, or has malformed lines.
pub fn recorded_arrivals(path: &Path) -> anyhow::Result<Vec<u64>> {
    Ok(workload::replay(path)?.0)
}

/// Restores the settings that a killed run left changed. Returns the settings file and what was restored; `None` if
/// there was nothing. `notify` prints what it waits for.
///
/// # Errors
/// Only the stack's URLs are known, the file belongs to another stack, or the file system or AWS fails.
pub async fn restore(
    settings: &settings::ScenarioSettings,
    stack: &Stack,
    address: &DeployedAddress,
    notify: fn(&str),
) -> anyhow::Result<(PathBuf, Option<Vec<String>>)> {
    let deployed = deployed::Deployed::find(stack, address).await?;
    let deployed = deployed.context("Only the stack's URLs are known: pass --stack-name or --outputs")?;
    let stack = stack.api_url()?;
    let file = settings.settings_file(stack.as_str())?;
    let restored = stack_settings::restore(&deployed.controls, stack.as_str(), &file, notify).await?;
    Ok((file, restored))
}
