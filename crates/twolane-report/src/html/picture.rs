//! All lanes' timelines as an SVG for documents, in light and dark.

use super::canvas::Size;
use super::legend::{Entry, sample};
use super::timeline::{HEIGHT, Lanes, description, entries};
use super::{charts_style, escape};
use crate::model::{LaneReport, Report, TargetKind};
use std::fmt::Write as _;

const MARGIN: f64 = 24.0;
/// Title and line above the first lane.
const HEAD: f64 = 76.0;
/// A lane's heading and legend.
const LANE_HEAD: f64 = 64.0;
/// At 14 pixels, about.
const CHARACTER: f64 = 7.2;

/// `None` if the report has no timeline.
pub(crate) fn picture(report: &Report) -> Option<String> {
    let lanes = Lanes::new(&report.lanes)?;
    let mut y = HEAD;
    let mut body = String::new();
    for (lane, drawing) in lanes.drawings(Size::Wide) {
        body += &head(lane, y);
        let place = format!(
            "<svg x=\"{MARGIN}\" y=\"{}\" width=\"{}\" height=\"{HEIGHT}\" ",
            y + LANE_HEAD,
            Size::Wide.width()
        );
        body += &drawing.replacen("<svg ", &place, 1);
        y += LANE_HEAD + HEIGHT;
    }
    Some(document(report, y, &body))
}

fn document(report: &Report, height: f64, body: &str) -> String {
    let width = Size::Wide.width() + 2.0 * MARGIN;
    let run = &report.run;
    let place = match run.target.kind {
        TargetKind::Emulator => "a local emulator: its times say nothing about AWS",
        TargetKind::Aws => "AWS",
    };
    let title = escape(&format!("Scenario {}: the same orders down each lane", run.scenario));
    let day = escape(run.started_at.split('T').next().unwrap_or_default());
    let style = charts_style(&report.lanes);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{title}\">\n\
         <style>\n{style}svg {{ font: 14px system-ui, sans-serif; }}\n.title {{ font-size: 20px; font-weight: 600; }}\n\
         .paper {{ fill: var(--card); }}\n</style>\n<rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>\n\
         <text class=\"title\" x=\"{MARGIN}\" y=\"36\">{title}</text>\n\
         <text class=\"axis\" x=\"{MARGIN}\" y=\"58\">Measured on {place} ({day})</text>\n{body}</svg>\n"
    )
}

/// The lane's name, outcomes and legend.
fn head(lane: &LaneReport, y: f64) -> String {
    let (name, words) = (escape(lane.lane.name), escape(&description(lane)));
    let mut text = format!(
        "<text x=\"{MARGIN}\" y=\"{:.0}\"><tspan class=\"name\">The {name} lane.</tspan> {words}</text>\n",
        y + 22.0
    );
    let mut x = MARGIN;
    for entry in entries(lane) {
        let (drawn, words): (_, &str) = (sample(&entry), entry.2);
        let _ = writeln!(
            text,
            "<g transform=\"translate({x:.0} {:.0})\">{drawn}<text class=\"axis\" x=\"34\" y=\"11\">{}</text></g>",
            y + 34.0,
            escape(words)
        );
        x += width(&entry);
    }
    text
}

/// Of a legend's entry.
fn width((_, _, words): &Entry<'_>) -> f64 {
    let characters = u32::try_from(words.chars().count()).unwrap_or(u32::MAX);
    34.0 + f64::from(characters) * CHARACTER + 22.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn draws_every_lane_once_and_names_the_target() {
        let report = sample::report();

        let picture = picture(&report).expect("there are seconds");

        let document = roxmltree::Document::parse(&picture).expect("an image is XML");
        let drawn = document.descendants().filter(|node| node.attribute("class") == Some("chart wide")).count();
        assert_eq!(drawn, report.lanes.len());
        assert!(picture.contains("its times say nothing about AWS"), "{picture}");
        assert!(picture.contains("prefers-color-scheme: dark"), "{picture}");
    }

    #[test]
    fn every_rectangle_has_a_fill() {
        let picture = picture(&sample::report()).expect("there are seconds");

        let document = roxmltree::Document::parse(&picture).expect("an image is XML");
        let style = document.descendants().find(|node| node.has_tag_name("style")).and_then(|node| node.text());
        let style = style.expect("it has a style");
        for node in document.descendants().filter(|node| node.tag_name().name() == "rect") {
            let class = node.attribute("class").expect("a rectangle has a class");
            let is_filled = class.split(' ').any(|class| style.contains(&format!(".{class} {{ fill:")));
            assert!(is_filled, "black by default: {class}");
        }
    }

    #[test]
    fn a_run_without_a_timeline_has_no_picture() {
        let mut report = sample::report();
        report.lanes.iter_mut().for_each(|lane| lane.timeline.clear());

        assert!(picture(&report).is_none());
    }
}
