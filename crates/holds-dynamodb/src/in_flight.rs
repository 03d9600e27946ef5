use holds::{Claim, CounterKey};
use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// Lets only one transaction of this process at a time write a counter. The orders of one batch often need the same
/// counter, and their transactions would cancel each other. Those of other processes can still conflict.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    counters: Mutex<HashSet<CounterKey>>,
    released: Notify,
}

/// The right to write some counters, until it is dropped.
#[derive(Debug)]
pub(crate) struct Reserved<'a> {
    in_flight: &'a InFlight,
    claims: &'a [Claim],
}

impl InFlight {
    /// Waits until no other transaction of this process writes these counters. Reserves all of them at once, so
    /// transactions cannot deadlock.
    pub(crate) async fn reserve<'a>(&'a self, claims: &'a [Claim]) -> Reserved<'a> {
        loop {
            // Created before the check, to see every release after it.
            let released = self.released.notified();
            if self.try_reserve(claims) {
                return Reserved { in_flight: self, claims };
            }
            released.await;
        }
    }

    fn try_reserve(&self, claims: &[Claim]) -> bool {
        let mut counters = self.lock();
        let free = claims.iter().all(|claim| !counters.contains(&claim.counter));
        if free {
            counters.extend(claims.iter().map(|claim| claim.counter.clone()));
        }
        free
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<CounterKey>> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        let mut counters = self.in_flight.lock();
        for claim in self.claims {
            counters.remove(&claim.counter);
        }
        drop(counters);
        self.in_flight.released.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use std::pin::pin;

    fn claims<const N: usize>(counters: [&str; N]) -> [Claim; N] {
        counters.map(|counter| Claim { counter: CounterKey::new(counter), amount: 1 })
    }

    #[test]
    fn a_counter_is_written_by_one_transaction_at_a_time() {
        let in_flight = InFlight::default();
        let [both, second] = [&claims(["SKU-1", "SKU-2"])[..], &claims(["SKU-2"])[..]];

        let first = in_flight.reserve(both).now_or_never().expect("nothing is reserved");
        let mut waiting = pin!(in_flight.reserve(second));
        assert!(waiting.as_mut().now_or_never().is_none(), "SKU-2 is reserved");
        drop(first);

        assert!(waiting.now_or_never().is_some(), "SKU-2 is released");
    }

    #[test]
    fn transactions_on_other_counters_do_not_wait() {
        let in_flight = InFlight::default();
        let [first, second, none] = [&claims(["SKU-1"])[..], &claims(["SKU-2"])[..], &[]];

        let _first = in_flight.reserve(first).now_or_never().expect("nothing is reserved");

        assert!(in_flight.reserve(second).now_or_never().is_some());
        assert!(in_flight.reserve(none).now_or_never().is_some());
    }

    #[test]
    fn a_transaction_that_is_cancelled_while_it_waits_reserves_nothing() {
        let in_flight = InFlight::default();
        let [first, both] = [&claims(["SKU-1"])[..], &claims(["SKU-1", "SKU-2"])[..]];
        let reserved = in_flight.reserve(first).now_or_never().expect("nothing is reserved");

        assert!(in_flight.reserve(both).now_or_never().is_none());
        drop(reserved);

        assert!(in_flight.reserve(both).now_or_never().is_some());
    }
}
