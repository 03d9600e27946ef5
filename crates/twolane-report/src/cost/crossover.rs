//! Where one lane becomes cheaper than another.
//!
//! With capacity paid by use, a queue only adds cost. With capacity paid by the hour, it can pay off. Without it the
//! store is sized for the peak, with it for slightly more than the mean. Let `c` be the cost of fully used capacity per
//! million orders, and `r` the peak-to-mean ratio. Let `h` be the headroom that lets the queue drain, and `e` the
//! queued lane's other extra cost. The direct lane costs `r·c`, the queued lane `h·c + e`. They are equal at
//! `r = h + e/c`.

use super::{MILLION, Prices, done, float};
use crate::model::{CapacityBreakEven, Crossover, LaneReport};
use lanes::STATUS_SERVICE;

/// Capacity with a queue over the mean load: at full use it never drains. An assumption, not a measurement.
const LEVELLED_HEADROOM: f64 = 1.25;

/// Peak-to-mean ratios with a break-even price.
const RATIOS: [f64; 5] = [2.0, 5.0, 10.0, 20.0, 50.0];

/// As in AWS's calculator.
const HOURS_PER_MONTH: f64 = 730.0;

const SECONDS_PER_HOUR: f64 = 3600.0;

/// One strongly consistent read of up to 4 KB, as in the status service. Source: Amazon DynamoDB Developer Guide,
/// "DynamoDB read and write operations".
const READ_UNITS_PER_POLL: f64 = 1.0;

/// Above this fraction of refused requests, a lane's costs are not typical.
const OVERLOAD: f64 = 0.01;

/// For each pair of a lane without a queue and one with a queue. Leaves out lanes with steps, which do more work.
/// `callbacks_alone`: costs contain no polls.
pub(super) fn crossovers(lanes: &[LaneReport], callbacks_alone: bool, prices: &Prices) -> Vec<Crossover> {
    let same_work = lanes.iter().filter(|lane| lane.lane.steps.is_empty());
    let (queued, direct): (Vec<_>, Vec<_>) = same_work.partition(|lane| !lane.lane.queues.is_empty());
    let pairs = direct.iter().flat_map(|direct| queued.iter().map(move |queued| (direct, queued)));
    pairs.filter_map(|(direct, queued)| crossover(direct, queued, callbacks_alone, prices)).collect()
}

/// `None` if a lane has no orders done, or is overloaded, which distorts its costs.
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
    let extra_without_writes =
        (queued_usd - part(queued, "DynamoDB writes")) - (direct_usd - part(direct, "DynamoDB writes"));
    let equal = LEVELLED_HEADROOM + extra_without_writes / full_use;
    let undercut = on_demand / full_use;
    // Writes or their prices are missing.
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
        break_even: RATIOS.map(|ratio| break_even(ratio, extra_without_writes)).to_vec(),
    })
}

/// Whether a lane refused more than 1 % of requests.
pub(crate) fn is_overloaded(lane: &LaneReport) -> bool {
    float(lane.counts.refused.total()) > OVERLOAD * float(lane.counts.sent)
}

/// The capacity price above which the queue pays off at that ratio.
fn break_even(peak_to_mean: f64, extra_usd_per_million: f64) -> CapacityBreakEven {
    let saved_capacity = peak_to_mean - LEVELLED_HEADROOM;
    let millions_per_month = HOURS_PER_MONTH * SECONDS_PER_HOUR / MILLION;
    let price = extra_usd_per_million * millions_per_month / saved_capacity;
    let is_a_choice = saved_capacity > 0.0 && extra_usd_per_million > 0.0;
    CapacityBreakEven { peak_to_mean, usd_per_month_per_order_per_second: is_a_choice.then_some(price) }
}

/// A million polls: requests, the function as measured (without duration if it did not run), and one read each.
fn poll_usd_per_million(lane: &LaneReport, prices: &Prices) -> f64 {
    let measured =
        lane.usage.functions.iter().find(|function| function.name == STATUS_SERVICE.name && function.invocations > 0);
    let gb_seconds = measured.map_or(0.0, |function| function.gb_seconds / float(function.invocations));
    prices.rest_requests_per_million
        + prices.lambda_requests_per_million
        + gb_seconds * prices.lambda_gb_second * MILLION
        + READ_UNITS_PER_POLL * prices.dynamodb_read_units_per_million
}

/// One service's cost per million orders.
fn part(lane: &LaneReport, service: &str) -> f64 {
    let parts = lane.cost.iter().flat_map(|cost| &cost.parts);
    parts.filter(|part| part.service == service).map(|part| part.usd_per_million_orders).sum()
}
