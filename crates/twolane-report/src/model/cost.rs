//! The costs of a run.

use super::by_name;
use lanes::Lane;
use serde::{Deserialize, Serialize};

/// One lane's cost at list prices, without free tier and discounts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LaneCost {
    /// Cost of a million orders with an outcome.
    pub usd_per_million_orders: f64,
    /// The cost by service, in the order of an order's path.
    pub parts: Vec<CostPart>,
    /// Whether Lambda measured every duration in it.
    pub representative: bool,
}

/// One service's part of a cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CostPart {
    /// Name on AWS's bill.
    pub service: String,
    /// Quantity per order, as text.
    pub quantity: String,
    /// Cost of a million orders.
    pub usd_per_million_orders: f64,
}

/// The price table, and crossovers computed from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pricing {
    /// Region of the prices.
    pub region: String,
    /// Day on which the prices were gathered: `YYYY-MM-DD`.
    pub as_of: String,
    /// Sources of the prices.
    pub sources: Vec<String>,
    /// What is billed but not counted.
    pub left_out: Vec<String>,
    /// Where one lane becomes cheaper, for each pair of a lane without a queue and a lane with one that does the same
    /// work.
    pub crossovers: Vec<Crossover>,
}

/// Where a lane with a queue becomes cheaper than one without.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Crossover {
    /// The lane without a queue.
    #[serde(with = "by_name")]
    pub direct: Lane,
    /// The lane with a queue.
    #[serde(with = "by_name")]
    pub queued: Lane,
    /// Extra cost of a million orders in the queued lane, as measured; negative if it is cheaper.
    pub extra_usd_per_million: f64,
    /// Cost of a million polls.
    pub poll_usd_per_million: f64,
    /// Polls per order at which both lanes cost the same; `null` if the queued lane is dearer even without polls.
    pub polls_per_order_at_equal_cost: Option<f64>,
    /// Polls per order at which polling costs the same as this run's callbacks; `null` if the run had no callbacks.
    pub polls_per_order_at_cost_of_callbacks: Option<f64>,
    /// Capacity bought for the queued lane, relative to the mean load, so that its queue drains: 1.25 = a quarter more.
    pub levelled_headroom: f64,
    /// Provisioned DynamoDB capacity for a million orders at full use.
    pub provisioned_usd_per_million_at_full_use: f64,
    /// On-demand DynamoDB writes for a million orders.
    pub on_demand_usd_per_million: f64,
    /// Peak-to-mean ratio above which on-demand is cheaper than provisioning for the peak.
    pub peak_to_mean_at_on_demand: f64,
    /// Peak-to-mean ratio from which the queued lane on levelled provisioned capacity is cheaper than the direct lane
    /// on capacity provisioned for the peak.
    pub peak_to_mean_at_equal_cost: f64,
    /// Whether that ratio is reached before on-demand, which needs no queue, undercuts both.
    pub levelling_pays_on_dynamodb: bool,
    /// For stores paid by capacity: the price above which the queued lane is cheaper, by peak-to-mean ratio.
    pub break_even: Vec<CapacityBreakEven>,
}

/// The price of capacity above which a queue pays for itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CapacityBreakEven {
    /// Peak over mean arrival rate.
    pub peak_to_mean: f64,
    /// Price of the capacity for one order per second, per month of 730 hours. Above it the queued lane is cheaper.
    /// `null` if it is always or never cheaper.
    pub usd_per_month_per_order_per_second: Option<f64>,
}
