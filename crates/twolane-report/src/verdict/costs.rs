//! Sentences about costs and crossovers.

use crate::cost::is_overloaded;
use crate::model::{Crossover, LaneCost, LaneReport, Report};
use crate::words::{and, percent, times, usd};

/// Compares costs. Empty without prices or with fewer than two lanes that have costs.
pub(super) fn of_lanes(report: &Report) -> Vec<String> {
    let costs: Vec<_> = report.lanes.iter().filter_map(|lane| Some((lane, lane.cost.as_ref()?))).collect();
    let (Some(pricing), [first, others @ ..]) = (&report.pricing, costs.as_slice()) else { return Vec::new() };
    if others.is_empty() {
        return Vec::new();
    }
    let each: Vec<_> = costs
        .iter()
        .map(|(lane, cost)| format!("{} down the {} lane", usd(cost.usd_per_million_orders), lane.lane.name))
        .collect();
    let against = if others.len() > 1 { format!("against {}, ", first.0.lane.name) } else { String::new() };
    let differences: Vec<_> = others.iter().map(|other| difference(first.1, other)).collect();
    let doubt = if costs.iter().all(|(_, cost)| cost.representative) {
        ""
    } else {
        " Lambda did not measure the billed durations, so the Lambda part is not representative."
    };
    let (region, day) = (&pricing.region, &pricing.as_of);
    let mut sentences = vec![format!(
        "At list prices of {region} of {day}, a million orders with an outcome cost {}: {against}{}.{doubt}",
        and(&each),
        differences.join("; ")
    )];
    sentences.extend(costs.iter().filter(|(lane, _)| is_overloaded(lane)).map(|(lane, _)| {
        let refused = percent(lane.counts.refused.total(), lane.counts.sent);
        format!(
            "The {} lane refused {refused} of its requests. The remaining orders share its costs, which are the costs \
             of an overload. For the lanes' normal costs, run `steady`.",
            lane.lane.name
        )
    }));
    sentences.extend(costs.iter().filter(|(lane, _)| !lane.lane.steps.is_empty()).map(|(lane, _)| {
        let steps: Vec<_> = lane.lane.steps.iter().map(|step| step.name.to_owned()).collect();
        format!(
            "The {} lane does more for each order than a lane that only stores it: its cost includes {}.",
            lane.lane.name,
            and(&steps)
        )
    }));
    sentences.extend(pricing.crossovers.iter().flat_map(|crossover| {
        // With more than two lanes, sentences name the pair.
        let pair = match pricing.crossovers.as_slice() {
            [_] => String::new(),
            _ => format!("{} against {}: ", crossover.queued.name, crossover.direct.name),
        };
        of_crossover(crossover).into_iter().map(move |sentence| pair.clone() + &sentence)
    }));
    sentences
}

/// From the first lane's cost.
fn difference(first: &LaneCost, (lane, cost): &(&LaneReport, &LaneCost)) -> String {
    let (name, more) = (lane.lane.name, cost.usd_per_million_orders - first.usd_per_million_orders);
    let amount = usd(more.abs());
    if more < 0.0 {
        format!("{name} is cheaper here, by {amount}")
    } else {
        format!("{name} is NOT cheaper here: it costs {amount} more")
    }
}

fn of_crossover(crossover: &Crossover) -> Vec<String> {
    vec![polling(crossover), levelling(crossover)].into_iter().chain(capacity(crossover)).collect()
}

fn polling(crossover: &Crossover) -> String {
    let poll = usd(crossover.poll_usd_per_million);
    let equal = if let Some(polls) = crossover.polls_per_order_at_equal_cost {
        format!("without callbacks, the lanes cost the same at {polls:.2} polls per order")
    } else {
        let queued = crossover.queued.name;
        format!("even without callbacks and polls, the {queued} lane costs more")
    };
    let callbacks = crossover
        .polls_per_order_at_cost_of_callbacks
        .map_or_else(String::new, |polls| format!("; from {polls:.2} polls per order, callbacks are cheaper"));
    format!("A million polls cost {poll}: {equal}{callbacks}.")
}

fn levelling(crossover: &Crossover) -> String {
    let (direct, queued) = (crossover.direct.name, crossover.queued.name);
    if crossover.peak_to_mean_at_equal_cost < 1.0 {
        return format!(
            "With provisioned DynamoDB writes, the {queued} lane is cheaper at any peak. On-demand writes undercut the \
             {direct} lane from a peak of {} the mean.",
            times(crossover.peak_to_mean_at_on_demand)
        );
    }
    let (equal, undercut) = (times(crossover.peak_to_mean_at_equal_cost), times(crossover.peak_to_mean_at_on_demand));
    let headroom = crossover.levelled_headroom;
    let start = format!(
        "Provisioned DynamoDB writes are bought for the peak ({direct}) or for {headroom:.2}× the mean ({queued}). Then the lanes \
         cost the same at a peak of {equal} the mean"
    );
    if crossover.levelling_pays_on_dynamodb {
        format!(
            "{start}. Above it, {queued} is cheaper. On-demand writes undercut the {direct} lane only from {undercut}."
        )
    } else {
        format!(
            "{start}. But from {undercut}, on-demand writes are cheaper than provisioning for the peak and need no \
             queue. So levelling the load does not pay off on DynamoDB."
        )
    }
}

/// At a peak-to-mean ratio of 10.
fn capacity(crossover: &Crossover) -> Option<String> {
    let named = crossover.break_even.iter().find(|point| (point.peak_to_mean - 10.0).abs() < 0.01)?;
    let price = usd(named.usd_per_month_per_order_per_second?);
    let ratio = times(named.peak_to_mean);
    Some(format!(
        "In front of a store paid by capacity, the queue pays for itself if capacity is expensive enough. At a peak of \
         {ratio} the mean, that is above {price} a month for one order per second."
    ))
}
