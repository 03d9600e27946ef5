//! A plan as an HTML page, with a comparison's charts.

use crate::text::{basis, heading, rows, verdict};
use crate::{LanePlan, Plan, Span, whole};
use twolane_report::model::{Counts, LaneCost, LaneReport, Latencies, Refused, TimelineSecond, Usage};
use twolane_report::{Forecast, LaneFindings, forecast_page};

/// One HTML page for any browser, without scripts and network requests.
#[must_use]
pub fn page(plan: &Plan) -> String {
    let sentences = basis(plan).map(|(label, text)| format!("{label}: {text}"));
    let findings = |lane: &LanePlan| {
        let rows = rows(lane, plan).into_iter().filter(|(_, values)| !values.is_empty()).collect();
        LaneFindings { heading: verdict(lane), rows }
    };
    forecast_page(&Forecast {
        title: heading(plan),
        basis: std::iter::once(plan.basis.to_owned()).chain(sentences).collect(),
        findings: plan.lanes.iter().map(findings).collect(),
        lanes: plan.lanes.iter().map(as_report).collect(),
    })
}

/// In the shape of a report, for charts.
fn as_report(lane: &LanePlan) -> LaneReport {
    let orders = &lane.orders;
    let refused = Refused {
        throttled: whole(orders.refused.throttled),
        server_error: whole(orders.refused.function_throttled),
        unavailable: whole(orders.refused.dependency_over_limit),
        ..Refused::default()
    };
    let counts = Counts {
        sent: whole(orders.arrived),
        accepted: whole(orders.arrived - orders.refused.total()),
        refused,
        confirmed: whole(orders.confirmed),
        cancelled: Some(whole(orders.cancelled)),
        failed: whole(orders.failed),
        unsettled: whole(orders.waiting),
        ..Counts::default()
    };
    LaneReport {
        other_owners: None,
        lane: lane.lane,
        limits: std::collections::BTreeMap::new(),
        counts,
        latencies: Latencies { acknowledge: None, done_by_callback: None, done_by_poll: None },
        timeline: lane.series.iter().flat_map(seconds).collect(),
        dead_letters: None,
        reconciliation: None,
        usage: Usage::default(),
        cost: lane.cost.as_ref().map(|cost| LaneCost {
            usd_per_million_orders: cost.usd_per_million_orders,
            parts: cost.parts.clone(),
            representative: false,
        }),
    }
}

fn seconds(span: &Span) -> impl Iterator<Item = TimelineSecond> {
    let each = TimelineSecond {
        second: span.second,
        arrivals: whole(span.arrivals),
        acknowledged: whole(span.arrivals - span.refused),
        refused: whole(span.refused),
        completed: whole(span.completed),
        backlog: whole(span.backlog),
        queue_depth: None,
    };
    (0..span.seconds).map(move |second| TimelineSecond { second: each.second + second, ..each.clone() })
}
