//! Legends of charts.

use super::escape;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sample {
    /// In a chart of lines.
    Line,
    /// In a chart of bars or areas.
    Patch,
}

/// Sample, CSS classes and label.
pub(super) type Entry<'a> = (Sample, String, &'a str);

/// A list above a chart.
pub(super) fn legend(entries: &[Entry<'_>]) -> String {
    let items: String = entries.iter().map(item).collect();
    format!("<ul class=\"legend\">{items}</ul>\n")
}

fn item(entry: &Entry<'_>) -> String {
    let (drawn, words) = (sample(entry), escape(entry.2));
    format!(r#"<li><svg class="key" viewBox="0 0 28 12" aria-hidden="true">{drawn}</svg>{words}</li>"#)
}

/// 28 wide, 12 high.
pub(super) fn sample((sample, style, _): &Entry<'_>) -> String {
    match sample {
        Sample::Line => format!(r#"<path class="line {style}" d="M0,6L28,6"/>"#),
        Sample::Patch => format!(r#"<rect class="{style}" y="1" width="28" height="10" rx="2"/>"#),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped() {
        let list = legend(&[(Sample::Line, "sync solid".to_owned(), "<b>")]);

        assert!(list.contains("&lt;b&gt;</li>") && list.contains(r#"class="line sync solid""#), "{list}");
    }
}
