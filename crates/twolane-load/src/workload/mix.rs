//! What is mixed into the load: poison and repeats.

use super::{Arrival, Content, Turns, Workload};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mix {
    None,
    /// Per cent of orders: half invalid, half undecodable.
    Poison(f64),
    /// Per cent of orders, sent twice at the same moment.
    Twice(f64),
    /// Per cent of orders that belong to one owner.
    NoisyOwner(u8),
}

/// The workload with these due times; bodies take turns. Nothing is mixed into the warm-up.
pub(crate) fn mixed(
    times: &[u64],
    bodies: Vec<Box<str>>,
    mix: Mix,
    warm_up: Duration,
    random: &mut fastrand::Rng,
) -> Workload {
    let turns = if let Mix::NoisyOwner(percent) = mix { Turns::noisy(percent) } else { Turns::default() };
    let mut workload = Workload { bodies, warm_up, turns, ..Workload::default() };
    let mut poisoned = 0_u32;
    for at_us in times.iter().copied() {
        let order = workload.orders;
        workload.orders += 1;
        let bodies = u32::try_from(workload.bodies.len()).expect("a file has fewer lines");
        let mut arrival = Arrival { at_us, order, content: Content::Order(order % bodies) };
        let mut strikes = |percent: f64| workload.counts(arrival) && random.f64() * 100.0 < percent;
        match mix {
            Mix::Poison(percent) if strikes(percent) => {
                arrival.content = if poisoned.is_multiple_of(2) { Content::Invalid } else { Content::Undecodable };
                poisoned += 1;
            }
            Mix::Twice(percent) if strikes(percent) => workload.arrivals.push(arrival),
            _ => {}
        }
        workload.arrivals.push(arrival);
    }
    workload
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(mix: Mix) -> Workload {
        let times: Vec<u64> = (0..1000).map(|number| number * 1000).collect();
        mixed(&times, vec!["{}".into(), "[]".into()], mix, Duration::from_millis(500), &mut fastrand::Rng::with_seed(1))
    }

    fn count(workload: &Workload, wanted: impl Fn(Content) -> bool) -> usize {
        workload.arrivals.iter().filter(|arrival| wanted(arrival.content)).count()
    }

    #[test]
    fn poison_has_both_kinds_and_starts_after_the_warm_up() {
        let workload = made(Mix::Poison(100.0));

        assert_eq!(count(&workload, |content| content == Content::Invalid), 250);
        assert_eq!(count(&workload, |content| content == Content::Undecodable), 250);
        assert!(workload.arrivals[..500].iter().all(|arrival| matches!(arrival.content, Content::Order(_))));
    }

    #[test]
    fn a_repeat_is_the_same_order() {
        let workload = made(Mix::Twice(100.0));

        assert_eq!((workload.arrivals.len(), workload.orders), (1500, 1000));
        assert_eq!(workload.arrivals[500], workload.arrivals[501]);
    }

    #[test]
    fn bodies_take_turns() {
        let workload = made(Mix::None);

        assert_eq!(count(&workload, |content| content == Content::Order(1)), 500);
        assert_eq!(workload.counted().count(), 500);
    }
}
