//! Chart of latencies: the fraction of orders acknowledged and done within a time.

use super::canvas::{Canvas, Size, both};
use super::legend::{Entry, Sample, legend};
use super::scale::Scale;
use super::{Chart, class, each};
use crate::model::{LaneReport, Latency, Report};
use crate::words::time;
use lanes::{Answer, Lane};

const HEIGHT: f64 = 340.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 284.0;
const LEFT: f64 = 48.0;
const QUARTERS: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

/// A line of the chart.
struct Series<'a> {
    /// CSS classes of lane and line.
    style: String,
    lane: Lane,
    name: String,
    latency: &'a Latency,
}

/// In both sizes.
pub(super) fn chart(report: &Report) -> Chart {
    let all: Vec<_> = report.lanes.iter().flat_map(of_lane).collect();
    let least = all.iter().map(|series| series.latency.min_ms).min_by(f64::total_cmp);
    let most = all.iter().map(|series| series.latency.max_ms).max_by(f64::total_cmp);
    let (Some(least), Some(most)) = (least, most) else {
        return Err("no order was accepted, so there are no latencies.");
    };
    let names = all.iter().map(|series| description(series)).collect::<Vec<_>>();
    let entries: Vec<Entry<'_>> =
        all.iter().zip(&names).map(|(series, name)| (Sample::Line, series.style.clone(), name.as_str())).collect();
    Ok(legend(&entries) + &missing(report) + &both(|size| draw(&all, (least, most), size)))
}

fn of_lane(lane: &LaneReport) -> Vec<Series<'_>> {
    let (answered, answer_style, outcome_style) = match lane.lane.answer {
        Answer::Outcome => ("acknowledged and done", "solid", "dashed"),
        Answer::Receipt => ("acknowledged", "dashed", "solid"),
    };
    let latencies = &lane.latencies;
    [
        (answered, answer_style, &latencies.acknowledge),
        ("done, by callback", outcome_style, &latencies.done_by_callback),
        ("done, by poll", "dotted", &latencies.done_by_poll),
    ]
    .into_iter()
    .filter_map(|(name, style, latency)| {
        let (style, name) = (format!("{} {style}", class(lane.lane)), format!("{}: {name}", lane.lane.name));
        latency.as_ref().map(|latency| Series { style, lane: lane.lane, name, latency })
    })
    .collect()
}

fn description(series: &Series<'_>) -> String {
    let latency = series.latency;
    format!("{} (p50 {}, p99 {})", series.name, time(latency.p50_ms), time(latency.p99_ms))
}

/// Lanes without a line, with reasons.
fn missing(report: &Report) -> String {
    let without = report.lanes.iter().filter(|lane| of_lane(lane).is_empty());
    each(without, |lane| format!("<p class=\"empty\">The {} lane accepted no order: no line.</p>\n", lane.lane.name))
}

fn draw(all: &[Series<'_>], (least, most): (f64, f64), size: Size) -> String {
    let mut canvas = Canvas::new(size, HEIGHT);
    let right = size.width() - 22.0;
    let across = Scale::log(least, most, LEFT, right);
    let up = Scale::exact(1.0, BOTTOM, TOP);
    canvas.upright_axis(&up, &QUARTERS, (LEFT, right), |fraction| format!("{:.0}\u{a0}%", fraction * 100.0));
    canvas.level_axis(&across, size.ticks(), (TOP, BOTTOM), tick);
    let middle = f64::midpoint(LEFT, right);
    canvas.text("axis", "middle", (middle, HEIGHT - 10.0), "time since the due time (log scale)");
    for series in all {
        canvas.path(&format!("line mark {}", series.style), &steps(series.latency, &across, &up));
    }
    for series in all {
        for (fraction, name, ms) in [(0.5, "p50", series.latency.p50_ms), (0.99, "p99", series.latency.p99_ms)] {
            let title = format!("{}, {name}: {}", series.name, time(ms));
            canvas.dot(&format!("point {}", class(series.lane)), (across.at(ms), up.at(fraction)), &title);
        }
    }
    let described: Vec<_> = all.iter().map(description).collect();
    canvas.finish("Latency: fraction of accepted orders within a time", &format!("{}.", described.join("; ")))
}

/// The distribution's points, from 0 at the shortest time.
fn steps(latency: &Latency, across: &Scale, up: &Scale) -> Vec<(f64, f64)> {
    let start = (across.at(latency.min_ms), up.at(0.0));
    std::iter::once(start).chain(latency.cdf.iter().map(|(ms, fraction)| (across.at(*ms), up.at(*fraction)))).collect()
}

/// Without trailing zeros.
fn tick(ms: f64) -> String {
    if ms < 1000.0 { format!("{ms}\u{a0}ms") } else { format!("{}\u{a0}s", ms / 1000.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn draws_a_line_for_each_distribution_in_both_sizes() {
        let chart = chart(&sample::report()).expect("there are times");

        assert_eq!(chart.matches("class=\"line mark sync").count(), 2);
        assert_eq!(chart.matches("class=\"line mark async").count(), 6);
        assert!(chart.contains("async: done, by callback (p50"), "{chart}");
    }

    #[test]
    fn a_lane_without_times_is_named() {
        let mut report = sample::report();
        report.lanes[0].latencies.acknowledge = None;

        let chart = chart(&report).expect("the other lane has times");

        assert!(chart.contains("The sync lane accepted no order"), "{chart}");
    }

    #[test]
    fn without_times_there_is_no_chart() {
        let mut report = sample::report();
        report.lanes.clear();

        assert!(chart(&report).is_err());
    }

    #[test]
    fn labels_times_by_their_unit() {
        assert_eq!([0.5, 20.0, 1000.0, 20_000.0].map(tick).join("|"), "0.5\u{a0}ms|20\u{a0}ms|1\u{a0}s|20\u{a0}s");
    }
}
