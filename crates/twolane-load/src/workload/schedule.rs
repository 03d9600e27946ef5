//! When orders are due.

use crate::settings::Law;
use std::time::Duration;

const SECOND_US: f64 = 1_000_000.0;

/// Within what part of each second the orders of a burst come. At one moment they could not be sent, and all that were
/// late would be the generator's fault.
const VOLLEY: f64 = 0.25;

/// What a schedule is made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// How arrivals are spread.
    pub(crate) law: Law,
    /// Orders per second, more than 0.
    pub(crate) rate: f64,
    /// How many orders, or for how long.
    pub(crate) extent: Extent,
    /// How many times the rate comes in the middle third of a burst.
    pub(crate) peak: f64,
    /// Of evenly spaced load before it, not among its orders.
    pub(crate) warm_up: Duration,
}

impl Shape {
    /// About how many orders are due, warm-up included; somewhat more or fewer where arrivals are random.
    pub(crate) fn most_orders(&self) -> f64 {
        let orders = match self.extent {
            Extent::Orders(orders) => f64::from(orders),
            Extent::Duration(duration) if self.law == Law::Burst => {
                self.rate * duration.as_secs_f64() * (2.0 + self.peak) / 3.0
            }
            Extent::Duration(duration) => self.rate * duration.as_secs_f64(),
        };
        orders + self.rate * self.warm_up.as_secs_f64()
    }
}

/// How much.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Extent {
    /// As many as are due in that time.
    Duration(Duration),
    /// So many.
    Orders(u32),
}

/// Due times in microseconds since the start, ascending. The warm-up's come first, all before [`Shape::warm_up`].
pub(crate) fn schedule(shape: Shape, random: &mut fastrand::Rng) -> Vec<u64> {
    let warm_up = shape.warm_up.as_secs_f64();
    let mut times: Vec<f64> = evenly(0.0, shape.rate, warm_up).collect();
    let duration = match shape.extent {
        Extent::Duration(duration) => duration.as_secs_f64(),
        // A burst has its rate for two thirds of the time and many times as much in one.
        Extent::Orders(orders) if shape.law == Law::Burst => {
            f64::from(orders) / shape.rate / ((2.0 + shape.peak) / 3.0)
        }
        Extent::Orders(orders) => f64::from(orders) / shape.rate,
    };
    let before = times.len();
    match shape.law {
        Law::Constant => times.extend(evenly(warm_up, shape.rate, duration)),
        Law::Poisson => times.extend(poisson(warm_up, shape, duration, random)),
        Law::Burst => times.extend(burst(warm_up, shape, duration)),
    }
    if let Extent::Orders(orders) = shape.extent {
        let last = times.last().copied().unwrap_or(warm_up);
        times.resize(before + orders as usize, last);
    }
    times.into_iter().map(microseconds).collect()
}

fn evenly(start: f64, rate: f64, duration: f64) -> impl Iterator<Item = f64> {
    (0_u32..).map(move |number| f64::from(number) / rate).take_while(move |at| *at < duration).map(move |at| start + at)
}

fn poisson(start: f64, shape: Shape, duration: f64, random: &mut fastrand::Rng) -> Vec<f64> {
    let mut times = Vec::new();
    let mut at = start;
    let is_enough = |times: &Vec<f64>, at: f64| match shape.extent {
        Extent::Duration(_) => at >= start + duration,
        Extent::Orders(orders) => times.len() >= orders as usize,
    };
    loop {
        // The gaps between independent arrivals are distributed exponentially; 1 - f64() is never 0.
        at += -(1.0 - random.f64()).ln() / shape.rate;
        if is_enough(&times, at) {
            return times;
        }
        times.push(at);
    }
}

/// The rate in the first and the last third; in between, each second's many orders in its first quarter.
fn burst(start: f64, shape: Shape, duration: f64) -> Vec<f64> {
    let third = duration / 3.0;
    let calm = |number: f64| evenly(start + number * third, shape.rate, third);
    let together = shape.rate * shape.peak;
    let mut due = 0.0;
    let volleys = (0_u32..).map(f64::from).take_while(|second| *second < third).flat_map(|second| {
        let before = due;
        // What is left of the last second is a smaller volley.
        due += together * (third - second).min(1.0);
        let orders = whole(before)..whole(due);
        evenly(start + third + second, together / VOLLEY, f64::INFINITY).take(orders.count()).collect::<Vec<_>>()
    });
    let volleys: Vec<f64> = volleys.collect();
    calm(0.0).chain(volleys).chain(calm(2.0)).collect()
}

fn microseconds(seconds: f64) -> u64 {
    whole(seconds * SECOND_US)
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

    fn shape(law: Law, rate: f64, extent: Extent) -> Shape {
        Shape { law, rate, extent, peak: 10.0, warm_up: Duration::ZERO }
    }

    fn seconds(duration: u64) -> Extent {
        Extent::Duration(Duration::from_secs(duration))
    }

    fn made(shape: Shape) -> Vec<u64> {
        schedule(shape, &mut fastrand::Rng::with_seed(7))
    }

    #[test]
    fn spaces_constant_arrivals_evenly() {
        assert_eq!(made(shape(Law::Constant, 4.0, seconds(1))), [0, 250_000, 500_000, 750_000]);
    }

    #[test]
    fn a_burst_brings_each_second_s_orders_of_its_middle_third_in_its_first_quarter() {
        let times = made(shape(Law::Burst, 2.0, seconds(6)));

        let calm = [0, 500_000, 1_000_000, 1_500_000].to_vec();
        let volley = |second: u64| (0..20).map(move |number| second * 1_000_000 + number * 12_500);
        let volleys = volley(2).chain(volley(3));
        let later = calm.iter().map(|at| at + 4_000_000);
        assert_eq!(times, calm.iter().copied().chain(volleys).chain(later).collect::<Vec<_>>());
    }

    #[test]
    fn poisson_arrivals_have_the_rate_and_gaps_like_those_of_independent_callers() {
        let times = made(shape(Law::Poisson, 100.0, seconds(100)));

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
    fn the_seed_decides() {
        let poisson = |seed| schedule(shape(Law::Poisson, 9.0, seconds(9)), &mut fastrand::Rng::with_seed(seed));

        assert_eq!(poisson(1), poisson(1));
        assert_ne!(poisson(1), poisson(2));
    }

    #[test]
    fn the_warm_up_comes_before_and_is_not_among_the_orders() {
        let warm_up = Duration::from_secs(2);
        let times = made(Shape { warm_up, ..shape(Law::Poisson, 5.0, Extent::Orders(30)) });

        assert_eq!(times.iter().filter(|at| **at < 2_000_000).count(), 10);
        assert_eq!(times.len(), 40);
    }

    proptest! {
        #[test]
        fn has_as_many_orders_as_asked_for_in_order(
            rate in 0.1..1000.0_f64, orders in 1..2000_u32, law in prop::sample::select(vec![Law::Constant, Law::Poisson, Law::Burst])
        ) {
            let times = made(shape(law, rate, Extent::Orders(orders)));

            prop_assert_eq!(times.len(), orders as usize);
            prop_assert!(times.is_sorted());
        }
    }
}
