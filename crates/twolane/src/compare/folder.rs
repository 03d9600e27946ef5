//! The folder of a run's reports.

use crate::kept;
use crate::progress::tell;
use anyhow::Context;
use std::fs;
use std::path::{Path, PathBuf};
use time::OffsetDateTime;
use twolane_client::timestamp::timestamp;
use twolane_report::model::Report;
use twolane_report::{can_write, page_path, replace, write};

/// The folder, which is there and can be written. Dropping this value removes every folder that it made and that is empty.
pub(crate) struct Folder {
    path: PathBuf,
    /// The folders that did not exist before, the innermost first.
    made: Vec<PathBuf>,
}

/// What came of writing a report.
pub(crate) struct Written {
    /// For people.
    pub(crate) notices: Vec<String>,
    /// Whether it is in the folder.
    pub(crate) is_in_place: bool,
}

impl Folder {
    /// That folder, or one for the run of this scenario.
    ///
    /// # Errors
    /// The folder cannot be made, or a report could not be written there.
    pub(crate) fn make(chosen: Option<&Path>, scenario: &str) -> anyhow::Result<Self> {
        let path = chosen.map_or_else(
            || {
                // Colons are not for file names.
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
        can_write(&report_in(&folder.path)).context("The report could not be written at the end")?;
        Ok(folder)
    }

    /// Writes the report and its page into the folder; where that fails, into another one. `run` is its number if there are
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
        let kept = match kept::folder(&report.run.scenario, |folder| write(report, &report_in(&folder))) {
            Ok(folder) => place(&folder),
            Err(error) => format!("error: Nor could it be written elsewhere: {error:#}"),
        };
        Written { notices: vec![format!("error: {error:#}"), kept], is_in_place: false }
    }
}

impl Folder {
    /// Writes a file into the folder. Whether it could.
    pub(crate) fn write_text(&self, name: &str, text: &str) -> bool {
        let path = self.path.join(name);
        let written = replace(&path, text);
        match &written {
            Ok(()) => tell(&format!("Picture: {}", path.display())),
            Err(error) => tell(&format!("error: {error:#}")),
        }
        written.is_ok()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        for folder in &self.made {
            // Not if anything is in it.
            let _ = fs::remove_dir(folder);
        }
    }
}

fn report_in(folder: &Path) -> PathBuf {
    folder.join("report.json")
}
