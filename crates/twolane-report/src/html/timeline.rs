//! Charts of arrivals, answers, outcomes and backlog over time, one per lane, on common scales.

use super::canvas::{Canvas, Size, both};
use super::legend::{Entry, Sample, legend};
use super::scale::Scale;
use super::{Chart, class};
use crate::model::{LaneReport, TimelineSecond};
use crate::words::{count, float};
use lanes::Answer;

const LEFT: f64 = 48.0;
/// Upper panel, per second.
const RATES: (f64, f64) = (28.0, 168.0);
/// Lower panel.
const BACKLOG: (f64, f64) = (208.0, 298.0);
/// Of one drawing.
pub(super) const HEIGHT: f64 = 352.0;

/// A longer run is shown in spans of several seconds.
const POINTS: usize = 300;

/// Consecutive seconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Span {
    pub(super) first: u64,
    pub(super) seconds: u64,
    /// This and the next: means per second.
    pub(super) arrivals: f64,
    pub(super) acknowledged: f64,
    pub(super) refused: f64,
    pub(super) completed: f64,
    /// Highest.
    pub(super) backlog: u64,
    /// Highest.
    pub(super) queue_depth: Option<u64>,
}

impl Span {
    /// In seconds.
    fn middle(&self) -> f64 {
        float(self.first) + float(self.seconds) / 2.0
    }
}

/// All lanes' highest values, for common scales.
#[derive(Clone, Copy)]
struct Most {
    seconds: f64,
    rate: f64,
    backlog: f64,
}

/// All lanes' timelines and common scales.
pub(super) struct Lanes<'a> {
    lanes: Vec<(&'a LaneReport, Vec<Span>)>,
    most: Most,
}

impl<'a> Lanes<'a> {
    /// `None` without a timeline.
    pub(super) fn new(lanes: &'a [LaneReport]) -> Option<Self> {
        let lanes: Vec<_> = lanes.iter().map(|lane| (lane, spans(&lane.timeline, POINTS))).collect();
        let all: Vec<&Span> = lanes.iter().flat_map(|(_, spans)| spans).collect();
        if all.is_empty() {
            return None;
        }
        let highest = |value: fn(&Span) -> f64| all.iter().map(|span| value(span)).fold(0.0, f64::max);
        let most = Most {
            seconds: highest(|span| float(span.first) + float(span.seconds)),
            rate: highest(|span| span.arrivals.max(span.acknowledged).max(span.completed).max(span.refused)),
            backlog: highest(|span| float(span.backlog.max(span.queue_depth.unwrap_or(0)))),
        };
        Some(Self { lanes, most })
    }

    /// Lanes with a timeline, and their drawings.
    pub(super) fn drawings(&self, size: Size) -> impl Iterator<Item = (&'a LaneReport, String)> {
        let recorded = self.lanes.iter().filter(|(_, spans)| !spans.is_empty());
        recorded.map(move |(lane, spans)| (*lane, draw(lane, spans, self.most, size)))
    }
}

/// One per lane, in both sizes.
pub(super) fn chart(lanes: &[LaneReport]) -> Chart {
    let lanes = Lanes::new(lanes).ok_or("nothing was sent, so there is no timeline.")?;
    Ok(lanes.lanes.iter().map(|(lane, spans)| of_lane(lane, spans, lanes.most)).collect())
}

fn of_lane(lane: &LaneReport, spans: &[Span], most: Most) -> String {
    let head = format!("<h3>The {} lane</h3>\n", lane.lane.name);
    if spans.is_empty() {
        return head + "<p class=\"empty\">No data: this lane has no timeline.</p>\n";
    }
    head + &legend(&entries(lane)) + &both(|size| draw(lane, spans, most, size))
}

/// At most `most` spans of equal length.
pub(super) fn spans(timeline: &[TimelineSecond], most: usize) -> Vec<Span> {
    timeline.chunks(timeline.len().div_ceil(most).max(1)).map(span).collect()
}

fn span(seconds: &[TimelineSecond]) -> Span {
    let length = seconds.len() as u64;
    let rate = |of: fn(&TimelineSecond) -> u64| sum(seconds, of) / float(length);
    Span {
        first: seconds.first().map_or(0, |first| first.second),
        seconds: length,
        arrivals: rate(|second| second.arrivals),
        acknowledged: rate(|second| second.acknowledged),
        refused: rate(|second| second.refused),
        completed: rate(|second| second.completed),
        backlog: seconds.iter().map(|second| second.backlog).max().unwrap_or(0),
        queue_depth: seconds.iter().filter_map(|second| second.queue_depth).max(),
    }
}

fn sum(seconds: &[TimelineSecond], of: fn(&TimelineSecond) -> u64) -> f64 {
    seconds.iter().map(|second| float(of(second))).sum()
}

/// Of a lane's drawing.
pub(super) fn entries(lane: &LaneReport) -> Vec<Entry<'static>> {
    let name = class(lane.lane);
    let waiting = match lane.lane.answer {
        Answer::Outcome => "in progress (below)",
        Answer::Receipt => "waiting (below)",
    };
    let entries: [(bool, Entry<'static>); 6] = [
        (true, (Sample::Patch, "arrivals".to_owned(), "due by the schedule")),
        (true, (Sample::Line, format!("{name} dashed"), "acknowledged")),
        (true, (Sample::Line, format!("{name} solid"), "done")),
        (has(lane, |second| second.refused > 0), (Sample::Line, "refused dotted".to_owned(), "refused")),
        (true, (Sample::Patch, format!("fill {name}"), waiting)),
        (
            has(lane, |second| second.queue_depth.is_some()),
            (Sample::Line, "depth dotted".to_owned(), "in the queues, by SQS (below)"),
        ),
    ];
    entries.into_iter().filter(|(shown, _)| *shown).map(|(_, entry)| entry).collect()
}

fn has(lane: &LaneReport, what: fn(&TimelineSecond) -> bool) -> bool {
    lane.timeline.iter().any(what)
}

fn draw(lane: &LaneReport, spans: &[Span], most: Most, size: Size) -> String {
    let mut canvas = Canvas::new(size, HEIGHT);
    let right = size.width() - 22.0;
    let across = Scale::exact(most.seconds, LEFT, right);
    rates(&mut canvas, lane, spans, (&across, &Scale::linear(most.rate, RATES.1, RATES.0)), right);
    backlog(&mut canvas, lane, spans, (&across, &Scale::linear(most.backlog, BACKLOG.1, BACKLOG.0)), right);
    canvas.level_axis(&across, size.ticks(), (BACKLOG.1, BACKLOG.1), number);
    canvas.text("axis", "middle", (f64::midpoint(LEFT, right), HEIGHT - 10.0), "seconds since the first arrival");
    // Phones have no pointer.
    if size == Size::Wide {
        hovers(&mut canvas, spans, &across);
    }
    canvas.finish(&format!("The {} lane over time", lane.lane.name), &description(lane))
}

fn rates(canvas: &mut Canvas, lane: &LaneReport, spans: &[Span], (across, up): (&Scale, &Scale), right: f64) {
    let name = class(lane.lane);
    canvas.text("axis", "start", (0.0, RATES.0 - 14.0), "orders per second");
    canvas.upright_axis(up, &up.ticks(4.0), (LEFT, right), short);
    let points = |value: fn(&Span) -> f64| -> Vec<_> {
        spans.iter().map(|span| (across.at(span.middle()), up.at(value(span)))).collect()
    };
    canvas.area("arrivals mark", &points(|span| span.arrivals), RATES.1);
    canvas.path(&format!("line mark {name} solid"), &points(|span| span.completed));
    canvas.path(&format!("line mark {name} dashed"), &points(|span| span.acknowledged));
    if spans.iter().any(|span| span.refused > 0.0) {
        canvas.path("line mark refused dotted", &points(|span| span.refused));
    }
}

fn backlog(canvas: &mut Canvas, lane: &LaneReport, spans: &[Span], (across, up): (&Scale, &Scale), right: f64) {
    let name = class(lane.lane);
    let what = match lane.lane.answer {
        Answer::Outcome => "requests in progress",
        Answer::Receipt => "accepted, not done",
    };
    canvas.text("axis", "start", (0.0, BACKLOG.0 - 14.0), what);
    canvas.upright_axis(up, &up.ticks(3.0), (LEFT, right), short);
    let waiting: Vec<_> = spans.iter().map(|span| (across.at(span.middle()), up.at(float(span.backlog)))).collect();
    canvas.area(&format!("fill {name} mark"), &waiting, BACKLOG.1);
    canvas.path(&format!("line mark {name} solid"), &waiting);
    let depth = |span: &Span| Some((across.at(span.middle()), up.at(float(span.queue_depth?))));
    canvas.path("line mark depth dotted", &spans.iter().filter_map(depth).collect::<Vec<_>>());
    let Some(highest) = spans.iter().rev().max_by_key(|span| span.backlog).filter(|span| span.backlog > 0) else {
        return;
    };
    let (x, y) = (across.at(highest.middle()), up.at(float(highest.backlog)));
    let words = format!("at most {}", count(highest.backlog));
    let (anchor, label_x) = if x + 100.0 < right { ("start", x + 8.0) } else { ("end", x - 8.0) };
    canvas.dot(&format!("point {name}"), (x, y), &words);
    canvas.text("value", anchor, (label_x, y - 6.0), &words);
}

/// A tooltip for each span.
fn hovers(canvas: &mut Canvas, spans: &[Span], across: &Scale) {
    for span in spans {
        let (left, right) = (across.at(float(span.first)), across.at(float(span.first) + float(span.seconds)));
        let title = format!(
            "second {}: {} due, {} acknowledged, {} refused, {} done a second; backlog {}",
            span.first,
            number(span.arrivals),
            number(span.acknowledged),
            number(span.refused),
            number(span.completed),
            count(span.backlog)
        );
        canvas.bar("hover", (left, RATES.0), (right - left, BACKLOG.1 - RATES.0), &title);
    }
}

/// A lane's timeline in one sentence.
pub(super) fn description(lane: &LaneReport) -> String {
    let total = |of: fn(&TimelineSecond) -> u64| number(sum(&lane.timeline, of));
    let peak = lane.timeline.iter().map(|second| second.backlog).max().unwrap_or(0);
    format!(
        "{} orders due, {} acknowledged, {} refused, {} done; backlog at most {}.",
        total(|second| second.arrivals),
        total(|second| second.acknowledged),
        total(|second| second.refused),
        total(|second| second.completed),
        count(peak)
    )
}

/// For an axis: 250k, 1.5M.
fn short(value: f64) -> String {
    match value {
        1_000_000.0.. => number(value / 1_000_000.0) + "M",
        10_000.0.. => number(value / 1000.0) + "k",
        _ => number(value),
    }
}

/// Up to one decimal; below 1 up to two.
pub(super) fn number(value: f64) -> String {
    let text = if value < 1.0 { format!("{value:.2}") } else { format!("{value:.1}") };
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn second(second: u64, arrivals: u64, backlog: u64) -> TimelineSecond {
        TimelineSecond { second, arrivals, acknowledged: 0, refused: 0, completed: 0, backlog, queue_depth: None }
    }

    #[test]
    fn a_long_run_is_shown_in_spans() {
        let spans = spans(&[second(0, 1, 5), second(1, 2, 9), second(2, 6, 0)], 2);

        let shown: Vec<_> = spans.iter().map(|span| (span.first, span.seconds, span.backlog)).collect();
        assert_eq!(shown, [(0, 2, 9), (2, 1, 0)]);
        assert_eq!([spans[0].arrivals, spans[1].arrivals].map(number), ["1.5", "6"]);
    }

    #[test]
    fn writes_rates_with_significant_digits() {
        assert_eq!([0.0, 0.05, 0.5, 1.25, 40.0, 100.04].map(number), ["0", "0.05", "0.5", "1.2", "40", "100"]);
    }

    #[test]
    fn abbreviates_large_values() {
        assert_eq!([2000.0, 250_000.0, 1_500_000.0].map(short), ["2000", "250k", "1.5M"]);
    }

    #[test]
    fn draws_each_lane_in_both_sizes() {
        let chart = chart(&sample::report().lanes).expect("there are seconds");

        assert_eq!(chart.matches("role=\"img\"").count(), 4);
        assert!(chart.contains("at most 600") && chart.contains("in the queues, by SQS"), "{chart}");
        // In the key and in both drawings.
        assert_eq!(chart.matches("refused dotted").count(), 3);
    }

    #[test]
    fn a_lane_without_a_timeline_says_so() {
        let mut report = sample::report();
        report.lanes[1].timeline.clear();

        let chart = chart(&report.lanes).expect("the sync lane has seconds");

        assert!(chart.contains("<h3>The async lane</h3>\n<p class=\"empty\">No data"), "{chart}");
    }

    #[test]
    fn extreme_values_are_drawn() {
        let mut report = sample::report();
        report.lanes[0].timeline = vec![second(u64::MAX, u64::MAX, u64::MAX), second(u64::MAX, u64::MAX, 0)];

        let chart = chart(&report.lanes).expect("there are seconds");

        assert!(!chart.contains("NaN") && !chart.contains("inf"), "{chart}");
    }
}
