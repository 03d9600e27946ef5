//! Judgements: whether a run keeps its promises.

use super::by_name;
use lanes::Lane;
use serde::{Deserialize, Serialize};

/// One promise about one lane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Judgement {
    /// The promise as written, without spaces: `async.done.p99<2s`.
    pub promise: String,
    /// The measured lane.
    #[serde(with = "by_name")]
    pub lane: Lane,
    /// The lane's figure, in `unit`. `null` if the run does not have it: then the promise is broken.
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
