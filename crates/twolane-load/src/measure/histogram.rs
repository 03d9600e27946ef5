//! Histograms of times.

use base64::{Engine, engine::general_purpose::STANDARD};
use hdrhistogram::{
    Histogram,
    serialization::{Serializer, V2Serializer},
};
use std::time::Duration;
use twolane_report::model::Latency;

/// Significant digits: an error of at most one thousandth.
const PRECISION: u8 = 3;

/// Longest time that is distinct from longer ones: an hour.
const LONGEST_US: u64 = 3_600_000_000;

const POINTS: usize = 200;

/// Times in microseconds. Takes a few hundred kilobytes for any number of times.
#[derive(Clone, Debug)]
pub(crate) struct Times(Histogram<u64>);

impl Times {
    pub(crate) fn new() -> Self {
        Self(Histogram::new_with_bounds(1, LONGEST_US, PRECISION).expect("the bounds are those of a histogram"))
    }

    pub(crate) fn record(&mut self, time: Duration) {
        self.0.saturating_record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// In milliseconds, 0 if empty; `fraction` is 0 to 1.
    pub(crate) fn quantile_ms(&self, fraction: f64) -> f64 {
        milliseconds(self.0.value_at_quantile(fraction))
    }

    pub(crate) fn max_ms(&self) -> f64 {
        milliseconds(self.0.max())
    }

    /// For the report; `None` if empty.
    pub(crate) fn latency(&self) -> Option<Latency> {
        (!self.0.is_empty()).then(|| Latency {
            count: self.0.len(),
            min_ms: milliseconds(self.0.min()),
            p50_ms: self.quantile_ms(0.5),
            p90_ms: self.quantile_ms(0.9),
            p99_ms: self.quantile_ms(0.99),
            p99_9_ms: self.quantile_ms(0.999),
            max_ms: self.max_ms(),
            precision: PRECISION,
            hdr: self.encoded(),
            cdf: self.cdf(),
        })
    }

    fn encoded(&self) -> String {
        let mut bytes = Vec::new();
        V2Serializer::new().serialize(&self.0, &mut bytes).expect("writing to memory does not fail");
        STANDARD.encode(bytes)
    }

    /// Pairs of milliseconds and the fraction of times that are not longer. Points are evenly spaced by fraction, so
    /// that no part of the curve lacks points. The tail has more.
    fn cdf(&self) -> Vec<(f64, f64)> {
        let even = (0..POINTS - 20).map(|point| 0.99 * fraction(point, POINTS - 20));
        let tail = (0..20).map(|point| 1.0 - 0.01 * 0.5_f64.powi(point)).chain([1.0]);
        let mut points: Vec<(f64, f64)> = Vec::new();
        for fraction in even.chain(tail) {
            let at = self.quantile_ms(fraction);
            match points.last_mut() {
                Some(last) if (last.0 - at).abs() < f64::EPSILON => last.1 = last.1.max(fraction),
                _ => points.push((at, fraction)),
            }
        }
        points
    }
}

#[expect(clippy::cast_precision_loss, reason = "an hour of microseconds is exact")]
fn milliseconds(microseconds: u64) -> f64 {
    microseconds as f64 / 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "few")]
fn fraction(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_three_digits() {
        let mut times = Times::new();
        for milliseconds in 1..=1000 {
            times.record(Duration::from_millis(milliseconds));
        }

        let latency = times.latency().expect("there are some");

        for (reported, truth) in [
            (latency.p50_ms, 500.0),
            (latency.p90_ms, 900.0),
            (latency.p99_ms, 990.0),
            (latency.p99_9_ms, 999.0),
            (latency.max_ms, 1000.0),
        ] {
            assert!((reported - truth).abs() / truth <= 0.001, "{reported} {truth}");
        }
        assert_eq!(latency.count, 1000);
    }

    #[test]
    fn draws_a_curve_that_rises_to_one() {
        let mut times = Times::new();
        for milliseconds in 1..=5000 {
            times.record(Duration::from_millis(milliseconds));
        }

        let cdf = times.latency().expect("there are some").cdf;

        assert!(cdf.len() <= POINTS + 1, "{}", cdf.len());
        assert!(cdf.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1), "{cdf:?}");
        assert!((cdf.last().expect("points").1 - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn takes_times_beyond_its_range_for_the_longest() {
        let mut times = Times::new();
        times.record(Duration::from_secs(1_000_000));
        times.record(Duration::ZERO);

        assert!(times.max_ms() >= 3_600_000.0);
        assert!(Times::new().latency().is_none());
    }
}
