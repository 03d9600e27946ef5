//! The cost of a run at AWS's list prices.
//!
//! Costs are per million orders with an outcome, so that lanes with different work can be compared. They include
//! refused requests and retries.

mod crossover;
mod prices;

pub(crate) use crossover::is_overloaded;
pub use prices::{PriceTable, Prices};

use crate::model::{Confirm, CostPart, LaneCost, LaneReport, Pricing, Report, Usage};
use lanes::STATUS_SERVICE;

const MILLION: f64 = 1_000_000.0;

/// Billed by AWS but not counted.
const LEFT_OUT: [&str; 7] = [
    "the functions that run once per token or per socket",
    "CloudWatch Logs, metrics and alarms",
    "X-Ray traces",
    "data transfer to the internet",
    "stored data and point-in-time recovery of DynamoDB",
    "empty receives of an idle queue",
    "the free tier and all discounts",
];

/// Adds costs and crossovers.
pub(crate) fn price(report: &mut Report, table: &PriceTable) {
    // A real caller learns outcomes one way. If the run used both, price only callbacks.
    let both = report.run.confirm == Confirm::Both;
    for lane in &mut report.lanes {
        lane.cost =
            if both { usage_cost(&without_polls(lane).usage, &table.usd) } else { usage_cost(&lane.usage, &table.usd) };
    }
    report.pricing = Some(Pricing {
        region: table.region.clone(),
        as_of: table.as_of.clone(),
        sources: table.sources.clone(),
        left_out: LEFT_OUT.map(str::to_owned).to_vec(),
        crossovers: crossover::crossovers(&report.lanes, both, &table.usd),
    });
}

/// Without polls.
fn without_polls(lane: &LaneReport) -> LaneReport {
    let mut lane = LaneReport { timeline: Vec::new(), ..lane.clone() };
    let usage = &mut lane.usage;
    usage.functions.retain(|function| function.name != STATUS_SERVICE.name);
    usage.read_units = (usage.read_units - float(usage.status_requests)).max(0.0);
    usage.status_requests = 0;
    lane
}

/// Counts stay far below 2⁵³.
#[expect(clippy::cast_precision_loss, reason = "no run counts to 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}

fn done(lane: &LaneReport) -> f64 {
    float(lane.usage.orders)
}

/// By service. `None` if no order was done.
#[must_use]
pub fn usage_cost(usage: &Usage, prices: &Prices) -> Option<LaneCost> {
    let done = float(usage.orders);
    if done == 0.0 {
        return None;
    }
    let invocations = float(usage.functions.iter().map(|function| function.invocations).sum());
    let gb_seconds: f64 = usage.functions.iter().map(|function| function.gb_seconds).sum();
    // API Gateway does not charge throttled requests (429). Source: Amazon API Gateway Developer Guide, "Amazon API
    // Gateway pricing".
    let requests = usage.order_requests.saturating_sub(usage.throttled_requests) + usage.status_requests;
    // Service, quantity, unit, price of one.
    let counted = [
        ("API Gateway REST", float(requests), "requests", prices.rest_requests_per_million / MILLION),
        (
            "SNS",
            float(usage.publish_units.unwrap_or(0)),
            "requests of 64 KB",
            prices.sns_requests_per_million / MILLION,
        ),
        ("SQS", float(usage.message_units), "requests of 64 KB", prices.sqs_requests_per_million / MILLION),
        (
            "SQS fair queue",
            float(usage.fair_queue_units.unwrap_or(0)),
            "requests of 64 KB",
            prices.sqs_fair_queue_requests_per_million / MILLION,
        ),
        ("Lambda requests", invocations, "invocations", prices.lambda_requests_per_million / MILLION),
        ("Lambda duration", gb_seconds, "GB-seconds", prices.lambda_gb_second),
        ("DynamoDB writes", usage.write_units, "units of 1 KB", prices.dynamodb_write_units_per_million / MILLION),
        ("DynamoDB reads", usage.read_units, "units of 4 KB", prices.dynamodb_read_units_per_million / MILLION),
        (
            "WebSocket messages",
            float(usage.websocket_messages),
            "messages of 32 KB",
            prices.websocket_messages_per_million / MILLION,
        ),
        (
            "WebSocket connections",
            usage.connection_minutes,
            "minutes",
            prices.websocket_connection_minutes_per_million / MILLION,
        ),
    ];
    let parts: Vec<_> = counted
        .into_iter()
        .map(|(service, quantity, unit, price)| CostPart {
            service: service.to_owned(),
            quantity: format!("{} {unit} per order", significant(quantity / done)),
            usd_per_million_orders: quantity / done * MILLION * price,
        })
        .collect();
    Some(LaneCost {
        usd_per_million_orders: parts.iter().map(|part| part.usd_per_million_orders).sum(),
        parts,
        representative: !usage.functions.is_empty() && usage.functions.iter().all(|function| function.representative),
    })
}

/// Three significant digits, without trailing zeros.
fn significant(value: f64) -> String {
    let decimals = (0..6).find(|decimals| value >= 10_f64.powi(2 - decimals)).unwrap_or(6);
    let text = format!("{value:.*}", usize::try_from(decimals).unwrap_or(0));
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests;
