//! What the orders cost, and when that would turn.

use crate::compare::cost::is_overloaded;
use crate::compare::report::model::{Crossover, LaneReport, Report};
use crate::compare::report::words::{percent, times, usd};

/// Both lanes; nothing without prices or where a lane did no order.
pub(super) fn of_lanes(sync_lane: &LaneReport, queued_lane: &LaneReport, report: &Report) -> Vec<String> {
    let (Some(pricing), Some(sync), Some(queued)) = (&report.pricing, &sync_lane.cost, &queued_lane.cost) else {
        return Vec::new();
    };
    let (a, b) = (sync.usd_per_million_orders, queued.usd_per_million_orders);
    let difference = usd((b - a).abs());
    let said = if b < a {
        format!("async is cheaper here, by {difference}")
    } else {
        format!("async is NOT cheaper here: it costs {difference} more")
    };
    let doubt = if sync.representative && queued.representative {
        ""
    } else {
        " Billed durations are not Lambda's own, so the Lambda part is not representative."
    };
    let (region, day) = (&pricing.region, &pricing.as_of);
    let mut sentences = vec![format!(
        "At list prices of {region} of {day}, a million orders with an outcome cost {} down the sync lane and {} down the \
         async lane: {said}.{doubt}",
        usd(a),
        usd(b)
    )];
    sentences.extend([sync_lane, queued_lane].into_iter().filter(|lane| is_overloaded(lane)).map(|lane| {
        let refused = percent(lane.counts.refused.total(), lane.counts.sent);
        format!(
            "The {} lane refused {refused} of its requests, and its costs are shared by the orders that are left: they are \
             those of an overload. For the lanes' own costs, run `steady`.",
            lane.lane.name()
        )
    }));
    sentences.extend(pricing.crossover.as_ref().map(of_crossover).into_iter().flatten());
    sentences
}

fn of_crossover(crossover: &Crossover) -> Vec<String> {
    vec![polling(crossover), levelling(crossover)].into_iter().chain(capacity(crossover)).collect()
}

fn polling(crossover: &Crossover) -> String {
    let poll = usd(crossover.poll_usd_per_million);
    let equal = match crossover.polls_per_order_at_equal_cost {
        Some(polls) => format!("without callbacks the lanes cost the same at {polls:.2} status requests per order"),
        None => "even without callbacks, and without a single status request, the async lane costs more".to_owned(),
    };
    let callbacks = crossover.polls_per_order_at_cost_of_callbacks.map_or_else(String::new, |polls| {
        format!("; callbacks are the cheaper way to learn the outcome from {polls:.2} status requests per order on")
    });
    format!("A million status requests cost {poll}: {equal}{callbacks}.")
}

fn levelling(crossover: &Crossover) -> String {
    if crossover.peak_to_mean_at_equal_cost < 1.0 {
        return format!(
            "With provisioned DynamoDB writes the async lane is the cheaper one at any peak; on-demand writes undercut the \
             sync lane's at {} the mean.",
            times(crossover.peak_to_mean_at_on_demand)
        );
    }
    let (equal, undercut) = (times(crossover.peak_to_mean_at_equal_cost), times(crossover.peak_to_mean_at_on_demand));
    let headroom = crossover.levelled_headroom;
    let start = format!(
        "With provisioned DynamoDB writes, bought for the peak (sync) or for {headroom:.2}× the mean (async), the lanes would \
         cost the same at a peak of {equal} the mean"
    );
    if crossover.levelling_pays_on_dynamodb {
        format!(
            "{start}, and async is cheaper from there on; on-demand writes undercut the sync lane's only at {undercut}."
        )
    } else {
        format!(
            "{start}; but from {undercut} on, on-demand writes are cheaper than provisioning for the peak and need no \
             queue, so levelling the load does not pay on DynamoDB."
        )
    }
}

/// The price of capacity at the middle one of the ratios.
fn capacity(crossover: &Crossover) -> Option<String> {
    let named = crossover.break_even.iter().find(|point| (point.peak_to_mean - 10.0).abs() < 0.01)?;
    let price = usd(named.usd_per_month_per_order_per_second?);
    let ratio = times(named.peak_to_mean);
    Some(format!(
        "In front of a store that is bought by capacity, the queue pays for itself at a peak of {ratio} the mean once the \
         capacity for one order per second costs more than {price} a month."
    ))
}
