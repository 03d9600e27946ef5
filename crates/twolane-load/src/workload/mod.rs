//! The load: which orders are due when, fixed before the first one is sent.

mod mix;
mod order_ids;
mod ordered;
mod replay;
mod schedule;

pub(crate) use mix::{Mix, mixed};
pub(crate) use order_ids::OrderIds;
pub(crate) use ordered::Ordered;
pub(crate) use replay::read as replay;
pub use schedule::Phase;
pub(crate) use schedule::{Extent, Orders, Shape, schedule};

use std::time::Duration;

/// A request that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// Microseconds since the start.
    pub(crate) at_us: u64,
    /// Number of the order, from 0. Two arrivals of one order are the same request, sent twice.
    pub(crate) order: u32,
    /// Which of the bodies is sent.
    pub(crate) content: Content,
}

impl Arrival {
    /// Since the start.
    pub(crate) fn at(self) -> Duration {
        Duration::from_micros(self.at_us)
    }
}

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// One of the workload's bodies.
    Order(u32),
    /// An order of a currency that there is not: the schema takes it, the domain does not.
    Invalid,
    /// Nothing that is JSON.
    Undecodable,
}

/// What is sent for [`Content::Invalid`].
const INVALID: &str = r#"{"currency":"ZZZ","items":[{"sku":"POISON","quantity":1,"unitPriceMinor":1}]}"#;

/// What is sent for [`Content::Undecodable`].
pub(crate) const UNDECODABLE: &str = "twolane compare: not an order";

/// The sample order.
pub(crate) const SAMPLE: &str = r#"{"currency":"EUR","items":[{"sku":"SKU-1","quantity":2,"unitPriceMinor":1999},{"sku":"SKU-2","quantity":1,"unitPriceMinor":499}],"note":"Placed by twolane compare"}"#;

/// Everything that is sent to one lane.
#[derive(Clone, Debug, Default)]
pub(crate) struct Workload {
    /// In the order in which they are due.
    pub(crate) arrivals: Vec<Arrival>,
    /// How many different orders there are.
    pub(crate) orders: u32,
    /// Bodies of orders.
    pub(crate) bodies: Vec<Box<str>>,
    /// Arrivals before this time warm the stack up and count in no figure.
    pub(crate) warm_up: Duration,
    /// Per cent of the orders that are the first owner's; 0 where all owners take turns.
    pub(crate) noisy_percent: f64,
}

impl Workload {
    /// The body of a request.
    pub(crate) fn body(&self, content: Content) -> &str {
        match content {
            Content::Order(number) => &self.bodies[number as usize],
            Content::Invalid => INVALID,
            Content::Undecodable => UNDECODABLE,
        }
    }

    /// What each of the bodies says that it takes; nothing where it is not an order.
    pub(crate) fn ordered_bodies(&self) -> Vec<Option<Ordered>> {
        self.bodies.iter().map(|body| Ordered::read(body)).collect()
    }

    /// What a request's order takes, by what its body says; nothing where no lane takes it.
    pub(crate) fn ordered_in(bodies: &[Option<Ordered>], content: Content) -> Option<&Ordered> {
        match content {
            Content::Order(number) => bodies[number as usize].as_ref(),
            Content::Invalid | Content::Undecodable => None,
        }
    }

    /// Which of that many owners places an order, from 0.
    pub(crate) fn owner(&self, order: u32, owners: usize) -> usize {
        let (number, noisy) = (order as usize, self.noisy_before(order));
        if self.noisy_percent == 0.0 || owners == 1 {
            number % owners
        } else if self.is_noisy(order) {
            0
        } else {
            // The others take turns.
            1 + (number - noisy) % (owners - 1)
        }
    }

    /// Whether an order is the noisy owner's.
    pub(crate) fn is_noisy(&self, order: u32) -> bool {
        self.noisy_before(order + 1) > self.noisy_before(order)
    }

    /// How many of the first orders are the noisy owner's: they are spread evenly.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of the number of orders")]
    fn noisy_before(&self, order: u32) -> usize {
        (f64::from(order) * self.noisy_percent / 100.0) as usize
    }

    /// Whether an arrival counts in the figures.
    pub(crate) fn counts(&self, arrival: Arrival) -> bool {
        arrival.at() >= self.warm_up
    }

    /// Those that count in the figures.
    pub(crate) fn counted(&self) -> impl Iterator<Item = Arrival> {
        self.arrivals.iter().copied().filter(|arrival| self.counts(*arrival))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owners_of(noisy_percent: f64, owners: usize) -> Vec<usize> {
        let workload = Workload { noisy_percent, ..Workload::default() };
        (0..20).map(|order| workload.owner(order, owners)).collect()
    }

    #[test]
    fn owners_take_turns() {
        assert_eq!(owners_of(0.0, 3)[..7], [0, 1, 2, 0, 1, 2, 0]);
    }

    #[test]
    fn a_noisy_owner_places_a_share_of_the_orders_and_the_others_take_turns() {
        assert_eq!(owners_of(80.0, 3)[..10], [1, 0, 0, 0, 0, 2, 0, 0, 0, 0]);
        assert_eq!(owners_of(100.0, 3), [0; 20]);
        assert_eq!(owners_of(80.0, 1), [0; 20]);
    }
}
