//! Confidence intervals of ratios.

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Interval {
    pub(super) ratio: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// The ratio of two samples' geometric means, with Welch's interval of their logarithms, for different sizes and
/// spreads. `confidence` is below 1. Each sample has at least two values, all above 0.
///
/// Source: B. L. Welch, "The generalization of Student's problem when several different population variances are
/// involved", Biometrika 34 (1947), with the degrees of freedom of F. E. Satterthwaite (1946).
pub(super) fn ratio(before: &[f64], after: &[f64], confidence: f64) -> Interval {
    let (before, after) = (Logarithms::new(before), Logarithms::new(after));
    let (difference, variance) = (after.mean - before.mean, before.of_mean() + after.of_mean());
    if variance <= 0.0 {
        let ratio = difference.exp();
        return Interval { ratio, low: ratio, high: ratio };
    }
    let degrees = variance.powi(2)
        / (before.of_mean().powi(2) / (before.count - 1.0) + after.of_mean().powi(2) / (after.count - 1.0));
    let margin = students_t(degrees, confidence) * variance.sqrt();
    Interval { ratio: difference.exp(), low: (difference - margin).exp(), high: (difference + margin).exp() }
}

/// A sample's logarithms.
struct Logarithms {
    count: f64,
    mean: f64,
    variance: f64,
}

impl Logarithms {
    #[expect(clippy::cast_precision_loss, reason = "runs are few")]
    fn new(values: &[f64]) -> Self {
        let count = values.len() as f64;
        let mean = values.iter().map(|value| value.ln()).sum::<f64>() / count;
        let variance = values.iter().map(|value| (value.ln() - mean).powi(2)).sum::<f64>() / (count - 1.0);
        Self { count, mean, variance }
    }

    /// The mean's variance.
    fn of_mean(&self) -> f64 {
        self.variance / self.count
    }
}

/// The absolute value that Student's t with at least 1 degree of freedom exceeds with the probability 1 − `confidence`.
///
/// With t = √degrees · tan(angle), the density is proportional to cos(angle)^(degrees − 1). It is summed up to the
/// confidence.
fn students_t(degrees: f64, confidence: f64) -> f64 {
    const STEPS: u32 = 2_000;
    let step = std::f64::consts::FRAC_PI_2 / f64::from(STEPS);
    let density = |index: u32| ((f64::from(index) + 0.5) * step).cos().powf(degrees - 1.0);
    let wanted = confidence * (0..STEPS).map(density).sum::<f64>();
    let mut sum = 0.0;
    for index in 0..STEPS {
        let next = sum + density(index);
        if next >= wanted {
            let angle = (f64::from(index) + (wanted - sum) / (next - sum)) * step;
            return degrees.sqrt() * angle.tan();
        }
        sum = next;
    }
    f64::INFINITY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn students_t_matches_published_tables() {
        // Source: NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, critical values of Student's t distribution.
        for (degrees, confidence, expected) in [
            (1.0, 0.90, 6.314),
            (2.0, 0.95, 4.303),
            (4.0, 0.99, 4.604),
            (8.0, 0.95, 2.306),
            (18.0, 0.998, 3.610),
            (100.0, 0.95, 1.984),
        ] {
            let t = students_t(degrees, confidence);

            assert!((t - expected).abs() < 0.002, "{degrees} {confidence}: {t}");
        }
    }

    #[test]
    fn the_interval_of_two_small_samples_matches_welch() {
        let before = [0.0_f64, 1.0, 2.0].map(f64::exp);
        let after = [2.0_f64, 4.0, 6.0].map(f64::exp);

        let interval = ratio(&before, &after, 0.95);

        // Means 1 and 4, variances 1 and 4: the standard error is √(5/3), with 2.941 degrees of freedom, t = 3.218.
        let margin = 3.218 * (5.0_f64 / 3.0).sqrt();
        for (found, expected) in [(interval.ratio, 3.0), (interval.low, 3.0 - margin), (interval.high, 3.0 + margin)] {
            assert!((found.ln() - expected).abs() < 0.01, "{interval:?}");
        }
    }

    #[test]
    fn constant_samples_have_an_interval_of_zero_width() {
        assert_eq!(ratio(&[2.0; 3], &[4.0; 3], 0.95), Interval { ratio: 2.0, low: 2.0, high: 2.0 });
    }
}
