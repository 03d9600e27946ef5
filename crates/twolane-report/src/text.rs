//! Reports as text.

use crate::baseline::Change;
use crate::figures::{Figure, figures};
use crate::model::{LaneReport, Report};
use crate::printable::printable;
use crate::promise::{Together, together};
use crate::words::times;

/// In columns.
const WIDTH: usize = 100;

/// One run: lanes side by side, and the verdict.
#[must_use]
pub fn summary(report: &Report) -> String {
    let run = &report.run;
    let title = format!("Run {} · {} · {}", run.id, run.scenario, run.target.api_url);
    let lanes: Vec<_> = report.lanes.iter().map(figures).collect();
    let heads = report.lanes.iter().map(|lane| lane.lane.name.to_owned()).collect();
    let rows = rows(&lanes, |figure, _| figure.shown());
    let mut shown = vec![title, String::new()];
    shown.extend(table(heads, rows));
    shown.push(String::new());
    for sentence in &report.verdict {
        shown.extend(wrap(sentence));
    }
    for error in &report.errors {
        shown.extend(wrap(&format!("ERROR: {error}")));
    }
    shown.extend(promises(std::slice::from_ref(report)));
    joined(&shown)
}

/// Runs of one comparison: each figure's spread, errors and promises.
#[must_use]
pub fn summary_of_runs(runs: &[Report]) -> String {
    let Some(first) = runs.first() else { return String::new() };
    let mut shown = vec![format!("{} runs · {} · {}", runs.len(), first.run.scenario, first.run.target.api_url)];
    for name in lanes::names() {
        let of_lane = |run: &Report| run.lanes.iter().find(|lane| lane.lane.name == name).map(figures);
        let columns: Vec<_> = runs.iter().filter_map(of_lane).collect();
        if columns.is_empty() {
            continue;
        }
        let [least, median, most] = [spread(&columns, 0), spread(&columns, 1), spread(&columns, 2)];
        shown.extend([String::new(), format!("The {name} lane")]);
        let heads = ["least", "median", "most"].map(str::to_owned).to_vec();
        shown.extend(table(heads, rows(&[least, median, most], |figure, _| figure.shown())));
    }
    for (number, run) in (1..).zip(runs) {
        for error in &run.errors {
            shown.extend(wrap(&format!("ERROR in run {number}: {error}")));
        }
    }
    shown.extend(promises(runs));
    joined(&shown)
}

/// Minimum, median or maximum of each figure, for `half` = 0, 1 or 2.
fn spread(columns: &[Vec<Figure>], half: usize) -> Vec<Figure> {
    let of = |(index, figure): (usize, &Figure)| {
        let mut values: Vec<f64> = columns.iter().filter_map(|column| column[index].value).collect();
        values.sort_by(f64::total_cmp);
        figure.with_value(values.len().checked_sub(1).map(|last| values[last * half / 2]))
    };
    columns[0].iter().enumerate().map(of).collect()
}

/// Changes since the baseline. `noise` is the relative change that counts as none.
#[must_use]
pub fn changed(changes: &[Change], noise: f64) -> String {
    let heads = ["ratio", "interval", ""].map(str::to_owned).to_vec();
    let percent = (noise * 1000.0).round() / 10.0;
    let mut shown = vec![String::new(), format!("Against the baseline, with {percent}\u{a0}% of noise allowed")];
    shown.extend(table(heads, changes.iter().map(Change::cells).collect()));
    joined(&shown)
}

/// Each promise with its figure, below a blank line and a heading. Empty without promises.
fn promises(runs: &[Report]) -> Vec<String> {
    let rows: Vec<_> = together(runs).into_iter().map(Together::cells).collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let heads = ["lane", "figure", ""].map(str::to_owned).to_vec();
    [String::new(), "Promises".to_owned()].into_iter().chain(table(heads, rows)).collect()
}

fn joined(lines: &[String]) -> String {
    lines.iter().map(|line| printable(line)).collect::<Vec<_>>().join("\n")
}

/// Several runs, one table per lane; ratios are to the first run.
#[must_use]
pub fn comparison(reports: &[(String, Report)]) -> String {
    let mut shown = vec!["Ratios are to the first run.".to_owned()];
    for name in lanes::names() {
        let lanes: Vec<(&str, &LaneReport)> = reports
            .iter()
            .flat_map(|(file, report)| report.lanes.iter().map(move |lane| (file.as_str(), lane)))
            .filter(|(_, lane)| lane.lane.name == name)
            .collect();
        if lanes.is_empty() {
            continue;
        }
        let all: Vec<_> = lanes.iter().map(|(_, lane)| figures(lane)).collect();
        let rows = rows(&all, |figure, first| match ratio(figure.value, first.value) {
            Some(ratio) if !std::ptr::eq(figure, first) => format!("{} ({})", figure.shown(), times(ratio)),
            _ => figure.shown(),
        });
        shown.extend([String::new(), format!("The {name} lane")]);
        shown.extend(table(lanes.iter().map(|(file, _)| (*file).to_owned()).collect(), rows));
    }
    joined(&shown)
}

/// `None` if it is not finite.
pub(crate) fn ratio(value: Option<f64>, first: Option<f64>) -> Option<f64> {
    Some(value? / first?).filter(|ratio| ratio.is_finite())
}

/// Label and cells of each figure that any column has.
fn rows(columns: &[Vec<Figure>], cell: impl Fn(&Figure, &Figure) -> String) -> Vec<Vec<String>> {
    let Some(first) = columns.first() else { return Vec::new() };
    let has_any = |index: &usize| columns.iter().any(|column| column[*index].value.is_some());
    (0..first.len())
        .filter(has_any)
        .map(|index| {
            let cells = columns.iter().map(|column| cell(&column[index], &first[index]));
            std::iter::once(first[index].label.clone()).chain(cells).collect()
        })
        .collect()
}

/// Labels left, figures right.
fn table(heads: Vec<String>, rows: Vec<Vec<String>>) -> Vec<String> {
    let all: Vec<Vec<String>> =
        std::iter::once(std::iter::once(String::new()).chain(heads).collect()).chain(rows).collect();
    let columns = all.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        all.iter()
            .filter_map(|row: &Vec<String>| row.get(column))
            .map(|cell: &String| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    all.iter().map(line).collect()
}

/// As a list item.
fn wrap(text: &str) -> Vec<String> {
    let mut lines = vec!["·".to_owned()];
    // No-break spaces join figures and units.
    for word in text.split(' ') {
        let last = lines.last_mut().expect("there is a first line");
        if last.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(format!("  {word}"));
        } else {
            last.push(' ');
            last.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::PriceTable;
    use crate::{complete, sample};

    fn report() -> Report {
        let mut report = sample::report();
        complete(&mut report, &PriceTable::embedded());
        report
    }

    #[test]
    fn shows_the_lanes_side_by_side_and_the_verdict() {
        let text = summary(&report()).replace('\u{a0}', " ");

        let row = text.lines().find(|line| line.starts_with("accepted")).expect("a row");
        assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["accepted", "1", "080", "2", "000"]);
        assert!(text.contains("· Measured on an emulator"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    }

    #[test]
    fn three_lanes_fit_next_to_each_other() {
        let mut report = sample::report_of_three();
        complete(&mut report, &PriceTable::embedded());

        let text = summary(&report).replace('\u{a0}', " ");

        let row = text.lines().find(|line| line.starts_with("cancelled")).expect("a row");
        assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["cancelled", "0", "0", "20"]);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    }

    #[test]
    fn compares_runs_by_their_ratios() {
        let (first, mut second) = (report(), report());
        let latency = second.lanes[0].latencies.acknowledge.as_mut().expect("measured");
        latency.p50_ms *= 2.0;

        let text = comparison(&[("a.json".to_owned(), first), ("b.json".to_owned(), second)]);

        let row = text.lines().find(|line| line.starts_with("acknowledged, p50")).expect("a row");
        assert!(row.ends_with("(2.0×)"), "{row}");
    }

    #[test]
    fn replaces_control_characters_in_reports() {
        let mut report = report();
        report.run.scenario = "\u{1b}[2Jsteady".to_owned();

        assert!(!summary(&report).contains('\u{1b}'));
    }
}
