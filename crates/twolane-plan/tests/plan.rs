//! Checks the model against closed forms, and invariants for random inputs.

use lanes::LANES;
use proptest::prelude::*;
use twolane_plan::{
    Api, Architecture, Confirm, LanePlan, LimitTable, Load, PlanInput, PlanSettings, RateProfile, plan,
};
use twolane_report::PriceTable;

fn input(load: Load, set: &[(&str, f64)]) -> PlanInput {
    let limits = LimitTable::embedded();
    let mut settings = PlanSettings::new(&limits);
    for (name, value) in set {
        settings.set(name, *value).expect("the value is in its range");
    }
    PlanInput {
        lanes: LANES.iter().collect(),
        load,
        settings,
        limits,
        prices: PriceTable::embedded(),
        confirm: Confirm::Callback,
        api: Api::Rest,
        architecture: Architecture::Arm64,
        lists_orders: true,
        max_delay_seconds: 60.0,
    }
}

fn constant(rate: f64, seconds: f64) -> Load {
    Load::new(RateProfile::Constant, rate, 1.0, seconds).expect("it is in range")
}

fn lane(input: &PlanInput, name: &str) -> LanePlan {
    let found = plan(input).lanes.into_iter().find(|lane| lane.lane.name == name);
    found.expect("the plan has every lane")
}

#[track_caller]
fn assert_close(value: f64, expected: f64) {
    assert!((value - expected).abs() <= 1e-6 * expected.abs().max(1.0), "{value} is not {expected}");
}

/// Only the queue's pollers limit: ten concurrent batches of ten messages, each for 0.1 s.
const SERVES_A_THOUSAND: &[(&str, f64)] = &[
    ("ApiRateLimit", 1e6),
    ("ApiBurstLimit", 1e6),
    ("ApiRequestsPerSecond", 1e6),
    ("WebSocketConnectionsPerSecond", 1e6),
    ("WarmWriteUnits", 40_000.0),
    ("BatchesAtFirst", 10.0),
];

#[test]
fn concurrency_is_rate_times_duration() {
    let sync = lane(&input(constant(400.0, 60.0), &[("DatabaseMs", 248.0)]), "sync");

    // Little's law: 400 a second, each for 248 + 2 ms.
    assert_close(sync.concurrency[0].most, 100.0);
    assert_close(sync.delays.expect("orders were done").p99, 0.25);
    assert!(sync.passes);
}

#[test]
fn a_token_bucket_grants_its_burst_and_its_rate() {
    let sync = lane(&input(constant(1_500.0, 60.0), &[("SyncBurstLimit", 2_000.0)]), "sync");

    assert_close(sync.orders.confirmed, 2_000.0 + 500.0 * 60.0);
    assert_close(sync.orders.refused.throttled, 1_500.0 * 60.0 - 32_000.0);
    // The bucket is empty after 2000 / (1500 − 500) seconds.
    assert_eq!((sync.limited_by[0].setting, sync.limited_by[0].first_second), ("SyncRateLimit", 2));
}

#[test]
fn a_backlog_grows_and_drains_at_the_difference_of_the_rates() {
    let asynchronous = lane(&input(constant(3_000.0, 60.0), SERVES_A_THOUSAND), "async");

    // (3000 − 1000) × 60 orders, drained in 120 000 / 1000 seconds.
    assert_close(asynchronous.backlog.peak, 120_000.0);
    assert_eq!(asynchronous.backlog.peak_second, 59);
    assert_eq!(asynchronous.backlog.drain_seconds, Some(120));
    // An order of second t waits t × (3000 / 1000 − 1): 60 s at the median, and 17 ms + 20 ms + … without a queue.
    let delays = asynchronous.delays.expect("orders were done");
    assert!((delays.p50 - 60.0).abs() < 1.5 && (delays.p99 - 119.0).abs() < 1.5, "{delays:?}");
    assert_eq!(asynchronous.limited_by[0].setting, "MaximumConcurrency");
    assert_close(asynchronous.orders.confirmed, 180_000.0);
}

#[test]
fn a_backlog_drains_while_orders_arrive() {
    let load = Load::new(RateProfile::Burst, 600.0, 2.5, 900.0).expect("it is in range");

    let asynchronous = lane(&input(load, SERVES_A_THOUSAND), "async");

    // (1500 − 1000) × 300 orders. They drain in 150 000 / (1000 − 600) = 375 s: 300 s under load, then 30 000 / 1000 s.
    assert_close(asynchronous.backlog.peak, 150_000.0);
    assert_eq!(asynchronous.backlog.drain_seconds, Some(30));
}

#[test]
fn a_throttled_function_answers_500_and_a_throttled_table_503() {
    let function =
        lane(&input(constant(400.0, 60.0), &[("DatabaseMs", 998.0), ("ReservedConcurrentExecutions", 100.0)]), "sync");
    let table = lane(&input(constant(400.0, 60.0), &[("ProvisionedWriteUnits", 100.0)]), "sync");

    assert_close(function.orders.refused.function_throttled, 300.0 * 60.0);
    assert_close(table.orders.refused.dependency_over_limit, 300.0 * 60.0);
}

#[test]
fn long_invocations_keep_their_concurrency_until_they_end() {
    // Each second, ten requests arrive within 0.1 s. Each takes 0.5 s, and two may run concurrently.
    let counts: Vec<f64> = (0..100).map(|tenth| if tenth % 10 == 0 { 10.0 } else { 0.0 }).collect();
    let volleys = Load::recorded(counts, 0.1).expect("it is in range");

    let sync = lane(&input(volleys, &[("DatabaseMs", 498.0), ("ReservedConcurrentExecutions", 2.0)]), "sync");

    // Idle concurrency accepts two requests each second. A rate of 2 / 0.5 s would accept four.
    assert_close(sync.orders.confirmed, 20.0);
    assert_close(sync.concurrency[0].most, 2.0);
}

#[test]
fn callbacks_use_a_part_of_the_accounts_request_rate() {
    let set =
        [("ApiRequestsPerSecond", 1_000.0), ("ApiBurst", 1.0), ("ApiRateLimit", 1e6), ("MaximumConcurrency", 1_000.0)];
    let set = [&set[..], &[("OrdersPerSocket", 1e9), ("BatchesAtFirst", 1_000.0)]].concat();

    let asynchronous = lane(&input(constant(2_000.0, 600.0), &set), "async");

    let refused = asynchronous.orders.refused.throttled / asynchronous.orders.arrived;
    assert!((0.5..0.80).contains(&refused), "{refused}");
    assert_eq!(asynchronous.limited_by[0].setting, "ApiRequestsPerSecond");
}

#[test]
fn one_counter_limits_a_day_to_500_orders_a_second_and_eight_to_4_000() {
    let day = |per_day: f64| {
        let set = [SERVES_A_THOUSAND, &[("MaximumConcurrency", 1_000.0), ("ShipmentsPerDay", per_day)]].concat();
        let bus = lane(&input(constant(800.0, 1.0), &set), "bus");
        bus.needs.into_iter().find(|need| need.at.contains("day's shipments")).expect("the bus lane needs it")
    };

    let (few, many) = (day(1_999.0), day(1e9));

    assert_close(few.need, 1.6);
    assert_close(few.have, 1.0);
    assert_close(many.have, 8.0);
}

#[test]
fn orders_past_their_deadline_are_cancelled() {
    let set = [SERVES_A_THOUSAND, &[("OrderDeadlineSeconds", 10.0), ("ShipmentsPerDay", 1e9)]].concat();

    let bus = lane(&input(constant(450.0, 120.0), &set), "bus");

    // An order has three votes, so the outcomes queue serves 333 orders a second.
    assert!(bus.orders.cancelled > 1_000.0, "{:?}", bus.orders);
    assert!(bus.delays.expect("orders were done").max < 12.0, "{:?}", bus.delays);
}

#[test]
fn each_choice_changes_its_own_costs() {
    let rest = input(constant(100.0, 3_600.0), &[]);
    let usd = |input: &PlanInput| lane(input, "async").cost.expect("orders were done").usd_per_million_orders;
    let of = |input: &PlanInput, service: &str| {
        let cost = lane(input, "async").cost.expect("orders were done");
        cost.parts.iter().find(|part| part.service == service).map_or(0.0, |part| part.usd_per_million_orders)
    };

    let http = PlanInput { api: Api::Http, ..rest.clone() };
    let x86 = PlanInput { architecture: Architecture::X86, ..rest.clone() };
    let poll = PlanInput { confirm: Confirm::Poll, ..rest.clone() };
    let window = input(constant(100.0, 3_600.0), &[("MaximumBatchingWindowInSeconds", 1.0)]);
    let provisioned = input(constant(100.0, 3_600.0), &[("ProvisionedWriteUnits", 120.0)]);

    assert_close(of(&rest, "API Gateway REST") - of(&http, "API Gateway HTTP"), 2.5);
    assert_close(of(&x86, "Lambda duration") / of(&rest, "Lambda duration"), 0.000_016_666_7 / 0.000_013_333_4);
    assert_close(of(&poll, "WebSocket messages"), 0.0);
    assert!(usd(&poll) > usd(&rest));
    // Batches are full: a tenth of the invocations, receives and deletes.
    assert_close(of(&window, "Lambda requests"), 0.02);
    // 120 units of the table and its index for 730 hours, and 262.8 million orders a month.
    assert_close(of(&provisioned, "DynamoDB writes"), 2.0 * 120.0 * 730.0 * 0.000_65 / 262.8);
    let unlisted = PlanInput { lists_orders: false, ..provisioned };
    assert_close(of(&unlisted, "DynamoDB writes"), 120.0 * 730.0 * 0.000_65 / 262.8);
    assert_close(usd(&rest) - usd(&PlanInput { lists_orders: false, ..rest.clone() }), 0.625);
}

#[test]
fn the_same_input_gives_the_same_plan_bit_by_bit() {
    let load = Load::new(RateProfile::Day, 700.0, 4.0, 3_600.0).expect("it is in range");
    let input = input(load, &[]);
    let json = || serde_json::to_string(&plan(&input)).expect("it is JSON");

    assert_eq!(json(), json());
}

#[test]
fn the_changes_make_a_lane_pass() {
    for rate in [100.0, 1_000.0] {
        let load = Load::new(RateProfile::Day, rate, 5.0, 86_400.0).expect("it is in range");

        for lane in plan(&input(load, &[])).lanes {
            assert!(lane.passes || lane.with_changes.is_some_and(|then| then.passes), "{} at {rate}/s", lane.lane.name);
        }
    }
}

prop_compose! {
    fn any_load()(
        profile in prop_oneof![Just(RateProfile::Constant), Just(RateProfile::Ramp), Just(RateProfile::Burst), Just(RateProfile::Day)],
        rate in 1.0..20_000.0_f64,
        peak in 1.0..10.0_f64,
        seconds in 1.0..90.0_f64,
    ) -> Load {
        Load::new(profile, rate, peak, seconds).expect("it is in range")
    }
}

prop_compose! {
    fn any_settings()(
        maximum_concurrency in 2.0..1_000.0_f64,
        batch_size in 1.0..100.0_f64,
        units in 10.0..40_000.0_f64,
        publishes in 10.0..30_000.0_f64,
        database_ms in 1.0..500.0_f64,
        api in 100.0..50_000.0_f64,
        sockets in 10.0..50_000.0_f64,
        deadline in 1.0..60.0_f64,
        deliveries in 1..=5,
        backoff in 1.0..60.0_f64,
    ) -> Vec<(&'static str, f64)> {
        vec![
            ("MaximumConcurrency", maximum_concurrency),
            ("BatchSize", batch_size.floor()),
            ("ProvisionedWriteUnits", units),
            ("SnsPublishesPerSecond", publishes),
            ("DatabaseMs", database_ms),
            ("ApiRateLimit", api),
            ("WebSocketConnectionsPerSecond", sockets),
            ("OrderDeadlineSeconds", deadline),
            ("MaxReceiveCount", f64::from(deliveries)),
            ("BackoffBaseSeconds", backoff),
        ]
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn no_order_vanishes(load in any_load(), set in any_settings(), polls in any::<bool>()) {
        let confirm = if polls { Confirm::Poll } else { Confirm::Callback };
        let expected = load.orders();

        for lane in plan(&PlanInput { confirm, ..input(load, &set) }).lanes {
            let orders = lane.orders;
            let sum = orders.refused.total() + orders.confirmed + orders.cancelled + orders.failed + orders.waiting;
            prop_assert!((sum - orders.arrived).abs() < 1e-6 * orders.arrived + 1e-3, "{}: {orders:?}", lane.lane.name);
            // Arrivals are sampled once a step.
            prop_assert!((orders.arrived - expected).abs() < 0.2 * expected + 1.0, "{expected}: {orders:?}");
            for count in [orders.refused.total(), orders.confirmed, orders.cancelled, orders.failed, orders.not_called_back] {
                prop_assert!(count >= -1e-6, "{}: {orders:?}", lane.lane.name);
            }
            prop_assert!(lane.backlog.peak <= orders.arrived * (1.0 + 1e-9));
        }
    }
}
