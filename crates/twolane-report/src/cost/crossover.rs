//! Where one lane becomes the cheaper one.
//!
//! Paid by use, capacity costs nothing while it is idle, and a queue is one more thing to pay. A queue pays where
//! capacity is bought by the hour: without it the store must be bought for the peak, with it for a little more than the
//! mean. Let `c` be what capacity at full use costs per million orders, `r` the peak-to-mean ratio, `h` the headroom with
//! which the queue drains, and `e` what else the queued lane costs more. Then the direct lane costs `r·c`, the queued lane
//! `h·c + e`, and they are equal at `r = h + e/c`.

use super::{MILLION, Prices, done, float};
use crate::model::{CapacityBreakEven, Crossover, LaneReport};
use lanes::STATUS_SERVICE;

/// Capacity bought for a lane with a queue over the mean load. A queue at full use never drains; this is an assumption, not a
/// measurement.
const LEVELLED_HEADROOM: f64 = 1.25;

/// Peak-to-mean ratios to name a break-even price for.
const RATIOS: [f64; 5] = [2.0, 5.0, 10.0, 20.0, 50.0];

/// Hours of a month, as AWS's calculator counts them.
const HOURS_PER_MONTH: f64 = 730.0;

const SECONDS_PER_HOUR: f64 = 3600.0;

/// Read units of one strongly consistent read of an order up to 4 KB, as the status service does it.
/// Source: Amazon DynamoDB Developer Guide, "DynamoDB read and write operations".
const READ_UNITS_PER_POLL: f64 = 1.0;

/// More refused requests than that are an overload, whose costs are not those of the lanes.
const OVERLOAD: f64 = 0.01;

/// The crossovers of a run, for each pair of a lane without a queue and a lane with one that does the same work: a lane with
/// steps does more. `callbacks_alone`: no polls are in the costs.
pub(super) fn crossovers(lanes: &[LaneReport], callbacks_alone: bool, prices: &Prices) -> Vec<Crossover> {
    let same_work = lanes.iter().filter(|lane| lane.lane.steps.is_empty());
    let (queued, direct): (Vec<_>, Vec<_>) = same_work.partition(|lane| !lane.lane.queues.is_empty());
    let pairs = direct.iter().flat_map(|direct| queued.iter().map(move |queued| (direct, queued)));
    pairs.filter_map(|(direct, queued)| crossover(direct, queued, callbacks_alone, prices)).collect()
}

/// Nothing where a lane did no order or refused requests: what those cost would seem to be the lane's.
fn crossover(direct: &LaneReport, queued: &LaneReport, callbacks_alone: bool, prices: &Prices) -> Option<Crossover> {
    if is_overloaded(direct) || is_overloaded(queued) {
        return None;
    }
    let (direct_usd, queued_usd) =
        (direct.cost.as_ref()?.usd_per_million_orders, queued.cost.as_ref()?.usd_per_million_orders);

    let poll = poll_usd_per_million(queued, prices);
    let callbacks = part(queued, "WebSocket messages") + part(queued, "WebSocket connections");
    let polls = if callbacks_alone { 0.0 } else { poll * float(queued.usage.status_requests) / done(queued) };
    let by_polling_alone = direct_usd - (queued_usd - callbacks - polls);

    let writes_per_order = direct.usage.write_units / done(direct);
    let full_use = writes_per_order * prices.dynamodb_write_capacity_unit_hour * MILLION / SECONDS_PER_HOUR;
    let on_demand = writes_per_order * prices.dynamodb_write_units_per_million;
    let extra_beside_writes =
        (queued_usd - part(queued, "DynamoDB writes")) - (direct_usd - part(direct, "DynamoDB writes"));
    let equal = LEVELLED_HEADROOM + extra_beside_writes / full_use;
    let undercut = on_demand / full_use;
    // A stack without writes or without prices for them has no such ratios.
    if !equal.is_finite() || !undercut.is_finite() {
        return None;
    }
    Some(Crossover {
        direct: direct.lane,
        queued: queued.lane,
        extra_usd_per_million: queued_usd - direct_usd,
        poll_usd_per_million: poll,
        polls_per_order_at_equal_cost: Some(by_polling_alone / poll).filter(|polls| polls.is_finite() && *polls >= 0.0),
        polls_per_order_at_cost_of_callbacks: Some(callbacks / poll).filter(|polls| polls.is_finite() && *polls > 0.0),
        levelled_headroom: LEVELLED_HEADROOM,
        provisioned_usd_per_million_at_full_use: full_use,
        on_demand_usd_per_million: on_demand,
        peak_to_mean_at_on_demand: undercut,
        peak_to_mean_at_equal_cost: equal,
        levelling_pays_on_dynamodb: equal < undercut,
        break_even: RATIOS.map(|ratio| break_even(ratio, extra_beside_writes)).to_vec(),
    })
}

/// Whether a lane refused more than a few requests.
pub(crate) fn is_overloaded(lane: &LaneReport) -> bool {
    float(lane.counts.refused.total()) > OVERLOAD * float(lane.counts.sent)
}

/// From which price of capacity on the queue pays at that ratio.
fn break_even(peak_to_mean: f64, extra_usd_per_million: f64) -> CapacityBreakEven {
    let saved_capacity = peak_to_mean - LEVELLED_HEADROOM;
    let millions_per_month = HOURS_PER_MONTH * SECONDS_PER_HOUR / MILLION;
    let price = extra_usd_per_million * millions_per_month / saved_capacity;
    let is_a_choice = saved_capacity > 0.0 && extra_usd_per_million > 0.0;
    CapacityBreakEven { peak_to_mean, usd_per_month_per_order_per_second: is_a_choice.then_some(price) }
}

/// A million questions to the status service: the request, its function as measured (its duration is left out where it
/// did not run), one read.
fn poll_usd_per_million(lane: &LaneReport, prices: &Prices) -> f64 {
    let measured =
        lane.usage.functions.iter().find(|function| function.name == STATUS_SERVICE.name && function.invocations > 0);
    let gb_seconds = measured.map_or(0.0, |function| function.gb_seconds / float(function.invocations));
    prices.rest_requests_per_million
        + prices.lambda_requests_per_million
        + gb_seconds * prices.lambda_gb_second * MILLION
        + READ_UNITS_PER_POLL * prices.dynamodb_read_units_per_million
}

/// What one service costs of a million orders.
fn part(lane: &LaneReport, service: &str) -> f64 {
    let parts = lane.cost.iter().flat_map(|cost| &cost.parts);
    parts.filter(|part| part.service == service).map(|part| part.usd_per_million_orders).sum()
}
