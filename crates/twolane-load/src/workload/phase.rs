//! Phases of the load, and how orders arrive in them.

use serde::Deserialize;
use std::time::Duration;

/// A phase of the load.
#[derive(Clone, Copy, Debug)]
pub enum Phase {
    /// No order arrives.
    Pause(Duration),
    /// Orders arrive.
    Orders(PhaseArrivals),
}

/// How the orders of a phase arrive.
#[derive(Clone, Copy, Debug)]
pub struct PhaseArrivals {
    pub(crate) distribution: ArrivalDistribution,
    /// Orders per second, more than 0.
    pub(crate) rate: f64,
    /// Highest rate of a burst, or last one of a ramp and of steps, as a multiple of the rate; more than 0.
    pub(crate) peak: f64,
    pub(crate) extent: Extent,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Extent {
    /// All orders due in this time.
    Duration(Duration),
    Orders(u32),
}

/// How arrivals are spread over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ArrivalDistribution {
    /// Evenly spaced.
    Constant,
    /// A Poisson process, as from many independent callers.
    Poisson,
    /// Evenly spaced, at the peak rate in the middle third. There, each second's orders arrive in its first 250 ms.
    Burst,
    /// At a rate that changes linearly to the peak rate.
    Ramp,
    /// At a rate that changes to the peak rate in five equal steps.
    Steps,
}
