//! A measured lane as the report has it.

use super::histogram::Times;
use super::run::Measured;
use super::tally::{OutcomeTimes, OwnFailures, Tally};
use super::usage;
use lanes::Answer;
use std::collections::BTreeMap;
use twolane_report::model::{LaneReport, Latencies, TimelineSecond};

impl Measured {
    /// For the report. Times are left out where the load was not made as planned.
    pub(crate) fn report(&self, honest: bool, limits: BTreeMap<String, Option<u64>>) -> LaneReport {
        let tally = self.clocked.tally();
        let mut counts = tally.counts(self.to_the_end);
        counts.undecodable = self.undecodable;
        counts.without_callback = self.listened.then(|| tally.without_callback());
        let nothing = || Latencies { acknowledge: None, done_by_callback: None, done_by_poll: None };
        let shown = |times: &OutcomeTimes| if honest { times.latencies() } else { nothing() };
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

    /// How late requests were sent: p50, p99 and max in milliseconds.
    pub(crate) fn lag_ms(&self) -> [f64; 3] {
        let tally = self.clocked.tally();
        [tally.lag.quantile_ms(0.5), tally.lag.quantile_ms(0.99), tally.lag.max_ms()]
    }

    /// What left late, and how: 99th percentiles, in milliseconds, of how late and of the time that it is a part of.
    pub(crate) fn lags(&self) -> [(&'static str, f64, f64); 2] {
        let tally = self.clocked.tally();
        let p99 = |times: &Times| times.quantile_ms(0.99);
        [
            ("requests", p99(&tally.lag), p99(&tally.times.acknowledge)),
            ("questions for orders", p99(&tally.poll_lag), p99(&tally.times.by_poll)),
        ]
    }

    /// How many requests could not leave this machine, and why the first one could not; nothing where all could.
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
