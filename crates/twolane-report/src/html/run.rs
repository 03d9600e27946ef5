//! How it was measured: the metadata without which a figure means nothing.

use super::sections::section;
use super::{each, escape};
use crate::model::{ArrivalsKind, Confirm, LaneReport, Report, Run, TargetKind};
use crate::words::{count, counted, time};

/// Why latency starts before the request.
const COORDINATED_OMISSION: &str = "\
<h3>Why times start when an order was due</h3>
<p>The schedule is fixed before the first request and does not wait for answers. Each time runs from the moment at which \
the schedule wanted the order sent, not from when it was sent. A generator that waits for slow answers before it sends \
more asks less often exactly while the stack is slow, and leaves those moments out of its percentiles: coordinated \
omission. Here a stack that stalls for a second shows that second to every order that was due in it. How late the \
generator itself was is the schedule lag above; if it was too late, the report says so at its top.</p>
";

/// The section.
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
        ("commit", run.git_commit.clone().unwrap_or_else(|| "not known".to_owned())),
    ]
}

fn load(run: &Run) -> Vec<(&'static str, String)> {
    let arrivals = &run.arrivals;
    let law = match arrivals.kind {
        ArrivalsKind::Constant => "evenly spaced",
        ArrivalsKind::Poisson => "independent (Poisson)",
        ArrivalsKind::Burst => "low rate with a burst",
        ArrivalsKind::Ramp => "at a rate that changes evenly",
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
        ("arrivals", law.to_owned()),
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
        let limit = limit.map_or_else(|| "none, or not known".to_owned(), |limit| limit.to_string());
        (format!("{} {} at once", lane.lane.name, function.instances), limit)
    })
}

fn generator(run: &Run) -> [(&'static str, String); 5] {
    let generator = &run.generator;
    let lag = &generator.schedule_lag;
    let lags = format!("p50 {}, p99 {}, max {}", time(lag.p50_ms), time(lag.p99_ms), time(lag.max_ms));
    let kept = match (generator.honest, &generator.reason) {
        (true, _) => "yes".to_owned(),
        (false, None) => "NO".to_owned(),
        (false, Some(why)) => format!("NO: {why}"),
    };
    [
        ("schedule lag", lags),
        ("requests under way at once", format!("at most {} per lane", generator.in_flight_bound)),
        ("sent again over a new connection", generator.resent.map_or_else(|| "not known".to_owned(), count)),
        ("load as planned", kept),
        ("interrupted", if run.interrupted { "YES" } else { "no" }.to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn tells_where_how_and_under_which_limits() {
        let section = run(&sample::report());

        for part in [
            "<dt>target</dt><dd>an emulator, us-east-1</dd>",
            "<dt>commit</dt><dd>4f151d4</dd>",
            "<dt>scenario settings</dt><dd>concurrency = 5</dd>",
            "<dt>load per lane</dt><dd>2\u{a0}000\u{a0}orders in 60.0\u{a0}s, 33.3 a second</dd>",
            "<dt>seed</dt><dd>7</dd>",
            "<dt>async workers at once</dt><dd>5</dd>",
            "<dt>sent again over a new connection</dt><dd>0</dd>",
            "<dt>load as planned</dt><dd>yes</dd>",
            "coordinated omission",
        ] {
            assert!(section.contains(part), "{part}: {section}");
        }
    }

    #[test]
    fn what_is_not_known_is_said_and_values_are_text() {
        let mut report = sample::report();
        report.run.git_commit = None;
        report.lanes[0].limits.clear();
        report.run.scenario_settings.clear();
        report.run.target.api_url = "https://<x>".to_owned();
        report.run.generator.honest = false;
        report.run.generator.reason = Some("late".to_owned());

        let section = run(&report);

        for part in ["not known", "<dd>none</dd>", "https://&lt;x&gt;", "<dd>NO: late</dd>"] {
            assert!(section.contains(part), "{part}: {section}");
        }
    }
}
