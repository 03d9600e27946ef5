//! The report as an HTML page with charts, without network or scripts.
//!
//! All content passes through [`escape`]. The content security policy also forbids scripts and requests: unescaped
//! content could do nothing. Charts are drawn for wide and for narrow windows, because scaled-down text cannot be read.

mod bars;
mod canvas;
mod cdf;
mod forecast;
mod legend;
mod notices;
mod outcomes;
mod picture;
mod prices;
mod run;
mod scale;
mod sections;
mod tables;
mod timeline;

use crate::model::{LaneReport, Report};
use crate::printable::printable;
use lanes::{Colours, Lane};

pub use forecast::{Forecast, LaneFindings, forecast_page};
pub(crate) use picture::picture;

/// Of all charts.
const CHARTS_STYLE: &str = include_str!("charts.css");
const PAGE_STYLE: &str = include_str!("page.css");

/// Only the page's style and the empty icon.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/// [`CHARTS_STYLE`], with the lanes' colours and rules.
fn charts_style(lanes: &[LaneReport]) -> String {
    let colours = |colour: fn(&Colours) -> &'static str| {
        each(lanes, |LaneReport { lane, .. }| format!("  --{}: {};\n", lane.name, colour(&lane.colours)))
    };
    let (light, dark) = (colours(|colours| colours.light), colours(|colours| colours.dark));
    let rules = each(lanes, |LaneReport { lane, .. }| {
        let name = lane.name;
        format!(
            "text.{name}, .point.{name}, .bar.{name}, .fill.{name} {{ fill: var(--{name}); }}\n\
             .line.{name}, .fill.{name} {{ stroke: var(--{name}); }}\n"
        )
    });
    format!("{CHARTS_STYLE}:root {{\n{light}}}\n@media (prefers-color-scheme: dark) {{ :root {{\n{dark}}} }}\n{rules}")
}

/// A chart, or why there is none.
type Chart = Result<String, &'static str>;

pub(crate) fn page(report: &Report) -> String {
    let title = escape(&format!("Twolane: {} · {}", report.run.scenario, report.run.id));
    let body = [
        sections::header(report),
        notices::notices(report),
        sections::verdict(report),
        sections::promises(report),
        sections::glance(report),
        sections::latency(report),
        sections::outcomes(report),
        sections::timeline(report),
        sections::cost(report),
        sections::figures(report),
        run::run(report),
    ]
    .concat();
    document(&title, &report.lanes, &body)
}

/// `title` is already escaped.
fn document(title: &str, lanes: &[LaneReport], body: &str) -> String {
    let charts_style = charts_style(lanes);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>{title}</title>\n<style>\n{charts_style}{PAGE_STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
}

/// For elements and quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in printable(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Concatenates the items' texts.
fn each<T>(items: impl IntoIterator<Item = T>, written: impl FnMut(T) -> String) -> String {
    items.into_iter().map(written).collect()
}

/// The lane's CSS class.
fn class(lane: Lane) -> &'static str {
    lane.name
}

#[cfg(test)]
mod tests;
