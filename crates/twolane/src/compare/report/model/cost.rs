//! What a run's counts cost.

use serde::{Deserialize, Serialize};

/// One lane's cost at list prices, free tier and discounts left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LaneCost {
    /// Of a million orders with an outcome: confirmed or rejected.
    pub(crate) usd_per_million_orders: f64,
    /// The same by service, in the order of the path of an order.
    pub(crate) parts: Vec<CostPart>,
    /// Whether every duration in it is Lambda's own.
    pub(crate) representative: bool,
}

/// One service's part of a cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CostPart {
    /// What AWS's bill calls it.
    pub(crate) service: String,
    /// What of it is counted: how much, in words.
    pub(crate) quantity: String,
    /// Of a million orders.
    pub(crate) usd_per_million_orders: f64,
}

/// The price table, and what follows from it beyond this run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pricing {
    /// Region whose prices they are.
    pub(crate) region: String,
    /// Day on which the prices were looked up: `YYYY-MM-DD`.
    pub(crate) as_of: String,
    /// Where the prices were found.
    pub(crate) sources: Vec<String>,
    /// What is billed and not counted.
    pub(crate) left_out: Vec<String>,
    /// Where one lane becomes the cheaper one; only of runs with both lanes.
    pub(crate) crossover: Option<Crossover>,
}

/// Where one lane becomes the cheaper one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Crossover {
    /// What a million orders cost more down the async lane, as measured; negative where it is the cheaper one.
    pub(crate) async_extra_usd_per_million: f64,
    /// What one question to the status service costs, per million of them.
    pub(crate) poll_usd_per_million: f64,
    /// Status requests per order at which the async lane costs what the sync lane does; `null` where it is dearer
    /// without any.
    pub(crate) polls_per_order_at_equal_cost: Option<f64>,
    /// Status requests per order at which asking costs as much as this run's callbacks did; `null` where the run had none.
    pub(crate) polls_per_order_at_cost_of_callbacks: Option<f64>,
    /// Capacity bought for the async lane over the mean load, so that its queue drains: 1.25 = a quarter more.
    pub(crate) levelled_headroom: f64,
    /// Provisioned DynamoDB capacity for a million orders at full use.
    pub(crate) provisioned_usd_per_million_at_full_use: f64,
    /// On-demand DynamoDB writes for a million orders.
    pub(crate) on_demand_usd_per_million: f64,
    /// Peak-to-mean ratio above which on-demand is cheaper than provisioning for the peak.
    pub(crate) peak_to_mean_at_on_demand: f64,
    /// Peak-to-mean ratio from which the async lane on levelled provisioned capacity is cheaper than the sync lane on
    /// capacity provisioned for the peak.
    pub(crate) peak_to_mean_at_equal_cost: f64,
    /// Whether that ratio is reached before on-demand, which needs no queue, undercuts both.
    pub(crate) levelling_pays_on_dynamodb: bool,
    /// For stores that are bought by capacity: what it must cost for the async lane to pay, by peak-to-mean ratio.
    pub(crate) break_even: Vec<CapacityBreakEven>,
}

/// From which price of capacity on a queue pays for itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CapacityBreakEven {
    /// Peak over mean arrival rate.
    pub(crate) peak_to_mean: f64,
    /// Price of the capacity for one order per second, per month of 730 hours, from which on the async lane is
    /// cheaper; `null` where it always is or never can be.
    pub(crate) usd_per_month_per_order_per_second: Option<f64>,
}
