//! Reads the bounds of `bench/bounds.toml`, and checks a run against them.

use crate::metrics::{METRICS, Results, Values, is_time, others};
use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::NamedTempFile;

/// `--save-bounds` multiplies measured figures by this.
const MARGIN: f64 = 1.05;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bounds {
    /// Of ratios to the SDK floor.
    ratios: Values,
    /// Of measured figures that are not ratios.
    counts: Values,
    /// Of figures that do not depend on the machine, or that follow from the design.
    limits: Values,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Bound {
    /// Subject and metric.
    pub(crate) what: String,
    pub(crate) at_most: f64,
    /// `None` if not measured.
    pub(crate) is: Option<f64>,
    pub(crate) is_requested: bool,
}

impl Bound {
    /// Whether the figure, rounded as in reports, is at most the bound. A requested figure that was not measured fails.
    pub(crate) fn holds(&self) -> bool {
        self.is.map_or(!self.is_requested, |is| as_shown(is) <= self.at_most)
    }
}

/// Rounded as in reports: to two decimals, or to an integer from 1000 on.
fn as_shown(value: f64) -> f64 {
    if value >= 1000.0 { value.round() } else { (value * 100.0).round() / 100.0 }
}

impl Bounds {
    /// Reads the bounds of the project's subjects.
    ///
    /// # Errors
    /// The file cannot be read, or names a metric or a subject that does not exist.
    pub(crate) fn read(file: &Path, subjects: &[&str]) -> anyhow::Result<Self> {
        let text = fs::read_to_string(file).with_context(|| format!("Failed to read {}", file.display()))?;
        Self::parse(&text, subjects).with_context(|| format!("{} has no valid bounds", file.display()))
    }

    fn parse(text: &str, subjects: &[&str]) -> anyhow::Result<Self> {
        let bounds: Self = toml::from_str(text)?;
        let has_ratio = |name: &str| METRICS.iter().any(|metric| metric.name == name);
        let is_metric = |name: &str| has_ratio(name) || others().any(|other| other == name);
        for (section, is_known) in [
            (&bounds.ratios, &has_ratio as &dyn Fn(&str) -> bool),
            (&bounds.counts, &is_metric),
            (&bounds.limits, &is_metric),
        ] {
            for (name, by_subject) in section {
                ensure!(is_known(name), "{name} is not a metric");
                for subject in by_subject.keys() {
                    ensure!(subjects.contains(&subject.as_str()), "{subject} is not one of {}", subjects.join(", "));
                }
            }
        }
        Ok(bounds)
    }

    /// Subjects that exceed a bound of a time.
    pub(crate) fn slow_subjects(&self, results: &Results) -> BTreeSet<String> {
        let times = self.ratios.iter().filter(|(metric, _)| is_time(metric));
        let exceeded = |metric: &str, subject: &str, at_most: f64| {
            let is = results.ratios.get(metric).and_then(|by_subject| by_subject.get(subject));
            is.is_some_and(|is| as_shown(*is) > at_most)
        };
        times
            .flat_map(|(metric, bounds)| {
                bounds.iter().filter(|(subject, at_most)| exceeded(metric, subject, **at_most))
            })
            .map(|(subject, _)| subject.clone())
            .collect()
    }

    /// Each bound with the measured figure. `is_requested`: whether the run should measure a subject's metric.
    pub(crate) fn check(&self, results: &Results, is_requested: impl Fn(&str, &str) -> bool) -> Vec<Bound> {
        let mut all = Vec::new();
        for (bounds, of, measured) in [
            (&self.ratios, ", × sdk-floor", &results.ratios),
            (&self.counts, "", &results.figures),
            (&self.limits, "", &results.figures),
        ] {
            for (metric, by_subject) in bounds {
                for (subject, at_most) in by_subject {
                    let is = measured.get(metric).and_then(|by_subject| by_subject.get(subject)).copied();
                    let (what, is_requested) = (format!("{subject}: {metric}{of}"), is_requested(subject, metric));
                    all.push(Bound { what, at_most: *at_most, is, is_requested });
                }
            }
        }
        all
    }
}

/// Sets the bounds of `[ratios]` and `[counts]` to 5 % above the measured figures. Keeps bounds that were not measured.
///
/// # Errors
/// The file cannot be read or written. It is then unchanged.
pub(crate) fn save(file: &Path, results: &Results) -> anyhow::Result<()> {
    let text = fs::read_to_string(file).with_context(|| format!("Failed to read {}", file.display()))?;
    let text = renewed(&text, results)?;
    let context = || format!("Failed to write {}", file.display());
    let new = new_file(file, &text).with_context(context)?;
    new.persist(file).map(drop).with_context(context)
}

/// Checks that [`save`] can replace the file, with a temporary copy.
///
/// # Errors
/// The file cannot be read, or the copy cannot be written.
pub(crate) fn can_save(file: &Path) -> anyhow::Result<()> {
    let text = fs::read_to_string(file).with_context(|| format!("Failed to read {}", file.display()))?;
    let context = || format!("Failed to write {}", file.display());
    new_file(file, &text).map(drop).with_context(context)
}

/// A temporary file with that text, next to `path`, which can replace `path`. Deleted when dropped.
fn new_file(path: &Path, text: &str) -> io::Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // With the user's umask, as other files.
    let mut file = tempfile::Builder::new().permissions(Permissions::from_mode(0o666)).tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    Ok(file)
}

fn renewed(text: &str, results: &Results) -> anyhow::Result<String> {
    let (mut renewed, mut measured) = (String::new(), None);
    for line in text.lines() {
        match line {
            "[ratios]" => measured = Some(&results.ratios),
            "[counts]" => measured = Some(&results.figures),
            _ if line.starts_with('[') => measured = None,
            _ => {}
        }
        let written = match (measured, line.split_once(" = {")) {
            (Some(measured), Some((metric, _))) => {
                let bounds: Values = toml::from_str(line)?;
                let bounds = bounds.values().flatten().map(|(subject, bound)| {
                    let is = measured.get(metric).and_then(|by_subject| by_subject.get(subject));
                    let bound = is.map_or(*bound, |is| as_shown(is * MARGIN));
                    format!("{subject} = {bound}")
                });
                format!("{metric} = {{ {} }}", bounds.collect::<Vec<_>>().join(", "))
            }
            _ => line.to_owned(),
        };
        renewed += &written;
        renewed.push('\n');
    }
    Ok(renewed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{DECISION, PING, STEP_BATCH, VOTE, WHOLE_BATCH};
    use crate::subject::{SDK_FLOOR, functions, names};

    const PROJECT: &str = include_str!("../../bounds.toml");

    fn values(metric: &str, subject: &str, value: f64) -> Values {
        Values::from([(metric.to_owned(), [(subject.to_owned(), value)].into())])
    }

    fn bounds(text: &str) -> anyhow::Result<Bounds> {
        let names = names();
        let names: Vec<&str> = names.iter().map(String::as_str).chain([SDK_FLOOR]).collect();
        Bounds::parse(text, &names)
    }

    fn ratios(ratios: Values) -> Results {
        Results { ratios, ..Results::default() }
    }

    fn figures(figures: Values) -> Results {
        Results { figures, ..Results::default() }
    }

    /// In a run that measures everything.
    fn hold(text: &str, results: &Results) -> bool {
        bounds(text).expect("they are valid").check(results, |_, _| true).iter().all(Bound::holds)
    }

    const START: &str = "[ratios]\nstart = { create-order = 1.1 }\n[counts]\n[limits]\n";

    fn holds(start: f64) -> bool {
        hold(START, &ratios(values("start", "create-order", start)))
    }

    #[test]
    fn a_ratio_up_to_its_bound_holds_and_one_above_it_does_not() {
        assert!(holds(0.9));
        assert!(holds(1.1));
        assert!(!holds(1.11));
    }

    #[test]
    fn only_times_above_their_bounds_are_measured_again() {
        let bounds = bounds(
            "[ratios]\nstart = { create-order = 1.1, get-order = 1.1 }\nmemory = { get-order = 1.1 }\n[counts]\n[limits]\n",
        );
        let mut measured = values("start", "create-order", 1.106);
        measured.extend(values("memory", "get-order", 2.0));

        let slow = bounds.expect("they are valid").slow_subjects(&ratios(measured));

        assert_eq!(slow, BTreeSet::from(["create-order".to_owned()]));
    }

    #[test]
    fn a_ratio_is_rounded_as_in_reports_before_it_is_checked() {
        assert!(holds(1.104));
        assert!(!holds(1.106));
    }

    #[test]
    fn a_limit_holds_for_the_figure_and_not_for_the_ratio() {
        let limit = "[ratios]\n[counts]\n[limits]\nrequests = { create-order = 1 }\n";
        let (one, two) = (values("requests", "create-order", 1.0), values("requests", "create-order", 2.0));

        assert!(hold(limit, &Results { ratios: two.clone(), ..figures(one.clone()) }));
        assert!(!hold(limit, &Results { ratios: one, ..figures(two) }));
    }

    #[test]
    fn a_figure_that_was_not_measured_exceeds_its_bound_if_it_was_requested() {
        let bounds = bounds(START).expect("they are valid");
        let holds = |is_requested| bounds.check(&Results::default(), |_, _| is_requested).iter().all(Bound::holds);

        assert!(!holds(true));
        assert!(holds(false));
    }

    #[test]
    fn bounds_of_unknown_metrics_and_subjects_are_refused() {
        for unknown in [
            START.replace("start", "speed"),
            START.replace("create-order", "creat-order"),
            // Not a ratio.
            START.replace("start", "requests"),
            START.replace("[ratios]", "[ratio]"),
            START.replace("[counts]\n", ""),
        ] {
            assert!(bounds(&unknown).is_err(), "{unknown}");
        }
    }

    #[test]
    fn the_project_bounds_every_figure_of_every_subject() {
        let bounds = bounds(PROJECT).expect("bench/bounds.toml is valid");
        let (functions, all) = (functions().expect("the project has functions"), names());
        let functions: &[&str] = &functions.iter().map(String::as_str).collect::<Vec<_>>();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let (batch, floor) = ([WHOLE_BATCH].as_slice(), [SDK_FLOOR].as_slice());
        let queued = ["process-orders", WHOLE_BATCH].as_slice();
        let notifying = [queued, &[DECISION]].concat();
        let steps = ["authorize-payment", "book-shipment", "reserve-stock", STEP_BATCH];

        // Times of warm invocations vary too much. Start and archive do not depend on the event. The first answer to a
        // batch varies with the connections that it opens.
        let ratios = METRICS.iter().map(|metric| metric.name).filter(|name| !name.starts_with("warm-p"));
        let of_events = ["processor-time", "memory", "warm-instructions", "warm-system-calls"];
        let ratios = ratios.map(|name| (name, if of_events.contains(&name) { all.as_slice() } else { functions }));
        assert_bounded(&bounds.ratios, ratios);
        let counts = METRICS.iter().map(|metric| metric.name).filter(|name| crate::metrics::is_counted(name));
        let counts = counts.chain(["archive", "memory"]).map(|name| (name, floor));
        assert_bounded(&bounds.counts, counts.chain([("round-trips", batch)]));
        let writers = [queued, &["create-order", "settle-order"]].concat();
        let growing = ["create-order", WHOLE_BATCH].as_slice();
        assert_bounded(
            &bounds.limits,
            [
                ("requests", all.as_slice()),
                ("PutItem", &writers),
                ("UpdateItem", &[VOTE, DECISION]),
                ("TransactWriteItems", &[steps.as_slice(), &["create-payment"]].concat()),
                ("GetItem", &["get-order", "get-payment", "get-stock"]),
                ("Query", &[notifying.as_slice(), &["list-orders"]].concat()),
                ("Publish", &[steps.as_slice(), &["publish-order", "settle-order", DECISION]].concat()),
                ("PostToConnection", &[notifying.as_slice(), &[PING]].concat()),
                ("DeleteConnection", queued),
                ("first-event-handshakes", functions),
                ("throttled-ms", batch),
                ("growth-processor-time", growing),
                ("growth-memory", growing),
            ],
        );
        for other in others() {
            assert!(bounds.limits.contains_key(other) || bounds.counts.contains_key(other), "{other} has no bound");
        }
    }

    fn assert_bounded<'a>(bounds: &Values, required: impl IntoIterator<Item = (&'a str, &'a [&'a str])>) {
        for (metric, subjects) in required {
            for subject in subjects {
                let is_bounded = bounds.get(metric).is_some_and(|by_subject| by_subject.contains_key(*subject));
                assert!(is_bounded, "{metric} of {subject} has no bound");
            }
        }
    }

    #[test]
    fn finds_out_beforehand_whether_bounds_can_be_saved() {
        let folder = std::env::temp_dir().join(format!("lambda-bench-test-{}", std::process::id()));
        let (there, missing) = (folder.join("there.toml"), folder.join("missing.toml"));
        fs::create_dir_all(&folder).expect("a temporary folder");
        fs::write(&there, START).expect("a temporary file");
        let results = ratios(values("start", "create-order", 2.0));

        let found_out = [&there, &missing].map(|file| can_save(file).is_ok());
        let saved = [&there, &missing].map(|file| save(file, &results).is_ok());
        let text = fs::read_to_string(&there).expect("it is there");
        let left = fs::read_dir(&folder).expect("a folder").count();
        fs::remove_dir_all(&folder).expect("it is there");

        assert_eq!((found_out, saved), ([true, false], [true, false]));
        assert_eq!((text, left), (START.replace("1.1", "2.1"), 1));
    }

    #[test]
    fn saved_bounds_are_five_per_cent_above_the_measured_figures() {
        let text = "# How\n[ratios]\nstart = { create-order = 9, get-order = 9 }\n\n\
                    [counts]\nround-trips = { create-order = 9 }\n# Why\n[limits]\nrequests = { create-order = 9 }\n";
        let mut figures = values("round-trips", "create-order", 3.0);
        figures.extend(values("requests", "create-order", 1.0));
        let ratios = values("start", "create-order", 1.0);

        let saved = renewed(text, &Results { ratios, figures }).expect("it is valid");

        assert_eq!(
            saved,
            "# How\n[ratios]\nstart = { create-order = 1.05, get-order = 9 }\n\n\
             [counts]\nround-trips = { create-order = 3.15 }\n# Why\n[limits]\nrequests = { create-order = 9 }\n"
        );
    }
}
