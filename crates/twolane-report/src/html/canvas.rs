//! SVG drawings with a title, a description and two sizes.

use super::escape;
use super::scale::Scale;
use std::fmt::Write as _;

/// The window size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// Desktop.
    Wide,
    /// Phone.
    Narrow,
}

impl Size {
    /// In the drawing's units, about pixels.
    pub(super) fn width(self) -> f64 {
        match self {
            Self::Wide => 920.0,
            Self::Narrow => 340.0,
        }
    }

    /// About, on a horizontal axis.
    pub(super) fn ticks(self) -> f64 {
        match self {
            Self::Wide => 12.0,
            Self::Narrow => 5.0,
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Wide => "wide",
            Self::Narrow => "narrow",
        }
    }
}

/// For both sizes.
pub(super) fn both(draw: impl Fn(Size) -> String) -> String {
    [draw(Size::Wide), draw(Size::Narrow)].concat()
}

pub(super) struct Canvas {
    size: Size,
    height: f64,
    marks: String,
}

impl Canvas {
    pub(super) fn new(size: Size, height: f64) -> Self {
        Self { size, height, marks: String::new() }
    }

    /// Through points.
    pub(super) fn path(&mut self, class: &str, points: &[(f64, f64)]) {
        if !points.is_empty() {
            let _ = writeln!(self.marks, r#"<path class="{class}" d="M{}"/>"#, joined(points));
        }
    }

    /// Between a line through points and a level.
    pub(super) fn area(&mut self, class: &str, points: &[(f64, f64)], level: f64) {
        if let (Some((first, _)), Some((last, _))) = (points.first(), points.last()) {
            let middle = joined(points);
            let outline = format!("M{first:.1},{level:.1}L{middle}L{last:.1},{level:.1}Z");
            let _ = writeln!(self.marks, r#"<path class="{class}" d="{outline}"/>"#);
        }
    }

    /// With a tooltip.
    pub(super) fn bar(&mut self, class: &str, at: (f64, f64), size: (f64, f64), title: &str) {
        let ((x, y), (width, height), title) = (at, size, escape(title));
        let place = format!(r#"x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}""#);
        let _ = writeln!(self.marks, r#"<rect class="{class}" {place}><title>{title}</title></rect>"#);
    }

    pub(super) fn dot(&mut self, class: &str, at: (f64, f64), title: &str) {
        let ((x, y), title) = (at, escape(title));
        let place = format!(r#"cx="{x:.1}" cy="{y:.1}" r="4""#);
        let _ = writeln!(self.marks, r#"<circle class="{class}" {place}><title>{title}</title></circle>"#);
    }

    /// `anchor` is `start`, `middle` or `end`.
    pub(super) fn text(&mut self, class: &str, anchor: &str, at: (f64, f64), text: &str) {
        let ((x, y), text) = (at, escape(text));
        let place = format!(r#"text-anchor="{anchor}" x="{x:.1}" y="{y:.1}""#);
        let _ = writeln!(self.marks, r#"<text class="{class}" {place}>{text}</text>"#);
    }

    /// Grid lines and labels of a vertical axis from `left` to `right`.
    pub(super) fn upright_axis(
        &mut self,
        scale: &Scale,
        ticks: &[f64],
        ends: (f64, f64),
        label: impl Fn(f64) -> String,
    ) {
        for tick in ticks.iter().copied() {
            let y = scale.at(tick);
            self.line("grid", (ends.0, y), (ends.1, y));
            self.text("tick", "end", (ends.0 - 6.0, y + 4.0), &label(tick));
        }
    }

    /// Ticks and labels of a horizontal axis at `bottom`, with grid lines up to `top`.
    pub(super) fn level_axis(
        &mut self,
        scale: &Scale,
        about: f64,
        (top, bottom): (f64, f64),
        label: impl Fn(f64) -> String,
    ) {
        for tick in scale.ticks(about) {
            let x = scale.at(tick);
            self.line("grid", (x, top), (x, bottom + 4.0));
            self.text("tick", "middle", (x, bottom + 19.0), &label(tick));
        }
    }

    /// With a title and a description for screen readers.
    pub(super) fn finish(self, title: &str, description: &str) -> String {
        let (class, width, height, marks) = (self.size.class(), self.size.width(), self.height, self.marks);
        let (title, description) = (escape(title), escape(description));
        format!(
            "<svg class=\"chart {class}\" role=\"img\" viewBox=\"0 0 {width:.0} {height:.0}\">\n\
             <title>{title}</title>\n<desc>{description}</desc>\n{marks}</svg>\n"
        )
    }

    fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let ((x1, y1), (x2, y2)) = (from, to);
        let _ = writeln!(self.marks, r#"<line class="{class}" x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}"/>"#);
    }
}

fn joined(points: &[(f64, f64)]) -> String {
    points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join("L")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_has_title_and_description_and_escapes_text() {
        let mut canvas = Canvas::new(Size::Narrow, 10.0);
        canvas.text("tick", "end", (1.0, 2.0), "a < b");
        canvas.bar("bar", (0.0, 0.0), (1.0, 1.0), "\"c\"");

        let svg = canvas.finish("A & B", "Two <things>.");

        for part in [
            r#"<svg class="chart narrow" role="img" viewBox="0 0 340 10">"#,
            "<title>A &amp; B</title>",
            "<desc>Two &lt;things&gt;.</desc>",
            ">a &lt; b</text>",
            "<title>&quot;c&quot;</title>",
        ] {
            assert!(svg.contains(part), "{part}: {svg}");
        }
    }

    #[test]
    fn a_line_without_points_is_not_drawn() {
        let mut canvas = Canvas::new(Size::Wide, 10.0);
        canvas.path("mark", &[]);
        canvas.area("fill", &[], 0.0);

        assert!(!canvas.finish("", "").contains("<path"));
    }
}
