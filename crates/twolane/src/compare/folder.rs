//! The folder of a run's reports.

use crate::fallback;
use crate::progress::say;
use anyhow::Context;
use std::fs;
use std::path::{Path, PathBuf};
use time::OffsetDateTime;
use twolane_client::timestamp::timestamp;
use twolane_report::model::Report;
use twolane_report::{can_write, page_path, replace, write};

/// A writable folder. Dropping it removes the empty folders that it made.
pub(crate) struct Folder {
    path: PathBuf,
    /// The innermost first.
    made: Vec<PathBuf>,
}

pub(crate) struct Written {
    /// Lines for standard error.
    pub(crate) notices: Vec<String>,
    /// Whether the report is in the folder.
    pub(crate) is_in_place: bool,
}

impl Folder {
    /// Makes the chosen folder, or one for this run.
    ///
    /// # Errors
    /// The folder cannot be made or written.
    pub(crate) fn make(chosen: Option<&Path>, scenario: &str) -> anyhow::Result<Self> {
        let path = chosen.map_or_else(
            || {
                // Some file systems forbid colons in file names.
                let time = timestamp(OffsetDateTime::now_utc()).replace(':', "");
                Path::new("twolane-reports").join(format!("{time}-{scenario}"))
            },
            Path::to_owned,
        );
        let made = path.ancestors().take_while(|folder| matches!(folder.try_exists(), Ok(false)));
        let made = made.filter(|folder| !folder.as_os_str().is_empty()).map(Path::to_owned).collect();
        let folder = Self { path, made };
        let shown = folder.path.display();
        fs::create_dir_all(&folder.path).with_context(|| format!("Failed to make the folder {shown}"))?;
        can_write(&report_in(&folder.path)).context("The report cannot be written")?;
        Ok(folder)
    }

    /// Writes the report and its page, into a fallback folder if the folder fails. `run` is its number if there are
    /// several.
    pub(crate) fn write(&self, report: &Report, run: Option<u16>) -> Written {
        let report_in = |folder: &Path| match run {
            Some(run) => folder.join(format!("report-{run}.json")),
            None => report_in(folder),
        };
        let place = |folder: &Path| {
            let path = report_in(folder);
            format!("Report: {} and {}", path.display(), page_path(&path).display())
        };
        let Err(error) = write(report, &report_in(&self.path)) else {
            return Written { notices: vec![place(&self.path)], is_in_place: true };
        };
        let saved = match fallback::folder(&report.run.scenario, |folder| write(report, &report_in(&folder))) {
            Ok(folder) => place(&folder),
            Err(error) => format!("error: Failed to write it elsewhere as well: {error:#}"),
        };
        Written { notices: vec![format!("error: {error:#}"), saved], is_in_place: false }
    }
}

impl Folder {
    /// Writes a picture, and reports where or why not. Returns whether it was written.
    pub(crate) fn write_text(&self, name: &str, text: &str) -> bool {
        let path = self.path.join(name);
        let written = replace(&path, text);
        match &written {
            Ok(()) => say(&format!("Picture: {}", path.display())),
            Err(error) => say(&format!("error: {error:#}")),
        }
        written.is_ok()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        for folder in &self.made {
            // Fails if it is not empty, which is fine.
            let _ = fs::remove_dir(folder);
        }
    }
}

fn report_in(folder: &Path) -> PathBuf {
    folder.join("report.json")
}
