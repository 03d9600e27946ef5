//! What became of the promises about a run.

use super::by_name;
use lanes::Lane;
use serde::{Deserialize, Serialize};

/// One promise about one lane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Judgement {
    /// As it was written, without spaces: `async.done.p99<2s`.
    pub promise: String,
    /// The lane that was measured.
    #[serde(with = "by_name")]
    pub lane: Lane,
    /// The lane's figure, in `unit`. `null` where the run does not have it: the promise is then broken.
    pub figure: Option<f64>,
    /// Unit of the figure.
    pub unit: Unit,
    /// Whether the figure is within the promise.
    pub kept: bool,
}

/// Unit of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Unit {
    /// A number of orders, requests or messages.
    Count,
    /// Per cent of the requests that were sent, or of the orders that were accepted.
    Percent,
    /// Milliseconds.
    Milliseconds,
    /// US dollars for a million orders.
    Usd,
}
