//! The gate of a pipeline: promises, a baseline, and files for the pipeline.

use super::args::GateArgs;
use anyhow::{Context, bail};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use twolane_load::comparison::Comparison;
use twolane_report::model::Report;
use twolane_report::{
    Change, LEAST_RUNS, can_replace, changes, differences, junit, markdown, missing, read_runs, replace, write_runs,
};

/// The options, with the baseline that was read.
pub(crate) struct Gate {
    pub(crate) args: GateArgs,
    baseline: Option<Vec<Report>>,
}

impl Gate {
    /// Reads the baseline, and checks that every file can be written.
    ///
    /// # Errors
    /// The options conflict, or a file cannot be read or written.
    pub(crate) fn prepare(args: GateArgs) -> anyhow::Result<Self> {
        let is_baseline_used = args.baseline.is_some() || args.save_baseline.is_some();
        if is_baseline_used && usize::from(args.repeat) < LEAST_RUNS {
            bail!("A baseline needs several runs on each side: pass --repeat {LEAST_RUNS} or more");
        }
        for file in [&args.save_baseline, &args.summary, &args.junit].into_iter().flatten() {
            can_replace(file)?;
        }
        let baseline = args.baseline.as_deref().map(read_baseline).transpose()?;
        Ok(Self { args, baseline })
    }

    pub(crate) fn seed(&self) -> Option<u64> {
        Some(self.baseline.as_ref()?.first()?.run.seed)
    }

    /// Checks the planned comparison against promises and baseline.
    ///
    /// # Errors
    /// A promise is about a lane that is not measured, or the baseline has other conditions.
    pub(crate) fn check(&self, comparison: &Comparison) -> anyhow::Result<()> {
        for promise in &self.args.require {
            if let Some(lane) = promise.lane().filter(|lane| !comparison.lanes().contains(lane)) {
                bail!("{promise} is about the {} lane, which is not measured: add it to --lanes", lane.name);
            }
        }
        let (Some(file), Some(baseline)) = (&self.args.baseline, &self.baseline) else { return Ok(()) };
        let planned = comparison.planned();
        let differences: Vec<_> =
            baseline.iter().flat_map(|before| differences(before, &planned, comparison.lanes())).collect();
        if let Some(first) = differences.first() {
            let of_each = differences.iter().filter(|difference| *difference != first);
            let more = of_each.fold(String::new(), |all, difference| {
                if all.contains(difference.as_str()) { all } else { format!("{all}\n  {difference}") }
            });
            bail!("{} cannot be compared with this run:\n  {first}{more}", file.display());
        }
        Ok(())
    }

    /// Changes since the baseline; empty without one. `runs` must be complete.
    pub(crate) fn changes(&self, runs: &[Report]) -> Vec<Change> {
        self.baseline.as_ref().map_or_else(Vec::new, |before| changes(before, runs, self.args.noise))
    }

    /// The baseline's figures that the complete `runs` lack; empty without a baseline.
    pub(crate) fn missing(&self, runs: &[Report]) -> Vec<String> {
        self.baseline.as_ref().map_or_else(Vec::new, |before| missing(before, runs))
    }

    /// Writes the pipeline's files. `is_baseline`: the runs are complete, sound and lost no order.
    ///
    /// # Errors
    /// A file cannot be written.
    pub(crate) fn write(&self, runs: &[Report], changes: &[Change], is_baseline: bool) -> anyhow::Result<()> {
        if let Some(file) = &self.args.summary {
            append(file, &markdown(runs, changes)).with_context(|| format!("Failed to write {}", file.display()))?;
        }
        if let Some(file) = &self.args.junit {
            replace(file, &junit(runs, self.args.repeat.into(), changes))?;
        }
        match &self.args.save_baseline {
            Some(file) if is_baseline => write_runs(runs, file),
            Some(file) => {
                bail!(
                    "{} is not written: a baseline needs complete runs without errors and lost orders",
                    file.display()
                )
            }
            None => Ok(()),
        }
    }
}

fn read_baseline(file: &Path) -> anyhow::Result<Vec<Report>> {
    let baseline = read_runs(file)?;
    if baseline.len() < LEAST_RUNS {
        bail!("{} has {} runs, but a baseline needs {LEAST_RUNS} or more", file.display(), baseline.len());
    }
    Ok(baseline)
}

/// Other steps of the pipeline may have written to its summary.
fn append(file: &Path, text: &str) -> std::io::Result<()> {
    OpenOptions::new().append(true).create(true).open(file)?.write_all(text.as_bytes())
}
