//! Bar chart of a million orders' cost by service and lane.

use super::canvas::{Canvas, Size, both};
use super::legend::{Entry, Sample, legend};
use super::scale::Scale;
use super::{Chart, class, each};
use crate::model::{LaneCost, LaneReport};
use crate::words::{float, usd};
use lanes::Lane;

const BAR: f64 = 14.0;
/// Between bars.
const PITCH: f64 = 18.0;
/// Height of a service's name.
const LABEL: f64 = 22.0;
/// Between services.
const GAP: f64 = 10.0;
/// Right of the longest bar.
const PRICE: f64 = 72.0;

type Costs<'a> = [(Lane, &'a LaneCost)];

/// In both sizes.
pub(super) fn chart(lanes: &[LaneReport]) -> Chart {
    let costs: Vec<_> = lanes.iter().filter_map(|lane| lane.cost.as_ref().map(|cost| (lane.lane, cost))).collect();
    if costs.is_empty() {
        return Err("no order has an outcome, so there is no cost per order.");
    }
    let entries: Vec<Entry<'_>> =
        costs.iter().map(|(lane, _)| (Sample::Patch, format!("bar {}", class(lane)), lane.name)).collect();
    let without = lanes.iter().filter(|lane| lane.cost.is_none());
    let missing = each(without, |lane| {
        format!("<p class=\"empty\">The {} lane has no cost: no order has an outcome.</p>\n", lane.lane.name)
    });
    Ok(legend(&entries) + &missing + &both(|size| draw(&costs, size)))
}

/// Services that any lane pays for, along an order's path.
pub(super) fn services<'a>(costs: &Costs<'a>) -> Vec<&'a str> {
    let mut services = Vec::new();
    for part in costs.iter().flat_map(|(_, cost)| &cost.parts) {
        if part.usd_per_million_orders > 0.0 && !services.contains(&part.service.as_str()) {
            services.push(part.service.as_str());
        }
    }
    services
}

/// Of one service, or all.
fn amount(cost: &LaneCost, service: Option<&str>) -> f64 {
    match service {
        Some(service) => {
            let parts = cost.parts.iter().filter(|part| part.service == service);
            parts.map(|part| part.usd_per_million_orders).sum()
        }
        None => cost.usd_per_million_orders,
    }
}

fn draw(costs: &Costs<'_>, size: Size) -> String {
    let services = services(costs);
    let group = LABEL + float(costs.len() as u64) * PITCH + GAP;
    let mut canvas = Canvas::new(size, group * float(services.len() as u64 + 1));
    let most = costs.iter().map(|(_, cost)| cost.usd_per_million_orders).fold(0.0, f64::max);
    let across = Scale::exact(most, 0.0, size.width() - PRICE);
    let mut y = 0.0;
    for service in std::iter::once(None).chain(services.into_iter().map(Some)) {
        let name = service.unwrap_or("All services");
        canvas.text("service", "start", (0.0, y + 15.0), name);
        for (index, (lane, cost)) in costs.iter().enumerate() {
            let top = y + LABEL + float(index as u64) * PITCH;
            let amount = amount(cost, service);
            let end = across.at(amount);
            let title = format!("{name}, {}: {}", lane.name, usd(amount));
            if amount > 0.0 {
                canvas.bar(&format!("bar {}", class(lane)), (0.0, top), (end.max(1.0), BAR), &title);
            }
            canvas.text("value", "start", (end + 7.0, top + 11.5), &usd(amount));
        }
        y += group;
    }
    let totals: Vec<_> =
        costs.iter().map(|(lane, cost)| format!("{} {}", lane.name, usd(cost.usd_per_million_orders))).collect();
    canvas.finish("Cost of a million orders by service", &format!("All services: {}.", totals.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::{PriceTable, price};
    use crate::sample;

    fn priced() -> crate::model::Report {
        let mut report = sample::report();
        price(&mut report, &PriceTable::embedded());
        report
    }

    #[test]
    fn draws_each_service_that_any_lane_pays_for() {
        let chart = chart(&priced().lanes).expect("there are costs");

        assert!(
            chart.contains("WebSocket messages, async: $")
                && !chart.contains("SQS, sync")
                && chart.contains(">$0</text>"),
            "{chart}"
        );
        assert!(!chart.contains("NaN"), "{chart}");
    }

    #[test]
    fn leaves_out_what_no_lane_pays_for() {
        let mut report = priced();
        report.lanes.truncate(1);

        let chart = chart(&report.lanes).expect("there are costs");

        assert!(!chart.contains("SQS") && chart.contains("Lambda requests"), "{chart}");
    }

    #[test]
    fn names_the_lane_without_a_cost() {
        let mut report = priced();
        report.lanes[0].cost = None;

        assert!(chart(&report.lanes).expect("the async lane has costs").contains("The sync lane has no cost"));
        assert!(chart(&sample::report().lanes).is_err());
    }
}
