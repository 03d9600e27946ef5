//! How the run was measured.

use super::sections::section;
use super::{each, escape};
use crate::model::{ArrivalsKind, Confirm, LaneReport, Report, Run, TargetKind};
use crate::words::{count, counted, time};

/// Why latency starts at the due time.
const COORDINATED_OMISSION: &str = "\
<h3>Why times start when an order was due</h3>
<p>The schedule is fixed before the first request and does not wait for answers. Each latency starts at the order's due \
time, not at its actual send time. A generator that waits for slow answers before it sends \
more sends less while the stack is slow. Its percentiles then leave those moments out: coordinated \
omission. Here, if a stack stalls for a second, the second counts for every order that was due in it. The \
send delay above shows how late the generator was. If it was too late, the report says so at its top.</p>
";

pub(super) fn run(report: &Report) -> String {
    let rows = rows(report).into_iter().chain([("report version".to_owned(), report.schema_version.to_string())]);
    let rows = each(rows, |(name, value)| format!("<div><dt>{name}</dt><dd>{}</dd></div>\n", escape(&value)));
    section("run", "How it was measured", &format!("<dl>\n{rows}</dl>\n{COORDINATED_OMISSION}"))
}

fn rows(report: &Report) -> Vec<(String, String)> {
    let run = &report.run;
    let before = [("run", run.id.clone())].into_iter().chain(place(run)).chain(load(run));
    let before = before.map(|(name, value)| (name.to_owned(), value));
    let after = generator(run).map(|(name, value)| (name.to_owned(), value));
    before.chain(report.lanes.iter().flat_map(limits)).chain(after).collect()
}

fn place(run: &Run) -> [(&'static str, String); 6] {
    let target = &run.target;
    let kind = match target.kind {
        TargetKind::Emulator => "an emulator",
        TargetKind::Aws => "AWS",
    };
    let region = target.region.as_ref().map(|region| format!(", {region}")).unwrap_or_default();
    [
        ("target", format!("{kind}{region}")),
        ("API", target.api_url.clone()),
        ("started", run.started_at.clone()),
        ("finished", run.finished_at.clone()),
        ("twolane", run.twolane_version.clone()),
        ("commit", run.git_commit.clone().unwrap_or_else(|| "unknown".to_owned())),
    ]
}

fn load(run: &Run) -> Vec<(&'static str, String)> {
    let arrivals = &run.arrivals;
    let distribution = match arrivals.kind {
        ArrivalsKind::Constant => "evenly spaced",
        ArrivalsKind::Poisson => "independent (Poisson)",
        ArrivalsKind::Burst => "low rate with a burst",
        ArrivalsKind::Ramp => "at a rate that changes linearly",
        ArrivalsKind::Steps => "at a rate that changes in steps",
        ArrivalsKind::Phases => "in the phases of a scenario file",
        ArrivalsKind::Replay => "replayed from a file",
    };
    let orders = counted(arrivals.orders, "order", "orders");
    let settings: Vec<_> = run.scenario_settings.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    let confirm = match run.confirm {
        Confirm::Callback => "by callback",
        Confirm::Poll => "by poll",
        Confirm::Both => "by callback and by poll",
    };
    vec![
        ("scenario", run.scenario.clone()),
        ("scenario settings", if settings.is_empty() { "none".to_owned() } else { settings.join(", ") }),
        ("arrivals", distribution.to_owned()),
        (
            "load per lane",
            format!("{orders} in {:.1}\u{a0}s, {:.1} a second", arrivals.duration_seconds, arrivals.rate_per_second),
        ),
        ("lanes", if run.parallel { "at the same time" } else { "one after the other" }.to_owned()),
        ("outcomes learned", confirm.to_owned()),
        ("owners", run.owners.to_string()),
        ("seed", run.seed.to_string()),
        ("warm-up", format!("{}\u{a0}s", run.warm_up_seconds)),
        ("grace period", format!("{}\u{a0}s", run.grace_seconds)),
    ]
}

fn limits(lane: &LaneReport) -> impl Iterator<Item = (String, String)> {
    lane.lane.functions.iter().map(|function| {
        let limit = lane.limits.get(function.name).copied().flatten();
        let limit = limit.map_or_else(|| "none, or unknown".to_owned(), |limit| limit.to_string());
        (format!("{} {} at once", lane.lane.name, function.instances), limit)
    })
}

fn generator(run: &Run) -> [(&'static str, String); 5] {
    let generator = &run.generator;
    let lag = &generator.schedule_lag;
    let lags = format!("p50 {}, p99 {}, max {}", time(lag.p50_ms), time(lag.p99_ms), time(lag.max_ms));
    let kept = match (generator.on_schedule, &generator.reason) {
        (true, _) => "yes".to_owned(),
        (false, None) => "NO".to_owned(),
        (false, Some(why)) => format!("NO: {why}"),
    };
    [
        ("send delay", lags),
        ("concurrent requests", format!("at most {} per lane", generator.in_flight_bound)),
        ("sent again over a new connection", generator.resent.map_or_else(|| "unknown".to_owned(), count)),
        ("on schedule", kept),
        ("interrupted", if run.interrupted { "YES" } else { "no" }.to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn shows_target_load_and_limits() {
        let section = run(&sample::report());

        for part in [
            "<dt>target</dt><dd>an emulator, us-east-1</dd>",
            "<dt>commit</dt><dd>4f151d4</dd>",
            "<dt>scenario settings</dt><dd>concurrency = 5</dd>",
            "<dt>load per lane</dt><dd>2\u{a0}000\u{a0}orders in 60.0\u{a0}s, 33.3 a second</dd>",
            "<dt>seed</dt><dd>7</dd>",
            "<dt>async workers at once</dt><dd>5</dd>",
            "<dt>sent again over a new connection</dt><dd>0</dd>",
            "<dt>on schedule</dt><dd>yes</dd>",
            "coordinated omission",
        ] {
            assert!(section.contains(part), "{part}: {section}");
        }
    }

    #[test]
    fn unknown_values_are_named_and_values_are_escaped() {
        let mut report = sample::report();
        report.run.git_commit = None;
        report.lanes[0].limits.clear();
        report.run.scenario_settings.clear();
        report.run.target.api_url = "https://<x>".to_owned();
        report.run.generator.on_schedule = false;
        report.run.generator.reason = Some("late".to_owned());

        let section = run(&report);

        for part in ["unknown", "<dd>none</dd>", "https://&lt;x&gt;", "<dd>NO: late</dd>"] {
            assert!(section.contains(part), "{part}: {section}");
        }
    }
}
