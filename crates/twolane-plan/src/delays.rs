//! How long orders wait for their outcome, from the simulation's curves.

use crate::durations::duration;
use crate::flow::{After, flow};
use crate::settings::{Key, PlanSettings};
use crate::simulation::Second;
use lanes::Lane;
use serde::Serialize;

/// Percentiles of the time from the answer until the client knows the outcome, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Delays {
    /// The median.
    pub p50: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// The longest time.
    pub max: f64,
}

/// `None` if no order has an outcome.
pub(crate) fn delays(lane: Lane, seconds: &[Second], settings: &PlanSettings) -> Option<Delays> {
    let mut waits = waits(seconds);
    waits.sort_by(|one, other| one.0.total_cmp(&other.0));
    let total: f64 = waits.iter().map(|(_, orders)| orders).sum();
    let own = unloaded_delay(lane, settings);
    let at = |part: f64| {
        let mut before = 0.0;
        let reached = |(_, orders): &&(f64, f64)| {
            before += orders;
            before >= part * total
        };
        waits.iter().find(reached).or(waits.last()).map(|(wait, _)| wait + own)
    };
    Some(Delays { p50: at(0.5)?, p99: at(0.99)?, max: waits.last()?.0 + own })
}

/// How long each second's orders wait in queues, and their number. The time is the horizontal distance between the curves
/// of accepted orders and of known outcomes: first in, first out.
fn waits(seconds: &[Second]) -> Vec<(f64, f64)> {
    let mut waits = Vec::new();
    let (mut accepted_before, mut known_before) = (0.0, 0.0);
    let mut known = (0.0..).step_by_one().zip(seconds).peekable();
    for (time, second) in (0.0..).step_by_one().zip(seconds) {
        let orders = second.accepted - accepted_before;
        let middle = accepted_before + orders / 2.0;
        accepted_before = second.accepted;
        if orders <= 0.0 {
            continue;
        }
        while let Some((_, passed)) = known.next_if(|(_, at)| at.known < middle) {
            known_before = passed.known;
        }
        let Some((at, reached)) = known.peek() else { break };
        let known_at = at + (middle - known_before) / (reached.known - known_before);
        waits.push(((known_at - (time + 0.5)).max(0.0), orders));
    }
    waits
}

trait StepByOne {
    fn step_by_one(self) -> impl Iterator<Item = f64>;
}

impl StepByOne for std::ops::RangeFrom<f64> {
    fn step_by_one(self) -> impl Iterator<Item = f64> {
        std::iter::successors(Some(self.start), |time| Some(time + 1.0))
    }
}

/// The time of an order without any wait, in seconds: its batches in sequence, and the deliveries between them.
pub(crate) fn unloaded_delay(lane: Lane, settings: &PlanSettings) -> f64 {
    let flow = flow(lane);
    let mut ends: Vec<f64> = Vec::new();
    for stage in flow.stages {
        let before = match stage.after {
            After::Stage(number) => {
                ends[number] + settings[Key::DeliveryMs] / 1e3 + settings[Key::MaximumBatchingWindowInSeconds]
            }
            After::Nothing | After::Deadline(_) | After::Decision => 0.0,
        };
        let own = if stage.function.is_some() { duration(stage, settings).of(1.0) } else { 0.0 };
        ends.push(before + own);
    }
    flow.decided_by.iter().map(|number| ends[*number]).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(accepted: f64, known: f64) -> Second {
        Second { accepted, known, ..Second::default() }
    }

    #[test]
    fn an_order_known_at_once_has_no_wait() {
        let seconds: Vec<_> = [10.0, 30.0, 30.0, 35.0].map(|orders| second(orders, orders)).to_vec();

        assert!(waits(&seconds).iter().all(|(wait, _)| wait.abs() < 1e-9));
    }

    #[test]
    fn orders_wait_t_seconds_in_a_queue_served_at_half_the_arrival_rate() {
        // 100 orders a second arrive for 10 seconds, and 50 a second are done: an order of second t waits t seconds.
        let seconds: Vec<_> = (1..=20).map(f64::from).map(|end| second(end.min(10.0) * 100.0, end * 50.0)).collect();

        let waits = waits(&seconds);

        assert_eq!(waits.len(), 10);
        for (index, (wait, orders)) in (0..).map(f64::from).zip(&waits) {
            assert!((wait - (index + 0.5)).abs() < 1e-9 && (orders - 100.0).abs() < 1e-9, "{index}: {wait}");
        }
    }

    #[test]
    fn orders_without_an_outcome_have_no_delay() {
        assert_eq!(waits(&[second(10.0, 0.0), second(10.0, 0.0)]), []);
    }
}
