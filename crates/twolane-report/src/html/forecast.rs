//! A forecast as a page: what was computed and not measured, with the charts of a report.

use super::{bars, document, each, escape, outcomes, sections, tables, timeline};
use crate::model::LaneReport;

/// What a forecast shows. Everything is text.
#[derive(Clone, Debug)]
pub struct Forecast {
    /// What it is of.
    pub title: String,
    /// What it rests on, one sentence each.
    pub basis: Vec<String>,
    /// What is found of each lane.
    pub findings: Vec<LaneFindings>,
    /// The lanes with their counts, seconds and costs.
    pub lanes: Vec<LaneReport>,
}

/// What is found of one lane.
#[derive(Clone, Debug)]
pub struct LaneFindings {
    /// Which lane, and the most important of it.
    pub heading: String,
    /// Labels, each with what there is to say.
    pub rows: Vec<(&'static str, Vec<String>)>,
}

/// The page: no network, no script.
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
            "Each bar is everything that the lane is sent.",
            outcomes::chart(lanes),
            "",
        ),
        sections::charted(
            "timeline",
            "Over time",
            "The lanes are drawn on the same scales. The grey area is what arrives.",
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
        sections::section("basis", "What it rests on", &format!("<ul>\n{basis}</ul>\n")),
    ];
    document(&title, &body.concat())
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
