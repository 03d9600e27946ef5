//! Runs as JUnit XML, which pipelines show as tests.

use crate::baseline::{Change, Trend};
use crate::html::escape;
use crate::model::Report;
use crate::promise::together;

/// A test case: its class, its name, and why it failed if it did.
struct Case(&'static str, String, Option<String>);

/// The runs of one comparison. Whether each is sound, each lane's losses, each promise and each change since the baseline is a
/// test case. Source of the shape: Apache Ant, task `junitreport`, as Jenkins, GitLab and GitHub actions read it.
#[must_use]
pub fn junit(runs: &[Report], changes: &[Change]) -> String {
    let mut cases = Vec::new();
    for (number, run) in (1..).zip(runs) {
        let errors = run.errors.join("; ");
        cases.push(Case("run", format!("run {number} has no error"), (!errors.is_empty()).then_some(errors)));
        let why = "the run was interrupted: some orders have no outcome".to_owned();
        cases.push(Case("run", format!("run {number} went to its end"), run.run.interrupted.then_some(why)));
        cases.extend(run.lanes.iter().map(|lane| {
            let lost = lane.counts.lost;
            let name = format!("run {number}: the {} lane loses no accepted order", lane.lane.name);
            Case("run", name, (lost > 0).then(|| format!("{lost} lost")))
        }));
    }
    cases.extend(together(runs).into_iter().map(|promise| {
        let name = format!("{} ({})", promise.promise, promise.lane.name);
        Case("promise", name, (!promise.kept).then_some(promise.figures))
    }));
    cases.extend(changes.iter().map(|change| {
        let name = format!("{} {} is no worse than the baseline", change.lane.name, change.metric);
        let worse = format!("{:.2}×, {:.2}× to {:.2}×", change.ratio, change.low, change.high);
        Case("baseline", name, (change.trend == Trend::Regression).then_some(worse))
    }));
    let (tests, failures) = (cases.len(), cases.iter().filter(|case| case.2.is_some()).count());
    let cases: String = cases.iter().map(written).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"{tests}\" failures=\"{failures}\">\n\
         <testsuite name=\"twolane compare\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"0\">\n\
         {cases}</testsuite>\n</testsuites>\n"
    )
}

fn written(Case(class, name, failure): &Case) -> String {
    let name = text(name);
    let Some(why) = failure else { return format!("<testcase classname=\"twolane.{class}\" name=\"{name}\"/>\n") };
    let why = text(why);
    format!(
        "<testcase classname=\"twolane.{class}\" name=\"{name}\"><failure message=\"{why}\">{why}</failure></testcase>\n"
    )
}

/// Text as XML takes it. Source: Extensible Markup Language 1.0, fifth edition, production 2, "Char".
fn text(text: &str) -> String {
    escape(text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{judge, sample};
    use roxmltree::Document;

    #[test]
    fn each_promise_and_each_lane_is_a_test_case() {
        let mut report = sample::report();
        let promises = ["sync.refused<1%", "async.refused==0"].map(|promise| promise.parse().expect("a promise"));
        judge(&mut report, &promises);

        let xml = junit(&[report], &[]);

        let document = Document::parse(&xml).expect("it is well-formed");
        let cases: Vec<_> = document.descendants().filter(|node| node.has_tag_name("testcase")).collect();
        let names: Vec<_> = cases.iter().filter_map(|case| case.attribute("name")).collect();
        assert_eq!(
            names,
            [
                "run 1 has no error",
                "run 1 went to its end",
                "run 1: the sync lane loses no accepted order",
                "run 1: the async lane loses no accepted order",
                "sync.refused<1% (sync)",
                "async.refused==0 (async)",
            ]
        );
        let failed: Vec<_> = cases.iter().filter(|case| case.has_children()).collect();
        assert_eq!((failed.len(), failed[0].attribute("name")), (1, Some("sync.refused<1% (sync)")));
        assert_eq!(document.root_element().attribute("failures"), Some("1"));
    }

    #[test]
    fn is_well_formed_whatever_an_error_says() {
        let mut report = sample::report();
        report.errors = vec!["]]> <a b=\"c\"> & 'd' \u{1b}[2J \u{0} \u{fffe} \u{ffff}\n".to_owned(), "é😀".to_owned()];

        let xml = junit(&[report], &[]);

        let document = Document::parse(&xml).expect("it is well-formed");
        let failure = document.descendants().find(|node| node.has_tag_name("failure")).and_then(|node| node.text());
        assert!(failure.is_some_and(|why| why.starts_with("]]> <a b=\"c\"> & 'd' ")), "{xml}");
    }
}
