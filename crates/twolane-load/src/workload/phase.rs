//! Parts of the load's time, and how orders arrive in them.

use serde::Deserialize;
use std::time::Duration;

/// A part of the load's time.
#[derive(Clone, Copy, Debug)]
pub enum Phase {
    /// No order arrives.
    Pause(Duration),
    /// Orders arrive.
    Orders(Orders),
}

/// How the orders of a phase arrive.
#[derive(Clone, Copy, Debug)]
pub struct Orders {
    /// How arrivals are spread.
    pub(crate) arrivals: ArrivalDistribution,
    /// Orders per second, more than 0.
    pub(crate) rate: f64,
    /// The highest rate of a burst, or the last one of a ramp and of steps, as a multiple of the rate; more than 0.
    pub(crate) peak: f64,
    /// How many orders, or for how long.
    pub(crate) extent: Extent,
}

/// How much.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Extent {
    /// As many as are due in that time.
    Duration(Duration),
    /// So many.
    Orders(u32),
}

/// How arrivals are spread over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ArrivalDistribution {
    /// Evenly.
    Constant,
    /// Independently of each other, as from many callers.
    Poisson,
    /// Evenly, at the peak rate in the middle third of the time: there, each second's orders arrive in its first quarter.
    Burst,
    /// At a rate that changes evenly from the rate to the peak rate.
    Ramp,
    /// At a rate that changes from the rate to the peak rate in five equal steps.
    Steps,
}
