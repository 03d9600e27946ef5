use super::*;
use crate::model::{Confirm, Counts, Crossover, FunctionUsage, Report, Usage};
use crate::sample;

/// Round numbers.
fn prices() -> PriceTable {
    let mut table = PriceTable::embedded();
    table.usd = Prices {
        rest_requests_per_million: 4.0,
        http_requests_per_million: 1.0,
        websocket_messages_per_million: 1.0,
        websocket_connection_minutes_per_million: 0.5,
        lambda_requests_per_million: 0.2,
        lambda_gb_second: 0.000_01,
        lambda_gb_second_x86_64: 0.000_012,
        sns_requests_per_million: 0.5,
        sqs_requests_per_million: 0.4,
        sqs_fair_queue_requests_per_million: 0.1,
        dynamodb_write_units_per_million: 0.6,
        dynamodb_read_units_per_million: 0.1,
        dynamodb_write_capacity_unit_hour: 0.000_72,
    };
    table
}

/// A thousand orders down each lane, all confirmed.
fn report() -> Report {
    let mut report = sample::report();
    report.run.confirm = Confirm::Poll;
    for lane in &mut report.lanes {
        lane.counts = Counts { confirmed: 1000, ..Counts::default() };
        lane.usage = Usage { orders: 1000, order_requests: 1000, write_units: 1000.0, ..Usage::default() };
    }
    report.lanes[0].usage.functions = vec![function("create-order", 1000, 5.0)];
    let usage = &mut report.lanes[1].usage;
    usage.functions = vec![function("process-orders", 100, 3.0), function("get-order", 500, 1.0)];
    usage.status_requests = 500;
    (usage.message_units, usage.fair_queue_units) = (1200, Some(1200));
    usage.read_units = 500.0;
    usage.websocket_messages = 1000;
    usage.connection_minutes = 2000.0;
    report
}

fn function(name: &str, invocations: u64, gb_seconds: f64) -> FunctionUsage {
    FunctionUsage { name: name.to_owned(), invocations, gb_seconds, most_at_once: 1, representative: true }
}

fn is(value: f64, expected: f64) {
    assert!((value - expected).abs() < 1e-9, "{value} is not {expected}");
}

fn are(values: &[f64], expected: &[f64]) {
    assert_eq!(values.len(), expected.len(), "{values:?} are not {expected:?}");
    for (value, expected) in values.iter().zip(expected) {
        is(*value, *expected);
    }
}

/// Of the two lanes.
fn crossover(report: Report) -> Crossover {
    let mut crossovers = report.pricing.expect("priced").crossovers;
    assert_eq!(crossovers.len(), 1);
    crossovers.remove(0)
}

#[test]
fn costs_match_a_manual_computation() {
    let mut report = report();

    price(&mut report, &prices());

    let cost = |lane: usize| report.lanes[lane].cost.as_ref().expect("orders were done");
    let parts = |lane| cost(lane).parts.iter().map(|part| part.usd_per_million_orders).collect::<Vec<_>>();
    // REST 1 × 4; invocations 1 × 0.2; 0.005 GB-s × 10; write 1 × 0.6.
    are(&parts(0), &[4.0, 0.0, 0.0, 0.0, 0.2, 0.05, 0.6, 0.0, 0.0, 0.0]);
    is(cost(0).usd_per_million_orders, 4.85);
    // REST 1.5 × 4; SQS 1.2 × 0.4 and 1.2 × 0.1; invocations 0.6 × 0.2; 0.004 GB-s × 10. Write 0.6; read 0.5 × 0.1;
    // messages 1 × 1; minutes 2 × 0.5.
    are(&parts(1), &[6.0, 0.0, 0.48, 0.12, 0.12, 0.04, 0.6, 0.05, 1.0, 1.0]);
    is(cost(1).usd_per_million_orders, 9.41);
    assert_eq!(cost(1).parts[2].quantity, "1.2 requests of 64 KB per order");
    assert!(cost(0).representative);
}

#[test]
fn crossovers_match_a_manual_computation() {
    let mut report = report();

    price(&mut report, &prices());

    let crossover = crossover(report);
    is(crossover.extra_usd_per_million, 4.56);
    assert_eq!((crossover.direct.name, crossover.queued.name), ("sync", "async"));
    // 4 + 0.2 + 0.002 GB-s × 10 + 0.1.
    is(crossover.poll_usd_per_million, 4.32);
    // Async without callbacks (2.00) and polls (0.5 × 4.32) costs 5.25, dearer than 4.85.
    assert_eq!(crossover.polls_per_order_at_equal_cost, None);
    is(crossover.polls_per_order_at_cost_of_callbacks.expect("callbacks"), 2.0 / 4.32);
    // 0.00072 an hour for 3600 writes are 0.2 a million; the rest of the async lane costs 4.56 more.
    is(crossover.provisioned_usd_per_million_at_full_use, 0.2);
    is(crossover.peak_to_mean_at_on_demand, 3.0);
    is(crossover.peak_to_mean_at_equal_cost, 1.25 + 4.56 / 0.2);
    assert!(!crossover.levelling_pays_on_dynamodb);
    // 2.628 million orders a month at one a second; 10 − 1.25 of capacity saved.
    let at_ten = crossover.break_even.iter().find(|point| point.peak_to_mean > 9.0).expect("ten");
    is(at_ten.usd_per_month_per_order_per_second.expect("a price"), 4.56 * 2.628 / 8.75);
}

#[test]
fn polling_has_a_break_even_if_the_queued_lane_is_cheaper() {
    let mut report = report();
    let usage = &mut report.lanes[0].usage;
    usage.functions[0].gb_seconds = 500.0;

    price(&mut report, &prices());

    // Sync now costs 9.80, async without callbacks and polls 5.25.
    let crossover = crossover(report);
    is(crossover.polls_per_order_at_equal_cost.expect("cheap enough"), (9.8 - 5.25) / 4.32);
    assert_eq!(crossover.break_even[0].usd_per_month_per_order_per_second, None);
}

#[test]
fn a_lane_without_an_outcome_has_no_cost_and_a_run_of_one_lane_no_crossover() {
    let mut report = report();
    report.lanes[1].usage.orders = 0;

    price(&mut report, &prices());

    assert!(report.lanes[1].cost.is_none());
    assert!(report.pricing.expect("priced").crossovers.is_empty());
    assert_eq!(report.lanes[1].lane.name, "async");
}

#[test]
fn requests_that_api_gateway_throttles_are_not_charged() {
    let mut report = report();
    report.lanes[0].usage.order_requests = 1800;
    report.lanes[0].usage.throttled_requests = 800;

    price(&mut report, &prices());

    is(report.lanes[0].cost.as_ref().expect("orders were done").usd_per_million_orders, 4.85);
}

#[test]
fn a_lane_that_refused_requests_has_no_crossover() {
    let mut report = report();
    (report.lanes[0].counts.sent, report.lanes[0].counts.refused.server_error) = (1000, 500);

    price(&mut report, &prices());

    assert!(report.pricing.expect("priced").crossovers.is_empty());
}

#[test]
fn with_callbacks_and_polls_only_the_callbacks_are_priced() {
    let (mut callbacks, mut both) = (report(), report());
    let usage = &mut callbacks.lanes[1].usage;
    usage.functions.truncate(1);
    (usage.status_requests, usage.read_units) = (0, 0.0);
    callbacks.run.confirm = Confirm::Callback;
    both.run.confirm = Confirm::Both;

    price(&mut callbacks, &prices());
    price(&mut both, &prices());

    let cost = |report: &Report| report.lanes[1].cost.as_ref().expect("orders were done").usd_per_million_orders;
    is(cost(&both), cost(&callbacks));
}

#[test]
fn a_duration_of_an_emulator_is_not_representative() {
    let mut report = report();
    report.lanes[1].usage.functions[0].representative = false;

    price(&mut report, &prices());

    assert!(!report.lanes[1].cost.as_ref().expect("orders were done").representative);
}

#[test]
fn writes_three_significant_digits() {
    let written = [0.0, 0.004, 1.0, 1.234_5, 12.34, 123.4, 1234.5].map(significant);

    assert_eq!(written, ["0", "0.004", "1", "1.23", "12.3", "123", "1234"]);
}
