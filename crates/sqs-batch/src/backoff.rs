use std::time::Duration;

/// SQS allows a visibility timeout of 12 hours from when the message was received. One hour is reserved for the time
/// since then. Source: Amazon SQS API Reference, `ChangeMessageVisibility`.
const LONGEST: Duration = Duration::from_hours(11);

/// Exponential back-off with full jitter: a random delay between zero and a bound that doubles with each delivery. So
/// messages that failed together are not redelivered together.
/// Source: AWS Architecture Blog, "Exponential Backoff And Jitter".
///
/// ```
/// use sqs_batch::Backoff;
/// use std::time::Duration;
///
/// let backoff = Backoff::full_jitter(Duration::from_secs(30), Duration::from_secs(100));
///
/// assert_eq!(backoff.bound(1), Duration::from_secs(30));
/// assert_eq!(backoff.bound(2), Duration::from_secs(60));
/// assert_eq!(backoff.bound(3), Duration::from_secs(100));
/// assert!(backoff.delay(2) <= Duration::from_secs(60));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
}

impl Backoff {
    /// No delay.
    pub const NONE: Self = Self::full_jitter(Duration::ZERO, Duration::ZERO);

    /// Up to `base` after the first delivery, twice that after the second, and so on, up to `cap` and 11 hours.
    #[must_use]
    pub const fn full_jitter(base: Duration, cap: Duration) -> Self {
        Self { base, cap }
    }

    /// Longest delay after `receive_count` deliveries, 1 or more.
    #[must_use]
    pub fn bound(&self, receive_count: u32) -> Duration {
        let doublings = receive_count.saturating_sub(1);
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        self.base.saturating_mul(factor).min(self.cap).min(LONGEST)
    }

    /// A new random delay after `receive_count` deliveries, in whole seconds, as SQS requires.
    #[must_use]
    pub fn delay(&self, receive_count: u32) -> Duration {
        Duration::from_secs(fastrand::u64(0..=self.bound(receive_count).as_secs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn never_leaves_its_bounds(base in any::<u64>(), cap in any::<u64>(), receive_count in any::<u32>()) {
            let backoff = Backoff::full_jitter(Duration::from_secs(base), Duration::from_secs(cap));

            let delay = backoff.delay(receive_count);

            prop_assert!(delay <= backoff.bound(receive_count));
            prop_assert!(backoff.bound(receive_count) <= Duration::from_secs(cap).min(LONGEST));
            prop_assert_eq!(delay.subsec_nanos(), 0);
        }

        #[test]
        fn its_bound_never_shrinks(base in 0..100_000_u64, cap in 0..100_000_u64, receive_count in 0..u32::MAX) {
            let backoff = Backoff::full_jitter(Duration::from_secs(base), Duration::from_secs(cap));

            prop_assert!(backoff.bound(receive_count) <= backoff.bound(receive_count + 1));
        }
    }

    #[test]
    fn spreads_delays_over_the_whole_range() {
        let backoff = Backoff::full_jitter(Duration::from_secs(2), Duration::from_mins(1));

        let drawn: BTreeSet<_> = (0..1000).map(|_| backoff.delay(2).as_secs()).collect();

        assert_eq!(drawn, BTreeSet::from([0, 1, 2, 3, 4]), "a thousand draws give each of the five values");
    }
}
