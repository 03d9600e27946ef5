//! Sends a workload on schedule: an open model, in which no request waits for an answer.

use super::clocked::Clocked;
use super::lane::{Outgoing, Sender};
use super::polls::StatusPoll;
use crate::workload::Workload;
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::sleep_until;

/// Sends all requests, at most `max_in_flight` at a time, and returns when each has its answer. `accepted` gets each
/// queued order. When `stop` completes, sends no more.
pub(crate) async fn send_all<S: Sender>(
    workload: &Workload,
    sender: Arc<S>,
    clocked: &Clocked,
    max_in_flight: u32,
    accepted: mpsc::UnboundedSender<StatusPoll>,
    stop: impl Future<Output = ()>,
) {
    let permits = Arc::new(Semaphore::new(max_in_flight as usize));
    let everything = async {
        for arrival in &workload.arrivals {
            sleep_until(clocked.at(arrival.at())).await;
            let permit = Arc::clone(&permits).acquire_owned().await.expect("it is never closed");
            let outgoing = Outgoing { order: arrival.order, content: arrival.content };
            let sending = sender.prepare(outgoing, workload);
            let (clocked, accepted) = (clocked.clone(), accepted.clone());
            let due = arrival.at();
            tokio::spawn(async move {
                // Not earlier: on a busy machine the task starts late, which is send delay, too.
                clocked.tally().sent(outgoing.order, due, clocked.elapsed());
                let result = sending.await;
                let now = clocked.elapsed();
                if clocked.tally().request_ended(outgoing.order, due, result, now) {
                    let _ = accepted.send(StatusPoll { order: outgoing.order, due: now });
                }
                drop(permit);
            });
        }
    };
    tokio::select! {
        () = everything => {}
        () = stop => {}
    }
    let _ = permits.acquire_many(max_in_flight).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::tally::{RequestResult, Tally};
    use crate::workload::{Arrival, Content};
    use std::collections::BTreeMap;
    use std::time::Duration;
    use tokio::sync::mpsc::unbounded_channel;
    use tokio::time::Instant;
    use twolane_report::Promise;
    use twolane_report::model::{LaneReport, Latencies, Usage};

    /// 1000 orders, one each 10 ms.
    const ORDERS: u32 = 1000;
    const GAP: Duration = Duration::from_millis(10);

    const STALL: std::ops::Range<Duration> = Duration::from_secs(2)..Duration::from_secs(7);

    /// Precision of the runtime's timers. Source: documentation of `tokio::time::sleep`.
    const TIMER: Duration = Duration::from_millis(1);

    fn workload() -> Workload {
        let at_us = |order: u32| u64::try_from((GAP * order).as_micros()).expect("seconds");
        let arrivals = (0..ORDERS).map(|order| Arrival { at_us: at_us(order), order, content: Content::Order(0) });
        Workload { arrivals: arrivals.collect(), orders: ORDERS, bodies: vec!["{}".into()], ..Workload::default() }
    }

    /// Time until the answer to an order that arrives then.
    fn delay(order: u32, comes: Duration) -> Duration {
        let stalled = if comes < STALL.start { Duration::ZERO } else { STALL.end.saturating_sub(comes) };
        stalled + Duration::from_millis(u64::from(20 + order % 10))
    }

    struct Scripted(Instant);

    impl Sender for Scripted {
        fn prepare(&self, outgoing: Outgoing, _: &Workload) -> impl Future<Output = RequestResult> + Send + 'static {
            let start = self.0;
            async move {
                let now = Instant::now();
                sleep_until(now + delay(outgoing.order, now - start)).await;
                RequestResult::Stored
            }
        }
    }

    async fn measured(max_in_flight: u32) -> Clocked {
        let workload = workload();
        let clocked = Clocked::start(Tally::new(&workload));
        let sender = Arc::new(Scripted(clocked.at(Duration::ZERO)));
        let (accepted, _polls) = unbounded_channel();
        send_all(&workload, sender, &clocked, max_in_flight, accepted, std::future::pending()).await;
        clocked
    }

    #[tokio::test(start_paused = true)]
    async fn percentiles_include_the_stall_and_are_as_precise_as_the_histogram() {
        let clocked = measured(1000).await;

        let mut truth: Vec<Duration> = (0..ORDERS).map(|order| delay(order, GAP * order)).collect();
        truth.sort();
        let tally = clocked.tally();
        for (per_mille, fraction) in [(500, 0.5), (900, 0.9), (990, 0.99), (999, 0.999), (1000, 1.0)] {
            let truth = truth[per_mille - 1];
            let reported = Duration::from_secs_f64(tally.times.acknowledge.quantile_ms(fraction) / 1000.0);
            assert!(reported.abs_diff(truth) <= truth / 1000 + TIMER, "{fraction}: {reported:?} instead of {truth:?}");
        }
        assert!(tally.times.acknowledge.quantile_ms(0.99) > 4_800.0);
        assert!(
            tally.times.acknowledge.quantile_ms(0.5) < 50.0,
            "half of the orders are due before or after the stall"
        );
        assert!(tally.lag.max_ms() <= TIMER.as_secs_f64() * 1000.0);
    }

    #[tokio::test(start_paused = true)]
    async fn promises_just_met_are_kept_and_promises_just_missed_are_broken() {
        let clocked = measured(1000).await;
        let lane = {
            let tally = clocked.tally();
            LaneReport {
                other_owners: None,
                lane: lanes::lane("sync").expect("it is in the table"),
                limits: BTreeMap::new(),
                counts: tally.counts(true),
                latencies: Latencies {
                    acknowledge: tally.times.acknowledge.latency(),
                    done_by_callback: None,
                    done_by_poll: None,
                },
                timeline: Vec::new(),
                dead_letters: None,
                reconciliation: None,
                usage: Usage::default(),
                cost: None,
            }
        };

        let mut truth: Vec<Duration> = (0..ORDERS).map(|order| delay(order, GAP * order)).collect();
        truth.sort();
        for (percentile, at) in [("p50", 500), ("p90", 900), ("p99", 990), ("p99.9", 999), ("max", 1000)] {
            let truth_ms = truth[at - 1].as_secs_f64() * 1000.0;
            // The precision of the histogram and of the timer.
            let margin = truth_ms / 1000.0 + TIMER.as_secs_f64() * 1000.0;
            for (limit, kept) in [(truth_ms + margin, true), (truth_ms - margin, false)] {
                let promise = format!("sync.done.{percentile}<={limit:.3}ms");

                let judgement = promise.parse::<Promise>().expect("a promise").judge(&lane);

                assert_eq!(judgement.kept, kept, "{judgement:?}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn late_requests_count_from_their_due_time() {
        let clocked = measured(1).await;

        // One at a time, 20 to 29 ms each: the last is due after 10 s and leaves after more than 24 s.
        let tally = clocked.tally();
        assert!(tally.lag.max_ms() > 14_000.0, "{}", tally.lag.max_ms());
        assert!(tally.times.acknowledge.max_ms() > tally.lag.max_ms());
        assert_eq!(tally.counts(true).confirmed, u64::from(ORDERS));
    }
}
