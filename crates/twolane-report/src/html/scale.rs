//! Axes: positions of values, and ticks.

/// In the drawing's units.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    from: f64,
    to: f64,
    start: f64,
    end: f64,
    log: bool,
}

impl Scale {
    /// From 0 to the value, or slightly more for a round last tick.
    pub(super) fn linear(most: f64, start: f64, end: f64) -> Self {
        let most = drawable(most);
        let step = step(most, 4.0);
        Self { from: 0.0, to: (most / step).ceil() * step, start, end, log: false }
    }

    /// From 0 to exactly the value.
    pub(super) fn exact(most: f64, start: f64, end: f64) -> Self {
        Self { from: 0.0, to: drawable(most), start, end, log: false }
    }

    /// Between two values above 0, widened to steps of 1, 2 and 5 for a tick at each end.
    pub(super) fn log(least: f64, most: f64, start: f64, end: f64) -> Self {
        let least = least.clamp(0.001, 1e9);
        let most = most.clamp(least, 1e9);
        let (from, to) = (below(least), above(most));
        let to = if to <= from { from * 10.0 } else { to };
        Self { from, to, start, end, log: true }
    }

    /// Limited to the ends.
    pub(super) fn at(&self, value: f64) -> f64 {
        let value = value.clamp(self.from, self.to);
        let share = if self.log {
            (value / self.from).ln() / (self.to / self.from).ln()
        } else {
            (value - self.from) / (self.to - self.from)
        };
        self.start + share * (self.end - self.start)
    }

    /// About `about` values.
    pub(super) fn ticks(&self, about: f64) -> Vec<f64> {
        if self.log {
            return self.log_ticks(about);
        }
        let step = step(self.to, about);
        let mut ticks = vec![0.0];
        while let Some(next) = ticks.last().map(|last| last + step).filter(|next| *next <= self.to * 1.000_001) {
            ticks.push(next);
        }
        ticks
    }

    fn log_ticks(&self, about: f64) -> Vec<f64> {
        let decades = (self.to / self.from).log10();
        let digits: &[f64] = if decades <= about / 3.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let marks = (-3..=9).flat_map(|power| digits.iter().map(move |digit| digit * 10_f64.powi(power)));
        let inside = marks.filter(|mark| *mark >= self.from * 0.999 && *mark <= self.to * 1.001);
        // Too many decades for a tick each: skip some.
        let every = (1..12_u8).find(|every| decades <= about * f64::from(*every)).unwrap_or(12);
        inside.step_by(every.into()).collect()
    }
}

/// To what an axis can end at.
fn drawable(most: f64) -> f64 {
    if most > 0.0 { most.clamp(1e-9, 1e15) } else { 1.0 }
}

/// 1, 2 or 5 times a power of ten, for about `about` parts.
fn step(most: f64, about: f64) -> f64 {
    let raw = most / about;
    let power = 10_f64.powf(raw.log10().floor());
    let digits = [1.0, 2.0, 5.0, 10.0];
    digits.into_iter().map(|digit| digit * power).find(|step| *step >= raw * 0.999_999).unwrap_or(power * 10.0)
}

fn below(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    [5.0, 2.0].into_iter().map(|digit| digit * power).find(|mark| *mark <= value).unwrap_or(power)
}

fn above(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0].into_iter().map(|digit| digit * power).find(|mark| *mark >= value).unwrap_or(power * 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_round_values() {
        let linear = Scale::linear(98.0, 0.0, 100.0);
        let log = Scale::log(7.3, 900.0, 0.0, 100.0);

        assert_eq!(linear.ticks(4.0), [0.0, 50.0, 100.0]);
        assert_eq!(log.ticks(8.0), [5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0]);
        assert_eq!(log.ticks(4.0), [10.0, 100.0, 1000.0]);
        assert_eq!(Scale::log(1.0, 1e6, 0.0, 100.0).ticks(4.0), [1.0, 100.0, 10_000.0, 1_000_000.0]);
    }

    #[test]
    fn places_values_between_the_ends() {
        let log = Scale::log(1.0, 100.0, 0.0, 100.0);

        assert!((log.at(10.0) - 50.0).abs() < 1e-9);
        assert!((log.at(0.0) - 0.0).abs() < 1e-9);
        assert!((Scale::exact(10.0, 100.0, 0.0).at(5.0) - 50.0).abs() < 1e-9);
    }

    #[test]
    fn zero_and_extreme_values_have_positions() {
        let nothing = [Scale::linear(0.0, 0.0, 1.0), Scale::exact(0.0, 0.0, 1.0), Scale::log(0.0, 0.0, 0.0, 1.0)];
        let absurd = [f64::MAX, f64::MIN_POSITIVE, -1.0].map(|most| {
            [Scale::linear(most, 0.0, 1.0), Scale::exact(most, 0.0, 1.0), Scale::log(most, most, 0.0, 1.0)]
        });
        for scale in absurd.into_iter().flatten().chain(nothing) {
            assert!(scale.at(0.0).is_finite() && scale.at(f64::MAX).is_finite(), "{scale:?}");
            assert!(scale.ticks(4.0).len() < 20);
        }
    }
}
