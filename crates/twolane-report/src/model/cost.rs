//! What a run's counts cost.

use super::by_name;
use lanes::Lane;
use serde::{Deserialize, Serialize};

/// One lane's cost at list prices, free tier and discounts left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LaneCost {
    /// Of a million orders with an outcome: confirmed or rejected.
    pub usd_per_million_orders: f64,
    /// The same by service, in the order of the path of an order.
    pub parts: Vec<CostPart>,
    /// Whether every duration in it is Lambda's own.
    pub representative: bool,
}

/// One service's part of a cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CostPart {
    /// What AWS's bill calls it.
    pub service: String,
    /// What of it is counted: how much, in words.
    pub quantity: String,
    /// Of a million orders.
    pub usd_per_million_orders: f64,
}

/// The price table, and what follows from it beyond this run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pricing {
    /// Region whose prices they are.
    pub region: String,
    /// Day on which the prices were looked up: `YYYY-MM-DD`.
    pub as_of: String,
    /// Where the prices were found.
    pub sources: Vec<String>,
    /// What is billed and not counted.
    pub left_out: Vec<String>,
    /// Where one lane becomes the cheaper one, for each pair of a lane without a queue and a lane with one that does the same work.
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
    /// What a million orders cost more down the queued lane, as measured; negative where it is the cheaper one.
    pub extra_usd_per_million: f64,
    /// What one question to the status service costs, per million of them.
    pub poll_usd_per_million: f64,
    /// Status requests per order at which the queued lane costs what the direct lane does; `null` where it is dearer
    /// without any.
    pub polls_per_order_at_equal_cost: Option<f64>,
    /// Status requests per order at which asking costs as much as this run's callbacks did; `null` where the run had none.
    pub polls_per_order_at_cost_of_callbacks: Option<f64>,
    /// Capacity bought for the queued lane over the mean load, so that its queue drains: 1.25 = a quarter more.
    pub levelled_headroom: f64,
    /// Provisioned DynamoDB capacity for a million orders at full use.
    pub provisioned_usd_per_million_at_full_use: f64,
    /// On-demand DynamoDB writes for a million orders.
    pub on_demand_usd_per_million: f64,
    /// Peak-to-mean ratio above which on-demand is cheaper than provisioning for the peak.
    pub peak_to_mean_at_on_demand: f64,
    /// Peak-to-mean ratio from which the queued lane on levelled provisioned capacity is cheaper than the direct lane on
    /// capacity provisioned for the peak.
    pub peak_to_mean_at_equal_cost: f64,
    /// Whether that ratio is reached before on-demand, which needs no queue, undercuts both.
    pub levelling_pays_on_dynamodb: bool,
    /// For stores that are bought by capacity: what it must cost for the queued lane to pay, by peak-to-mean ratio.
    pub break_even: Vec<CapacityBreakEven>,
}

/// From which price of capacity on a queue pays for itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CapacityBreakEven {
    /// Peak over mean arrival rate.
    pub peak_to_mean: f64,
    /// Price of the capacity for one order per second, per month of 730 hours, from which on the queued lane is
    /// cheaper; `null` where it always is or never can be.
    pub usd_per_month_per_order_per_second: Option<f64>,
}
