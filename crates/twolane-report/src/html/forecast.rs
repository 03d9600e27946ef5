//! A forecast as an HTML page with a report's charts: computed, not measured.

use super::{bars, document, each, escape, outcomes, sections, tables, timeline};
use crate::model::LaneReport;

/// A forecast. All fields are plain text.
#[derive(Clone, Debug)]
pub struct Forecast {
    /// The load.
    pub title: String,
    /// Assumptions in sentences.
    pub basis: Vec<String>,
    /// Per lane.
    pub findings: Vec<LaneFindings>,
    /// With counts, timelines and costs.
    pub lanes: Vec<LaneReport>,
}

/// One lane's findings.
#[derive(Clone, Debug)]
pub struct LaneFindings {
    /// The lane and its main finding.
    pub heading: String,
    /// Labels and their values.
    pub rows: Vec<(&'static str, Vec<String>)>,
}

/// Without network or scripts.
#[must_use]
pub fn forecast_page(forecast: &Forecast) -> String {
    let title = escape(&forecast.title);
    let basis = each(&forecast.basis, |sentence| format!("<li>{}</li>\n", escape(sentence)));
    let findings = each(&forecast.findings, |lane| {
        format!("<h3>{}</h3>\n<dl>\n{}</dl>\n", escape(&lane.heading), each(&lane.rows, definition))
    });
    let lanes = &forecast.lanes;
    let body = [
        format!("<header>\n<p class=\"kicker\">Twolane plan</p>\n<h1>{title}</h1>\n</header>\n"),
        sections::section("findings", "What each lane would do", &findings),
        sections::charted(
            "outcomes",
            "What becomes of the orders",
            "Each bar shows all requests to the lane.",
            outcomes::chart(lanes),
            "",
        ),
        sections::charted(
            "timeline",
            "Over time",
            "All lanes have the same scales. The grey area shows arrivals.",
            timeline::chart(lanes),
            &each(lanes, tables::timeline),
        ),
        sections::charted(
            "cost",
            "What a million orders cost",
            "At list prices, per million orders that have an outcome.",
            bars::chart(lanes),
            &tables::costs(lanes),
        ),
        sections::section("basis", "Assumptions", &format!("<ul>\n{basis}</ul>\n")),
    ];
    document(&title, lanes, &body.concat())
}

fn definition((label, values): &(&'static str, Vec<String>)) -> String {
    let values = each(values, |value| format!("<dd>{}</dd>\n", escape(value)));
    format!("<div>\n<dt>{}</dt>\n{values}</div>\n", escape(label))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn forecast() -> Forecast {
        Forecast {
            title: "100/s <day>".to_owned(),
            basis: vec!["Not measured & assumed".to_owned()],
            findings: vec![LaneFindings {
                heading: "sync lane".to_owned(),
                rows: vec![("limited by", vec!["<nothing>".to_owned()])],
            }],
            lanes: sample::report().lanes,
        }
    }

    #[test]
    fn has_findings_charts_and_basis_as_text() {
        let page = forecast_page(&forecast());

        for part in ["<h1>100/s &lt;day&gt;</h1>", "<dd>&lt;nothing&gt;</dd>", "Not measured &amp; assumed"] {
            assert!(page.contains(part), "{part}: {page}");
        }
        for part in ["findings", "outcomes", "timeline", "cost", "basis"] {
            assert!(page.contains(&format!("<section id=\"{part}\"")), "{part}: {page}");
        }
        assert!(page.contains("Content-Security-Policy") && !page.contains("<script"), "{page}");
    }
}
