//! Distributions of times, never means alone.

use serde::{Deserialize, Serialize};

/// A lane's times, each from the intended send time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Latencies {
    /// To the answer of an accepted order: its outcome, or a receipt.
    pub acknowledge: Option<Latency>,
    /// To the outcome, reported over the WebSocket.
    pub done_by_callback: Option<Latency>,
    /// To the outcome, learned from the status service.
    pub done_by_poll: Option<Latency>,
}

/// One distribution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Latency {
    /// Values in it, at least one.
    pub count: u64,
    /// Shortest.
    pub min_ms: f64,
    /// Median.
    pub p50_ms: f64,
    /// 90th percentile.
    pub p90_ms: f64,
    /// 99th percentile.
    pub p99_ms: f64,
    /// 99.9th percentile.
    #[serde(rename = "p99_9Ms")]
    pub p99_9_ms: f64,
    /// Longest.
    pub max_ms: f64,
    /// Significant decimal digits that the histogram keeps of each value.
    pub precision: u8,
    /// The whole histogram: base64 of `HdrHistogram`'s V2 encoding (with or without DEFLATE), in microseconds.
    pub hdr: String,
    /// The distribution to draw: at most 200 pairs of milliseconds and the fraction of values not above them,
    /// both ascending, the last fraction 1.
    pub cdf: Vec<(f64, f64)>,
}
