//! Counts a lane's orders and their times.

use super::histogram::Times;
use crate::workload::{Turns, Workload};
use std::time::Duration;
use twolane_report::model::{Counts, Latencies, Refused};

/// How a request for an order ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RequestResult {
    /// 201, or 200 for a repeat: the answer is the outcome.
    Stored,
    /// 202: the order is queued.
    Queued,
    Refused(Refusal),
    /// It could not leave this machine, with the reason.
    NotSent(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// 429.
    Throttled,
    /// 503.
    Unavailable,
    /// Any other 5xx.
    ServerError,
    /// 400: not valid.
    Invalid,
    /// Any other status without success.
    ClientError,
    NoAnswer,
}

impl Refusal {
    /// Whether the order may still be stored: without a definite answer, that is unknown.
    pub(crate) fn leaves_doubt(self) -> bool {
        matches!(self, Self::Unavailable | Self::ServerError | Self::NoAnswer)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutcomeKind {
    Confirmed,
    /// A step refused or failed, the deadline passed, or SNS did not take `order.placed`.
    Cancelled,
    /// Not valid.
    Rejected,
    /// Not recorded in the last delivery; a redrive may still confirm it.
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Answer,
    Callback,
    /// A regular poll.
    Poll,
    /// Because a callback was overdue.
    Search,
}

/// Keep it small: a run may have millions.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OrderState {
    /// Due time, in microseconds since the start.
    pub(crate) due_us: u64,
    pub(crate) sent: u8,
    /// Accepted requests.
    pub(crate) accepted: u8,
    /// Of these, repeats after the outcome was known.
    pub(crate) late_repeats: u8,
    /// Callbacks with its outcome.
    pub(crate) callbacks: u8,
    /// Callbacks that repeat the previous one.
    pub(crate) duplicate_callbacks: u8,
    pub(crate) reported: Option<OutcomeKind>,
    /// Deliveries according to its record.
    pub(crate) attempts: u8,
    /// Whether a request got no definite answer.
    pub(crate) in_doubt: bool,
    pub(crate) counts: bool,
    /// Whether a poll has reported its outcome.
    pub(crate) polled: bool,
    pub(crate) outcome: Option<OutcomeKind>,
}

/// Requests that could not leave this machine: orders and polls, warm-up included.
#[derive(Clone, Debug, Default)]
pub(crate) struct OwnFailures {
    pub(crate) count: u64,
    /// The first error.
    pub(crate) first: Option<String>,
}

impl OwnFailures {
    pub(crate) fn add(&mut self, why: String) {
        self.count += 1;
        self.first.get_or_insert(why);
    }
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Second {
    pub(crate) arrivals: u64,
    /// Started requests, including those that could not leave this machine.
    pub(crate) sent: u64,
    /// In the second of the failure.
    pub(crate) not_sent: u64,
    pub(crate) acknowledged: u64,
    pub(crate) refused: u64,
    pub(crate) completed: u64,
    /// Orders accepted before their outcome was known.
    pub(crate) opened: u64,
    /// Outcomes of such orders.
    pub(crate) closed: u64,
}

/// Each from its due time.
#[derive(Debug)]
pub(crate) struct OutcomeTimes {
    pub(crate) acknowledge: Times,
    pub(crate) by_callback: Times,
    pub(crate) by_poll: Times,
}

impl OutcomeTimes {
    fn new() -> Self {
        Self { acknowledge: Times::new(), by_callback: Times::new(), by_poll: Times::new() }
    }

    pub(crate) fn latencies(&self) -> Latencies {
        Latencies {
            acknowledge: self.acknowledge.latency(),
            done_by_callback: self.by_callback.latency(),
            done_by_poll: self.by_poll.latency(),
        }
    }
}

/// All counts of one lane: 24 bytes per order, 64 per second, and eight histograms.
#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) orders: Vec<OrderState>,
    pub(crate) turns: Turns,
    pub(crate) seconds: Vec<Second>,
    pub(crate) refused: Refused,
    pub(crate) sent: u64,
    /// Requests that could not leave this machine; not included in `sent`.
    pub(crate) not_sent: u64,
    pub(crate) own_failures: OwnFailures,
    pub(crate) accepted: u64,
    /// Answered 429, warm-up included: API Gateway does not charge them.
    pub(crate) throttled: u64,
    /// Answered 400, warm-up included: they invoked a function if a function answers.
    pub(crate) invalid: u64,
    /// Callbacks that contradict the previous one, except of a failed order that is settled later.
    pub(crate) contradicted: u64,
    pub(crate) times: OutcomeTimes,
    /// Times of owners that are not noisy; empty without a noisy owner.
    pub(crate) times_of_others: OutcomeTimes,
    pub(crate) lag: Times,
    pub(crate) poll_lag: Times,
    /// Polls of a caller that learns outcomes by polling, without those for overdue callbacks.
    pub(crate) status_requests: u64,
    /// Accepted orders without an outcome.
    pub(crate) open: u64,
    /// With an outcome, warm-up included.
    pub(crate) done: u64,
    pub(crate) is_polled: bool,
    /// Queued orders still polled.
    pub(crate) polled_for: u64,
    pub(crate) in_flight: u64,
    /// Last new outcome, since the start.
    pub(crate) last_news: Duration,
}

impl Tally {
    pub(crate) fn new(workload: &Workload) -> Self {
        let mut orders = vec![OrderState::default(); workload.orders as usize];
        for arrival in &workload.arrivals {
            let order = &mut orders[arrival.order as usize];
            (order.due_us, order.counts) = (arrival.at_us, workload.counts(*arrival));
        }
        let mut tally = Self {
            orders,
            turns: workload.turns,
            seconds: Vec::new(),
            refused: Refused::default(),
            sent: 0,
            not_sent: 0,
            own_failures: OwnFailures::default(),
            accepted: 0,
            throttled: 0,
            invalid: 0,
            contradicted: 0,
            times: OutcomeTimes::new(),
            times_of_others: OutcomeTimes::new(),
            lag: Times::new(),
            poll_lag: Times::new(),
            status_requests: 0,
            open: 0,
            done: 0,
            is_polled: false,
            polled_for: 0,
            in_flight: 0,
            last_news: Duration::ZERO,
        };
        for arrival in &workload.arrivals {
            tally.second(arrival.at()).arrivals += 1;
        }
        tally
    }

    pub(crate) fn sent(&mut self, order: u32, due: Duration, now: Duration) {
        self.in_flight += 1;
        self.second(now).sent += 1;
        let state = &mut self.orders[order as usize];
        state.sent = state.sent.saturating_add(1);
        if state.counts {
            self.sent += 1;
            self.lag.record(now.saturating_sub(due));
        }
    }

    /// Returns whether the request queued an order for the first time.
    pub(crate) fn request_ended(&mut self, order: u32, due: Duration, result: RequestResult, now: Duration) -> bool {
        self.in_flight -= 1;
        let second = self.second(now);
        match result {
            RequestResult::Refused(_) => second.refused += 1,
            RequestResult::NotSent(_) => second.not_sent += 1,
            RequestResult::Stored | RequestResult::Queued => second.acknowledged += 1,
        }
        let state = &mut self.orders[order as usize];
        let is_stored = result == RequestResult::Stored;
        match result {
            RequestResult::Refused(why) => {
                state.in_doubt |= why.leaves_doubt();
                self.throttled += u64::from(why == Refusal::Throttled);
                self.invalid += u64::from(why == Refusal::Invalid);
                if state.counts {
                    *class(&mut self.refused, why) += 1;
                }
                return false;
            }
            RequestResult::NotSent(why) => {
                state.sent = state.sent.saturating_sub(1);
                // It may have left over a connection that then closed, and only its repeat failed locally.
                state.in_doubt = true;
                if state.counts {
                    self.sent -= 1;
                    self.not_sent += 1;
                }
                self.own_failures.add(why);
                return false;
            }
            RequestResult::Stored | RequestResult::Queued => {
                let opens = state.accepted == 0 && state.outcome.is_none();
                let is_late_repeat = state.accepted > 0 && state.outcome.is_some();
                state.late_repeats = state.late_repeats.saturating_add(is_late_repeat.into());
                state.accepted = state.accepted.saturating_add(1);
                if state.counts {
                    self.accepted += 1;
                    let took = now.saturating_sub(due);
                    self.times.acknowledge.record(took);
                    if self.turns.is_of_others(order) {
                        self.times_of_others.acknowledge.record(took);
                    }
                }
                self.open += u64::from(opens);
                self.second(now).opened += u64::from(opens);
            }
        }
        if is_stored {
            self.learned(order, OutcomeKind::Confirmed, Some(1), By::Answer, now);
        }
        let is_queued = !is_stored && self.orders[order as usize].accepted == 1;
        self.polled_for += u64::from(is_queued && self.is_polled);
        is_queued
    }

    pub(crate) fn not_polled(&mut self, by: By, why: String) {
        self.status_requests -= u64::from(by == By::Poll);
        self.own_failures.add(why);
    }

    /// Counts a poll of a caller that learns outcomes by polling.
    pub(crate) fn polls(&mut self, due: Duration, now: Duration) {
        self.status_requests += 1;
        self.poll_lag.record(now.saturating_sub(due));
    }

    pub(crate) fn learned(&mut self, order: u32, outcome: OutcomeKind, attempts: Option<u32>, by: By, now: Duration) {
        let state = &mut self.orders[order as usize];
        let since_due = now.saturating_sub(Duration::from_micros(state.due_us));
        let is_news = state.outcome.is_none();
        // A redelivery may settle a failed order, never the reverse.
        if is_news || state.outcome == Some(OutcomeKind::Failed) {
            state.outcome = Some(outcome);
        }
        let attempts = attempts.map_or(0, |attempts| u8::try_from(attempts).unwrap_or(u8::MAX));
        state.attempts = state.attempts.max(attempts);
        if by == By::Callback {
            state.callbacks = state.callbacks.saturating_add(1);
            match state.reported.replace(outcome) {
                // A failed order that is settled later is news, not a duplicate.
                None => {}
                Some(OutcomeKind::Failed) if matches!(outcome, OutcomeKind::Confirmed | OutcomeKind::Cancelled) => {}
                Some(before) if before == outcome => {
                    state.duplicate_callbacks = state.duplicate_callbacks.saturating_add(1);
                }
                Some(_) => self.contradicted += 1,
            }
            if state.counts && state.callbacks == 1 {
                self.times.by_callback.record(since_due);
                if self.turns.is_of_others(order) {
                    self.times_of_others.by_callback.record(since_due);
                }
            }
        }
        if by == By::Poll && !std::mem::replace(&mut state.polled, true) && state.counts {
            self.times.by_poll.record(since_due);
            if self.turns.is_of_others(order) {
                self.times_of_others.by_poll.record(since_due);
            }
        }
        if is_news {
            let was_open = state.accepted > 0;
            self.open -= u64::from(was_open);
            self.done += 1;
            self.last_news = now;
            let second = self.second(now);
            second.completed += 1;
            second.closed += u64::from(was_open);
        }
    }

    pub(crate) fn open_orders(&self) -> Vec<u32> {
        let numbered = (0_u32..).zip(&self.orders);
        let open = numbered.filter(|(_, state)| state.accepted > 0 && state.outcome.is_none());
        open.map(|(number, _)| number).collect()
    }

    /// Accepted orders without an outcome are lost if the run has waited `to_the_end`, else unsettled.
    pub(crate) fn counts(&self, to_the_end: bool) -> Counts {
        let mut counts = Counts {
            sent: self.sent,
            not_sent: Some(self.not_sent),
            accepted: self.accepted,
            refused: self.refused,
            ..Counts::default()
        };
        let mut cancelled = 0;
        for state in self.orders.iter().filter(|state| state.counts) {
            counts.duplicate_callbacks += u64::from(state.duplicate_callbacks);
            if state.accepted == 0 {
                counts.done_unacknowledged += u64::from(state.outcome.is_some());
                continue;
            }
            counts.repeated += u64::from(state.accepted - 1);
            match state.outcome {
                Some(OutcomeKind::Confirmed) => counts.confirmed += 1,
                Some(OutcomeKind::Cancelled) => cancelled += 1,
                Some(OutcomeKind::Rejected) => counts.rejected += 1,
                Some(OutcomeKind::Failed) => counts.failed += 1,
                None if to_the_end => counts.lost += 1,
                None => counts.unsettled += 1,
            }
            if state.attempts > 0 {
                *counts.attempts.entry(u64::from(state.attempts)).or_default() += 1;
            }
        }
        counts.cancelled = Some(cancelled);
        counts
    }

    /// Contradictory observations; each is an error of the run.
    pub(crate) fn contradictions(&self) -> Vec<String> {
        let done_though_refused =
            |state: &&OrderState| state.accepted == 0 && !state.in_doubt && state.outcome.is_some();
        let done_though_refused = self.orders.iter().filter(done_though_refused).count();
        [
            (self.contradicted, "callbacks contradict an earlier callback of the same order"),
            (done_though_refused as u64, "orders were refused, but have an outcome"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect()
    }

    pub(crate) fn without_callback(&self) -> u64 {
        let without =
            |state: &&OrderState| state.counts && state.accepted > 0 && state.outcome.is_some() && state.callbacks == 0;
        self.orders.iter().filter(without).count() as u64
    }

    fn second(&mut self, at: Duration) -> &mut Second {
        let index = usize::try_from(at.as_secs()).expect("a run has fewer seconds than memory can hold");
        if self.seconds.len() <= index {
            self.seconds.resize(index + 1, Second::default());
        }
        &mut self.seconds[index]
    }
}

fn class(refused: &mut Refused, why: Refusal) -> &mut u64 {
    match why {
        Refusal::Throttled => &mut refused.throttled,
        Refusal::Unavailable => &mut refused.unavailable,
        Refusal::ServerError => &mut refused.server_error,
        Refusal::Invalid | Refusal::ClientError => &mut refused.client_error,
        Refusal::NoAnswer => &mut refused.no_answer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{Arrival, Content};

    #[test]
    fn an_order_that_could_not_leave_counts_neither_as_sent_nor_as_refused() {
        let arrival = |order: u32| Arrival { at_us: u64::from(order), order, content: Content::Order(0) };
        let bodies = vec!["{}".into()];
        let arrivals = vec![arrival(0), arrival(1)];
        let workload = Workload { arrivals, orders: 2, bodies, ..Workload::default() };
        let mut tally = Tally::new(&workload);

        for (order, result) in [(0, RequestResult::Stored), (1, RequestResult::NotSent("no file".to_owned()))] {
            tally.sent(order, Duration::ZERO, Duration::ZERO);
            tally.request_ended(order, Duration::ZERO, result, Duration::ZERO);
        }

        let counts = tally.counts(true);
        assert_eq!((counts.sent, counts.not_sent, counts.accepted, counts.refused.total()), (1, Some(1), 1, 0));
        assert_eq!((tally.seconds[0].refused, tally.seconds[0].not_sent, tally.in_flight), (0, 1, 0));
        assert_eq!((tally.orders[1].sent, tally.own_failures.first.as_deref()), (0, Some("no file")));
    }

    #[test]
    fn a_poll_that_could_not_leave_costs_nothing() {
        let mut tally = Tally::new(&Workload::default());

        tally.polls(Duration::ZERO, Duration::ZERO);
        tally.not_polled(By::Poll, "no file".to_owned());
        tally.not_polled(By::Search, "no port".to_owned());

        assert_eq!((tally.status_requests, tally.own_failures.count), (0, 2));
        assert_eq!(tally.own_failures.first.as_deref(), Some("no file"));
    }
}
