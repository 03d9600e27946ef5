//! Sentences about outcomes and latencies.

use crate::model::{LaneReport, Latency, Refused};
use crate::words::{and, count, counted, float, percent, time, times};
use lanes::{Answer, Invoker};

/// Below this ratio, times count as equal.
const NOTICEABLE: f64 = 1.1;

/// Above this fraction without a callback, the others' times are not representative.
const INCOMPLETE: f64 = 0.01;

/// Sentences about one lane.
pub(super) fn of_lane(lane: &LaneReport) -> Vec<String> {
    let mut sentences = vec![acceptance(lane)];
    sentences.extend(not_sent(lane));
    sentences.extend(outcomes(lane));
    sentences.extend(backlog(lane));
    sentences.extend(invocations(lane));
    sentences.extend(repeats(lane));
    sentences.extend(other_owners(lane));
    sentences.extend(reconciliation(lane));
    sentences
}

fn acceptance(lane: &LaneReport) -> String {
    let (name, counts) = (lane.lane.name, &lane.counts);
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

fn not_sent(lane: &LaneReport) -> Option<String> {
    let orders = lane.counts.not_sent.filter(|orders| *orders > 0)?;
    let (name, orders) = (lane.lane.name, counted(orders, "order", "orders"));
    Some(format!("{orders} for the {name} lane never left this machine: the generator failed, not the lane."))
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

fn outcomes(lane: &LaneReport) -> Vec<String> {
    let (name, counts) = (lane.lane.name, &lane.counts);
    let mut sentences = Vec::new();
    if counts.lost > 0 {
        let lost = counted(counts.lost, "accepted order", "accepted orders");
        sentences.push(format!("The {name} lane LOST {lost}: no outcome within the grace period."));
    } else if counts.accepted > 0 && counts.unsettled == 0 {
        sentences.push(format!("The {name} lane lost none: each accepted order has an outcome."));
    }
    if let Some(others) = counts.without_callback.filter(|orders| *orders > 0) {
        let others = counted(others, "accepted order", "accepted orders");
        sentences
            .push(format!("No callback reported the outcome of {others} of the {name} lane; the status service did."));
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
    if let Some(cancelled) = counts.cancelled.filter(|cancelled| *cancelled > 0) {
        let cancelled = counted(cancelled, "accepted order", "accepted orders");
        sentences
            .push(format!("The {name} lane cancelled {cancelled}: a step refused or failed, the deadline passed, or SNS did not take order.placed."));
    }
    if counts.rejected > 0 {
        let rejected = counted(counts.rejected, "accepted order", "accepted orders");
        sentences.push(format!("The {name} lane rejected {rejected} as invalid."));
    }
    if let Some(dead_letters) = lane.dead_letters.filter(|dead_letters| dead_letters.before != dead_letters.after) {
        let (before, after) = (count(dead_letters.before), count(dead_letters.after));
        let queues = if lane.lane.queues.len() > 1 { "queues" } else { "queue" };
        sentences.push(format!("The dead-letter {queues} of the {name} lane went from {before} to {after} messages."));
    }
    sentences
}

/// Its peak and when it was drained.
fn backlog(lane: &LaneReport) -> Option<String> {
    let peak = lane.timeline.iter().map(|second| second.backlog).max().filter(|peak| *peak > 0)?;
    let name = lane.lane.name;
    let workers: Vec<_> = lane.limited().filter(|(function, _)| function.invoked_by == Invoker::Queue).collect();
    if workers.is_empty() {
        let what = match lane.lane.answer {
            Answer::Outcome => "requests were in progress",
            Answer::Receipt => "orders waited",
        };
        return Some(format!("In the {name} lane, at most {} {what} at the end of a second.", count(peak)));
    }
    let last_arrival = lane.timeline.iter().rfind(|second| second.arrivals > 0).map_or(0, |second| second.second);
    let drained = lane.timeline.iter().rfind(|second| second.backlog > 0).map_or(0, |second| second.second + 1);
    let when = match drained.checked_sub(last_arrival + 1) {
        Some(0) | None => "before the last arrival".to_owned(),
        Some(later) => format!("{later}\u{a0}s after the last arrival"),
    };
    let ended = lane.timeline.last().is_some_and(|second| second.backlog > 0);
    let drained = if ended { "was not drained".to_owned() } else { format!("was drained {when}") };
    let waited = counted(peak, "order", "orders");
    let limits = match workers.as_slice() {
        [(function, limit)] => format!("at most {limit} {} at once", function.instances),
        several => format!("limits on {} functions", several.len()),
    };
    Some(format!("With {limits}, the {name} lane's backlog grew to {waited} and {drained}."))
}

/// Concurrent invocations of limited functions. In a burst with one order per invocation, these are concurrent database
/// writers.
fn invocations(lane: &LaneReport) -> Vec<String> {
    let name = lane.lane.name;
    let several = lane.limited().count() > 1;
    let ran = lane.limited().filter_map(|(limited, limit)| {
        let function = lane.usage.functions.iter().find(|function| function.name == limited.name)?;
        let (most, limit) = (count(function.most_at_once), count(limit));
        let of = if several { format!("{} in the {name} lane", limited.name) } else { format!("the {name} lane") };
        Some(format!(
            "According to Lambda's reports, at most {most} invocations of {of} ran concurrently; the limit was {limit}."
        ))
    });
    ran.collect()
}

fn repeats(lane: &LaneReport) -> Option<String> {
    let (name, counts) = (lane.lane.name, &lane.counts);
    let retried: u64 = counts.attempts.iter().filter(|(attempts, _)| **attempts > 1).map(|(_, orders)| orders).sum();
    let most = counts.attempts.keys().last().copied().unwrap_or(1);
    let mut parts = Vec::new();
    if retried > 0 {
        parts.push(format!("{} took more than one delivery (at most {most})", counted(retried, "order", "orders")));
    }
    if counts.duplicate_callbacks > 0 {
        parts.push(format!(
            "{} arrived",
            counted(counts.duplicate_callbacks, "duplicate callback", "duplicate callbacks")
        ));
    }
    (!parts.is_empty()).then(|| format!("In the {name} lane, {}.", parts.join("; ")))
}

fn reconciliation(lane: &LaneReport) -> Option<String> {
    let found = lane.reconciliation.as_ref()?;
    let (name, stored, checked) = (lane.lane.name, count(found.stored), count(found.checked));
    Some(match found.differences {
        0 => format!("The orders table agrees with the {name} lane: {stored} stored of {checked} looked up."),
        some => {
            let mismatches = counted(some, "difference", "differences");
            format!("The orders table does NOT agree with the {name} lane: {mismatches}.")
        }
    })
}

/// A noisy owner's effect on others.
fn other_owners(lane: &LaneReport) -> Option<String> {
    let (others, all) = (lane.others_done()?, lane.done()?);
    let (name, of_others, of_all) = (lane.lane.name, time(others.p99_ms), time(all.p99_ms));
    Some(format!(
        "The {name} lane finished 99\u{a0}% of the other owners' orders within {of_others}, and of all orders within {of_all}."
    ))
}

/// Sentences that compare the lanes.
pub(super) fn side_by_side(lanes: &[LaneReport]) -> Vec<String> {
    let acknowledged = lanes.iter().filter_map(|lane| Some((lane.lane.name, lane.latencies.acknowledge.as_ref()?)));
    let mut sentences: Vec<_> = faster("acknowledged", &acknowledged.collect::<Vec<_>>()).into_iter().collect();
    sentences.extend(done_side_by_side(lanes));
    sentences.extend(refusals(lanes));
    sentences
}

fn done_side_by_side(lanes: &[LaneReport]) -> Vec<String> {
    let timed: Vec<_> = lanes.iter().filter_map(|lane| Some((lane, lane.done()?))).collect();
    if timed.len() < 2 {
        return Vec::new();
    }
    // Times with a callback would stand for orders without one.
    let without = |lane: &LaneReport| lane.counts.without_callback.unwrap_or(0);
    let (incomplete, complete): (Vec<_>, Vec<_>) =
        timed.into_iter().partition(|(lane, _)| float(without(lane)) > INCOMPLETE * float(lane.counts.accepted));
    let incomplete = incomplete.into_iter().map(|(lane, _)| {
        format!(
            "Times until done are not compared: {} accepted orders in the {} lane had no callback.",
            count(without(lane)),
            lane.lane.name
        )
    });
    let complete: Vec<_> = complete.into_iter().map(|(lane, latency)| (lane.lane.name, latency)).collect();
    incomplete.chain(faster("done", &complete)).collect()
}

fn refusals(lanes: &[LaneReport]) -> Option<String> {
    let refused_nothing = |lane: &LaneReport| lane.counts.refused.total() == 0 || lane.counts.sent == 0;
    let unsettled = |lane: &LaneReport| lane.counts.lost + lane.counts.failed + lane.counts.unsettled;
    if lanes.iter().all(refused_nothing) {
        let (no, all) = if lanes.len() == 2 { ("Neither", "both") } else { ("No", "all") };
        let sentence = format!("{no} lane refused anything: this load was within the limits of {all}.");
        return lanes.iter().all(|lane| unsettled(lane) == 0).then_some(sentence);
    }
    let shares = lanes.iter().enumerate().map(|(index, lane)| {
        let (name, share) = (lane.lane.name, percent(lane.counts.refused.total(), lane.counts.sent));
        if index == 0 {
            format!("the {name} lane refused {share} of its requests")
        } else {
            format!("the {name} lane {share}")
        }
    });
    Some(format!("Under the same load {}.", shares.collect::<Vec<_>>().join(", ")))
}

/// `None` with fewer than two lanes with times.
fn faster(what: &str, lanes: &[(&str, &Latency)]) -> Option<String> {
    if lanes.len() < 2 {
        return None;
    }
    let halves: Vec<_> = lanes.iter().map(|(name, latency)| format!("{} ({name})", time(latency.p50_ms))).collect();
    let tails: Vec<_> = lanes.iter().map(|(_, latency)| time(latency.p99_ms)).collect();
    let figures =
        format!("half of the accepted orders were {what} within {}, 99\u{a0}% within {}", and(&halves), and(&tails));
    let middle = relation(lanes, |latency| latency.p50_ms);
    let tail = relation(lanes, |latency| latency.p99_ms);
    Some(format!("Time until {what}: {figures}: at the median {middle}, at the 99th percentile {tail}."))
}

/// Slowest to fastest lane.
fn relation(lanes: &[(&str, &Latency)], ms: fn(&Latency) -> f64) -> String {
    let times_of = || lanes.iter().map(|(name, latency)| (*name, ms(latency)));
    let slowest = times_of().max_by(|(_, a), (_, b)| a.total_cmp(b));
    let fastest = times_of().min_by(|(_, a), (_, b)| a.total_cmp(b));
    let (Some((slowest, longest)), Some((fastest, shortest))) = (slowest, fastest) else { return String::new() };
    let ratio = longest / shortest.max(f64::MIN_POSITIVE);
    if ratio < NOTICEABLE {
        return "the lanes are alike".to_owned();
    }
    let than = if lanes.len() > 2 { format!(" as {fastest}") } else { String::new() };
    format!("{slowest} took {} as long{than}", times(ratio.min(float(u64::MAX))))
}
