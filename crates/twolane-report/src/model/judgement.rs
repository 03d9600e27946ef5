//! Judgements: whether a run keeps its promises.

use super::by_name;
use lanes::Lane;
use serde::{Deserialize, Serialize};

/// One promise about one lane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Judgement {
    /// As written, without spaces: `async.done.p99<2s`.
    pub promise: String,
    /// The measured lane.
    #[serde(with = "by_name")]
    pub lane: Lane,
    /// In `unit`. `null` if the run lacks it: the promise is broken.
    pub figure: Option<f64>,
    /// Unit of the figure.
    pub unit: Unit,
    /// Whether the promise holds.
    pub kept: bool,
}

/// Unit of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Unit {
    /// Orders, requests or messages.
    Count,
    /// Of the requests sent, or of the accepted orders.
    Percent,
    /// Milliseconds.
    Milliseconds,
    /// For a million orders.
    Usd,
}
