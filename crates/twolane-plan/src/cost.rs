//! A lane's cost, with the prices and the arithmetic of a comparison.

use crate::durations::{index_units, write_units};
use crate::flow::{After, flow};
use crate::settings::{Key, PlanSettings};
use crate::simulation::Simulation;
use crate::whole;
use crate::{Confirm, PlanInput};
use lanes::{Lane, STATUS_SERVICE};
use serde::Serialize;
use twolane_report::model::{CostPart, FunctionUsage, Usage};
use twolane_report::{Prices, usage_cost};

/// Kind of API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Api {
    /// As in the template.
    Rest,
    /// Cheaper, without request validation, mapping templates and web ACLs.
    Http,
}

/// The functions' architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Architecture {
    /// Graviton.
    #[serde(rename = "arm64")]
    Arm64,
    /// Intel or AMD.
    #[serde(rename = "x86_64")]
    X86,
}

/// A lane's cost at list prices, in USD.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cost {
    /// For 730 hours with this load.
    pub usd_per_month: f64,
    /// For a million orders with an outcome.
    pub usd_per_million_orders: f64,
    /// By service, for a million orders.
    pub parts: Vec<CostPart>,
}

/// Seconds in a month of 730 hours, as in AWS's calculator.
const MONTH_SECONDS: f64 = 730.0 * 3600.0;

const MILLION: f64 = 1e6;

/// `None` if no order has an outcome.
pub(crate) fn cost(lane: Lane, simulation: &Simulation, input: &PlanInput) -> Option<Cost> {
    let prices = input.prices.usd();
    let usage = usage(lane, simulation, input);
    let mut parts = usage_cost(&usage, prices)?.parts;
    let millions_per_month = simulation.finished / MILLION * MONTH_SECONDS / input.load.duration_seconds;
    for part in &mut parts {
        let capacities = simulation.write_units.len() + usize::from(input.lists_orders);
        what_if(part, input, prices, capacities, millions_per_month);
    }
    let usd_per_million_orders = parts.iter().map(|part| part.usd_per_million_orders).sum();
    Some(Cost { usd_per_month: usd_per_million_orders * millions_per_month, usd_per_million_orders, parts })
}

/// Adjusts a part's price for an HTTP API, x86 or provisioned tables. `capacities`: tables and indexes, all
/// provisioned.
#[expect(clippy::cast_precision_loss, reason = "a handful of tables")]
fn what_if(part: &mut CostPart, input: &PlanInput, prices: &Prices, capacities: usize, millions_per_month: f64) {
    let provisioned = input.settings[Key::ProvisionedWriteUnits];
    match part.service.as_str() {
        "API Gateway REST" if input.api == Api::Http => {
            "API Gateway HTTP".clone_into(&mut part.service);
            part.usd_per_million_orders *= prices.http_requests_per_million / prices.rest_requests_per_million;
        }
        "Lambda duration" if input.architecture == Architecture::X86 => {
            part.usd_per_million_orders *= prices.lambda_gb_second_x86_64 / prices.lambda_gb_second;
        }
        "DynamoDB writes" if provisioned > 0.0 => {
            part.quantity = format!("{provisioned} provisioned units of each of {capacities} tables and indexes");
            part.usd_per_million_orders =
                provisioned * capacities as f64 * 730.0 * prices.dynamodb_write_capacity_unit_hour / millions_per_month;
        }
        _ => {}
    }
}

fn usage(lane: Lane, simulation: &Simulation, input: &PlanInput) -> Usage {
    let settings = &input.settings;
    let accepted = simulation.accepted;
    let functions = functions(lane, simulation, settings);
    let stages = || flow(lane).stages.iter().zip(&simulation.stages);
    let batches: f64 = stages()
        .filter(|(stage, _)| stage.queue.is_some())
        .map(|(stage, done)| invocations(stage, done, accepted).0)
        .sum();
    let redelivered: f64 = simulation.stages.iter().map(|messages| messages.redelivered).sum();
    // A batch is one receive and one delete. A redelivery is one change of visibility and one more receive.
    let messages = stages().filter(|(stage, _)| stage.queue.is_some()).count() as u64;
    let message_units = messages * whole(accepted) + 2 * whole(batches + redelivered);
    let sockets = if input.confirm == Confirm::Callback && lane.has_callback {
        accepted / settings[Key::OrdersPerSocket]
    } else {
        0.0
    };
    let write_units_per_order: f64 = flow(lane).stages.iter().map(|stage| write_units(stage, settings)).sum();
    let index_units_per_order = if input.lists_orders { index_units(lane) } else { 0.0 };
    let lookups = if sockets > 0.0 { accepted } else { 0.0 };
    Usage {
        orders: whole(simulation.finished),
        order_requests: whole(simulation.arrived),
        throttled_requests: whole(simulation.refused.throttled),
        status_requests: whole(simulation.polls),
        publish_units: Some(lane.usage.publishes * whole(accepted)),
        message_units,
        fair_queue_units: Some(if lane.has_fair_queue() { message_units } else { 0 }),
        functions,
        write_units: (write_units_per_order + index_units_per_order) * accepted,
        read_units: simulation.polls + lookups,
        websocket_messages: whole(simulation.callbacks),
        connection_minutes: sockets * settings[Key::SocketMinutes],
    }
}

fn functions(lane: Lane, simulation: &Simulation, settings: &PlanSettings) -> Vec<FunctionUsage> {
    let gb = settings[Key::MemorySize] / 1024.0;
    let most =
        |name: &str| simulation.concurrency.iter().find(|(known, _)| *known == name).map_or(0.0, |(_, most)| *most);
    let function = |name: &'static str, invocations: f64, seconds: f64| FunctionUsage {
        name: name.to_owned(),
        invocations: whole(invocations),
        gb_seconds: seconds * gb,
        most_at_once: whole(most(name).ceil()),
        representative: true,
    };
    let of = |name: &'static str| {
        let stages = flow(lane).stages.iter().zip(&simulation.stages).filter(|(stage, _)| stage.function == Some(name));
        let each = stages.map(|(stage, done)| invocations(stage, done, simulation.accepted));
        let (count, seconds) = each.fold((0.0, 0.0), |sum, (count, seconds)| (sum.0 + count, sum.1 + seconds));
        function(name, count, seconds)
    };
    let mut all: Vec<_> = lane.functions.iter().map(|spec| of(spec.name)).collect();
    if simulation.polls > 0.0 {
        let seconds = (settings[Key::OverheadMs] + settings[Key::DatabaseMs]) / 1e3;
        all.push(function(STATUS_SERVICE.name, simulation.polls, simulation.polls * seconds));
    }
    all
}

/// A stage's invocations and their seconds. A simulation ends before messages that follow a decision or wait for the
/// deadline. These are extrapolated.
fn invocations(stage: &crate::flow::Stage, done: &crate::stage_messages::StageMessages, accepted: f64) -> (f64, f64) {
    let comes_later = matches!(stage.after, After::Deadline(_) | After::Decision);
    if !comes_later || done.passed >= accepted {
        return (done.invocations, done.busy_seconds);
    }
    if done.passed < 1.0 {
        return (accepted, 0.0);
    }
    let all = accepted / done.passed;
    (done.invocations * all, done.busy_seconds * all)
}
