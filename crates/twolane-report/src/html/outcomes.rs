//! Bar chart of each lane's outcomes.

use super::canvas::{Canvas, Size, both};
use super::legend::{Entry, Sample, legend};
use super::scale::Scale;
use super::{Chart, class};
use crate::model::LaneReport;
use crate::words::{counted, float, percent};

/// Between lanes.
const ROW: f64 = 46.0;
const BAR: f64 = 30.0;
/// For the lane's name to the left.
const NAME: f64 = 52.0;
/// Narrowest part that shows its percentage.
const ROOM: f64 = 64.0;

/// In both sizes.
pub(super) fn chart(lanes: &[LaneReport]) -> Chart {
    let lanes: Vec<_> = lanes.iter().filter(|lane| whole(lane) > 0.0).collect();
    if lanes.is_empty() {
        return Err("no order was sent.");
    }
    let seen = |index: usize| lanes.iter().any(|lane| outcomes(lane)[index].2 > 0);
    let entries: Vec<Entry<'_>> = outcomes(lanes[0])
        .into_iter()
        .enumerate()
        .filter(|(index, _)| seen(*index))
        .map(|(_, (style, name, _))| (Sample::Patch, format!("bar {style}"), name))
        .collect();
    Ok(legend(&entries) + &both(|size| draw(&lanes, size)))
}

/// CSS class, name and number of orders.
fn outcomes(lane: &LaneReport) -> [(&'static str, &'static str, u64); 9] {
    let counts = &lane.counts;
    [
        ("confirmed", "confirmed", counts.confirmed),
        ("cancelled", "cancelled", counts.cancelled.unwrap_or(0)),
        ("rejected", "rejected as invalid", counts.rejected),
        ("failed", "failed all deliveries", counts.failed),
        ("lost", "lost", counts.lost),
        ("unsettled", "open when the run was interrupted", counts.unsettled),
        ("repeated", "accepted again", counts.repeated),
        ("turned-away", "refused", counts.refused.total()),
        ("not-sent", "not sent by the generator", counts.not_sent.unwrap_or(0)),
    ]
}

fn whole(lane: &LaneReport) -> f64 {
    outcomes(lane).iter().map(|(_, _, orders)| float(*orders)).sum()
}

fn draw(lanes: &[&LaneReport], size: Size) -> String {
    let mut canvas = Canvas::new(size, ROW * float(lanes.len() as u64));
    let mut described = Vec::new();
    for (index, lane) in lanes.iter().enumerate() {
        let y = ROW * float(index as u64) + 6.0;
        canvas.text(&format!("name {}", class(lane.lane)), "start", (0.0, y + 20.0), lane.lane.name);
        described.extend(bar(&mut canvas, lane, y, size.width() - 2.0));
    }
    canvas.finish("What became of the orders of each lane", &format!("{}.", described.join("; ")))
}

/// Draws a lane's bar. Returns its parts as text.
fn bar(canvas: &mut Canvas, lane: &LaneReport, y: f64, right: f64) -> Vec<String> {
    let sent = outcomes(lane).iter().fold(0_u64, |sum, (_, _, orders)| sum.saturating_add(*orders));
    let across = Scale::exact(whole(lane), NAME, right);
    let (mut before, mut descriptions) = (0.0, Vec::new());
    for (style, name, orders) in outcomes(lane).into_iter().filter(|(_, _, orders)| *orders > 0) {
        let (from, to) = (across.at(before), across.at(before + float(orders)));
        let share = percent(orders, sent);
        let words = format!("{}: {} {name}, {share}", lane.lane.name, counted(orders, "order", "orders"));
        // At least visible.
        canvas.bar(&format!("bar {style}"), (from.min(right - 3.0), y), ((to - from - 1.5).max(3.0), BAR), &words);
        if to - from > ROOM {
            canvas.text(&format!("inside {style}"), "middle", (f64::midpoint(from, to), y + 20.0), &share);
        }
        descriptions.push(words);
        before += float(orders);
    }
    descriptions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Counts;
    use crate::sample;

    #[test]
    fn shows_each_outcome_that_any_lane_has() {
        let chart = chart(&sample::report().lanes).expect("orders were sent");

        assert!(chart.contains("</svg>confirmed</li>") && chart.contains("</svg>refused</li>"), "{chart}");
        assert!(!chart.contains("lost"), "{chart}");
        assert!(chart.contains("sync: 920\u{a0}orders refused, 46.0\u{a0}%"), "{chart}");
    }

    #[test]
    fn draws_every_lane_and_cancelled_orders() {
        let chart = chart(&sample::report_of_three().lanes).expect("orders were sent");

        assert!(chart.contains("bus: 20\u{a0}orders cancelled, 1.0\u{a0}%"), "{chart}");
        assert!(lanes::names().all(|lane| chart.contains(&format!("name {lane}"))), "{chart}");
    }

    #[test]
    fn a_single_lost_order_is_visible() {
        let mut report = sample::report();
        report.lanes[1].counts.confirmed = 99_999;
        report.lanes[1].counts.lost = 1;

        let chart = chart(&report.lanes).expect("orders were sent");

        assert!(chart.contains("class=\"bar lost\" x=\"915.0\" y=\"52.0\" width=\"3.0\""), "{chart}");
    }

    #[test]
    fn requests_that_the_generator_could_not_send_are_not_refused() {
        let mut report = sample::report();
        report.lanes[1].counts.not_sent = Some(500);

        let chart = chart(&report.lanes).expect("orders were sent");

        assert!(chart.contains("async: 500\u{a0}orders not sent by the generator, 20.0\u{a0}%"), "{chart}");
    }

    #[test]
    fn without_requests_there_is_no_chart() {
        let mut report = sample::report();
        report.lanes.iter_mut().for_each(|lane| lane.counts = Counts::default());

        assert_eq!(chart(&report.lanes).expect_err("nothing to draw"), "no order was sent.");
    }
}
