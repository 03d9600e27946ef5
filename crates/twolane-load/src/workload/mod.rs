//! The load: which orders are due when, fixed before the first one is sent.

mod mix;
mod order_ids;
mod ordered;
mod phase;
mod replay;
mod schedule;
mod turns;

pub(crate) use mix::{Mix, mixed};
pub(crate) use order_ids::OrderIds;
pub(crate) use ordered::Ordered;
pub use phase::{ArrivalDistribution, Phase};
pub(crate) use phase::{Extent, Orders};
pub(crate) use replay::read as replay;
pub(crate) use schedule::{Shape, schedule};
pub(crate) use turns::Turns;

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
    /// How the owners share the orders.
    pub(crate) turns: Turns,
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

    /// Whether an arrival counts in the figures.
    pub(crate) fn counts(&self, arrival: Arrival) -> bool {
        arrival.at() >= self.warm_up
    }

    /// Those that count in the figures.
    pub(crate) fn counted(&self) -> impl Iterator<Item = Arrival> {
        self.arrivals.iter().copied().filter(|arrival| self.counts(*arrival))
    }
}
