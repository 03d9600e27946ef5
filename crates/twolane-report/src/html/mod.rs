//! The report as one HTML page with charts. It uses neither network nor scripts.
//!
//! All content of the report passes through [`escape`]. The page's content security policy also forbids scripts and
//! requests, so that unescaped content could do nothing. Each chart is drawn twice, for wide and for narrow windows,
//! because scaled-down text cannot be read.

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

use crate::model::Report;
use crate::printable::printable;
use lanes::{Colours, LANES, Lane};

pub use forecast::{Forecast, LaneFindings, forecast_page};
pub(crate) use picture::picture;

/// Colours and CSS rules of all charts.
const CHARTS_STYLE: &str = include_str!("charts.css");
const PAGE_STYLE: &str = include_str!("page.css");

/// Allows only the page's style and the empty icon.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/// The style of charts: [`CHARTS_STYLE`] and the colours and rules of each lane.
fn charts_style() -> String {
    let colours = |colour: fn(&Colours) -> &'static str| {
        each(&LANES, |lane| format!("  --{}: {};\n", lane.name, colour(&lane.colours)))
    };
    let (light, dark) = (colours(|colours| colours.light), colours(|colours| colours.dark));
    let rules = each(&LANES, |lane| {
        let name = lane.name;
        format!(
            "text.{name}, .point.{name}, .bar.{name}, .fill.{name} {{ fill: var(--{name}); }}\n\
             .line.{name}, .fill.{name} {{ stroke: var(--{name}); }}\n"
        )
    });
    format!("{CHARTS_STYLE}:root {{\n{light}}}\n@media (prefers-color-scheme: dark) {{ :root {{\n{dark}}} }}\n{rules}")
}

/// A chart, or the reason why there is none.
type Chart = Result<String, &'static str>;

/// The page.
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
    document(&title, &body)
}

/// A complete page. `title` must already be escaped.
fn document(title: &str, body: &str) -> String {
    let charts_style = charts_style();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>{title}</title>\n<style>\n{charts_style}{PAGE_STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
}

/// Escapes text for elements and quoted attributes.
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

/// Concatenates the text of each item.
fn each<T>(items: impl IntoIterator<Item = T>, written: impl FnMut(T) -> String) -> String {
    items.into_iter().map(written).collect()
}

/// The CSS class of a lane.
fn class(lane: Lane) -> &'static str {
    lane.name
}

#[cfg(test)]
mod tests;
