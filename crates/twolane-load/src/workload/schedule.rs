//! Computes the due times of orders.

use super::phase::{ArrivalDistribution, Extent, Phase, PhaseArrivals};
use std::time::Duration;

const SECOND_US: f64 = 1_000_000.0;

/// Part of each second in which a burst's orders arrive. Orders due at one moment could not be sent on time, and their
/// delay would be the generator's fault.
const VOLLEY: f64 = 0.25;

/// Steps from the first rate to the last.
const STEPS: u8 = 5;

#[derive(Clone, Debug)]
pub(crate) struct Shape {
    /// Evenly spaced before the phases, at the rate of the first one; not counted as orders.
    pub(crate) warm_up: Duration,
    /// In order; at least one has orders.
    pub(crate) phases: Vec<Phase>,
}

impl Shape {
    /// Approximate number, warm-up included; random arrivals vary.
    pub(crate) fn most_orders(&self) -> f64 {
        let orders: f64 = self.orders().map(|phase| phase.mean_rate() * phase.seconds()).sum();
        orders + self.warm_up_rate() * self.warm_up.as_secs_f64()
    }

    fn warm_up_rate(&self) -> f64 {
        self.orders().next().map_or(0.0, |phase| phase.rate)
    }

    fn orders(&self) -> impl Iterator<Item = &PhaseArrivals> {
        self.phases.iter().filter_map(|phase| if let Phase::Orders(orders) = phase { Some(orders) } else { None })
    }
}

impl PhaseArrivals {
    /// Mean orders per second of the phase.
    fn mean_rate(&self) -> f64 {
        self.rate
            * match self.distribution {
                ArrivalDistribution::Constant | ArrivalDistribution::Poisson => 1.0,
                // The rate for two thirds of the time, the peak rate for one.
                ArrivalDistribution::Burst => (2.0 + self.peak) / 3.0,
                ArrivalDistribution::Ramp | ArrivalDistribution::Steps => f64::midpoint(1.0, self.peak),
            }
    }

    fn seconds(&self) -> f64 {
        match self.extent {
            Extent::Duration(duration) => duration.as_secs_f64(),
            Extent::Orders(orders) => f64::from(orders) / self.mean_rate(),
        }
    }

    /// Seconds since the phase's start at which orders are due, ascending.
    fn due(&self, random: &mut fastrand::Rng) -> Vec<f64> {
        let seconds = self.seconds();
        let mut due: Vec<f64> = match self.distribution {
            ArrivalDistribution::Constant => evenly(self.rate, seconds).collect(),
            ArrivalDistribution::Poisson => return self.poisson(random),
            ArrivalDistribution::Burst => self.burst(seconds),
            ArrivalDistribution::Ramp => self.ramp(seconds),
            ArrivalDistribution::Steps => self.steps(seconds),
        };
        // Rounding may add or drop one order.
        if let Extent::Orders(orders) = self.extent {
            due.resize(orders as usize, due.last().copied().unwrap_or_default());
        }
        due
    }

    fn poisson(&self, random: &mut fastrand::Rng) -> Vec<f64> {
        let mut due = Vec::new();
        let mut at = 0.0;
        let is_enough = |due: &Vec<f64>, at: f64| match self.extent {
            Extent::Duration(duration) => at >= duration.as_secs_f64(),
            Extent::Orders(orders) => due.len() >= orders as usize,
        };
        loop {
            // Gaps between independent arrivals have an exponential distribution; 1 - f64() is never 0.
            at += -(1.0 - random.f64()).ln() / self.rate;
            if is_enough(&due, at) {
                return due;
            }
            due.push(at);
        }
    }

    /// The rate in the first and the last third. In the middle third, each second's orders arrive in its first quarter.
    fn burst(&self, seconds: f64) -> Vec<f64> {
        let third = seconds / 3.0;
        let calm = |number: f64| evenly(self.rate, third).map(move |at| number * third + at);
        let together = self.rate * self.peak;
        let mut due = 0.0;
        let volleys = (0_u32..).map(f64::from).take_while(|second| *second < third).flat_map(|second| {
            let before = due;
            // A partial last second has a smaller volley.
            due += together * (third - second).min(1.0);
            let orders = whole(before)..whole(due);
            let volley = evenly(together / VOLLEY, f64::INFINITY).take(orders.count());
            volley.map(move |at| third + second + at).collect::<Vec<_>>()
        });
        let volleys: Vec<f64> = volleys.collect();
        calm(0.0).chain(volleys).chain(calm(2.0)).collect()
    }

    /// After t seconds, rate × t + slope × t² ÷ 2 orders have arrived: this solves it for t.
    fn ramp(&self, seconds: f64) -> Vec<f64> {
        let slope = self.rate * (self.peak - 1.0) / seconds;
        if slope.abs() < f64::EPSILON {
            return evenly(self.rate, seconds).collect();
        }
        let due = |order: u32| {
            let rate = (self.rate * self.rate + 2.0 * slope * f64::from(order)).max(0.0).sqrt();
            (rate - self.rate) / slope
        };
        let orders = whole(self.mean_rate() * seconds);
        (0_u32..).map_while(|order| (u64::from(order) < orders).then(|| due(order))).collect()
    }

    fn steps(&self, seconds: f64) -> Vec<f64> {
        let length = seconds / f64::from(STEPS);
        let step = |number: u8| {
            let rise = (self.peak - 1.0) * f64::from(number) / f64::from(STEPS - 1);
            evenly(self.rate * (1.0 + rise), length).map(move |at| f64::from(number) * length + at)
        };
        (0..STEPS).flat_map(step).collect()
    }
}

/// Due times in microseconds since the start, ascending. The warm-up's come first, before [`Shape::warm_up`].
pub(crate) fn schedule(shape: &Shape, random: &mut fastrand::Rng) -> Vec<u64> {
    let mut start = shape.warm_up.as_secs_f64();
    let mut due: Vec<f64> = evenly(shape.warm_up_rate(), start).collect();
    for phase in &shape.phases {
        match phase {
            Phase::Pause(duration) => start += duration.as_secs_f64(),
            Phase::Orders(orders) => {
                due.extend(orders.due(random).into_iter().map(|at| start + at));
                // A given number of random arrivals may take longer.
                start = (start + orders.seconds()).max(due.last().copied().unwrap_or_default());
            }
        }
    }
    due.into_iter().map(|at| whole(at * SECOND_US)).collect()
}

/// Due times in seconds, from 0.
fn evenly(rate: f64, seconds: f64) -> impl Iterator<Item = f64> {
    (0_u32..).map(move |number| f64::from(number) / rate).take_while(move |at| *at < seconds)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "never negative, and below days in microseconds"
)]
fn whole(number: f64) -> u64 {
    number.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [ArrivalDistribution; 5] = [
        ArrivalDistribution::Constant,
        ArrivalDistribution::Poisson,
        ArrivalDistribution::Burst,
        ArrivalDistribution::Ramp,
        ArrivalDistribution::Steps,
    ];

    fn phase(distribution: ArrivalDistribution, rate: f64, extent: Extent) -> Phase {
        Phase::Orders(PhaseArrivals { distribution, rate, peak: 10.0, extent })
    }

    fn seconds(duration: u64) -> Extent {
        Extent::Duration(Duration::from_secs(duration))
    }

    fn made(phases: &[Phase]) -> Vec<u64> {
        let shape = Shape { warm_up: Duration::ZERO, phases: phases.to_vec() };
        schedule(&shape, &mut fastrand::Rng::with_seed(7))
    }

    #[test]
    fn spaces_constant_arrivals_evenly() {
        let times = made(&[phase(ArrivalDistribution::Constant, 4.0, seconds(1))]);

        assert_eq!(times, [0, 250_000, 500_000, 750_000]);
    }

    #[test]
    fn in_the_middle_third_of_a_burst_orders_arrive_in_the_first_quarter_of_each_second() {
        let times = made(&[phase(ArrivalDistribution::Burst, 2.0, seconds(6))]);

        let calm = [0, 500_000, 1_000_000, 1_500_000].to_vec();
        let volley = |second: u64| (0..20).map(move |number| second * 1_000_000 + number * 12_500);
        let volleys = volley(2).chain(volley(3));
        let later = calm.iter().map(|at| at + 4_000_000);
        assert_eq!(times, calm.iter().copied().chain(volleys).chain(later).collect::<Vec<_>>());
    }

    #[test]
    fn a_ramp_has_the_first_rate_at_its_start_and_the_peak_rate_at_its_end() {
        let times = made(&[phase(ArrivalDistribution::Ramp, 10.0, seconds(100))]);

        // 10/s at the start and 100/s at the end are 55/s on average. The gaps match the rates within a tenth.
        assert_eq!(times.len(), 5500);
        let gap = |pair: &[u64]| pair[1] - pair[0];
        assert!((90_000..=100_000).contains(&gap(&times[..2])), "{:?}", &times[..2]);
        assert!((10_000..=11_000).contains(&gap(&times[5498..])), "{:?}", &times[5498..]);
    }

    #[test]
    fn steps_rise_by_the_same_rate() {
        let times = made(&[phase(ArrivalDistribution::Steps, 4.0, seconds(5))]);

        let of_second = |second: u64| times.iter().filter(|at| **at / 1_000_000 == second).count();
        assert_eq!([0, 1, 2, 3, 4].map(of_second), [4, 13, 22, 31, 40]);
    }

    #[test]
    fn phases_follow_each_other_and_a_pause_has_no_orders() {
        let times = made(&[
            phase(ArrivalDistribution::Constant, 2.0, seconds(1)),
            Phase::Pause(Duration::from_secs(3)),
            phase(ArrivalDistribution::Constant, 1.0, Extent::Orders(2)),
        ]);

        assert_eq!(times, [0, 500_000, 4_000_000, 5_000_000]);
    }

    #[test]
    fn poisson_arrivals_have_the_rate_and_exponential_gaps() {
        let times = made(&[phase(ArrivalDistribution::Poisson, 100.0, seconds(100))]);

        let gaps: Vec<f64> =
            times.windows(2).map(|pair| Duration::from_micros(pair[1] - pair[0]).as_secs_f64()).collect();
        let mean = |values: &[f64]| values.iter().sum::<f64>() / f64::from(u32::try_from(values.len()).expect("few"));
        let (mean, squares) = (mean(&gaps), mean(&gaps.iter().map(|gap| gap * gap).collect::<Vec<_>>()));
        let deviation = (squares - mean * mean).sqrt();
        // Four standard deviations of 10 000 arrivals; an exponential distribution's deviation is its mean.
        assert!((9_600..=10_400).contains(&times.len()), "{}", times.len());
        assert!((0.95..1.05).contains(&(deviation / mean)), "{deviation} {mean}");
    }

    #[test]
    fn the_seed_determines_the_schedule() {
        let shape =
            Shape { warm_up: Duration::ZERO, phases: vec![phase(ArrivalDistribution::Poisson, 9.0, seconds(9))] };
        let poisson = |seed| schedule(&shape, &mut fastrand::Rng::with_seed(seed));

        assert_eq!(poisson(1), poisson(1));
        assert_ne!(poisson(1), poisson(2));
    }

    #[test]
    fn the_warm_up_precedes_the_orders_and_is_not_counted() {
        let phases = vec![phase(ArrivalDistribution::Poisson, 5.0, Extent::Orders(30))];
        let shape = Shape { warm_up: Duration::from_secs(2), phases };

        let times = schedule(&shape, &mut fastrand::Rng::with_seed(7));

        assert_eq!(times.iter().filter(|at| **at < 2_000_000).count(), 10);
        assert_eq!(times.len(), 40);
    }

    proptest! {
        #[test]
        fn has_the_requested_number_of_orders_in_order(
            rate in 0.1..1000.0_f64, peak in 0.1..20.0_f64, orders in 1..2000_u32, distribution in prop::sample::select(ALL.as_slice())
        ) {
            let times = made(&[Phase::Orders(PhaseArrivals { distribution, rate, peak, extent: Extent::Orders(orders) })]);

            prop_assert_eq!(times.len(), orders as usize);
            prop_assert!(times.is_sorted());
        }

        #[test]
        fn has_the_mean_rate_over_its_time(
            rate in 1.0..500.0_f64, peak in 0.1..20.0_f64, seconds in 1..60_u64,
            distribution in prop::sample::select(vec![ArrivalDistribution::Constant, ArrivalDistribution::Burst, ArrivalDistribution::Ramp, ArrivalDistribution::Steps])
        ) {
            let orders = PhaseArrivals { distribution, rate, peak, extent: Extent::Duration(Duration::from_secs(seconds)) };
            let times = made(&[Phase::Orders(orders)]);

            // Each part rounds up to a whole order.
            let expected = orders.mean_rate() * orders.seconds();
            let found = f64::from(u32::try_from(times.len()).expect("few"));
            prop_assert!((found - expected).abs() <= f64::from(STEPS), "{found} instead of {expected}");
        }
    }
}
