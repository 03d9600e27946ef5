//! Runs as JUnit XML, for pipelines.

use crate::baseline::{Change, Trend};
use crate::html::escape;
use crate::model::Report;
use crate::promise::together;

/// Class, name and result.
struct Case(&'static str, String, TestResult);

enum TestResult {
    Passed,
    Failed(String),
    Skipped(&'static str),
}

impl TestResult {
    fn failed_if(has_failed: bool, why: impl FnOnce() -> String) -> Self {
        if has_failed { Self::Failed(why()) } else { Self::Passed }
    }
}

/// The runs of a comparison that planned `planned` runs. Test cases: each run's errors and end, each lane's losses,
/// each promise, and each change since the baseline. Source: Apache Ant, task `junitreport`, as read by Jenkins, GitLab
/// and GitHub actions.
#[must_use]
pub fn junit(runs: &[Report], planned: usize, changes: &[Change]) -> String {
    let mut cases = Vec::new();
    for (number, run) in (1..).zip(runs) {
        let errors = TestResult::failed_if(!run.is_sound(), || run.errors.join("; "));
        cases.push(Case("run", format!("run {number} has no error"), errors));
        let end = TestResult::failed_if(run.run.interrupted, || {
            "the run was interrupted: some orders have no outcome".to_owned()
        });
        cases.push(Case("run", format!("run {number} was not interrupted"), end));
        cases.extend(run.lanes.iter().map(|lane| {
            let lost = lane.counts.lost;
            let name = format!("run {number}: the {} lane loses no accepted order", lane.lane.name);
            Case("run", name, TestResult::failed_if(lost > 0, || format!("{lost} lost")))
        }));
    }
    cases.extend((runs.len() + 1..=planned).map(|number| {
        Case("run", format!("run {number} was made"), TestResult::Skipped("the comparison ended before this run"))
    }));
    cases.extend(together(runs).into_iter().map(|promise| {
        let name = format!("{} ({})", promise.promise, promise.lane.name);
        Case("promise", name, TestResult::failed_if(!promise.kept, || promise.figures))
    }));
    cases.extend(changes.iter().map(|change| {
        let name = format!("{} {} is not worse than the baseline", change.lane.name, change.metric);
        let worse = || format!("{:.2}×, {:.2}× to {:.2}×", change.ratio, change.low, change.high);
        Case("baseline", name, TestResult::failed_if(change.trend == Trend::Regression, worse))
    }));
    let tests = cases.len();
    let failures = cases.iter().filter(|case| matches!(case.2, TestResult::Failed(_))).count();
    let skipped = cases.iter().filter(|case| matches!(case.2, TestResult::Skipped(_))).count();
    let cases: String = cases.iter().map(written).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"{tests}\" failures=\"{failures}\" skipped=\"{skipped}\">\n\
         <testsuite name=\"twolane compare\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\">\n\
         {cases}</testsuite>\n</testsuites>\n"
    )
}

fn written(Case(class, name, result): &Case) -> String {
    let head = format!("<testcase classname=\"twolane.{class}\" name=\"{}\"", text(name));
    match result {
        TestResult::Passed => format!("{head}/>\n"),
        TestResult::Failed(why) => {
            let why = text(why);
            format!("{head}><failure message=\"{why}\">{why}</failure></testcase>\n")
        }
        TestResult::Skipped(why) => format!("{head}><skipped message=\"{}\"/></testcase>\n", text(why)),
    }
}

/// For XML. Source: Extensible Markup Language 1.0, fifth edition, production 2, "Char".
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

        let xml = junit(&[report], 1, &[]);

        let document = Document::parse(&xml).expect("it is well-formed");
        let cases: Vec<_> = document.descendants().filter(|node| node.has_tag_name("testcase")).collect();
        let names: Vec<_> = cases.iter().filter_map(|case| case.attribute("name")).collect();
        assert_eq!(
            names,
            [
                "run 1 has no error",
                "run 1 was not interrupted",
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
    fn runs_that_were_not_made_are_skipped() {
        let xml = junit(&[sample::report()], 3, &[]);

        let document = Document::parse(&xml).expect("it is well-formed");
        let cases = document.descendants().filter(|node| node.has_tag_name("skipped")).filter_map(|node| node.parent());
        let names: Vec<_> = cases.filter_map(|case| case.attribute("name")).collect();
        assert_eq!(names, ["run 2 was made", "run 3 was made"]);
        let suite = document.root_element();
        assert_eq!([suite.attribute("failures"), suite.attribute("skipped")], [Some("0"), Some("2")]);
    }

    #[test]
    fn is_well_formed_with_any_error_text() {
        let mut report = sample::report();
        report.errors = vec!["]]> <a b=\"c\"> & 'd' \u{1b}[2J \u{0} \u{fffe} \u{ffff}\n".to_owned(), "é😀".to_owned()];

        let xml = junit(&[report], 1, &[]);

        let document = Document::parse(&xml).expect("it is well-formed");
        let failure = document.descendants().find(|node| node.has_tag_name("failure")).and_then(|node| node.text());
        assert!(failure.is_some_and(|why| why.starts_with("]]> <a b=\"c\"> & 'd' ")), "{xml}");
    }
}
