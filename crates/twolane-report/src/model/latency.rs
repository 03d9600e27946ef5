//! Distributions of latencies.

use serde::{Deserialize, Serialize};

/// Each from the due time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Latencies {
    /// Until the answer that accepts the order: outcome or receipt.
    pub acknowledge: Option<Latency>,
    /// Until the callback with the outcome.
    pub done_by_callback: Option<Latency>,
    /// Until the poll with the outcome.
    pub done_by_poll: Option<Latency>,
}

/// One distribution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Latency {
    /// At least 1.
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
    /// Significant decimal digits that the histogram keeps.
    pub precision: u8,
    /// The histogram: base64 of `HdrHistogram`'s V2 encoding (with or without DEFLATE), in microseconds.
    pub hdr: String,
    /// For charts: at most 200 pairs of milliseconds and the fraction of values up to them. Both ascend; the last
    /// fraction is 1.
    pub cdf: Vec<(f64, f64)>,
}
