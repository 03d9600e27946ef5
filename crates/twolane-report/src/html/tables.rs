//! Figures and charts' data as tables.

use super::timeline::{number, spans};
use super::{bars, class, each, escape};
use crate::figures::{Figure, figures};
use crate::model::{LaneReport, Report};
use crate::words::{count, usd};
use std::fmt::Write as _;

/// Most rows of a timeline.
const ROWS: usize = 60;

/// A row per figure with a wanted key that any lane has, a column per lane.
pub(super) fn by_lane(report: &Report, caption: &str, wanted: impl Fn(&str) -> bool) -> String {
    let columns: Vec<Vec<Figure>> = report.lanes.iter().map(figures).collect();
    let Some(first) = columns.first() else { return String::new() };
    let rows = (0..first.len())
        .filter(|row| wanted(&first[*row].key) && columns.iter().any(|column| column[*row].value.is_some()));
    let rows: Vec<Vec<String>> = rows
        .map(|row| {
            let cells = columns.iter().map(|column| column[row].shown());
            std::iter::once(first[row].label.clone()).chain(cells).collect()
        })
        .collect();
    let heads: Vec<&str> = std::iter::once("").chain(report.lanes.iter().map(|lane| class(lane.lane))).collect();
    table(caption, &heads, &rows)
}

pub(super) fn timeline(lane: &LaneReport) -> String {
    let spans = spans(&lane.timeline, ROWS);
    let caption = match spans.first().map(|span| span.seconds) {
        None => return String::new(),
        Some(1) => format!("The {} lane by second", lane.lane.name),
        Some(length) => {
            format!("The {} lane: per second, means of {length} seconds, and highest backlog", lane.lane.name)
        }
    };
    let rows: Vec<Vec<String>> = spans
        .iter()
        .map(|span| {
            let rates = [span.arrivals, span.acknowledged, span.refused, span.completed].map(number);
            let depth = span.queue_depth.map_or_else(|| "–".to_owned(), count);
            std::iter::once(count(span.first)).chain(rates).chain([count(span.backlog), depth]).collect()
        })
        .collect();
    table(&caption, &["second", "due", "acknowledged", "refused", "done", "backlog", "in queues"], &rows)
}

/// By service, with quantities.
pub(super) fn costs(lanes: &[LaneReport]) -> String {
    let costs: Vec<_> = lanes.iter().filter_map(|lane| lane.cost.as_ref().map(|cost| (lane.lane, cost))).collect();
    let services = bars::services(&costs);
    let tables = costs.iter().map(|(lane, cost)| {
        let parts = services.iter().filter_map(|service| cost.parts.iter().find(|part| part.service == **service));
        let mut rows: Vec<Vec<String>> = parts
            .map(|part| vec![part.service.clone(), usd(part.usd_per_million_orders), part.quantity.clone()])
            .collect();
        rows.push(vec!["All services".to_owned(), usd(cost.usd_per_million_orders), String::new()]);
        table(&format!("A million orders of the {} lane", lane.name), &["service", "cost", "counted"], &rows)
    });
    tables.collect()
}

/// With a caption; the first column names the rows.
pub(super) fn table(caption: &str, heads: &[&str], rows: &[Vec<String>]) -> String {
    let heads = each(heads, |head| format!("<th scope=\"col\">{}</th>", escape(head)));
    let mut body = String::new();
    for row in rows {
        let cells = row.iter().enumerate().map(|(column, cell)| match (column, escape(cell)) {
            (0, cell) => format!("<th scope=\"row\">{cell}</th>"),
            (_, cell) => format!("<td>{cell}</td>"),
        });
        let _ = writeln!(body, "<tr>{}</tr>", cells.collect::<String>());
    }
    // Focusable by keyboard, because it scrolls in narrow windows.
    let label = escape(caption);
    format!(
        "<div class=\"scroll\" role=\"region\" aria-label=\"{label}\" tabindex=\"0\">\n<table>\n\
         <caption>{label}</caption>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n</div>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn cells_are_escaped() {
        let table = table("<c>", &["<h>"], &[vec!["<r>".to_owned(), "<d>".to_owned()]]);

        for part in
            ["<caption>&lt;c&gt;", "<th scope=\"col\">&lt;h&gt;", "<th scope=\"row\">&lt;r&gt;", "<td>&lt;d&gt;"]
        {
            assert!(table.contains(part), "{part}: {table}");
        }
    }

    #[test]
    fn shows_wanted_figures_that_any_lane_has() {
        let table = by_lane(&sample::report(), "Times", |key| key.starts_with("latencies."));

        assert!(table.contains("<th scope=\"row\">done by callback, p99</th><td>–</td>"), "{table}");
        assert!(!table.contains("sent") && !table.contains("cost"), "{table}");
    }

    #[test]
    fn a_long_timeline_has_few_rows() {
        let lane = &sample::report().lanes[0];

        let table = timeline(lane);

        assert!(table.contains("means of 2 seconds"), "{table}");
        assert_eq!(table.matches("<tr>").count(), 1 + 31);
    }
}
