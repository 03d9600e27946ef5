//! The load: which orders are due when, fixed beforehand.

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
pub(crate) use phase::{Extent, PhaseArrivals};
pub(crate) use replay::read as replay;
pub(crate) use schedule::{Shape, schedule};
pub(crate) use turns::Turns;

use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// Due time, in microseconds since the start.
    pub(crate) at_us: u64,
    /// Number of the order, from 0. Two arrivals with the same number are one request, sent twice.
    pub(crate) order: u32,
    pub(crate) content: Content,
}

impl Arrival {
    pub(crate) fn at(self) -> Duration {
        Duration::from_micros(self.at_us)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// One of the workload's bodies.
    Order(u32),
    /// An order with an unknown currency: the schema accepts it, the domain does not.
    Invalid,
    /// A body that is not JSON.
    Undecodable,
}

const INVALID: &str = r#"{"currency":"ZZZ","items":[{"sku":"POISON","quantity":1,"unitPriceMinor":1}]}"#;

pub(crate) const UNDECODABLE: &str = "twolane compare: not an order";

pub(crate) const SAMPLE: &str = r#"{"currency":"EUR","items":[{"sku":"SKU-1","quantity":2,"unitPriceMinor":1999},{"sku":"SKU-2","quantity":1,"unitPriceMinor":499}],"note":"Placed by twolane compare"}"#;

#[derive(Clone, Debug, Default)]
pub(crate) struct Workload {
    pub(crate) arrivals: Vec<Arrival>,
    /// Number of orders, without repeats.
    pub(crate) orders: u32,
    pub(crate) bodies: Vec<Box<str>>,
    /// Warm-up: earlier arrivals do not count.
    pub(crate) warm_up: Duration,
    pub(crate) turns: Turns,
}

impl Workload {
    pub(crate) fn body(&self, content: Content) -> &str {
        match content {
            Content::Order(number) => &self.bodies[number as usize],
            Content::Invalid => INVALID,
            Content::Undecodable => UNDECODABLE,
        }
    }

    /// `None` if a body is not an order.
    pub(crate) fn ordered_bodies(&self) -> Vec<Option<Ordered>> {
        self.bodies.iter().map(|body| Ordered::read(body)).collect()
    }

    /// `None` for poison.
    pub(crate) fn ordered_in(bodies: &[Option<Ordered>], content: Content) -> Option<&Ordered> {
        match content {
            Content::Order(number) => bodies[number as usize].as_ref(),
            Content::Invalid | Content::Undecodable => None,
        }
    }

    pub(crate) fn counts(&self, arrival: Arrival) -> bool {
        arrival.at() >= self.warm_up
    }

    pub(crate) fn counted(&self) -> impl Iterator<Item = Arrival> {
        self.arrivals.iter().copied().filter(|arrival| self.counts(*arrival))
    }
}
