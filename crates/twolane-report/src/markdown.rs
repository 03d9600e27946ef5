//! Runs as Markdown, for pipelines' job summaries.

use crate::baseline::Change;
use crate::figures::{Figure, figures};
use crate::model::Report;
use crate::printable::printable;
use crate::promise::{Together, together};

/// `report.html` has all.
const FIGURES: [&str; 9] = [
    "counts.sent",
    "counts.accepted",
    "counts.confirmed",
    "counts.lost",
    "latencies.acknowledge.p50Ms",
    "latencies.acknowledge.p99Ms",
    "latencies.doneByCallback.p50Ms",
    "latencies.doneByCallback.p99Ms",
    "cost.usdPerMillionOrders",
];

/// One comparison's promises, changes since the baseline if any, figures and verdict.
#[must_use]
pub fn markdown(runs: &[Report], changes: &[Change]) -> String {
    let Some(first) = runs.first() else { return String::new() };
    let several = if runs.len() > 1 { format!(", {} runs", runs.len()) } else { String::new() };
    let mut shown = format!("## Twolane: {}{several}\n\n", escape(&first.run.scenario));
    let errors = (1..).zip(runs).flat_map(|(number, run)| run.errors.iter().map(move |error| (number, error)));
    shown.extend(errors.map(|(number, error)| format!("ERROR in run {number}: {}\n\n", escape(error))));
    shown += &table(&["promise", "lane", "figure", ""], together(runs).into_iter().map(Together::cells));
    shown += &table(&["against the baseline", "ratio", "interval", ""], changes.iter().map(Change::cells));
    for (number, run) in (1..).zip(runs) {
        let title = if runs.len() > 1 { format!("run {number}") } else { String::new() };
        shown += &lanes(&title, run);
    }
    let sentences = runs.last().into_iter().flat_map(|run| &run.verdict);
    shown.extend(sentences.map(|sentence| format!("- {}\n", escape(sentence))));
    shown
}

/// One run's lanes side by side.
fn lanes(title: &str, run: &Report) -> String {
    let columns: Vec<Vec<Figure>> = run.lanes.iter().map(figures).collect();
    let heads: Vec<&str> = std::iter::once(title).chain(run.lanes.iter().map(|lane| lane.lane.name)).collect();
    let first = columns.first().into_iter().flatten().enumerate();
    let rows = first.filter(|(_, figure)| FIGURES.contains(&figure.key.as_str())).map(|(row, figure)| {
        std::iter::once(figure.label.clone()).chain(columns.iter().map(|column| column[row].shown())).collect()
    });
    table(&heads, rows)
}

/// With a blank line. Empty without rows.
fn table(heads: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line =
        |cells: Vec<String>| format!("| {} |\n", cells.iter().map(|cell| escape(cell)).collect::<Vec<_>>().join(" | "));
    let rows: String = rows.map(line).collect();
    if rows.is_empty() {
        return String::new();
    }
    let head = line(heads.iter().map(|head| (*head).to_owned()).collect());
    format!("{head}|{}\n{rows}\n", " --- |".repeat(heads.len()))
}

/// For Markdown with tables. Sources: `CommonMark` 0.31.2, section 2.4 "Backslash escapes"; GitHub Flavored Markdown
/// 0.29, section 4.10 "Tables".
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in printable(text).chars() {
        if matches!(character, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '&' | '~') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PriceTable, complete, judge, sample};

    fn run() -> Report {
        let mut report = sample::report();
        complete(&mut report, &PriceTable::embedded());
        let promises = ["*.lost==0", "sync.refused<1%"].map(|promise| promise.parse().expect("a promise"));
        judge(&mut report, &promises);
        report
    }

    #[test]
    fn shows_promises_and_figures_as_tables() {
        let shown = markdown(&[run()], &[]).replace('\u{a0}', " ");

        for line in [
            "## Twolane: burst",
            "| promise | lane | figure |  |",
            r"| \*.lost==0 | async | 0 | pass |",
            r"| sync.refused\<1% | sync | 46.00 % | FAIL |",
            "|  | sync | async |",
            "| accepted | 1 080 | 2 000 |",
            "- Measured on an emulator: you can compare how the lanes behave, but times and costs differ from AWS.",
        ] {
            assert!(shown.lines().any(|shown| shown == line), "{line}: {shown}");
        }
    }

    #[test]
    fn text_is_escaped() {
        let mut report = run();
        report.run.scenario = "a|b</td>\n# c".to_owned();
        report.errors = vec!["[x](y) `z`".to_owned()];

        let shown = markdown(&[report], &[]);

        assert!(shown.starts_with("## Twolane: a\\|b\\</td\\>\u{fffd}\\# c\n"), "{shown}");
        assert!(shown.contains("\n\nERROR in run 1: \\[x\\](y) \\`z\\`\n\n|"), "{shown}");
    }
}
