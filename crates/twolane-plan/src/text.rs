//! A plan as text.

use crate::settings::{PlanSettings, SETTINGS, SettingSource};
use crate::{Api, Architecture, Confirm, LanePlan, Load, Need, Outlook, Plan, RateProfile, SettingChange};
use std::fmt::Write as _;

/// In characters.
const WIDTH: usize = 100;

/// Most limits to name.
const SHOWN: usize = 4;

/// The plan as text.
#[must_use]
pub fn text(plan: &Plan) -> String {
    let mut text = format!("{}\n{}\n", heading(plan), plan.basis);
    for lane in &plan.lanes {
        text += "\n";
        text += &lane_text(lane, plan);
    }
    text += "\n";
    for (label, value) in basis(plan) {
        text += &wrapped(&format!("{label:<12}"), &value);
    }
    text.trim_end().to_owned()
}

/// The load and the choices, on one line.
pub(crate) fn heading(plan: &Plan) -> String {
    let Load { profile, rate, peak, duration_seconds } = &plan.load;
    let rate = number(*rate);
    let peak_rate = number(plan.load.peak_rate());
    let rates = match profile {
        RateProfile::Constant => format!("{rate}/s"),
        RateProfile::Ramp => format!("{rate}/s rising to {peak_rate}/s"),
        RateProfile::Burst => format!("{rate}/s, and {peak_rate}/s in the middle third"),
        RateProfile::Day => {
            format!("{rate}/s on average, {peak_rate}/s at noon and {}/s at night", number(plan.load.rate / peak))
        }
        RateProfile::Recorded { .. } => format!("a record of {rate}/s on average and {peak_rate}/s at most"),
    };
    let api = if plan.api == Api::Rest { "REST API" } else { "HTTP API" };
    let confirm = if plan.confirm == Confirm::Callback { "callbacks" } else { "polling" };
    let architecture = match plan.architecture {
        Architecture::Arm64 => "arm64",
        Architecture::X86 => "x86_64",
    };
    format!(
        "{rates}, for {} · {} orders · {api} · {confirm} · {architecture}",
        time(*duration_seconds),
        number(plan.load.orders())
    )
}

fn lane_text(lane: &LanePlan, plan: &Plan) -> String {
    let mut text = format!("{}\n", verdict(lane));
    for (label, values) in rows(lane, plan) {
        for (index, value) in values.iter().enumerate() {
            text += &wrapped(&format!("  {:<12}", if index == 0 { label } else { "" }), value);
        }
    }
    text
}

pub(crate) fn verdict(lane: &LanePlan) -> String {
    format!("{} lane: {}", lane.lane.name, if lane.passes { "passes" } else { "does not pass" })
}

/// A lane's findings, by label.
pub(crate) fn rows(lane: &LanePlan, plan: &Plan) -> Vec<(&'static str, Vec<String>)> {
    let has_queue = !lane.lane.queues.is_empty();
    let delays = lane.delays.map_or_else(
        || "none".to_owned(),
        |delays| format!("p50 {} · p99 {} · max {}", time(delays.p50), time(delays.p99), time(delays.max)),
    );
    let cost = lane.cost.as_ref().map_or_else(
        || "nothing is done".to_owned(),
        |cost| {
            let per_million = cost.usd_per_million_orders;
            format!("${} a month · ${per_million:.2} per million orders", number(cost.usd_per_month))
        },
    );
    let backlog = if has_queue { vec![backlog(lane)] } else { Vec::new() };
    vec![
        ("limited by", limits(lane)),
        ("orders", vec![orders(lane)]),
        ("backlog", backlog),
        (if has_queue { "outcome" } else { "answer" }, vec![delays]),
        ("uses", vec![uses(lane)]),
        ("costs", vec![cost]),
        needs(lane),
        ("change", changes(lane, plan)),
        ("then", lane.with_changes.iter().map(outlook).collect()),
    ]
}

/// Assumptions, omissions and sources, by label.
pub(crate) fn basis(plan: &Plan) -> [(&'static str, String); 3] {
    let (limits, prices) = (&plan.limits, &plan.prices_as_of);
    [
        ("assumed", assumptions(&plan.settings)),
        ("left out", plan.left_out.join("; ")),
        (
            "sources",
            format!("limits of {} as AWS documents them, read {}; prices of {prices}", limits.region, limits.as_of),
        ),
    ]
}

fn limits(lane: &LanePlan) -> Vec<String> {
    let mut bounds: Vec<_> = lane
        .limited_by
        .iter()
        .map(|bound| format!("{} from {}", place(bound.setting, &bound.at), time(seconds(bound.first_second))))
        .collect();
    let more = bounds.len().saturating_sub(SHOWN);
    bounds.truncate(SHOWN);
    if more > 0 {
        bounds.push(format!("and {more} more"));
    }
    if bounds.is_empty() { vec!["nothing".to_owned()] } else { bounds }
}

/// The unmet needs, the greatest for each setting, or else the one closest to its limit.
fn needs(lane: &LanePlan) -> (&'static str, Vec<String>) {
    let mut worst: Vec<&Need> = Vec::new();
    for need in &lane.needs {
        match worst.iter_mut().find(|known| known.setting == need.setting) {
            Some(known) if need.load() > known.load() => *known = need,
            Some(_) => {}
            None => worst.push(need),
        }
    }
    let unmet: Vec<_> = worst
        .iter()
        .filter(|need| need.load() > 1.0)
        .map(|need| format!("{}: {}", need_text(need), need.effect))
        .collect();
    if unmet.is_empty() {
        let closest = worst.iter().max_by(|one, other| one.load().total_cmp(&other.load()));
        return ("closest", closest.map(|need| need_text(need)).into_iter().collect());
    }
    ("peak needs", unmet)
}

fn need_text(need: &Need) -> String {
    format!(
        "{} {} of {} ({})",
        place(need.setting.setting().name, &need.at),
        number(need.need),
        number(need.have),
        percent(need.load())
    )
}

fn changes(lane: &LanePlan, plan: &Plan) -> Vec<String> {
    if !lane.passes && lane.changes.is_empty() {
        return vec![format!("no setting brings p99 down to {}", time(plan.max_delay_seconds))];
    }
    lane.changes.iter().map(change_text).collect()
}

fn change_text(change: &SettingChange) -> String {
    let by = match change.source {
        SettingSource::Parameter => "template parameter",
        SettingSource::Template => "value in template.yaml",
        SettingSource::Unset => "property to add to template.yaml",
        SettingSource::Quota => "quota: ask AWS",
        SettingSource::Assumption => "code",
    };
    format!("--set {}={} ({by})", change.setting, change.to)
}

fn outlook(then: &Outlook) -> String {
    let verdict = if then.passes {
        "passes".to_owned()
    } else {
        let still = then.limited_by.iter().take(SHOWN).map(|bound| place(bound.setting, &bound.at)).collect::<Vec<_>>();
        format!("does not pass: {} orders missed, limited by {}", number(then.missed), still.join(", "))
    };
    let p99 = then.p99.map_or("none".to_owned(), time);
    let cost = then.usd_per_month.map_or("none".to_owned(), |usd| format!("${} a month", number(usd)));
    format!("{verdict} · p99 {p99} · {cost}")
}

#[expect(clippy::cast_precision_loss, reason = "at most a week")]
fn seconds(count: u64) -> f64 {
    count as f64
}

fn place(setting: &str, at: &str) -> String {
    if at.is_empty() { setting.to_owned() } else { format!("{setting} ({at})") }
}

fn orders(lane: &LanePlan) -> String {
    let orders = &lane.orders;
    let part = |count: f64| percent(count / orders.arrived);
    let mut parts = vec![format!("{} confirmed", part(orders.confirmed))];
    let others = [
        (orders.refused.throttled, "refused with 429"),
        (orders.refused.function_throttled, "refused with 500"),
        (orders.refused.dependency_over_limit, "refused with 503"),
        (orders.cancelled - orders.without_a_day, "cancelled at the deadline"),
        (orders.without_a_day, "cancelled: no day has a shipment left"),
        (orders.failed, "failed"),
        (orders.waiting, "still waiting 12 h after the load"),
        (orders.not_called_back, "not called back"),
    ];
    parts.extend(
        others.iter().filter(|(count, _)| *count >= 0.5).map(|(count, what)| format!("{} {what}", part(*count))),
    );
    parts.join(" · ")
}

fn backlog(lane: &LanePlan) -> String {
    let backlog = &lane.backlog;
    if backlog.peak < 0.5 {
        return "none".to_owned();
    }
    let drain = backlog.drain_seconds.map_or("not drained after 12 h".to_owned(), |seconds| match seconds {
        0 => "drained when the load ends".to_owned(),
        _ => format!("drained {} after the load", time(self::seconds(seconds))),
    });
    format!("{} orders at most, after {} · {drain}", number(backlog.peak), time(seconds(backlog.peak_second)))
}

fn uses(lane: &LanePlan) -> String {
    let functions = lane.concurrency.iter().map(|used| format!("{} {}", number(used.most), used.name));
    let tables = lane.write_units.iter().map(|used| format!("{} write units/s of {}", number(used.most), used.name));
    functions.chain(tables).collect::<Vec<_>>().join(" · ")
}

fn assumptions(settings: &PlanSettings) -> String {
    let assumed = settings.iter().filter(|(setting, _)| setting.source == SettingSource::Assumption);
    assumed.map(|(setting, value)| format!("{} {value}", setting.name)).collect::<Vec<_>>().join(", ")
}

/// Each setting with its value and meaning.
#[must_use]
pub fn settings_text(values: &PlanSettings) -> String {
    let groups = [
        (SettingSource::Parameter, "Parameters of template.yaml"),
        (SettingSource::Template, "Values in template.yaml"),
        (SettingSource::Unset, "Properties that template.yaml does not set (0)"),
        (SettingSource::Quota, "Limits of the account, as AWS documents them"),
        (SettingSource::Assumption, "Assumptions: replace them with what you measure"),
    ];
    let mut text = String::new();
    for (source, title) in groups {
        let _ = writeln!(text, "{title}");
        for (setting, value) in
            SETTINGS.iter().zip(values.iter().map(|(_, value)| value)).filter(|(setting, _)| setting.source == source)
        {
            let _ = writeln!(text, "  {:<32}{value:>8}  {}", setting.name, setting.what);
        }
    }
    text.trim_end().to_owned()
}

/// Wraps to lines of at most [`WIDTH`] characters, indented by the label's length.
fn wrapped(label: &str, text: &str) -> String {
    let mut lines = vec![label.to_owned()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is a first line");
        if line.chars().count() + word.chars().count() > WIDTH {
            lines.push(format!("{:width$}{word} ", "", width = label.chars().count()));
        } else {
            *line += word;
            *line += " ";
        }
    }
    lines.iter().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// No-break space, after a figure and between thousands.
const NO_BREAK: &str = "\u{a0}";

/// With three significant digits, and thousands as in `12 300`.
fn number(value: f64) -> String {
    if value < 0.0005 {
        return "0".to_owned();
    }
    let mut unit = 1e-3;
    while value / unit >= 999.5 {
        unit *= 10.0;
    }
    let rounded = (value / unit).round() * unit;
    if rounded < 100.0 {
        let text = format!(
            "{rounded:.*}",
            if rounded < 1.0 {
                3
            } else if rounded < 10.0 {
                2
            } else {
                1
            }
        );
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    let digits = format!("{rounded:.0}");
    let first = digits.len() % 3;
    let (head, tail) = digits.split_at(first);
    let groups = tail.as_bytes().chunks(3).map(|group| String::from_utf8_lossy(group).into_owned());
    std::iter::once(head.to_owned()).filter(|head| !head.is_empty()).chain(groups).collect::<Vec<_>>().join(NO_BREAK)
}

fn percent(part: f64) -> String {
    let value = part * 100.0;
    match value {
        v if v > 99.95 && v < 100.0 => ">99.9\u{a0}%".to_owned(),
        v if v > 0.0 && v < 0.001 => "<0.001\u{a0}%".to_owned(),
        v => format!("{}{NO_BREAK}%", number(v)),
    }
}

/// In a suitable unit.
fn time(seconds: f64) -> String {
    match seconds {
        0.0 => "0\u{a0}s".to_owned(),
        s if s < 1.0 => format!("{:.0}{NO_BREAK}ms", s * 1e3),
        s if s < 120.0 => format!("{}{NO_BREAK}s", number(s)),
        s if s < 7_200.0 => format!("{:.0}{NO_BREAK}min", s / 60.0),
        s if s < 172_800.0 => format!("{}{NO_BREAK}h", number(s / 3_600.0)),
        s => format!("{}{NO_BREAK}days", number(s / 86_400.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        let written = [0.0, 0.012_34, 1.0, 1.234, 56.78, 99.96, 999.6, 12_345.0, 8_640_000.0]
            .map(|value| number(value).replace(NO_BREAK, " "));

        assert_eq!(written, ["0", "0.012", "1", "1.23", "56.8", "100", "1 000", "12 300", "8 640 000"]);
    }

    #[test]
    fn times_have_a_unit() {
        assert_eq!(
            [0.024, 1.5, 119.0, 900.0, 86_400.0, 604_800.0].map(|seconds| time(seconds).replace(NO_BREAK, " ")),
            ["24 ms", "1.5 s", "119 s", "15 min", "24 h", "7 days"]
        );
    }

    #[test]
    fn lines_are_not_longer_than_the_width() {
        let lines = wrapped("label: ", &"word ".repeat(100));

        assert!(lines.lines().count() > 4 && lines.lines().all(|line| line.chars().count() <= WIDTH));
    }
}
