//! Files of a comparison: `report.json`, and `report.html` for people.

use crate::html;
use crate::model::{Report, SCHEMA_VERSION};
use crate::version_1;
use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::Value;
use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// About a report of a few minutes.
const PROBE_BYTES: usize = 256 * 1024;

/// Writes a completed report as JSON, and next to it as an HTML page, each atomically.
/// # Errors
/// The folder is missing or cannot be written, or the file has the page's name.
///
/// # Panics
/// Never: a report has only string keys, so it is always JSON.
pub fn write(report: &Report, path: &Path) -> anyhow::Result<()> {
    let page = page_path(path);
    if page == path {
        bail!("{} is the name of the HTML page next to the report: choose a name that ends in .json", path.display());
    }
    let mut json = serde_json::to_string_pretty(report).expect("a report has only string keys, so it is always JSON");
    json.push('\n');
    replace(path, &json)?;
    write_page(report, &page)
}

/// Checks by a probe that [`write()`] can write there. Leaves nothing behind.
///
/// # Errors
/// It cannot be written.
pub fn can_write(path: &Path) -> anyhow::Result<()> {
    can_replace(path)?;
    can_replace(&page_path(path))
}

/// Checks by a probe that [`replace`] can write there. Leaves nothing behind.
///
/// # Errors
/// It cannot be written.
pub fn can_replace(path: &Path) -> anyhow::Result<()> {
    if path.is_dir() {
        bail!("{} is a folder", path.display());
    }
    let context = || format!("Failed to write {}", path.display());
    new_file(path, &" ".repeat(PROBE_BYTES)).map(drop).with_context(context)
}

/// A report's HTML page: next to it, with the extension `html`.
#[must_use]
pub fn page_path(report: &Path) -> PathBuf {
    report.with_extension("html")
}

/// Writes a completed report as an HTML page.
///
/// # Errors
/// The folder is missing or cannot be written.
pub fn write_page(report: &Report, path: &Path) -> anyhow::Result<()> {
    replace(path, &html::page(report))
}

/// Writes the lanes' timelines as an SVG.
///
/// # Errors
/// There is no timeline, or the folder is missing or cannot be written.
pub fn write_picture(report: &Report, path: &Path) -> anyhow::Result<()> {
    let picture = html::picture(report).context("The report has no timeline, so there is nothing to draw")?;
    replace(path, &picture)
}

/// Reads a report, and upgrades version 1.
///
/// # Errors
/// The file cannot be read, is not a report, or has another version.
pub fn read(path: &Path) -> anyhow::Result<Report> {
    report(read_json(path, "report")?, &path.display().to_string())
}

/// Reads several runs' reports, from [`write_runs`].
///
/// # Errors
/// The file cannot be read, or is not a list of reports.
pub fn read_runs(path: &Path) -> anyhow::Result<Vec<Report>> {
    let shown = path.display();
    let Value::Array(runs) = read_json(path, "baseline")? else {
        bail!("{shown} is not a baseline: it must be a list of reports, as --save-baseline writes it");
    };
    let numbered = (1..).zip(runs);
    numbered.map(|(number, run)| report(run, &format!("Run {number} in {shown}"))).collect()
}

/// Writes several runs' reports as one file.
///
/// # Errors
/// The folder is missing or cannot be written.
///
/// # Panics
/// Never: a report has only string keys, so it is always JSON.
pub fn write_runs(runs: &[Report], path: &Path) -> anyhow::Result<()> {
    let mut json = serde_json::to_string(runs).expect("reports have only string keys, so they are always JSON");
    json.push('\n');
    replace(path, &json)
}

/// `kind` is the expected content, for errors.
fn read_json(path: &Path, kind: &str) -> anyhow::Result<Value> {
    let shown = path.display();
    let text = read_text(path).with_context(|| format!("Failed to read {shown}"))?;
    serde_json::from_str(&text).with_context(|| format!("{shown} is not a {kind}"))
}

/// A report, upgraded from old versions. `shown` is the source, for errors.
fn report(mut value: Value, shown: &str) -> anyhow::Result<Report> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Versioned {
        schema_version: u32,
    }
    let not_any = || format!("{shown} is not a report");
    // serde would read a list's first item as the version.
    if !value.is_object() {
        bail!("{}: it is not an object", not_any());
    }
    let Versioned { schema_version: version } = Versioned::deserialize(&value).with_context(not_any)?;
    if ![version_1::VERSION, SCHEMA_VERSION].contains(&version) {
        bail!(
            "{shown} is a report of version {version}, but this program reads versions {} and {SCHEMA_VERSION}",
            version_1::VERSION
        );
    }
    let not_one = || format!("{shown} is not a report of version {version}");
    check_size(&value).with_context(not_one)?;
    if version == version_1::VERSION {
        version_1::upgrade(&mut value).with_context(not_one)?;
    }
    serde_json::from_value(value).with_context(not_one)
}

/// Without the byte order mark that Windows editors may write.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    let text = fs::read_to_string(path)?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// No run reaches counts above 2^53, and their sums would overflow.
fn check_size(value: &Value) -> anyhow::Result<()> {
    const MOST: u64 = 1 << 53;
    match value {
        // The seed is not a count.
        Value::Object(object) => {
            object.iter().filter(|(name, _)| *name != "seed").try_for_each(|(_, value)| check_size(value))
        }
        Value::Array(values) => values.iter().try_for_each(check_size),
        Value::Number(number) if number.as_u64().is_some_and(|number| number > MOST) => {
            bail!("it counts to {number}")
        }
        _ => Ok(()),
    }
}

/// Replaces a file atomically.
///
/// # Errors
/// The folder is missing or cannot be written.
pub fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let context = || format!("Failed to write {}", path.display());
    let new = new_file(path, text).with_context(context)?;
    new.persist(path).map(drop).with_context(context)
}

/// A temporary file next to `path`, deleted when dropped.
fn new_file(path: &Path, text: &str) -> io::Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // The umask restricts these permissions.
    let mut file = tempfile::Builder::new().permissions(Permissions::from_mode(0o666)).tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PriceTable, complete, sample, summary};

    fn file(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("twolane-report-{}-{name}", std::process::id()))
    }

    #[test]
    fn reads_a_report_that_it_wrote() {
        let mut report = sample::report();
        complete(&mut report, &PriceTable::embedded());
        let path = file("round-trip.json");

        write(&report, &path).expect("a temporary file");
        let again = read(&path);
        let page = fs::read_to_string(page_path(&path)).expect("it was written");
        fs::remove_file(&path).expect("it was written");
        fs::remove_file(page_path(&path)).expect("it was written");

        // As text: a float's last bit may differ after parsing.
        assert_eq!(summary(&again.expect("a report")), summary(&report));
        assert!(page.starts_with("<!DOCTYPE html>") && page.contains(&report.run.id), "{page}");
    }

    #[test]
    fn does_not_write_report_and_page_to_one_file() {
        let refused = write(&sample::report(), Path::new("report.html")).expect_err("one file for both");

        assert!(refused.to_string().contains("ends in .json"), "{refused}");
    }

    #[test]
    fn detects_in_advance_what_cannot_be_written() {
        let (path, folder) = (file("probe.json"), file("probe"));
        fs::create_dir_all(folder.join("report.html")).expect("a temporary folder");

        let free = can_write(&path);
        let taken = can_write(&folder.join("report.json")).expect_err("the page would be a folder");
        let below = can_write(&folder.join("none/report.json")).expect_err("there is no such folder");
        let left = fs::read_dir(&folder).expect("a folder").count();
        fs::remove_dir_all(&folder).expect("it is there");

        assert!(free.is_ok() && !path.exists(), "{free:?}");
        assert!(taken.to_string().ends_with("report.html is a folder"), "{taken}");
        assert!(below.to_string().starts_with("Failed to write "), "{below}");
        assert_eq!(left, 1);
    }

    #[test]
    fn leaves_files_with_similar_names_alone() {
        let folder = file("similar");
        fs::create_dir_all(&folder).expect("a temporary folder");
        let (path, similar) = (folder.join("report.json"), folder.join("report.json.new"));
        fs::write(&similar, "the user's").expect("a temporary file");

        can_write(&path).expect("it can be written");
        write(&sample::report(), &path).expect("it can be written");
        let kept = fs::read_to_string(&similar);
        let left = fs::read_dir(&folder).expect("a folder").count();
        fs::remove_dir_all(&folder).expect("it is there");

        assert_eq!(kept.ok().as_deref(), Some("the user's"));
        assert_eq!(left, 3, "the user's file, the report and its page");
    }

    #[test]
    fn refuses_a_report_with_sums_that_would_overflow() {
        let mut report = sample::report();
        report.lanes[0].counts.refused.throttled = u64::MAX;
        let path = file("huge.json");
        fs::write(&path, serde_json::to_string(&report).expect("JSON")).expect("a temporary file");

        let refused = read(&path);
        fs::remove_file(&path).expect("it was written");

        let why = format!("{:#}", refused.expect_err("no run counts that far"));
        assert!(why.contains("it counts to 18446744073709551615"), "{why}");
    }

    #[test]
    fn refuses_a_report_of_another_version() {
        let path = file("version.json");
        fs::write(&path, r#"{"schemaVersion":3}"#).expect("a temporary file");

        let refused = read(&path);
        fs::remove_file(&path).expect("it was written");

        let why = format!("{:#}", refused.expect_err("another version"));
        assert!(why.contains("a report of version 3, but this program reads versions 1 and 2"), "{why}");
    }
}
