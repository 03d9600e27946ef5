//! A sample run: one minute at 20 orders per second, with a burst that the sync lane cannot accept.

use crate::model::{
    Arrivals, ArrivalsKind, Confirm, Counts, DeadLetterCounts, FunctionUsage, Generator, LaneReport, Latencies,
    Latency, Reconciliation, Refused, Report, Run, SCHEMA_VERSION, ScheduleLag, Target, TargetKind, TimelineSecond,
    Usage,
};
use lanes::Lane;
use std::collections::BTreeMap;

/// Without costs and verdict.
pub(crate) fn report() -> Report {
    Report {
        schema_version: SCHEMA_VERSION,
        run: run(),
        lanes: vec![sync_lane(), async_lane()],
        pricing: None,
        verdict: Vec::new(),
        promises: Vec::new(),
        errors: Vec::new(),
    }
}

fn run() -> Run {
    Run {
        id: "5f0c1b0e".to_owned(),
        started_at: "2026-11-24T12:00:00.000Z".to_owned(),
        finished_at: "2026-11-24T12:03:10.500Z".to_owned(),
        twolane_version: "0.1.0".to_owned(),
        git_commit: Some("4f151d4".to_owned()),
        scenario: "burst".to_owned(),
        scenario_settings: BTreeMap::from([("concurrency".to_owned(), "5".to_owned())]),
        parallel: false,
        confirm: Confirm::Both,
        seed: 7,
        arrivals: Arrivals {
            kind: ArrivalsKind::Burst,
            rate_per_second: 33.333,
            duration_seconds: 60.0,
            orders: 2000,
            schedule_hash: Some("27d0c4ea0ecbb9a2".to_owned()),
        },
        owners: 20,
        warm_up_seconds: 5.0,
        grace_seconds: 60.0,
        target: Target {
            kind: TargetKind::Emulator,
            api_url: "http://127.0.0.1:4566/restapis/abc123/live/_user_request_".to_owned(),
            region: Some("us-east-1".to_owned()),
        },
        interrupted: false,
        generator: Generator {
            schedule_lag: ScheduleLag { p50_ms: 0.1, p99_ms: 1.9, max_ms: 6.4 },
            in_flight_bound: 4096,
            resent: Some(0),
            on_schedule: true,
            reason: None,
        },
    }
}

/// Times between `least` and `most`, with a long tail.
fn latency(count: u64, least: f64, most: f64) -> Latency {
    let at = |fraction: f64| least * (most / least).powf(fraction.powi(3));
    let cdf = (0..=60).map(|step| (at(f64::from(step) / 60.0), f64::from(step) / 60.0)).collect();
    Latency {
        count,
        min_ms: least,
        p50_ms: at(0.5),
        p90_ms: at(0.9),
        p99_ms: at(0.99),
        p99_9_ms: at(0.999),
        max_ms: most,
        precision: 3,
        hdr: "HISTFAAAAB542pNpmSzMwMDAxAABzFCaEUoz2X+AsgAtQgJG".to_owned(),
        cdf,
    }
}

/// Ten orders a second, and almost a hundred from 20 to 35.
fn due(second: u64) -> u64 {
    match second {
        0..20 | 36..60 => 10,
        20..28 => 98,
        28..36 => 97,
        _ => 0,
    }
}

fn lane(name: &str) -> Lane {
    lanes::lane(name).expect("it is in the table")
}

fn sync_lane() -> LaneReport {
    let timeline = (0..62).map(|second| {
        let (arrivals, done) = (due(second), due(second.wrapping_sub(1)).min(40));
        let refused = due(second.wrapping_sub(1)) - done;
        let backlog = arrivals / 6;
        TimelineSecond { second, arrivals, acknowledged: done, refused, completed: done, backlog, queue_depth: None }
    });
    LaneReport {
        lane: lane("sync"),
        limits: BTreeMap::from([("create-order".to_owned(), Some(5))]),
        counts: Counts {
            sent: 2000,
            not_sent: Some(0),
            accepted: 1080,
            refused: Refused { throttled: 810, server_error: 110, ..Refused::default() },
            confirmed: 1080,
            cancelled: Some(0),
            attempts: BTreeMap::from([(1, 1080)]),
            ..Counts::default()
        },
        latencies: Latencies {
            acknowledge: Some(latency(1080, 8.2, 912.0)),
            done_by_callback: None,
            done_by_poll: None,
        },
        other_owners: None,
        timeline: timeline.collect(),
        dead_letters: None,
        reconciliation: Some(Reconciliation { checked: 1080, stored: 1080, differences: 0, mismatches: Vec::new() }),
        usage: Usage {
            orders: 1080,
            order_requests: 2000,
            throttled_requests: 810,
            publish_units: Some(0),
            functions: vec![function("create-order", 1080, 2.18)],
            write_units: 1080.0,
            ..Usage::default()
        },
        cost: None,
    }
}

fn async_lane() -> LaneReport {
    let mut backlog = 0;
    let timeline = (0..62).map(|second| {
        let (arrivals, acknowledged) = (due(second), due(second));
        let completed = (backlog + acknowledged).min(60);
        backlog = backlog + acknowledged - completed;
        TimelineSecond { second, arrivals, acknowledged, refused: 0, completed, backlog, queue_depth: Some(backlog) }
    });
    LaneReport {
        lane: lane("async"),
        limits: BTreeMap::from([("process-orders".to_owned(), Some(5))]),
        counts: Counts {
            sent: 2000,
            not_sent: Some(0),
            accepted: 2000,
            confirmed: 2000,
            cancelled: Some(0),
            duplicate_callbacks: 3,
            attempts: BTreeMap::from([(1, 1990), (2, 10)]),
            ..Counts::default()
        },
        latencies: Latencies {
            acknowledge: Some(latency(2000, 5.1, 120.0)),
            done_by_callback: Some(latency(2000, 21.0, 11_800.0)),
            done_by_poll: Some(latency(2000, 30.0, 12_700.0)),
        },
        other_owners: None,
        timeline: timeline.collect(),
        dead_letters: Some(DeadLetterCounts { before: 0, after: 0 }),
        reconciliation: Some(Reconciliation { checked: 2000, stored: 2000, differences: 0, mismatches: Vec::new() }),
        usage: Usage {
            orders: 2000,
            order_requests: 2000,
            throttled_requests: 0,
            status_requests: 3000,
            publish_units: Some(0),
            message_units: 2800,
            fair_queue_units: Some(2800),
            functions: vec![function("process-orders", 400, 2.0), function("get-order", 3000, 3.0)],
            write_units: 2000.0,
            read_units: 5000.0,
            websocket_messages: 2003,
            connection_minutes: 40.0,
        },
        cost: None,
    }
}

/// With a third lane: 20 of its orders are cancelled, the others confirmed.
pub(crate) fn report_of_three() -> Report {
    let mut report = report();
    let mut bus = async_lane();
    bus.lane = lane("bus");
    bus.limits = bus.lane.functions.iter().map(|function| (function.name.to_owned(), Some(5))).collect();
    bus.counts.confirmed = 1980;
    bus.counts.cancelled = Some(20);
    let workers = bus.lane.functions.iter().map(|spec| function(spec.name, 800, 4.0));
    bus.usage = Usage {
        functions: workers.chain([function("get-order", 3000, 3.0)]).collect(),
        publish_units: Some(12_000),
        message_units: 30_000,
        fair_queue_units: Some(0),
        write_units: 46_000.0,
        ..bus.usage
    };
    report.lanes.push(bus);
    report
}

fn function(name: &str, invocations: u64, gb_seconds: f64) -> FunctionUsage {
    FunctionUsage { name: name.to_owned(), invocations, gb_seconds, most_at_once: 5, representative: false }
}
