//! What became of the orders, and how soon.

use super::done;
use crate::compare::report::model::{LaneName, LaneReport, Latency, Refused, Report};
use crate::compare::report::words::{count, counted, float, percent, time, times};

/// Below this ratio two times are called the same.
const NOTICEABLE: f64 = 1.1;

/// When no callback came for more than that part of the orders, the others' times say nothing of all.
const UNTOLD: f64 = 0.01;

/// One lane by itself.
pub(super) fn of_lane(lane: &LaneReport, report: &Report) -> Vec<String> {
    let mut sentences = vec![acceptance(lane)];
    sentences.extend(fate(lane));
    sentences.extend(backlog(lane, report));
    sentences.extend(invocations(lane, report));
    sentences.extend(repeats(lane));
    sentences.extend(reconciliation(lane));
    sentences
}

fn acceptance(lane: &LaneReport) -> String {
    let (name, counts) = (lane.lane.name(), &lane.counts);
    let refused = counts.refused.total();
    if counts.sent == 0 {
        return format!("The {name} lane was sent nothing.");
    }
    if refused == 0 {
        return format!("The {name} lane accepted all {}.", counted(counts.sent, "order", "orders"));
    }
    let (accepted, sent, share) = (count(counts.accepted), count(counts.sent), percent(refused, counts.sent));
    let classes = classes(counts.refused);
    format!("The {name} lane accepted {accepted} of {sent} orders and refused {} ({share}): {classes}.", count(refused))
}

fn classes(refused: Refused) -> String {
    let classes = [
        (refused.throttled, "throttled (429)"),
        (refused.unavailable, "unavailable (503)"),
        (refused.server_error, "other server errors (5xx)"),
        (refused.client_error, "client errors (4xx)"),
        (refused.no_answer, "without an answer"),
    ];
    let seen: Vec<_> =
        classes.iter().filter(|(n, _)| *n > 0).map(|(n, class)| format!("{}\u{a0}{class}", count(*n))).collect();
    seen.join(", ")
}

/// What became of the accepted ones.
fn fate(lane: &LaneReport) -> Vec<String> {
    let (name, counts) = (lane.lane.name(), &lane.counts);
    let mut sentences = Vec::new();
    if counts.lost > 0 {
        let lost = counted(counts.lost, "accepted order", "accepted orders");
        sentences.push(format!("The {name} lane LOST {lost}: no outcome came within the grace period."));
    } else if counts.accepted > 0 && counts.unsettled == 0 {
        sentences.push(format!("The {name} lane lost none: each accepted order has an outcome."));
    }
    if let Some(untold) = counts.without_callback.filter(|untold| *untold > 0) {
        let untold = counted(untold, "accepted order", "accepted orders");
        sentences.push(format!("No callback told the outcome of {untold} of the {name} lane; the status service did."));
    }
    if counts.done_unacknowledged > 0 {
        let done = counted(counts.done_unacknowledged, "order", "orders");
        sentences
            .push(format!("{done} of the {name} lane have an outcome, although no request for them was accepted."));
    }
    if counts.failed > 0 {
        let failed = counted(counts.failed, "order", "orders");
        sentences.push(format!("{failed} of the {name} lane failed all deliveries."));
    }
    if counts.rejected > 0 {
        let rejected = counted(counts.rejected, "accepted order", "accepted orders");
        sentences.push(format!("The {name} lane rejected {rejected} as not valid."));
    }
    if let Some(letters) = lane.dead_letters.filter(|letters| letters.before != letters.after) {
        let (before, after) = (count(letters.before), count(letters.after));
        sentences.push(format!("The dead-letter queue went from {before} to {after} messages."));
    }
    sentences
}

/// How high the backlog grew and when it was gone.
fn backlog(lane: &LaneReport, report: &Report) -> Option<String> {
    let peak = lane.timeline.iter().map(|second| second.backlog).max().filter(|peak| *peak > 0)?;
    let name = lane.lane.name();
    let Some(limit) = report.run.limits.worker_maximum_concurrency.filter(|_| lane.lane == LaneName::Async) else {
        let what = if lane.lane == LaneName::Async { "orders waited" } else { "requests were under way" };
        return Some(format!("In the {name} lane at most {} {what} at the end of a second.", count(peak)));
    };
    let last_arrival = lane.timeline.iter().rfind(|second| second.arrivals > 0).map_or(0, |second| second.second);
    let drained = lane.timeline.iter().rfind(|second| second.backlog > 0).map_or(0, |second| second.second + 1);
    let when = match drained.checked_sub(last_arrival + 1) {
        Some(0) | None => "before the last arrival".to_owned(),
        Some(later) => format!("{later}\u{a0}s after the last arrival"),
    };
    let ended = lane.timeline.last().is_some_and(|second| second.backlog > 0);
    let drained = if ended { "was not drained".to_owned() } else { format!("was drained {when}") };
    let waited = counted(peak, "order", "orders");
    Some(format!("With at most {limit} workers at once, the async lane's backlog grew to {waited} and {drained}."))
}

/// How many of a lane's invocations ran at once, where there is a limit to it; in a burst, where each has one order, that
/// many writers the database had.
fn invocations(lane: &LaneReport, report: &Report) -> Option<String> {
    let limits = &report.run.limits;
    let (limit, name) = match lane.lane {
        LaneName::Sync => (limits.sync_reserved_concurrency?, "create-order"),
        LaneName::Async => (limits.worker_maximum_concurrency?, "process-orders"),
    };
    let function = lane.usage.functions.iter().find(|function| function.name == name)?;
    let (most, limit) = (count(function.most_at_once), count(limit));
    Some(format!(
        "By Lambda's reports {most} invocations of the {} lane ran at the same moment at most; its limit was {limit}.",
        lane.lane.name()
    ))
}

fn repeats(lane: &LaneReport) -> Option<String> {
    let (name, counts) = (lane.lane.name(), &lane.counts);
    let retried: u64 = counts.attempts.iter().filter(|(attempts, _)| **attempts > 1).map(|(_, orders)| orders).sum();
    let most = counts.attempts.keys().last().copied().unwrap_or(1);
    let mut parts = Vec::new();
    if retried > 0 {
        parts.push(format!("{} took more than one delivery, {most} at most", counted(retried, "order", "orders")));
    }
    if counts.duplicate_callbacks > 0 {
        parts
            .push(format!("{} came", counted(counts.duplicate_callbacks, "duplicate callback", "duplicate callbacks")));
    }
    (!parts.is_empty()).then(|| format!("In the {name} lane {}.", parts.join("; ")))
}

fn reconciliation(lane: &LaneReport) -> Option<String> {
    let found = lane.reconciliation.as_ref()?;
    let (name, stored, checked) = (lane.lane.name(), count(found.stored), count(found.checked));
    Some(match found.differences {
        0 => format!("The orders table agrees with the {name} lane: {stored} stored of {checked} looked up."),
        some => {
            let mismatches = counted(some, "difference", "differences");
            format!("The orders table does NOT agree with the {name} lane: {mismatches}.")
        }
    })
}

/// Both lanes.
pub(super) fn side_by_side(sync: &LaneReport, queued: &LaneReport) -> Vec<String> {
    let mut sentences = Vec::new();
    if let (Some(a), Some(b)) = (&sync.latencies.acknowledge, &queued.latencies.acknowledge) {
        sentences.push(faster("acknowledged", a, b));
    }
    let untold = queued.counts.without_callback.unwrap_or(0);
    match (done(sync), done(queued)) {
        // Those that were told would stand for those that were not.
        (Some(_), Some(_)) if float(untold) > UNTOLD * float(queued.counts.accepted) => sentences.push(format!(
            "Times until done are not compared: of {} accepted orders in the async lane no callback came.",
            count(untold)
        )),
        (Some(a), Some(b)) => sentences.push(faster("done", a, b)),
        _ => {}
    }
    let (refused_sync, refused_queued) = (sync.counts.refused.total(), queued.counts.refused.total());
    let shares = [(refused_sync, sync.counts.sent), (refused_queued, queued.counts.sent)];
    let unsettled = |lane: &LaneReport| lane.counts.lost + lane.counts.failed + lane.counts.unsettled;
    if let [(0, 1..) | (_, 0), (0, 1..) | (_, 0)] = shares {
        if unsettled(sync) + unsettled(queued) > 0 {
            return sentences;
        }
        sentences.push("Neither lane refused anything: this load was within the limits of both.".to_owned());
    } else {
        let [a, b] = shares.map(|(refused, sent)| percent(refused, sent));
        sentences.push(format!("Under the same load the sync lane refused {a} of its requests, the async lane {b}."));
    }
    sentences
}

fn faster(what: &str, sync: &Latency, queued: &Latency) -> String {
    let (half_sync, half_queued) = (time(sync.p50_ms), time(queued.p50_ms));
    let (tail_sync, tail_queued) = (time(sync.p99_ms), time(queued.p99_ms));
    let figures = format!(
        "half of the accepted orders were {what} within {half_sync} (sync) and {half_queued} (async), 99\u{a0}% within \
         {tail_sync} and {tail_queued}"
    );
    let middle = relation(sync.p50_ms, queued.p50_ms);
    let tail = relation(sync.p99_ms, queued.p99_ms);
    format!("Time until {what}: {figures}: at the median {middle}, at the 99th percentile {tail}.")
}

fn relation(sync_ms: f64, queued_ms: f64) -> String {
    let (floor, sync_ms, queued_ms) = (f64::MIN_POSITIVE, sync_ms, queued_ms);
    let (slower, faster) = (sync_ms.max(queued_ms), sync_ms.min(queued_ms).max(floor));
    if slower / faster < NOTICEABLE {
        return "the lanes are alike".to_owned();
    }
    let name = if queued_ms > sync_ms { "async" } else { "sync" };
    format!("{name} took {} as long", times((slower / faster).min(float(u64::MAX))))
}
