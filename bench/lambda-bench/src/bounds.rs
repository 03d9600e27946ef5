//! The bounds of `bench/bounds.toml`, and whether a run holds them.

use crate::metrics::{METRICS, OTHERS, Values};
use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

/// What `--save-bounds` allows above what was measured.
const MARGIN: f64 = 1.05;

/// The bounds of a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bounds {
    /// Of ratios to the SDK floor.
    ratios: Values,
    /// Of measured figures that are not ratios.
    counts: Values,
    /// Of figures that do not depend on the machine or follow from the design.
    limits: Values,
}

/// One bound of a run.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Bound {
    /// Of which subject and metric.
    pub(crate) what: String,
    pub(crate) at_most: f64,
    /// `None` where the run did not measure it.
    pub(crate) is: Option<f64>,
}

impl Bound {
    /// Whether the figure, as reports show it, is at most the bound. A figure that was not measured exceeds none.
    pub(crate) fn holds(&self) -> bool {
        self.is.is_none_or(|is| as_shown(is) <= self.at_most)
    }
}

/// A value as reports show it: to the hundredth, from a thousand on to the whole number.
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
        let is_metric = |name: &str| METRICS.iter().any(|metric| metric.name == name);
        for (name, by_subject) in bounds.ratios.iter().chain(&bounds.counts).chain(&bounds.limits) {
            let is_known = is_metric(name) || !bounds.ratios.contains_key(name) && OTHERS.contains(&name.as_str());
            ensure!(is_known, "{name} is not a metric");
            for subject in by_subject.keys() {
                ensure!(subjects.contains(&subject.as_str()), "{subject} is not one of {}", subjects.join(", "));
            }
        }
        Ok(bounds)
    }

    /// Each bound with what was measured.
    pub(crate) fn check(&self, ratios: &Values, figures: &Values) -> Vec<Bound> {
        let mut all = Vec::new();
        for (bounds, of, measured) in
            [(&self.ratios, ", × sdk-floor", ratios), (&self.counts, "", figures), (&self.limits, "", figures)]
        {
            for (metric, by_subject) in bounds {
                for (subject, at_most) in by_subject {
                    let is = measured.get(metric).and_then(|by_subject| by_subject.get(subject)).copied();
                    all.push(Bound { what: format!("{subject}: {metric}{of}"), at_most: *at_most, is });
                }
            }
        }
        all
    }
}

/// Sets the bounds of `[ratios]` and `[counts]` that a run measured to 5 % above its figures.
///
/// # Errors
/// The file cannot be read or written.
pub(crate) fn save(file: &Path, ratios: &Values, figures: &Values) -> anyhow::Result<()> {
    let text = fs::read_to_string(file).with_context(|| format!("Failed to read {}", file.display()))?;
    let text = renewed(&text, ratios, figures)?;
    fs::write(file, text).with_context(|| format!("Failed to write {}", file.display()))
}

fn renewed(text: &str, ratios: &Values, figures: &Values) -> anyhow::Result<String> {
    let (mut renewed, mut measured) = (String::new(), None);
    for line in text.lines() {
        match line {
            "[ratios]" => measured = Some(ratios),
            "[counts]" => measured = Some(figures),
            "[limits]" => measured = None,
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
    use crate::subject::{SDK_FLOOR, WHOLE_BATCH};

    const PROJECT: &str = include_str!("../../bounds.toml");
    const FUNCTIONS: [&str; 5] =
        ["authorize-request", "create-order", "get-order", "manage-connections", "process-orders"];

    fn subjects() -> Vec<&'static str> {
        FUNCTIONS.into_iter().chain([SDK_FLOOR, WHOLE_BATCH]).collect()
    }

    fn values(metric: &str, subject: &str, value: f64) -> Values {
        Values::from([(metric.to_owned(), [(subject.to_owned(), value)].into())])
    }

    fn bounds(text: &str) -> anyhow::Result<Bounds> {
        Bounds::parse(text, &subjects())
    }

    const START: &str = "[ratios]\nstart = { create-order = 1.1 }\n[counts]\n[limits]\n";

    fn holds(start: f64) -> bool {
        let bounds = bounds(START).expect("they are valid");
        bounds.check(&values("start", "create-order", start), &Values::new()).iter().all(Bound::holds)
    }

    #[test]
    fn a_ratio_up_to_its_bound_holds_and_one_above_it_does_not() {
        assert!(holds(0.9));
        assert!(holds(1.1));
        assert!(!holds(1.11));
    }

    #[test]
    fn a_ratio_exceeds_its_bound_only_where_reports_show_it() {
        assert!(holds(1.104));
        assert!(!holds(1.106));
    }

    #[test]
    fn a_limit_holds_for_the_figure_and_not_for_the_ratio() {
        let bounds = bounds("[ratios]\n[counts]\n[limits]\nrequests = { create-order = 1 }\n").expect("they are valid");
        let (one, two) = (values("requests", "create-order", 1.0), values("requests", "create-order", 2.0));

        assert!(bounds.check(&two, &one).iter().all(Bound::holds));
        assert!(!bounds.check(&one, &two).iter().all(Bound::holds));
    }

    #[test]
    fn bounds_of_unknown_metrics_and_subjects_are_refused() {
        for unknown in [
            START.replace("start", "speed"),
            START.replace("create-order", "creat-order"),
            // It is no ratio.
            START.replace("start", "requests"),
            START.replace("ratios", "ratio"),
        ] {
            assert!(bounds(&unknown).is_err(), "{unknown}");
        }
    }

    #[test]
    fn every_function_has_a_bound_of_everything_that_is_gated() {
        let bounds = bounds(PROJECT).expect("bench/bounds.toml is valid");

        for gated in [
            "start",
            "first-answer",
            "processor-time",
            "memory",
            "archive",
            "init-instructions",
            "warm-instructions",
            "init-system-calls",
            "warm-system-calls",
        ] {
            for function in FUNCTIONS {
                assert!(bounds.ratios[gated].contains_key(function), "{gated} of {function}");
            }
        }
    }

    #[test]
    fn saved_bounds_are_five_per_cent_above_what_was_measured() {
        let text = "# How\n[ratios]\nstart = { create-order = 9, get-order = 9 }\n\n[counts]\nround-trips = { create-order = 9 }\n\
                    # Why\n[limits]\nrequests = { create-order = 9 }\n";
        let mut figures = values("round-trips", "create-order", 3.0);
        figures.extend(values("requests", "create-order", 1.0));

        let saved = renewed(text, &values("start", "create-order", 1.0), &figures).expect("it is valid");

        assert_eq!(
            saved,
            "# How\n[ratios]\nstart = { create-order = 1.05, get-order = 9 }\n\n[counts]\nround-trips = { create-order = 3.15 }\n\
             # Why\n[limits]\nrequests = { create-order = 9 }\n"
        );
    }
}
