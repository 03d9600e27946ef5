use super::*;
use crate::cost::{self, PriceTable};
use crate::model::{Counts, Latencies, Refused};
use crate::sample;

fn priced() -> Report {
    let mut report = sample::report();
    cost::price(&mut report, &PriceTable::embedded());
    report
}

fn says(report: &Report, words: &str) -> bool {
    verdict(report).iter().any(|sentence| sentence.replace('\u{a0}', " ").contains(words))
}

#[test]
fn a_burst_is_reported_with_its_figures() {
    let report = priced();

    for words in [
        "Measured on an emulator",
        "The sync lane accepted 1 080 of 2 000 orders and refused 920 (46.0 %): 810 throttled (429), 110 other server",
        "The async lane accepted all 2 000 orders.",
        "The async lane lost none",
        "With at most 5 workers at once, the async lane's backlog grew to 600 orders and was drained before the last",
        "10 orders took more than one delivery (at most 2); 3 duplicate callbacks arrived",
        "the sync lane refused 46.0 % of its requests, the async lane 0 %",
        "at most 5 invocations of the async lane ran concurrently; the limit was 5",
        "async is NOT cheaper here",
        "The sync lane refused 46.0 % of its requests. The remaining orders share its costs",
    ] {
        assert!(says(&report, words), "{words}: {:#?}", verdict(&report));
    }
    assert!(!says(&report, "levelling"), "the costs of an overload are not typical for the lanes");
}

#[test]
fn a_load_within_the_limits_has_a_crossover() {
    let mut report = sample::report();
    report.lanes[0].counts.refused = Refused::default();
    cost::price(&mut report, &PriceTable::embedded());

    for words in
        ["levelling the load does not pay off on DynamoDB", "bought for the peak (sync) or for 1.25× the mean (async)"]
    {
        assert!(says(&report, words), "{words}: {:#?}", verdict(&report));
    }
}

#[test]
fn times_are_not_compared_if_callbacks_are_missing() {
    let mut report = priced();
    report.lanes[1].counts.without_callback = Some(900);

    assert!(says(&report, "No callback reported the outcome of 900 accepted orders of the async lane"));
    assert!(says(&report, "Times until done are not compared"));
    assert!(!says(&report, "Time until done"));
}

#[test]
fn a_request_that_left_late_is_named() {
    let mut report = priced();
    report.run.generator.schedule_lag.max_ms = 170.0;

    assert!(says(&report, "One request left 170 ms late"));
}

#[test]
fn depends_only_on_the_figures() {
    let mut report = priced();
    report.lanes[0].counts.refused = Refused::default();
    report.lanes[0].cost.as_mut().expect("priced").usd_per_million_orders = 99.0;
    report.lanes[1].latencies.acknowledge = report.lanes[0].latencies.acknowledge.clone();
    report.run.target.kind = TargetKind::Aws;

    assert!(says(&report, "Neither lane refused anything"));
    assert!(says(&report, "async is cheaper here"));
    assert!(says(&report, "at the median the lanes are alike"));
    assert!(!says(&report, "emulator"));
    report.lanes[1].counts.lost = 3;
    assert!(says(&report, "The async lane LOST 3 accepted orders"));
    assert!(!says(&report, "Neither lane refused anything"), "a load that loses orders is not within the limits");
}

#[test]
fn a_late_generator_is_reported_first() {
    let mut report = priced();
    report.run.generator.on_schedule = false;
    report.run.generator.reason = Some("the p99 send delay is 812 ms".to_owned());
    report.errors.push("one".to_owned());

    let sentences = verdict(&report);

    assert!(sentences[0].starts_with("Do not use these figures"), "{}", sentences[0]);
    assert!(sentences[1].contains("1\u{a0}error"), "{}", sentences[1]);
}

#[test]
fn requests_that_were_sent_again_are_counted() {
    let mut report = priced();
    report.run.generator.resent = Some(7);

    assert!(says(&report, "7 requests were sent again over a new connection"));
}

#[test]
fn requests_that_the_generator_could_not_send_do_not_count_against_the_lane() {
    let mut report = priced();
    report.lanes[1].counts.not_sent = Some(30);

    assert!(says(&report, "30 orders for the async lane never left this machine: the generator failed, not the lane."));
    assert!(says(&report, "The async lane accepted all 2 000 orders."));
}

#[test]
fn a_run_without_any_answer_still_has_a_verdict() {
    let mut report = sample::report();
    for lane in &mut report.lanes {
        lane.counts = Counts::default();
        lane.timeline.clear();
        lane.latencies = Latencies { acknowledge: None, done_by_callback: None, done_by_poll: None };
    }
    cost::price(&mut report, &PriceTable::embedded());

    assert!(says(&report, "The sync lane was sent nothing."));
}

#[test]
fn any_number_of_lanes_is_compared() {
    let mut report = sample::report();
    report.lanes[0].counts.refused = Refused::default();
    report.lanes.push(report.lanes[1].clone());
    cost::price(&mut report, &PriceTable::embedded());

    for words in [
        "No lane refused anything: this load was within the limits of all.",
        "were acknowledged within 15 ms (sync), 7.6 ms (async) and 7.6 ms (async), 99 % within",
        "sync took 2.0× as long as async",
        "down the sync lane, ",
        "against sync, async is NOT cheaper here: it costs",
        "more; async is NOT cheaper here",
        "async against sync: A million polls cost",
        "async against sync: In front of a store paid by capacity",
    ] {
        assert!(says(&report, words), "{words}: {:#?}", verdict(&report));
    }
    assert_eq!(report.pricing.as_ref().map(|pricing| pricing.crossovers.len()), Some(2));

    report.lanes[0].counts.refused.throttled = 1000;

    assert!(says(&report, "the sync lane refused 50.0 % of its requests, the async lane 0 %, the async lane 0 %."));
}

#[test]
fn a_lane_with_steps_reports_cancelled_orders_and_its_extra_work() {
    let mut report = sample::report_of_three();
    report.lanes[0].counts.refused = Refused::default();
    report.lanes[2].dead_letters = Some(crate::model::DeadLetterCounts { before: 0, after: 4 });
    cost::price(&mut report, &PriceTable::embedded());

    for words in [
        "The bus lane accepted all 2 000 orders.",
        "The bus lane cancelled 20 accepted orders: a step refused or failed, the deadline passed, or SNS did not take order.placed.",
        "The dead-letter queues of the bus lane went from 0 to 4 messages.",
        "With limits on 4 functions, the bus lane's backlog grew to 600 orders",
        "invocations of settle-order in the bus lane ran concurrently; the limit was 5",
        "against sync, async is NOT cheaper here: it costs",
        "bus is NOT cheaper here: it costs",
        "The bus lane does more for each order than a lane that only stores it: its cost includes stock, payment and shipment",
    ] {
        assert!(says(&report, words), "{words}: {:#?}", verdict(&report));
    }
    let crossovers = &report.pricing.as_ref().expect("priced").crossovers;
    assert_eq!(crossovers.iter().map(|pair| pair.queued.name).collect::<Vec<_>>(), ["async"], "bus does other work");
}

#[test]
fn percentiles_of_few_times_are_reported_as_the_longest_time() {
    let mut report = priced();
    for (timed, words) in [
        (1, Some("The sync lane has 1 timed answer: p99 and p99.9 equal the longest time.")),
        (99, Some("The sync lane has 99 timed answers: p99 and p99.9 equal the longest time.")),
        (999, Some("The sync lane has 999 timed answers: p99.9 equals the longest time.")),
        (1000, None),
    ] {
        report.lanes[0].latencies.acknowledge.as_mut().expect("the sample has times").count = timed;

        assert_eq!(says(&report, "The sync lane has"), words.is_some(), "{timed}: {:#?}", verdict(&report));
        assert!(words.is_none_or(|words| says(&report, words)), "{timed}: {:#?}", verdict(&report));
    }
}

#[test]
fn reports_the_effect_of_a_noisy_owner() {
    let mut report = sample::report();
    report.lanes[1].other_owners = Some(report.lanes[1].latencies.clone());

    for words in [
        "The async lane finished 99 % of the other owners' orders within 9777 ms",
        "does not implement SQS fair queues",
    ] {
        assert!(says(&report, words), "{words}: {:#?}", verdict(&report));
    }
}
