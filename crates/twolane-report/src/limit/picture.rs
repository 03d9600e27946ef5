//! The search as an SVG: a row per lane, a mark per run, one logarithmic axis.

use super::{LaneLimit, Probe};
use std::fmt::Write;

const WIDTH: f64 = 720.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 40.0;
const ROW: f64 = 56.0;

/// All lanes; self-contained, in the reader's colour scheme.
#[must_use]
pub fn picture(limits: &[LaneLimit]) -> String {
    let rates = || limits.iter().flat_map(|limit| &limit.runs).map(|run| run.rate);
    let (low, high) = (rates().fold(f64::INFINITY, f64::min), rates().fold(0.0, f64::max));
    let (low, high) = if low < high { (low, high) } else { (high / 2.0, high * 2.0) };
    let x = |rate: f64| LEFT + (WIDTH - LEFT - RIGHT) * (rate / low).ln() / (high / low).ln();
    let rows = f64::from(u32::try_from(limits.len()).unwrap_or(u32::MAX));
    let height = TOP + rows * ROW + 36.0;
    let mut svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="Tried rates, by lane">
<style>
svg {{ color-scheme: light dark; font: 14px system-ui, sans-serif; fill: #1c2430; background: #ffffff }}
.kept {{ fill: #1b7f3b }} .broken {{ stroke: #b3261e; stroke-width: 2.5; fill: none }} .axis {{ stroke: #8a94a3 }} .bracket {{ fill: #8a94a3; opacity: .35 }}
@media (prefers-color-scheme: dark) {{
svg {{ fill: #e6e9ee; background: #12161c }}
.kept {{ fill: #5fd38a }} .broken {{ stroke: #ff8a80 }}
}}
</style>
<text x="{LEFT}" y="22">● every promise kept   × a promise broken   grey: the bracket</text>
"#
    );
    let mut y = TOP + ROW / 2.0;
    for limit in limits {
        row(&mut svg, limit, y, &x);
        y += ROW;
    }
    let bottom = TOP + rows * ROW + 4.0;
    let _ = writeln!(
        svg,
        r#"<line class="axis" x1="{LEFT}" x2="{}" y1="{bottom}" y2="{bottom}"/>
<text x="{LEFT}" y="{1}">{low:.1}/s</text><text x="{0}" y="{1}" text-anchor="end">{high:.1}/s (logarithmic)</text>
</svg>"#,
        WIDTH - RIGHT,
        bottom + 20.0
    );
    svg
}

fn row(svg: &mut String, limit: &LaneLimit, y: f64, x: &impl Fn(f64) -> f64) {
    let _ = writeln!(svg, r#"<text x="12" y="{}">{}</text>"#, y + 5.0, limit.lane.name);
    if let (Some(kept), Some(broken)) = (limit.kept, limit.broken) {
        let (from, to) = (x(kept.rate), x(broken.rate));
        let width = (to - from).max(2.0);
        let _ =
            writeln!(svg, r#"<rect class="bracket" x="{from:.1}" y="{}" width="{width:.1}" height="28"/>"#, y - 14.0);
        let _ = writeln!(svg, r#"<text x="{from:.1}" y="{}" text-anchor="middle">{:.1}/s</text>"#, y - 18.0, kept.rate);
    }
    for Probe { rate, kept } in &limit.runs {
        let at = x(*rate);
        let _ = if *kept {
            writeln!(svg, r#"<circle class="kept" cx="{at:.1}" cy="{y}" r="5"/>"#)
        } else {
            writeln!(svg, r#"<path class="broken" transform="translate({at:.1} {y})" d="M-5 -5L5 5M-5 5L5 -5"/>"#)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::super::LimitSearch;
    use super::*;

    #[test]
    fn has_a_mark_for_each_run_within_the_picture() {
        let mut search = LimitSearch::new(10.0);
        while let Some(rate) = search.next_rate() {
            search.record(rate, rate <= 55.0);
        }
        let limit = search.limit(&lanes::LANES[1], None);

        let svg = picture(std::slice::from_ref(&limit));

        let marks = svg.matches("<circle").count() + svg.matches("<path").count();
        assert_eq!(marks, limit.runs.len());
        assert!(svg.contains(">async</text>") && svg.trim_end().ends_with("</svg>"), "{svg}");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }

    #[test]
    fn a_single_rate_is_drawn() {
        let mut search = LimitSearch::new(10.0);
        search.record(10.0, true);

        let svg = picture(&[search.limit(&lanes::LANES[0], Some("interrupted".to_owned()))]);

        assert!(!svg.contains("NaN"), "{svg}");
    }
}
