//! Costs of a run.

use super::by_name;
use lanes::Lane;
use serde::{Deserialize, Serialize};

/// At list prices, without free tier and discounts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LaneCost {
    /// Of a million orders with an outcome.
    pub usd_per_million_orders: f64,
    /// By service, along an order's path.
    pub parts: Vec<CostPart>,
    /// Whether Lambda measured every duration.
    pub representative: bool,
}

/// One service's part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CostPart {
    /// On AWS's bill.
    pub service: String,
    /// Per order, as text.
    pub quantity: String,
    /// Of a million orders.
    pub usd_per_million_orders: f64,
}

/// Price table and crossovers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pricing {
    /// Of the prices.
    pub region: String,
    /// Day of the prices: `YYYY-MM-DD`.
    pub as_of: String,
    /// Of the prices.
    pub sources: Vec<String>,
    /// Billed but not counted.
    pub left_out: Vec<String>,
    /// For each pair of a lane without and one with a queue that does the same work.
    pub crossovers: Vec<Crossover>,
}

/// Where a lane with a queue becomes cheaper than one without.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Crossover {
    /// Without a queue.
    #[serde(with = "by_name")]
    pub direct: Lane,
    /// With a queue.
    #[serde(with = "by_name")]
    pub queued: Lane,
    /// Extra cost in the queued lane, as measured; negative if cheaper.
    pub extra_usd_per_million: f64,
    /// Cost of a million polls.
    pub poll_usd_per_million: f64,
    /// Where both lanes cost the same; `null` if the queued lane is dearer even without polls.
    pub polls_per_order_at_equal_cost: Option<f64>,
    /// Where polling costs the same as this run's callbacks; `null` without callbacks.
    pub polls_per_order_at_cost_of_callbacks: Option<f64>,
    /// Capacity of the queued lane over the mean load, so that its queue drains: 1.25 = a quarter more.
    pub levelled_headroom: f64,
    /// Provisioned DynamoDB capacity for a million orders.
    pub provisioned_usd_per_million_at_full_use: f64,
    /// On-demand DynamoDB writes for a million orders.
    pub on_demand_usd_per_million: f64,
    /// Above it, on-demand is cheaper than provisioning for the peak.
    pub peak_to_mean_at_on_demand: f64,
    /// From it, the queued lane on levelled provisioned capacity is cheaper than the direct lane provisioned for the
    /// peak.
    pub peak_to_mean_at_equal_cost: f64,
    /// Whether that ratio comes before on-demand, without a queue, undercuts both.
    pub levelling_pays_on_dynamodb: bool,
    /// For stores paid by capacity, by peak-to-mean ratio.
    pub break_even: Vec<CapacityBreakEven>,
}

/// The capacity price above which a queue pays for itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CapacityBreakEven {
    /// Of the arrival rate.
    pub peak_to_mean: f64,
    /// Capacity for one order per second, for a month of 730 hours. Above this price the queued lane is cheaper;
    /// `null`: always or never.
    pub usd_per_month_per_order_per_second: Option<f64>,
}
