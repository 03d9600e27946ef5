//! Converts a measured lane for the report.

use super::histogram::Times;
use super::run::Measured;
use super::tally::{OutcomeTimes, OwnFailures, Tally};
use super::usage;
use lanes::Answer;
use std::collections::BTreeMap;
use twolane_report::model::{LaneReport, Latencies, TimelineSecond};

impl Measured {
    /// The lane's report, without latencies if the load was not on schedule.
    pub(crate) fn report(&self, on_schedule: bool, limits: BTreeMap<String, Option<u64>>) -> LaneReport {
        let tally = self.clocked.tally();
        let mut counts = tally.counts(self.to_the_end);
        counts.undecodable = self.undecodable;
        counts.without_callback = self.listened.then(|| tally.without_callback());
        let nothing = || Latencies { acknowledge: None, done_by_callback: None, done_by_poll: None };
        let shown = |times: &OutcomeTimes| if on_schedule { times.latencies() } else { nothing() };
        LaneReport {
            lane: self.lane,
            limits,
            counts,
            latencies: shown(&tally.times),
            other_owners: self.workload.turns.has_noisy_owner().then(|| shown(&tally.times_of_others)),
            timeline: self.timeline(&tally),
            dead_letters: self.dead_letters,
            reconciliation: self.reconciliation.clone(),
            usage: usage::counted(
                self.lane,
                &tally,
                &self.workload,
                self.functions.clone(),
                self.sockets,
                self.took,
                self.lists_orders,
            ),
            cost: None,
        }
    }

    /// The send delay: p50, p99 and max in milliseconds.
    pub(crate) fn lag_ms(&self) -> [f64; 3] {
        let tally = self.clocked.tally();
        [tally.lag.quantile_ms(0.5), tally.lag.quantile_ms(0.99), tally.lag.max_ms()]
    }

    /// Per kind of request, in milliseconds: p99 of the send delay and of the latency that contains it.
    pub(crate) fn lags(&self) -> [(&'static str, f64, f64); 2] {
        let tally = self.clocked.tally();
        let p99 = |times: &Times| times.quantile_ms(0.99);
        [
            ("requests", p99(&tally.lag), p99(&tally.times.acknowledge)),
            ("polls", p99(&tally.poll_lag), p99(&tally.times.by_poll)),
        ]
    }

    /// Requests that could not leave this machine, and the first error; `None` if all could.
    pub(crate) fn own_failures(&self) -> Option<(u64, String)> {
        let OwnFailures { count, first } = &self.clocked.tally().own_failures;
        Some((*count, first.clone()?))
    }

    fn timeline(&self, tally: &Tally) -> Vec<TimelineSecond> {
        let (mut under_way, mut open) = (0_u64, 0_u64);
        let seconds = tally.seconds.iter().enumerate();
        seconds
            .map(|(index, second)| {
                under_way =
                    (under_way + second.sent).saturating_sub(second.acknowledged + second.refused + second.not_sent);
                open = (open + second.opened).saturating_sub(second.closed);
                TimelineSecond {
                    second: index as u64,
                    arrivals: second.arrivals,
                    acknowledged: second.acknowledged,
                    refused: second.refused,
                    completed: second.completed,
                    backlog: match self.lane.answer {
                        Answer::Outcome => under_way,
                        Answer::Receipt => open,
                    },
                    queue_depth: self.depths.as_ref().and_then(|depths| depths.at(index)),
                }
            })
            .collect()
    }
}
