//! When orders arrive.

use anyhow::bail;
use serde::Serialize;

/// How the arrival rate changes over time.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", tag = "arrivals")]
pub enum RateProfile {
    /// Always the rate.
    Constant,
    /// Rising evenly from the rate to `peak` times the rate.
    Ramp,
    /// The rate, and `peak` times the rate in the middle third.
    Burst,
    /// The rate on average, 1/`peak` of it at night, and an even rise to `peak` times the rate at noon and back. With a
    /// `peak` of 5, rise and fall together take eight hours.
    Day,
    /// Recorded counts, in steps of the same length.
    Recorded {
        /// Of each step.
        #[serde(skip)]
        counts: Vec<f64>,
        /// Of a step.
        step_seconds: f64,
    },
}

/// The arrival rate over time.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Load {
    /// How the rate changes.
    #[serde(flatten)]
    pub profile: RateProfile,
    /// Orders per second. `profile` defines its meaning, for example the average.
    pub rate: f64,
    /// Highest rate, as a multiple of `rate`.
    pub peak: f64,
    /// Seconds in which orders arrive.
    pub duration_seconds: f64,
}

impl Load {
    /// A load with this profile.
    ///
    /// # Errors
    /// The rate, the peak or the duration is out of its range, which the error names.
    pub fn new(profile: RateProfile, rate: f64, peak: f64, duration_seconds: f64) -> anyhow::Result<Self> {
        if !(rate > 0.0 && rate <= 1e7) {
            bail!("the rate must be more than 0 and at most 10 000 000 orders a second, not {rate}");
        }
        if !(1.0..=1e6).contains(&peak) {
            bail!("the peak must be from 1 to 1 000 000 times the rate, not {peak}");
        }
        if !(1.0..=7.0 * 86_400.0).contains(&duration_seconds) {
            bail!("the load must last from 1 second to 7 days, not {duration_seconds} s");
        }
        Ok(Self { profile, rate, peak, duration_seconds })
    }

    /// A recorded load.
    ///
    /// # Errors
    /// All counts are 0, a count is negative or not finite, or the rate or the duration is out of its range.
    pub fn recorded(counts: Vec<f64>, step_seconds: f64) -> anyhow::Result<Self> {
        if let Some(wrong) = counts.iter().find(|count| !(count.is_finite() && **count >= 0.0)) {
            bail!("a count of arrivals must be 0 or more, not {wrong}");
        }
        let steps = u32::try_from(counts.len())?;
        let duration = f64::from(steps) * step_seconds;
        let total: f64 = counts.iter().sum();
        let most = counts.iter().copied().fold(0.0, f64::max);
        let rate = total / duration;
        let peak = most / step_seconds / rate;
        Self::new(RateProfile::Recorded { counts, step_seconds }, rate, peak, duration)
    }

    /// Orders per second at `second`, in seconds since the first arrival.
    #[must_use]
    pub fn rate_at(&self, second: f64) -> f64 {
        if second < 0.0 || second >= self.duration_seconds {
            return 0.0;
        }
        let part = second / self.duration_seconds;
        match &self.profile {
            RateProfile::Ramp => self.rate * (1.0 + (self.peak - 1.0) * part),
            RateProfile::Burst if (1.0 / 3.0..2.0 / 3.0).contains(&part) => self.rate * self.peak,
            RateProfile::Constant | RateProfile::Burst => self.rate,
            RateProfile::Day => self.rate * day(self.peak, part),
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index of the record")]
            RateProfile::Recorded { counts, step_seconds } => {
                counts.get((second / step_seconds) as usize).map_or(0.0, |count| count / step_seconds)
            }
        }
    }

    /// Orders in the `length` seconds from `from`.
    pub(crate) fn arriving(&self, from: f64, length: f64) -> f64 {
        match &self.profile {
            RateProfile::Recorded { counts, step_seconds } if *step_seconds < length => {
                let (first, last) = (index(from / step_seconds), index((from + length) / step_seconds));
                counts.iter().take(last).skip(first).sum()
            }
            _ => self.rate_at(from + length / 2.0) * length,
        }
    }

    /// All orders.
    #[must_use]
    pub fn orders(&self) -> f64 {
        let mean = match &self.profile {
            RateProfile::Constant | RateProfile::Day | RateProfile::Recorded { .. } => 1.0,
            RateProfile::Ramp => f64::midpoint(1.0, self.peak),
            RateProfile::Burst => (2.0 + self.peak) / 3.0,
        };
        self.rate * mean * self.duration_seconds
    }

    /// In orders per second.
    #[must_use]
    pub fn peak_rate(&self) -> f64 {
        match self.profile {
            RateProfile::Constant => self.rate,
            _ => self.rate * self.peak,
        }
    }
}

/// Index of the step that begins at that time, in steps.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index of a record")]
fn index(steps: f64) -> usize {
    steps.round() as usize
}

/// The rate at that part of a day, as a multiple of the mean. The night is at 1/p. The triangle above it is 2/(p + 1)
/// of the day wide and reaches p, so the mean is 1: 1/p + (p − 1/p) · 1/(p + 1) = 1.
fn day(peak: f64, part: f64) -> f64 {
    let night = 1.0 / peak;
    let half_width = 1.0 / (peak + 1.0);
    let from_noon = (part - 0.5).abs();
    night + (peak - night) * (1.0 - from_noon / half_width).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(load: &Load) -> f64 {
        (0..1_000).map(|step| load.rate_at((f64::from(step) + 0.5) * load.duration_seconds / 1_000.0)).sum::<f64>()
            / 1_000.0
            * load.duration_seconds
    }

    #[test]
    fn arrivals_add_up_to_the_total_and_reach_the_peak() {
        for (profile, mean) in [
            (RateProfile::Constant, 1.0),
            (RateProfile::Ramp, 3.0),
            (RateProfile::Burst, 7.0 / 3.0),
            (RateProfile::Day, 1.0),
        ] {
            let load = Load::new(profile.clone(), 100.0, 5.0, 86_400.0).expect("it is in range");

            assert!((load.orders() / (86_400.0 * 100.0 * mean) - 1.0).abs() < 1e-9, "{profile:?}: {}", load.orders());
            assert!((total(&load) / load.orders() - 1.0).abs() < 0.01, "{profile:?}: {}", total(&load));
        }
        let day = Load::new(RateProfile::Day, 100.0, 5.0, 86_400.0).expect("it is in range");
        assert!((day.rate_at(43_200.0) - 500.0).abs() < 1e-9);
        assert!((day.rate_at(0.0) - 20.0).abs() < 1e-9);
        assert!(day.rate_at(86_400.0) < f64::EPSILON);
    }

    #[test]
    fn replays_a_record_step_by_step() {
        let load = Load::recorded(vec![10.0, 0.0, 50.0], 2.0).expect("the counts are valid");

        assert!((load.rate_at(1.9) - 5.0).abs() < 1e-9);
        assert!(load.rate_at(2.0).abs() < 1e-9);
        assert!((load.peak_rate() - 25.0).abs() < 1e-9);
        assert!((load.rate * load.duration_seconds - 60.0).abs() < 1e-9);
    }

    #[test]
    fn sums_a_record_in_short_steps() {
        let load = Load::recorded((0..20).map(f64::from).collect(), 0.1).expect("the counts are valid");

        assert!((load.arriving(0.0, 1.0) - 45.0).abs() < 1e-9);
        assert!((load.arriving(1.0, 1.0) - 145.0).abs() < 1e-9);
        assert!((load.arriving(0.3, 0.1) - 3.0).abs() < 1e-9);
    }

    #[test]
    fn rejects_invalid_loads() {
        for (rate, peak, seconds) in
            [(0.0, 1.0, 1.0), (f64::NAN, 1.0, 1.0), (1.0, 0.5, 1.0), (1.0, 1.0, 0.0), (1.0, 1.0, 1e9)]
        {
            Load::new(RateProfile::Constant, rate, peak, seconds).expect_err("it is out of range");
        }
        Load::recorded(vec![0.0], 1.0).expect_err("nothing arrives");
        Load::recorded(vec![-1.0, 2.0], 1.0).expect_err("a negative count");
    }
}
