//! The messages of one stage: ready for a delivery, or waiting for the next one after a failed delivery.

use crate::resource::Clock;
use crate::settings::{Key, PlanSettings};

/// Upper bound of `MaxReceiveCount`.
const DELIVERIES: usize = 10;

/// Amounts below this count as zero. This avoids the slow arithmetic of subnormal numbers.
const NOTHING: f64 = 1e-7;

#[derive(Debug)]
pub(crate) struct RedeliveryPolicy {
    deliveries: usize,
    /// The part of the waiting messages that becomes ready in a step, by failures so far minus one. The back-off is
    /// random up to the base, then twice, four times, … the base, and never above the cap. Its mean is half of that.
    back: [f64; DELIVERIES],
}

impl RedeliveryPolicy {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small whole number")]
    pub(crate) fn new(settings: &PlanSettings, clock: Clock) -> Self {
        let mut longest = settings[Key::BackoffBaseSeconds];
        let mut back = [0.0; DELIVERIES];
        for part in &mut back {
            *part = (clock.step() / (longest.min(settings[Key::BackoffCapSeconds]) / 2.0)).min(1.0);
            longest *= 2.0;
        }
        Self { deliveries: settings[Key::MaxReceiveCount] as usize, back }
    }
}

/// One stage's messages, one for each order.
#[derive(Debug, Default)]
pub(crate) struct StageMessages {
    /// By failures so far.
    ready: [f64; DELIVERIES],
    /// By failures so far minus one.
    waiting: [f64; DELIVERIES],
    retries: bool,
    pub(crate) entered: f64,
    /// Succeeded or failed all deliveries so far.
    pub(crate) passed: f64,
    /// Failed all deliveries so far: dead letters.
    pub(crate) failed: f64,
    pub(crate) redelivered: f64,
    /// Invocations so far; of an invocation for several stages, the part for this one.
    pub(crate) invocations: f64,
    /// Total of the invocations, in seconds.
    pub(crate) busy_seconds: f64,
}

impl StageMessages {
    /// Adds messages until `total` have entered.
    pub(crate) fn enter_up_to(&mut self, total: f64) {
        let new = (total - self.entered).max(0.0);
        self.ready[0] += new;
        self.entered += new;
    }

    pub(crate) fn ready(&self) -> f64 {
        if self.retries { self.ready.iter().sum() } else { self.ready[0] }
    }

    pub(crate) fn waiting(&self) -> f64 {
        if self.retries { self.waiting.iter().sum() } else { 0.0 }
    }

    /// Makes messages ready at the end of their back-off.
    pub(crate) fn begin(&mut self, policy: &RedeliveryPolicy) {
        if !self.retries {
            return;
        }
        for failures in 0..DELIVERIES - 1 {
            let all = self.waiting[failures];
            let back = if all < NOTHING { all } else { all * policy.back[failures] };
            self.waiting[failures] -= back;
            self.ready[failures + 1] += back;
        }
        self.retries = self.waiting.iter().any(|messages| *messages > 0.0)
            || self.ready[1..].iter().any(|messages| *messages > 0.0);
    }

    /// Delivers the `part` of the ready messages. Of these, the part `success` succeeds.
    pub(crate) fn deliver(&mut self, part: f64, success: f64, policy: &RedeliveryPolicy) {
        let classes = if self.retries { DELIVERIES } else { 1 };
        for failures in 0..classes {
            let delivered =
                if self.ready[failures] < NOTHING { self.ready[failures] } else { self.ready[failures] * part };
            let failed = if success < 1.0 { delivered * (1.0 - success) } else { 0.0 };
            self.ready[failures] -= delivered;
            self.passed += delivered - failed;
            if failed > 0.0 {
                if failures + 1 >= policy.deliveries {
                    self.passed += failed;
                    self.failed += failed;
                } else {
                    self.redelivered += failed;
                    self.waiting[failures] += failed;
                    self.retries = true;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::LimitTable;

    #[test]
    fn messages_that_fail_every_delivery_become_dead_letters_and_none_vanishes() {
        let policy = RedeliveryPolicy::new(&PlanSettings::new(&LimitTable::embedded()), Clock { steps_per_second: 10 });
        let mut messages = StageMessages::default();
        messages.enter_up_to(1_000.0);

        for _ in 0..100_000 {
            messages.begin(&policy);
            messages.deliver(1.0, 0.0, &policy);
            let sum = messages.passed + messages.ready() + messages.waiting();
            assert!((sum - 1_000.0).abs() < 1e-6, "{sum}");
        }

        assert!((messages.failed - 1_000.0).abs() < 1e-6, "{}", messages.failed);
        assert!((messages.redelivered - 4_000.0).abs() < 1e-6, "{}", messages.redelivered);
    }

    #[test]
    fn a_32nd_of_the_messages_fails_if_half_of_each_delivery_fails() {
        let policy = RedeliveryPolicy::new(&PlanSettings::new(&LimitTable::embedded()), Clock { steps_per_second: 10 });
        let mut messages = StageMessages::default();
        messages.enter_up_to(1_024.0);

        for _ in 0..100_000 {
            messages.begin(&policy);
            messages.deliver(1.0, 0.5, &policy);
        }

        // ½⁵ of the messages fail all five deliveries.
        assert!((messages.failed - 32.0).abs() < 1e-3, "{}", messages.failed);
    }
}
