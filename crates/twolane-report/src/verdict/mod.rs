//! The verdict: sentences from the figures.

mod costs;
mod orders;

use crate::model::{LaneReport, Report, TargetKind};
use crate::words::{count, counted, time};

/// Over a network, such a send delay affects a lane's longest times.
const VISIBLE_MS: f64 = 20.0;

/// The most important first.
pub(crate) fn verdict(report: &Report) -> Vec<String> {
    let mut sentences = trust(report);
    sentences.extend(report.lanes.iter().filter_map(few));
    for lane in &report.lanes {
        sentences.extend(orders::of_lane(lane));
    }
    if report.lanes.len() > 1 {
        sentences.extend(orders::side_by_side(&report.lanes));
        sentences.extend(costs::of_lanes(report));
    }
    sentences
}

/// Percentiles that equal the longest time because there are too few times.
fn few(lane: &LaneReport) -> Option<String> {
    let timed = lane.latencies.acknowledge.as_ref()?.count;
    let longest = match timed {
        0..100 => "p99 and p99.9 equal",
        100..1000 => "p99.9 equals",
        _ => return None,
    };
    let (name, answers) = (lane.lane.name, counted(timed, "timed answer", "timed answers"));
    Some(format!("The {name} lane has {answers}: {longest} the longest time."))
}

/// How reliable the figures are.
fn trust(report: &Report) -> Vec<String> {
    let run = &report.run;
    let generator = &run.generator;
    let mut sentences = Vec::new();
    if !generator.on_schedule {
        let why = generator.reason.as_deref().unwrap_or("no reason is given");
        sentences.push(format!("Do not use these figures: the load generator was not on schedule ({why})."));
    }
    if !report.errors.is_empty() {
        let errors = counted(report.errors.len() as u64, "error", "errors");
        sentences.push(format!("The run has {errors}: do not rely on its figures until the errors are explained."));
    }
    if run.interrupted {
        sentences.push("The run was interrupted: its figures cover the orders sent until then.".to_owned());
    }
    if run.target.kind == TargetKind::Emulator {
        sentences.push(
            "Measured on an emulator: you can compare how the lanes behave, but times and costs differ from AWS."
                .to_owned(),
        );
    }
    if run.target.kind == TargetKind::Emulator && report.lanes.iter().any(|lane| lane.other_owners.is_some()) {
        sentences.push(
            "The emulator does not implement SQS fair queues: AWS delivers the other owners' messages first."
                .to_owned(),
        );
    }
    let late = generator.schedule_lag.max_ms;
    if generator.on_schedule && late > VISIBLE_MS {
        let late = time(late);
        sentences.push(format!("One request left {late} late: the longest times may come from the generator."));
    }
    if let Some(resent) = generator.resent.filter(|resent| *resent > 0) {
        let resent =
            if resent == 1 { "One request was".to_owned() } else { format!("{} requests were", count(resent)) };
        sentences.push(format!(
            "{resent} sent again over a new connection: the server had just closed the old one. This is not a refusal."
        ));
    }
    if generator.on_schedule {
        let lag = time(generator.schedule_lag.p99_ms);
        sentences.push(format!(
            "Latencies start at the due time. The send delay was at most {lag} for 99\u{a0}% of requests."
        ));
    }
    sentences
}

#[cfg(test)]
mod tests;
